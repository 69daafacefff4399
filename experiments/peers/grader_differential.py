"""The graders and Math-Verify on published gold answers and changed forms of them.

    python experiments/peers/grader_differential.py build/medsbench --data DIR --pairs 4000 --seed 1

DIR holds the published sets (math500.jsonl, minerva.jsonl, olympiadbench.jsonl, amc23.jsonl, aime24.jsonl, gsm8k_test.jsonl, as
many as are there). A generator with a seed draws golds from them, and from templates for forms that they hardly have, and
changes each: rewritings that a mathematician accepts must stay right, small wrong changes must become wrong. Every pair is
graded by `medsbench grade` (math, recipe, limo, last_number) and by Math-Verify.

    pip install math-verify==0.9.0 latex2sympy2_extended==1.11.0 sympy==1.14.0

Prints one line of JSON a finding (the first --examples of each kind: where math or Math-Verify do not say what is expected),
then one line with the counts and the pairs a second, medians of --rounds in turn.
"""

import argparse
import collections
import fractions
import json
import pathlib
import random
import re
import statistics
import subprocess
import time

from math_verify import parse, verify

GRADERS = ("math", "recipe", "limo", "last_number")
INTEGER = re.compile(r"-?\d+")
DECIMAL = re.compile(r"-?\d*\.\d+")
EXPONENT = re.compile(r"(-?\d+(?:\.\d+)?)e(-?\d+)")
FRACTION = re.compile(r"(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}")
RADICAL = re.compile(r"(-?\d*)\\sqrt\{(\d+)\}")
MIXED = re.compile(r"(-?\d+) ?\\frac\{(\d+)\}\{(\d+)\}")
PERCENT = re.compile(r"(.+)\\%")
DEGREES = re.compile(r"(-?[\d.]+)\^\\circ")
TUPLE = re.compile(r"\(([^()\[\]]+,[^()\[\]]+)\)")
INTERVAL = re.compile(r"([(\[])([^,()\[\]]+),([^,()\[\]]+)([)\]])")
PLUS_MINUS = re.compile(r"([^\\{},]*)\\pm ?([^{},]*(?:\{[^{}]*\})?)")
SET = re.compile(r"\\\{(.+)\\\}")
WORD = re.compile(r"\\text\{([A-Za-z]{3,})\}")
FULL_WIDTH = {ord(c): ord(c) - 0x21 + 0xFF01 for c in "0123456789(),.+-=%<>"}


def published_golds(folder):
    golds = []
    for name in ("math500", "minerva", "olympiadbench", "amc23", "aime24", "gsm8k_test"):
        path = folder / f"{name}.jsonl"
        if not path.exists():
            continue
        for line in path.open():
            row = json.loads(line)
            values = row["final_answer"] if "final_answer" in row else [row["answer"]]
            for value in values:
                text = str(value).split("####")[-1].replace("\\$", "").replace("$", "").strip()
                golds.append(text.replace(",", "") if name == "gsm8k_test" else text)
    return sorted(set(golds))


def made_gold(draw):
    """A gold of a form that the published sets hardly have."""
    a, b, c = draw.randint(1, 40), draw.randint(1, 8), draw.randint(9, 30)
    low, high = draw.randint(-20, 0), draw.randint(1, 20)
    opening, closing = draw.choice("(["), draw.choice(")]")
    return draw.choice((
        f"{a}\\frac{{{b}}}{{{c}}}", f"{a}.5\\%", f"{a}\\%", f"{a}\\frac{{1}}{{3}}\\%", f"{opening}{low},{high}{closing}",
        f"(-\\infty,{low}{closing} \\cup {opening}{high},\\infty)", f"{opening}{low},\\infty)",
        f"(-\\infty,{low}) \\cup ({low},\\infty)", f"{a} \\pm \\sqrt{{{c}}}", f"\\{{{low},{high},{a + 50}\\}}", f"{low},{high}",
        f"({low},{high})", f"{a}.{c}e-{draw.randint(3, 9)}", f"0.000{a}", f"{a}\\sqrt{{{draw.choice((2, 3, 5, 7))}}}",
        f"\\frac{{{c}}}{{{b}}}", f"{a * 1000 + c}", f"{c}^\\circ", f"\\{{{a} \\pm \\sqrt{{{c}}}, {low}\\}}"))


