"""Golden files of harness/stats and harness/metrics from rliable, scipy, scikit-learn, sacrebleu and hdbscan.

python experiments/peers/make_statistics_goldens.py harness/stats/testdata harness/metrics/testdata
"""
import itertools
import json
import math
import random
import sys
from collections import Counter, defaultdict
from math import ceil, comb

import hdbscan
import numpy as np
from rliable import metrics as rliable
from sacrebleu.metrics import BLEU
from scipy.stats import bootstrap, hypergeom, trim_mean
from sklearn.metrics import adjusted_rand_score, completeness_score, homogeneity_score

SEED = 11
KS = (1, 2, 4, 8)
SEEDS, PROBLEMS, N = 3, 6, 8


def outcome_lines():
    rng, normal = random.Random(SEED), np.random.default_rng(SEED)
    words = "the sum of a b and c is we get so then x y answer".split()
    sentences = ["so we get the sum of a b and c", "the answer is the sum of x and y", "then we get x and the sum of a"]
    gold = ["9", "1", "2", "3", "7", "1"]
    lines = []
    for seed in range(SEEDS):
        for p in range(PROBLEMS):
            for _ in range(N):
                answer = rng.choice(["1", "2", "3", "7", None]) if p else rng.choice(["5", None])
                base = rng.choice(sentences).split()[: rng.choice([3, 6, 8, 10])]
                text = " ".join(w if rng.random() < 0.9 else rng.choice(words) for w in base)
                text += rng.choice(["", " ", "  the\tsum"])
                line = {"problem": f"p{p}", "seed": seed, "correct": answer == gold[p], "answer": answer, "response": text}
                if rng.random() < 0.9:
                    vector = normal.normal(size=5) + (0 if answer is None else int(answer))
                    line["fingerprint"] = [float(np.float32(v)) for v in vector]
                lines.append(line)
    return lines


def of_fingerprints(rows, suffix=""):
    eigen = np.linalg.eigvalsh(np.cov(rows.T))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    kernel = unit @ unit.T
    lam = np.linalg.eigvalsh(kernel / len(rows))
    lam = lam[lam > 1e-15]
    pairs = [1 - kernel[i, j] for i in range(len(rows)) for j in range(i)]
    return {"eigen_ratio" + suffix: eigen[-1] / eigen.sum(), "fingerprint_distance" + suffix: np.mean(pairs),
            "vendi" + suffix: math.exp(-(lam * np.log(lam)).sum())}


def of_cell(rows):
    answers = [r["answer"] for r in rows if r["answer"] is not None]
    counts, total = Counter(answers), len(answers)
    wrong = [r["answer"] for r in rows if not r["correct"]]
    out = {"distinct_answers": len(counts),
           "answer_entropy": -sum(c / total * math.log(c / total) for c in counts.values()) if total else None,
           "largest_wrong_share": max(Counter(wrong).values()) / len(wrong) if wrong else None}
    out.update(of_fingerprints(np.array([r["fingerprint"] for r in rows if "fingerprint" in r])))
    texts = [r["response"].split() for r in rows]
    for n in (1, 2, 4):
        grams = [tuple(t[i:i + n]) for t in texts for i in range(len(t) - n + 1)]
        out[f"distinct_{n}"] = len(set(grams)) / len(grams) if grams else None
    bleu = BLEU(tokenize="none", smooth_method="none")
    out["self_bleu_4"] = np.mean([bleu.sentence_score(r["response"], [s["response"] for s in rows if s is not r]).score
                                  for r in rows])
    vectors = np.array([r["fingerprint"] for r in rows if not r["correct"] and "fingerprint" in r])
    out["error_clusters"] = 0
    if len(vectors) >= 2:
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        labels = hdbscan.HDBSCAN(min_cluster_size=2, min_samples=1, approx_min_span_tree=False).fit_predict(vectors)
        out["error_clusters"] = int(labels.max() + 1)
    return out


