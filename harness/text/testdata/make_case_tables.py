# Asks Python about the case of every code point: writes ../unicode/special_casing.cpp (characters of which one case is several
# characters) and letter_case.golden.json. utf8proc has the other cases; run it with a Python whose unicodedata is no newer.
import json
import unicodedata

assert unicodedata.unidata_version == "14.0.0"
CHARACTERS = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c <= 0xDFFF and unicodedata.category(chr(c)) not in ("Cn", "Co")]


def ranges(points):
    found = []
    for c in points:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


special = [c for c in CHARACTERS if len(c.upper()) > 1 or len(c.title()) > 1]
# A letter behind a cased character is no first one; a capital sigma is a final one behind a cased character, whatever is passed over.
cased = [ord(c) for c in CHARACTERS if (c + "a").title()[-1] == "a"]
passed = [ord(c) for c in CHARACTERS if ("A" + c + "Σ").lower()[-1] == "ς" and (c + "Σ").lower()[-1] != "ς"]
other_cased = ranges(c for c in cased if unicodedata.category(chr(c)) not in ("Lu", "Ll", "Lt"))
with open("../unicode/special_casing.cpp", "w", encoding="utf8") as out:
    out.write("// Written by testdata/make_case_tables.py with Python's Unicode 14; do not edit.\n")
    out.write('#include "harness/text/unicode/tables.h"\n\nnamespace harness {\n\nnamespace {\n\n')
    out.write("constexpr SpecialCase kSpecial[] = {\n")
    out.write(",\n".join("    {0x%X, {%s}, {%s}}" % (ord(c), ", ".join("0x%X" % ord(x) for x in c.upper()),
                                                      ", ".join("0x%X" % ord(x) for x in c.title())) for c in special))
    out.write("};\n\nconstexpr CodePointRange kOtherCased[] = {\n    " + ", ".join("{0x%X, 0x%X}" % tuple(r) for r in other_cased) + "};\n")
    out.write("\n}  // namespace\n\nstd::span<const SpecialCase> special_cases() { return kSpecial; }\n")
    out.write("std::span<const CodePointRange> other_cased_ranges() { return kOtherCased; }\n\n}  // namespace harness\n")

golden = {name: [[ord(c), *map(ord, case(c))] for c in CHARACTERS if case(c) != c]
          for name, case in [("upper", str.upper), ("lower", str.lower), ("title", str.title)]}
golden |= {"cased": ranges(cased), "passed": ranges(passed)}
WORDS = ["ΑΣ", "ΑΣ ΣΑΣ", "Σ", "ΑΣΑ", "ΑΣ.", "Α.Σ", "ΑΣ'Α", "ΟΔΥΣΣΕΥΣ", "ΑΣ\u0301", "1Σ", "ª\u03a3", "ⅠΣ", "ŉ test", "ﬁne ßtraße", "ǆ ǅ Ǆ", "İstanbul İ",
         "it's THEY'RE o'neil", "ὀδυσσεύς ᾳ ᾼ", "ﬃ", "hello wORLD-ab", "x(yZ) [Qq] <Ab {cD", "ՙև", "", "ΣΣ ΣΣ", "a\u00adΣ", "aΣ\u00adb", "aΣ\u00ad"]
golden["texts"] = [{"text": t, "upper": t.upper(), "lower": t.lower(), "title": t.title(), "capitalize": t.capitalize()} for t in WORDS]
with open("letter_case.golden.json", "w", encoding="utf8") as out:
    out.write("{\n" + ",\n".join(json.dumps(key) + ": " + json.dumps(value, separators=(",", ":"), ensure_ascii=False)
                                 for key, value in golden.items()) + "\n}\n")