def decimal_of(x):
    """The exact decimal; none where it does not end."""
    bottom = x.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    if bottom != 1:
        return None
    text = format(float(x), ".12f").rstrip("0").rstrip(".")
    return text if fractions.Fraction(text) == x else None


def rational_forms(x):
    """Other ways to write a rational number."""
    sign, p, q = "-" if x < 0 else "", abs(x.numerator), x.denominator
    forms = [("fraction", f"{sign}\\frac{{{3 * p}}}{{{3 * q}}}"), ("fraction", f"\\dfrac{{{sign}{p}}}{{{q}}}")]
    if q == 1:
        forms += [("sum", f"{sign}{p}+0"), ("power", f"\\sqrt{{{p * p}}}" if x >= 0 else f"-\\sqrt{{{p * p}}}"),
                  ("unit", f"{sign}{p}\\text{{ units}}"), ("unit", f"{sign}{p} cm"), ("degrees", f"{sign}{p}^{{\\circ}}"),
                  ("chinese unit", f"{sign}{p}个")]
        if p >= 1000:
            groups = f"{p:,}"
            forms += [("thousands", sign + groups.replace(",", mark)) for mark in (",", "{,}", "\\,", " ", ",\\!")]
    else:
        forms += [("slash", f"{sign}{p}/{q}"), ("percent", f"{sign}\\frac{{{100 * p}}}{{{q}}}\\%")]
        if p > q:
            forms += [("mixed", f"{sign}{p // q}{gap}{tail}") for gap, tail in (
                (" ", f"{p % q}/{q}"), ("", f"\\frac{{{p % q}}}{{{q}}}"), (" ", f"\\tfrac{{{p % q}}}{{{q}}}"))]
    decimal = decimal_of(x)
    if decimal is not None:
        forms.append(("decimal", decimal if "." in decimal else decimal + ".0"))
        if "." in decimal and not decimal.startswith("0.") and not re.search(r"\.\d{3}$", decimal):
            forms.append(("decimal comma", decimal.replace(".", "{,}")))
        if x != 0:
            mantissa, exponent = f"{float(abs(x)):.10e}".split("e")
            mantissa = mantissa.rstrip("0").rstrip(".")
            if fractions.Fraction(mantissa) * fractions.Fraction(10) ** int(exponent) == abs(x):
                forms.append(("power of ten", f"{sign}{mantissa} \\times 10^{{{int(exponent)}}}"))
    return forms


def rational_of(gold):
    """The value of a gold that is one rational number, and whether it is written as a percentage."""
    percent = PERCENT.fullmatch(gold)
    text = percent.group(1) if percent else gold
    value = None
    if INTEGER.fullmatch(text) or DECIMAL.fullmatch(text):
        value = fractions.Fraction(text)
    elif m := EXPONENT.fullmatch(text):
        value = fractions.Fraction(m.group(1)) * fractions.Fraction(10) ** int(m.group(2))
    elif m := FRACTION.fullmatch(text):
        value = fractions.Fraction(int(m.group(1) + m.group(2)), int(m.group(3)))
    elif m := MIXED.fullmatch(text):
        part = fractions.Fraction(int(m.group(2)), int(m.group(3)))
        value = int(m.group(1)) + (-part if m.group(1).startswith("-") else part)
    return value, percent is not None


def split_top(text, mark):
    """The parts of a list outside of brackets."""
    parts, depth = [""], 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if c == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def condition(m, name="x"):
    """The inequality of an interval."""
    opening, low, high, closing = (part.strip() for part in m.groups())
    left, right = "<" if opening == "(" else "\\le", "<" if closing == ")" else "\\le"
    if low == "-\\infty" and high in ("\\infty", "+\\infty"):
        return f"-\\infty < {name} < \\infty"
    if low == "-\\infty":
        return f"{name} {right} {high}"
    if high in ("\\infty", "+\\infty"):
        return f"{name} {'>' if left == '<' else chr(92) + 'ge'} {low}"
    return f"{low} {left} {name} {right} {high}"