def majority(rows, k):
    values = []
    for subset in itertools.combinations(rows, k):
        counts = Counter(r["answer"] for r in subset if r["answer"] is not None)
        top = [a for a, c in counts.items() if c == max(counts.values())]
        values.append(np.mean([next(r["correct"] for r in rows if r["answer"] == a) for a in top]) if top else 0.0)
    return np.mean(values)


def score_golden(lines):
    cells = defaultdict(list)
    for line in lines:
        cells[line["seed"], line["problem"]].append(line)
    right = [sum(r["correct"] for r in rows) for rows in cells.values()]
    passed = {str(k): np.mean([1 - comb(N - c, k) / comb(N, k) for c in right]) for k in KS}
    measured = [of_cell(rows) for rows in cells.values()]
    diversity = {name: np.mean([m[name] for m in measured if m[name] is not None]) for name in measured[0]}
    pooled = [of_fingerprints(np.array([r["fingerprint"] for r in lines if r["seed"] == s and "fingerprint" in r]), "_pooled")
              for s in range(SEEDS)]
    # G-pass@k: at least ceil(tau k) right among k drawn without replacement.
    thresholds = {str(k): {str(t): np.mean([hypergeom.sf(ceil(t * k) - 1, N, c, k) for c in right]) for t in (0.5, 0.75, 1.0)}
                  for k in KS}
    diversity.update({name: np.mean([p[name] for p in pooled]) for name in pooled[0]})
    return {"n": N, "problems": PROBLEMS, "pass@k": passed,
            "maj@k": {str(k): np.mean([majority(rows, k) for rows in cells.values()]) for k in KS},
            "g_pass@k": thresholds,
            "pass_gain": {k: v - passed["1"] for k, v in passed.items()},
            "iqm": trim_mean([c / N for c in right], 0.25), "diversity": diversity}


def aggregate_golden():
    r = np.random.default_rng(SEED)
    out = {"iqm": [], "improvement": [], "bootstrap": []}
    for shape in ((3, 7), (5, 20), (1, 4), (2, 3), (10, 31)):
        x = np.round(r.uniform(size=shape), 3)
        out["iqm"].append({"scores": x.flatten().tolist(), "value": rliable.aggregate_iqm(x)})
    for runs_x, runs_y, tasks in ((3, 3, 4), (5, 4, 2), (10, 10, 1)):
        x, y = np.round(r.uniform(size=(runs_x, tasks)) * 8) / 8, np.round(r.uniform(size=(runs_y, tasks)) * 8) / 8
        out["improvement"].append({"x": x.T.tolist(), "y": y.T.tolist(), "value": rliable.probability_of_improvement(x, y)})
    for n in (12, 40):
        x = np.round(r.beta(0.5, 0.5, size=n), 3)
        ci = bootstrap((x,), np.mean, n_resamples=200000, method="percentile", rng=np.random.default_rng(1)).confidence_interval
        out["bootstrap"].append({"values": x.tolist(), "low": ci.low, "high": ci.high})
    return out


def agreement_golden():
    r = np.random.default_rng(SEED)
    out = []
    for n, k, c in ((10, 3, 3), (40, 5, 4), (40, 1, 4), (25, 25, 2), (60, 7, 1), (12, 12, 12), (300, 20, 15)):
        a = r.integers(-1, k, size=n)
        b = np.where(r.uniform(size=n) < 0.6, a % c, r.integers(0, c, size=n))
        purity = sum(max(np.sum((a == i) & (b == j)) for j in set(b)) for i in set(a)) / n
        out.append({"clusters": a.tolist(), "classes": b.tolist(), "adjusted_rand": adjusted_rand_score(b, a),
                    "homogeneity": homogeneity_score(b, a), "completeness": completeness_score(b, a), "purity": purity})
    return out


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, default=float)
        file.write("\n")


def main():
    stats, metrics = sys.argv[1:]
    write(f"{stats}/aggregates.json", aggregate_golden())
    write(f"{metrics}/agreement.json", agreement_golden())
    lines = outcome_lines()
    with open(f"{metrics}/score.jsonl", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    write(f"{metrics}/score.expected.json", score_golden(lines))


if __name__ == "__main__":
    main()
