"""Golden file of harness/report: every number of a small result table, from numpy, scipy and statsmodels alone.

python experiments/peers/make_table_golden.py harness/report/testdata
"""
import itertools
import json
import math
import random
import sys
from collections import Counter
from math import ceil, comb

import numpy as np
from scipy.stats import binom, hypergeom, t, trim_mean
from statsmodels.stats.multitest import multipletests

SEED, N, KS, TAU, COVER = 5, 8, (1, 4, 6), 0.5, 0.25
SETS = {"one": 7, "two": 5}
ROWS = {"Base": (None, [0], 0.02), "A": ("Base", [1, 2, 3], 0.2), "B": ("A", [1, 2, 3], 0.65)}
BUDGET = ("tokens_generated", "responses_generated", "responses_kept", "updates", "visits_per_problem")


def samples():
    """One line a (row, seed, set, problem): answers, verdicts of two graders (right, wrong, undecided)."""
    rng, lines = random.Random(SEED), []
    difficulty = {(s, p): rng.uniform(-0.15, 0.3) for s, count in SETS.items() for p in range(count)}
    for row, (_, seeds, rate) in ROWS.items():
        for seed in seeds:
            for (name, p), easy in difficulty.items():
                right = [rng.random() < rate + easy for _ in range(N)]
                answers = ["42" if r else rng.choice(["1", "2", "2", "3", None]) for r in right]
                if row == "A" and seed == 2 and (name, p) == ("one", 4):  # no answer at all: its entropy is undefined
                    right, answers = [False] * N, [None] * N
                main = "".join("r" if r else "u" if a and rng.random() < 0.15 else "w" for r, a in zip(right, answers))
                other = "".join(v if rng.random() < 0.85 else "r" if v != "r" else "w" for v in main)
                lines.append({"row": row, "seed": seed, "set": name, "problem": f"{name}-{p}", "answers": answers,
                              "recipe": main, "limo": other})
    return lines


def trainings():
    """What the record says of each training; seed 2 was not evaluated on its training problems."""
    rng, out = random.Random(SEED + 1), {}
    for row, (_, seeds, _) in ROWS.items():
        for seed in (s for s in seeds if s):
            budget = [rng.randrange(limit) for limit in (10**6, 10**4, 10**3, 100)] + [round(rng.uniform(1, 9), 3)]
            steps = [round(rng.random(), 3) for _ in range(8)]
            out[f"{row} {seed}"] = {"budget": dict(zip(BUDGET, budget)), "steps": steps,
                                    "train_pass_rate": None if seed == 2 else round(rng.random(), 3)}
    return out


def majority(answers, right, k):
    values = []
    for subset in itertools.combinations(range(N), k):
        counts = Counter(answers[i] for i in subset if answers[i] is not None)
        top = [a for a, c in counts.items() if c == max(counts.values())]
        share = [np.mean([right[i] for i in range(N) if answers[i] == a]) for a in top]
        values.append(np.mean(share) if top else 0.0)
    return np.mean(values)


def entropy(answers):
    counts = Counter(a for a in answers if a is not None)
    total = sum(counts.values())
    return -sum(c / total * math.log(c / total) for c in counts.values()) if total else math.nan


def problem_values(line):
    right = [v == "r" for v in line["recipe"]]
    c, answers = sum(right), line["answers"]
    out = {f"pass@{k}": 1 - comb(N - c, k) / comb(N, k) for k in KS}
    for k in KS[1:]:
        out[f"maj@{k}"] = majority(answers, right, k)
        out[f"g_pass@{k}_{TAU}"] = hypergeom.sf(ceil(TAU * k) - 1, N, c, k)
    out[f"cover@{COVER}"] = float(np.mean(right) >= COVER)  # arXiv 2510.08325: G(tau) = 1/T sum of 1{p_i >= tau}
    out["luck"] = float(c in (1, 2))
    out["distinct_answers"] = len(set(answers) - {None})
    out["answer_entropy"] = entropy(answers)
    out["no_answer"] = answers.count(None) / N
    out["undecided"] = line["recipe"].count("u") / N
    out["disagreement"] = np.mean([(a == "r") != (b == "r") for a, b in zip(line["recipe"], line["limo"])])
    return out


def tables(lines, metric):
    """row -> set -> [seeds, problems]"""
    out = {}
    for row, (_, seeds, _) in ROWS.items():
        def of_seed(seed, name):
            return [problem_values(l)[metric] for l in lines if (l["row"], l["seed"], l["set"]) == (row, seed, name)]
        out[row] = {name: np.array([of_seed(s, name) for s in seeds], dtype=float) for name in SETS}
    return out