def interval_forms(gold):
    pieces = [INTERVAL.fullmatch(piece.strip()) for piece in gold.split("\\cup")]
    if not all(pieces) or (len(pieces) == 1 and gold[0] == "(" and gold[-1] == ")" and "infty" not in gold):
        return []
    conditions = " \\text{ or } ".join(condition(piece) for piece in pieces)
    forms = [("interval as inequality", conditions), ("interval in x", f"x \\in {gold}"),
             ("set builder", f"\\{{x : {conditions}\\}}"), ("set builder", f"\\{{x \\mid {conditions}\\}}")]
    if len(pieces) == 2:
        forms.append(("order of a union", " \\cup ".join(reversed([piece.group(0) for piece in pieces]))))
        ends = [end.strip() for piece in pieces for end in piece.groups()[1:3]]
        if ends[0] == "-\\infty" and ends[3] == "\\infty" and ends[1] == ends[2] and gold.count(")") == gold.count("(") == 2:
            forms += [("all but a point", f"x \\ne {pieces[1].group(2).strip()}"),
                      ("all but a point", f"\\mathbb{{R}} \\setminus \\{{{pieces[1].group(2).strip()}\\}}")]
    return forms


def list_forms(gold, draw):
    content = SET.fullmatch(gold)
    parts = split_top(content.group(1) if content else gold, ",")
    if len(parts) < 2 or not all(parts) or "\\!" in gold or re.fullmatch(r"\d{1,3}(,\d{3})+", gold):
        return []
    shuffled = draw.sample(parts, len(parts))
    forms = [("order of a set", ", ".join(shuffled)), ("order of a set", "\\{" + ", ".join(shuffled) + "\\}")]
    if len(parts) == 2 and not content and "=" not in gold:
        forms += [("and", f"{parts[1]} \\text{{ and }} {parts[0]}"), ("or", f"x={parts[0]} \\text{{ or }} x={parts[1]}"),
                  ("chinese list", f"{parts[0]} 或 {parts[1]}")]
    return forms


def plus_minus_forms(gold):
    content = SET.fullmatch(gold)
    parts = split_top(content.group(1) if content else gold, ",")
    spread = []
    for part in parts:
        m = PLUS_MINUS.fullmatch(part)
        spread += [f"{m.group(1)}+{m.group(2)}", f"{m.group(1)}-{m.group(2)}"] if m else [part]
    if len(spread) == len(parts):
        return []
    return [("plus-minus spelled out", text) for text in (",".join(spread), "\\{" + ",".join(reversed(spread)) + "\\}")]


def equivalent_forms(gold, draw):
    """Pairs of a kind and an answer that says what the gold says."""
    forms = []
    value, percent = rational_of(gold)
    if value is not None:
        forms += [] if percent else rational_forms(value)
        if percent:
            forms += [("percent", form) for _, form in rational_forms(value / 100)] + [("percent", gold[:-2] + "%")]
    if m := RADICAL.fullmatch(gold):
        factor, root = int(m.group(1) + "1" if m.group(1) in ("", "-") else m.group(1)), int(m.group(2))
        forms += [("radical", f"{'-' if factor < 0 else ''}\\sqrt{{{factor * factor * root}}}"),
                  ("radical", f"\\frac{{{factor * root}}}{{\\sqrt{{{root}}}}}")]
    if m := DEGREES.fullmatch(gold):
        forms += [("degrees", m.group(1)), ("degrees", m.group(1) + "°"), ("degrees", m.group(1) + "\\text{ degrees}"),
                  ("chinese unit", m.group(1) + "度")]
    if m := WORD.fullmatch(gold):
        forms += [("word", m.group(1)), ("word", m.group(1).lower()), ("word", f"\\textbf{{{m.group(1)}}}")]
    if TUPLE.fullmatch(gold):
        forms += [("spaces", gold.replace(",", " ,\\, ")), ("left and right", f"\\left{gold[:-1]}\\right)")]
    plain = not re.search(r"[=<>]|\\[lg]eq?\b|\\in\b|\\text|\\pm", gold)
    single = plain and not percent and re.fullmatch(r"[\\\w{}^+\-*/. ]+", gold) and not re.search(r"\\c[ua]p|\\\{|matrix", gold)
    forms += interval_forms(gold) + plus_minus_forms(gold)
    if plain and gold[0] not in "([" and "matrix" not in gold:
        forms += list_forms(gold, draw)
    if re.fullmatch(r"[\d(),.+\-%]+", gold):
        forms.append(("full width", gold.translate(FULL_WIDTH)))
    if single:
        forms += [("braces", f"{{{gold}}}"), ("bracketed", f"({gold})"), ("half of the double", f"\\frac{{2({gold})}}{{2}}"),
                  ("equation", f"y={gold}"), ("text", f"\\mathbf{{{gold}}}" if INTEGER.fullmatch(gold) else f" {gold} ")]
    forms += [("quotes", f"{mark}{gold}{end}") for mark, end in ("\"\"", "''", "“”") if INTEGER.fullmatch(gold)]
    forms += [("prose behind", gold), ("full stop", gold + "."), ("dollars", f"${gold}$")]
    return forms


