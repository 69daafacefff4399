"""Times hdbscan (default tree) and a scikit-learn vote loop against bench_cluster, in turn (ABAB), five rounds.

Usage: python hdbscan_peer.py BENCH_CLUSTER [ROUNDS]. Prints, for each size, the median of the ratios peer / ours with minimum
and maximum, by processor time (one thread each). Vectors: 14 numbers, n / 8 centres, spread 0.1, unit length.
"""

import json
import statistics
import subprocess
import sys
import time
import warnings

import hdbscan
import numpy as np
from sklearn.neighbors import NearestNeighbors

warnings.filterwarnings("ignore")
D = 14


def clustered(rng, n):
    rows = rng.normal(size=(n // 8 + 1, D))[rng.integers(0, n // 8 + 1, size=n)] + 0.1 * rng.normal(size=(n, D))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def seconds(body, inputs):
    start = time.process_time()
    for rows in inputs:
        body(rows)
    return (time.process_time() - start) / len(inputs)


def refit(rows):
    hdbscan.HDBSCAN(min_cluster_size=2, min_samples=1, core_dist_n_jobs=1).fit_predict(rows)


def vote(rows):
    NearestNeighbors(n_neighbors=3, metric="cosine", algorithm="brute").fit(rows).kneighbors(rows[:1])


def ours(bench):
    command = [bench, "--benchmark_format=json", "--benchmark_min_time=0.1"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {entry["name"]: entry["cpu_time"] * 1e-9 for entry in report["benchmarks"]}


def main():
    bench, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rng = np.random.default_rng(1)
    ratios = {}
    for _ in range(rounds):
        mine = ours(bench)
        for name, n, count, body in [("BM_Refit", 16, 20, refit), ("BM_Refit", 32, 20, refit), ("BM_Refit", 64, 20, refit),
                                     ("BM_Refit", 128, 10, refit), ("BM_Refit", 512, 4, refit), ("BM_Refit", 1024, 2, refit),
                                     ("BM_Vote", 64, 50, vote), ("BM_Vote", 512, 50, vote)]:
            peer = seconds(body, [clustered(rng, n) for _ in range(count)])
            ratios.setdefault(f"{name}/{n}", []).append(peer / mine[f"{name}/{n}"])
        ratios.setdefault("own refit / append of 16 at 1024", []).append(mine["BM_Refit/1024"] / mine["BM_Append/1024"])
    for name, values in ratios.items():
        print(f"{name}: {statistics.median(values):.1f}x ({min(values):.1f} .. {max(values):.1f})")


main()
