"""Writes hdbscan.jsonl: vectors, labels of hdbscan with an exact spanning tree. Usage: make_hdbscan_golden.py OUT"""

import json
import sys

import hdbscan
import numpy as np


def normalised(rows):
    return np.array([row / np.sqrt(sum(v * v for v in row)) for row in rows])


def clustered(rng, n, d):
    k = int(rng.integers(1, max(2, n // 6) + 1))
    spread = 10 ** rng.uniform(-3, 0, size=k)
    which = rng.integers(0, k, size=n)
    return rng.normal(size=(k, d))[which] * 3 + rng.normal(size=(n, d)) * spread[which][:, None]


def main():
    rng = np.random.default_rng(20260411)
    with open(sys.argv[1], "w") as out:
        for n, d, size in [(4, 2, 2), (5, 3, 2), (8, 4, 2), (16, 4, 2), (33, 6, 2), (64, 6, 2), (90, 4, 3), (120, 3, 5), (150, 5, 2)]:
            for make in (clustered, lambda r, a, b: r.normal(size=(a, b))):
                rows = make(rng, n, d).astype(np.float32).astype(np.float64)
                labels = hdbscan.HDBSCAN(min_cluster_size=size, min_samples=1, approx_min_span_tree=False)
                labels = labels.fit_predict(normalised(rows)).tolist()
                out.write(json.dumps({"min_cluster_size": size, "vectors": rows.tolist(), "labels": labels}) + "\n")


main()