def with_digit(gold, draw):
    places = [i for i, c in enumerate(gold) if c.isdigit()]
    if not places:
        return None
    at = draw.choice(places)
    return gold[:at] + draw.choice([d for d in "123456789" if d != gold[at]]) + gold[at + 1:]


def wrong_forms(gold, draw):
    """Pairs of a kind and an answer near the gold that says something else."""
    forms = []
    value, percent = rational_of(gold)
    for _ in range(2):
        if (changed := with_digit(gold, draw)) is not None and not re.search(r"\\boxed|_\{?\d", gold):
            forms.append(("digit changed", changed))
    if value:
        forms += [("sign flipped", gold[1:] if gold[0] == "-" else "-" + gold), ("next to it", f"{value + 1}")]
        if value.denominator != 1 and not percent and abs(value) != 1:
            forms.append(("turned over", f"{'-' if value < 0 else ''}\\frac{{{value.denominator}}}{{{abs(value.numerator)}}}"))
            p, q = abs(value.numerator), value.denominator
            if p > q and p % q + 1 < q:
                forms.append(("numerator of a mixed number", f"{p // q} {p % q + 1}/{q}"))
        if abs(value) >= 10 and value.denominator == 1:
            text = str(abs(value.numerator))
            forms += [("digits apart", f"{text[0]} {text[1:]}") if len(text) != 4 else ("digit dropped", text[:-1]),
                      ("decimal comma", f"{text[:1]}{{,}}{text[1:]}") if len(text) != 4 else ("digit dropped", text[1:])]
        if DECIMAL.fullmatch(gold) or EXPONENT.fullmatch(gold):
            near = value * fractions.Fraction(draw.choice((96, 97, 103, 104)), 100)
            forms += [("a few percent off", format(float(near), ".6e").replace("e", " \\times 10^{") + "}"),
                      ("point moved", f"{float(value * 10):.10g}")]
    if m := TUPLE.fullmatch(gold):
        parts = split_top(m.group(1), ",")
        if parts[0] != parts[-1]:
            forms.append(("order of a tuple", "(" + ",".join(reversed(parts)) + ")"))
        forms.append(("element dropped", "(" + ",".join(parts[:-1]) + ")"))
    pieces = [INTERVAL.fullmatch(piece.strip()) for piece in gold.split("\\cup")]
    if all(pieces) and interval_forms(gold):
        ends = [i for i, c in enumerate(gold) if c in "()[]" and "infty" not in gold[max(0, i - 7):i + 8].replace("\\cup", "")]
        if ends:
            at = draw.choice(ends)
            forms.append(("open or closed end", gold[:at] + "([)]"[("([)]".index(gold[at])) ^ 1] + gold[at + 1:]))
        flipped = " \\text{ or } ".join(condition(piece) for piece in pieces)
        swap = {"\\le": "<", "\\ge": ">", "<": "\\le", ">": "\\ge"}
        if "infty" not in flipped and re.search(r"\\[lg]e\b|[<>]", flipped):
            forms.append(("open or closed end", re.sub(r"\\[lg]e\b|[<>]", lambda m: swap[m.group(0)], flipped, count=1)))
        if len(pieces) > 1:
            forms.append(("element dropped", pieces[0].group(0)))
    if re.search(r"\\pm", gold) and not SET.fullmatch(gold):
        forms.append(("one sign of plus-minus", gold.replace("\\pm", "+")))
    if list_forms(gold, draw) and gold[0] not in "([":
        parts = split_top(SET.fullmatch(gold).group(1) if SET.fullmatch(gold) else gold, ",")
        forms.append(("element dropped", ",".join(parts[:-1])))
    if re.fullmatch(r"[\w\\{}^+\- ]*[a-z][\w\\{}^+\- ]*", gold) and " + " in gold:
        forms.append(("sign flipped", gold.replace(" + ", " - ", 1)))
    return [form for form in forms if form[1] != gold]