def mean_with_interval(sets):
    averages = np.mean([np.nanmean(y, axis=1) for y in sets], axis=0)
    n, groups, terms = len(averages), len(sets), []
    from_seeds = averages.var(ddof=1) / n if n > 1 else 0.0
    if n > 1:
        terms.append((from_seeds, n - 1))
    from_problems = twice = 0.0
    for y in sets:
        y = y[:, ~np.isnan(y).any(axis=0)]
        p = y.shape[1]
        between = y.mean(axis=0).var(ddof=1) / (groups**2 * p)
        from_problems += between
        terms.append((between, p - 1))
        if n > 1:
            rest = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
            residual = (rest**2).sum() / ((n - 1) * (p - 1)) / (groups**2 * p * n)
            twice += residual
            terms.append((residual, (n - 1) * (p - 1)))
    variance = max(from_seeds + from_problems - twice, from_seeds, from_problems)
    error, degrees = math.sqrt(variance), max(1.0, variance**2 / sum(v**2 / d for v, d in terms))
    value, half = averages.mean(), t.ppf(0.975, degrees) * error
    return {"value": value, "low": value - half, "high": value + half, "p": 2 * t.sf(abs(value) / error, degrees),
            "seed_deviation": averages.std(ddof=1) if n > 1 else None, "error": error, "degrees": degrees, "seeds": n,
            "problems": sum(y.shape[1] for y in sets)}


def sampling_error(lines, row, names, k):
    """2k <= N: pass@k^2 has an unbiased estimate. Else: the rates' distribution by EM on a grid, every problem at its mean."""
    of = [l for l in lines if l["row"] == row and l["set"] in names]
    c = np.array([l["recipe"].count("r") for l in of])
    weights = np.array([1 / (len(ROWS[row][1]) * len(names) * SETS[l["set"]]) ** 2 for l in of])
    none_right = np.array([comb(N - r, k) / comb(N, k) for r in range(N + 1)])
    if 2 * k <= N:
        spread = np.array([none_right[r] ** 2 - comb(N - r, 2 * k) / comb(N, 2 * k) for r in range(N + 1)])[c]
    else:
        steps = ceil(4 * math.sqrt(N))
        grid = np.sin(np.pi * np.arange(steps + 1) / (2 * steps)) ** 2
        chances = binom.pmf(c[:, None], N, grid[None, :])
        every = binom.pmf(np.arange(N + 1)[:, None], N, grid[None, :])
        of_rate = (every * none_right[:, None] ** 2).sum(0) - (every * none_right[:, None]).sum(0) ** 2
        shares = np.full(steps + 1, 1 / (steps + 1))
        for _ in range(101):
            at = chances * shares
            at /= at.sum(1, keepdims=True)
            shares = (weights[:, None] * at).sum(0) / weights.sum()
        spread = at @ of_rate
    return math.sqrt(max((weights * spread).sum(), 0.0))


def variance_parts(sets, samples, fixed=0.0):
    """The variance of the mean by seed, problem, seed x problem and samples: expected mean squares of the crossed model."""
    n, groups = len(sets[0]), len(sets)
    sets = [y[:, ~np.isnan(y).any(axis=0)] for y in sets]
    between = sum(y.mean(axis=0).var(ddof=1) / (groups**2 * y.shape[1]) for y in sets)
    if n == 1:
        return {"seed": None, "problem": between - samples - fixed, "seed_problem": None, "sampling": samples + fixed}
    rest = 0.0
    for y in sets:
        residual = y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()
        rest += (residual**2).sum() / ((n - 1) * (y.shape[1] - 1)) / (groups**2 * y.shape[1] * n)
    return {"seed": np.mean([y.mean(axis=1) for y in sets], axis=0).var(ddof=1) / n - rest, "problem": between - rest - fixed,
            "seed_problem": rest - samples, "sampling": samples + fixed}


def improvement(mine, theirs):
    tasks = []
    for x, y in zip(mine, theirs):
        pairs = [(a, b) for a in np.nanmean(x, axis=1) for b in np.nanmean(y, axis=1)]
        tasks.append(np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs]))
    return np.mean(tasks)


def holm_levels(p, alpha=0.05):
    """Level of each comparison's interval: 1 - alpha / (comparisons not yet decided), kept from the first that fails on."""
    levels, level, stopped = [0.0] * len(p), 1 - alpha, False
    for rank, i in enumerate(np.argsort(p, kind="stable")):
        if not stopped:
            level = 1 - alpha / (len(p) - rank)
        stopped = stopped or p[i] * (len(p) - rank) >= alpha
        levels[i] = level
    return levels


