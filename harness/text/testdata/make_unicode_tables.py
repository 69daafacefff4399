# Asks the tokenizers package about every code point: writes ../unicode/tables.cpp and unicode_sets.golden.json. Run here, with a
# Python whose own unicodedata is as old as the oldest library that the program may be linked with (PCRE2 10.42: Unicode 14).
import json
import unicodedata

import tokenizers
import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

assert unicodedata.unidata_version == "14.0.0"
POINTS = [c for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF]
TEXT = "".join(map(chr, POINTS))
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()


def ranges(points):
    found = []
    for c in sorted(points):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def matching(pattern):
    return set(POINTS) - set(map(ord, normalizers.Replace(Regex(pattern), "").normalize_str(TEXT)))


def single_pieces(pre_tokenizer):
    return {ord(piece) for piece, _ in pre_tokenizer.pre_tokenize_str("a".join(map(chr, POINTS))) if len(piece) == 1 and piece != "a"}


members = {category: matching(f"\\p{{{category}}}") for category in CATEGORIES}
category_of = {c: category for category, points in members.items() for c in points}
alphabetic, han, words = matching("\\p{Alphabetic}"), matching("\\p{Han}"), matching("\\w")
newer = [c for c in POINTS if category_of[c] != unicodedata.category(chr(c))]


def kind(c):
    return category_of[c], c in alphabetic, c in han, c in words, len(chr(c).encode())


known = {}
for c in POINTS:
    if c >= 0x1000 and category_of[c] == unicodedata.category(chr(c)):
        known.setdefault(kind(c), c)
rows = []
for c in newer:
    if rows and rows[-1][1] == c - 1 and rows[-1][2] == known[kind(c)]:
        rows[-1][1] = c
    else:
        rows.append([c, c, known[kind(c)]])

numeric = single_pieces(pre_tokenizers.Digits(True))
punctuation = single_pieces(pre_tokenizers.Punctuation("isolated"))
strip, decompose, lower = normalizers.StripAccents(), normalizers.NFKD(), normalizers.Lowercase()
marks = {c for c in POINTS if strip.normalize_str("b" + chr(c)) == "b"}
whole = {c for c in POINTS if decompose.normalize_str(chr(c)) == chr(c) != unicodedata2.normalize("NFKD", chr(c))}
assert all(unicodedata2.combining(chr(c)) == 0 for c in whole)
lowered = {c: lower.normalize_str(chr(c)) for c in POINTS}
pairs = {c: low for c, low in lowered.items() if low != chr(c).lower()}
assert all(len(low) == 1 for low in pairs.values())


def table(kind, name, rows):
    lines, line = [], ""
    for row in rows:
        entry = "{" + ", ".join(f"0x{c:X}" for c in row) + "}, "
        if len(line) + len(entry) > 124:
            lines.append(line.rstrip())
            line = ""
        line += entry
    return f"constexpr {kind} {name}[] = {{\n    " + "\n    ".join([*lines, line.rstrip().rstrip(",")]) + "};\n"


with open("../unicode/tables.cpp", "w", encoding="utf8") as out:
    out.write("// Written by testdata/make_unicode_tables.py with tokenizers " + tokenizers.__version__ + "; do not edit.\n")
    out.write('#include "harness/text/unicode/tables.h"\n\nnamespace harness {\n\nnamespace {\n\n')
    out.write(table("NewerRange", "kNewer", rows) + "\n")
    out.write(table("CodePointRange", "kNumeric", ranges(numeric)) + "\n")
    out.write(table("CodePointRange", "kPunctuation", ranges(punctuation)) + "\n")
    out.write(table("CodePointRange", "kMarks", ranges(marks)) + "\n")
    out.write(table("CodePointRange", "kWhole", ranges(whole)) + "\n")
    out.write(table("LowerCase", "kLower", [(c, ord(low)) for c, low in sorted(pairs.items())]) + "\n}  // namespace\n\n")
    for kind_name, function, name in [("NewerRange", "newer_ranges", "kNewer"), ("CodePointRange", "numeric_ranges", "kNumeric"),
                                      ("CodePointRange", "punctuation_ranges", "kPunctuation"), ("CodePointRange", "mark_ranges", "kMarks"),
                                      ("CodePointRange", "whole_ranges", "kWhole"), ("LowerCase", "newer_lower_cases", "kLower")]:
        out.write(f"std::span<const {kind_name}> {function}() {{ return {name}; }}\n")
    out.write("\n}  // namespace harness\n")

golden = {f"\\p{{{category}}}": ranges(points) for category, points in members.items() if category != "Cn"}
golden |= {"\\w": ranges(words), "\\s": ranges(matching("\\s")), "[^\\s\\p{L}\\p{N}]": ranges(matching("[^\\s\\p{L}\\p{N}]"))}
golden |= {"numeric": ranges(numeric), "punctuation": ranges(punctuation), "marks": ranges(marks), "whole": ranges(whole)}
golden["lower"] = [[c, *map(ord, low)] for c, low in sorted(lowered.items()) if low != chr(c)]
with open("unicode_sets.golden.json", "w", encoding="utf8") as out:
    out.write("{\n" + ",\n".join(json.dumps(key) + ": " + json.dumps(value, separators=(",", ":")) for key, value in golden.items()) + "\n}\n")
print(len(newer), "newer characters in", len(rows), "ranges;", {key: len(value) for key, value in golden.items()})