def make_pairs(folder, count, seed):
    draw = random.Random(seed)
    golds = published_golds(folder)
    pairs = []
    seen = set()
    while len(pairs) < count:
        gold = draw.choice(golds) if draw.random() < 0.6 else made_gold(draw)
        right = draw.random() < 0.5
        forms = (equivalent_forms if right else wrong_forms)(gold, draw)
        if not forms:
            continue
        kind = draw.choice(sorted({form[0] for form in forms}))
        answer = draw.choice([form[1] for form in forms if form[0] == kind])
        if (gold, answer) in seen:
            continue
        seen.add((gold, answer))
        tail = " The answer stands in a \\boxed as asked." if kind == "prose behind" else ""
        response = f"So the answer is $\\boxed{{{answer}}}$.{tail}"
        pairs.append({"kind": kind, "right": right, "answer": gold, "response": response})
    return pairs


def grade_ours(program, grader, pairs):
    lines = "".join(json.dumps({"response": pair["response"], "answer": pair["answer"]}) + "\n" for pair in pairs)
    done = subprocess.run([program, "grade", "--grader", grader], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line)["verdict"] for line in done.stdout.splitlines()]


def grade_theirs(pairs):
    return ["right" if verify(parse(f"${pair['answer']}$"), parse(pair["response"])) else "wrong" for pair in pairs]


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--pairs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=0, help="of timing: 500 pairs by Math-Verify, all ten times by ours")
    arguments = parser.parse_args()
    pairs = make_pairs(arguments.data, arguments.pairs, arguments.seed)
    verdicts = {grader: grade_ours(arguments.program, grader, pairs) for grader in GRADERS}
    verdicts["math_verify"] = grade_theirs(pairs)

    counts = {name: collections.Counter() for name in verdicts}
    kinds = collections.defaultdict(collections.Counter)
    for i, pair in enumerate(pairs):
        expected = "right" if pair["right"] else "wrong"
        for name, given in verdicts.items():
            counts[name][f"{expected} said {given[i]}"] += 1
            if name not in ("math", "math_verify") or given[i] == expected:
                continue
            kinds[f"{pair['kind']}: {expected}"][name] += 1
            if kinds[f"{pair['kind']}: {expected}"][name] <= arguments.examples:
                print(json.dumps({"grader": name, "said": given[i], **pair}, ensure_ascii=False))
    report = {"pairs": len(pairs), "seed": arguments.seed, "counts": counts, "not as expected, by kind": kinds}
    if arguments.rounds > 0:
        rates = collections.defaultdict(list)
        for _ in range(arguments.rounds):
            for grader in GRADERS:
                rates[grader].append(10 * len(pairs) / seconds(lambda: grade_ours(arguments.program, grader, 10 * pairs)))
            some = pairs[:500]
            rates["math_verify"].append(len(some) / seconds(lambda: grade_theirs(some)))
        report["pairs a second: median, least, most"] = {
            name: [round(x) for x in (statistics.median(r), min(r), max(r))] for name, r in rates.items()}
    print(json.dumps(report, ensure_ascii=False))


if __name__ == "__main__":
    main()