def entry_of(row, name, metric, number):
    keys = ("value", "low", "high", "seed_deviation", "seeds", "problems")
    return {"row": row, "set": name, "metric": metric, **{key: number.get(key) for key in keys}}


def golden(lines, training):
    entries, family, leads = [], [], []
    rates = [m for m in problem_values(lines[0]) if "@" in m]
    columns = [(s, m) for s in [*SETS, "average"] for m in rates]
    columns += [("average", m) for m in problem_values(lines[0]) if m not in rates]
    for name, metric in columns:
        table = tables(lines, metric)
        of = {row: list(sets.values()) if name == "average" else [sets[name]] for row, sets in table.items()}
        numbers = {row: mean_with_interval(sets) for row, sets in of.items()}
        order = sorted(ROWS, key=lambda row: -numbers[row]["value"])
        for row, (base, seeds, _) in ROWS.items():
            entry = entry_of(row, name, metric, numbers[row])
            if metric not in ("distinct_answers", "answer_entropy") and entry["low"] is not None:  # a rate's interval
                entry["low"], entry["high"] = max(0.0, entry["low"]), min(1.0, entry["high"])
            if metric.startswith("pass@"):
                names = list(SETS) if name == "average" else [name]
                drawn = {r: sampling_error(lines, r, names, int(metric[5:])) for r in ROWS}
                entry["sampling_error"] = drawn[row]
                entry["noise"] = variance_parts(of[row], drawn[row] ** 2)
            if metric in rates and row == order[0]:
                second = mean_with_interval([a - b for a, b in zip(of[row], of[order[1]])])
                entry["best"] = False
                if second["seeds"] > 1:
                    leads.append((entry, second["p"] if second["value"] > 0 else 1.0))
            if base and metric in rates + ["distinct_answers", "answer_entropy"]:
                difference = mean_with_interval([a - b for a, b in zip(of[row], of[base])])
                entry["comparison"] = {"against": base, "difference": difference["value"], "low": difference["low"],
                                       "high": difference["high"], "p": difference["p"],
                                       "improvement": improvement(of[row], of[base])}
                if metric.startswith("pass@"):
                    once = len(ROWS[base][1]) == 1  # evaluated once, against every seed
                    both = drawn[row] ** 2 + (0 if once else drawn[base] ** 2)
                    parts = variance_parts([a - b for a, b in zip(of[row], of[base])], both, drawn[base] ** 2 if once else 0)
                    entry["comparison"]["noise"] = parts
                family.append((entry["comparison"], difference))
            entries.append(entry)
    p = [difference["p"] for _, difference in family]
    adjusted = multipletests(p, method="holm")
    for (comparison, difference), level, p_holm, different in zip(family, holm_levels(p), adjusted[1], adjusted[0]):
        half = t.ppf(0.5 + level / 2, difference["degrees"]) * difference["error"]
        comparison.update(p_holm=p_holm, adjusted_low=difference["value"] - half, adjusted_high=difference["value"] + half,
                          mark=int(np.sign(difference["value"])) if different else 0)
    for (entry, _), different in zip(leads, multipletests([p for _, p in leads], method="holm")[0]):
        entry["best"] = bool(different)
    of_pass = tables(lines, "pass@1")
    for row, (_, seeds, _) in ROWS.items():
        scores = np.concatenate([y.mean(axis=1) for y in of_pass[row].values()])
        entries.append({"row": row, "set": "average", "metric": "iqm", "value": trim_mean(scores, 0.25), "seeds": len(seeds)})
        mine = [training[f"{row} {s}"] for s in seeds if s]
        for metric in ("train_pass_rate", "rollout_pass_rate", *BUDGET):
            apart = {"train_pass_rate": lambda m: m["train_pass_rate"], "rollout_pass_rate": lambda m: np.mean(m["steps"][-5:])}
            values = [apart[metric](m) if metric in apart else m["budget"][metric] for m in mine]
            values = [v for v in values if v is not None]
            entries.append({"row": row, "set": "average", "metric": metric, "value": np.mean(values) if values else None,
                            "seed_deviation": np.std(values, ddof=1) if values else None, "seeds": len(values)})
    return {"comparisons": len(family), "entries": entries}


def main():
    (folder,) = sys.argv[1:]
    lines, training = samples(), trainings()
    with open(f"{folder}/table.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    with open(f"{folder}/table.expected.json", "w") as file:
        expected = {"n": N, "k": list(KS), "g_pass": [TAU], "cover": [COVER], "sets": list(SETS), "trainings": training,
                    **golden(lines, training)}
        json.dump(expected, file, indent=1, default=float)
        file.write("\n")


if __name__ == "__main__":
    main()
