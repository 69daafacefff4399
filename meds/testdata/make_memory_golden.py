"""The published memory in plain Python: writes steps and what they give. Usage: make_memory_golden.py OUT

Look up (cosine 3-NN vote, smallest label on a tie) in what earlier steps stored, then add, then hdbscan with an exact tree on the
key's L2-normalised history; penalty alpha * min(ln(size + 1), 2) for wrong responses. A vector with a tied vote is drawn anew, so
that label numbers do not matter: only sizes are written.
"""

import json
import math
import sys

import hdbscan
import numpy as np

ALPHA = 0.1


def unit(row):
    return row / np.sqrt(sum(v * v for v in row))


def label_all(rows):
    if len(rows) < 2:
        return [-1] * len(rows)
    model = hdbscan.HDBSCAN(min_cluster_size=2, min_samples=1, approx_min_span_tree=False)
    return model.fit_predict(np.array([unit(row) for row in rows])).tolist()


def look_up(memory, vector):
    if not memory["rows"]:
        return None, 0, False
    distances = [1 - float(np.dot(unit(row), unit(vector))) for row in memory["rows"]]
    nearest = sorted(range(len(distances)), key=lambda i: distances[i])[:3]
    votes = {}
    for i in nearest:
        votes[memory["labels"][i]] = votes.get(memory["labels"][i], 0) + 1
    best = max(votes.values())
    winners = [label for label, count in votes.items() if count == best]
    return min(winners), memory["labels"].count(min(winners)), len(winners) > 1


def main():
    rng = np.random.default_rng(20260412)
    centres = {p: rng.normal(size=(4, 5)) for p in range(5)}
    memories = {}
    with open(sys.argv[1], "w") as out:
        for _ in range(14):
            responses, sizes = [], []
            for p in [0, 1, 2, 1, int(rng.integers(3, 5))]:
                for _ in range(4):
                    key = (f"p{p}", bool(rng.uniform() < 0.3))
                    memory = memories.get(key, {"rows": [], "labels": []})
                    for _ in range(50):
                        vector = (centres[p][rng.integers(0, 4)] + rng.normal(size=5) * 0.05).astype(np.float32).astype(np.float64)
                        _, size, tied = look_up(memory, vector)
                        if not tied:
                            break
                    none = tied or rng.uniform() < 0.1
                    responses.append({"problem": key[0], "correct": key[1], "fingerprint": None if none else vector.tolist()})
                    sizes.append(0 if key[1] or none else size)
            for response in responses:
                if response["fingerprint"] is not None:
                    key = (response["problem"], response["correct"])
                    memories.setdefault(key, {"rows": [], "labels": []})["rows"].append(np.array(response["fingerprint"]))
            for memory in memories.values():
                memory["labels"] = label_all(memory["rows"])
            penalties = [ALPHA * min(math.log(size + 1), 2.0) for size in sizes]
            scores = [1.0 if r["correct"] else -b for r, b in zip(responses, penalties)]
            out.write(json.dumps({"responses": responses, "sizes": sizes, "penalties": penalties, "scores": scores}) + "\n")


main()
