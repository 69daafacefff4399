"""What group-sequential t tests err in, and anytime-valid and two-stage intervals, computed another way.

    python experiments/peers/make_verdict_goldens.py harness/verdicts/testdata

Two looks: numerical integration over the sum and the squared deviations of the first seeds and the sum of the others, the
squared deviations of the others by their distribution function (scipy). More looks: simulation (numpy, seed 7). The rest is a
transcription of the formulas. Needs numpy and scipy.
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy import stats


def nodes(low, high, count):
    x, w = np.polynomial.legendre.leggauss(count)
    return low + (high - low) * (x + 1) / 2, w * (high - low) / 2


def two_looks(n, m, first, second):
    """Chance that |t| of n or of n + m standard normal seeds is beyond its level's quantile."""
    c1, c2 = stats.t.isf(first / 2, n - 1), stats.t.isf(second / 2, n + m - 1)
    w, w_weight = nodes(0, stats.chi2.isf(1e-13, n - 1), 240)  # squared deviations of the first n
    w_weight = w_weight * stats.chi2.pdf(w, n - 1)
    b, b_weight = nodes(-7.5 * math.sqrt(m), 7.5 * math.sqrt(m), 240)  # sum of the others
    b_weight = b_weight * stats.norm.pdf(b, scale=math.sqrt(m))
    inside = 0.0
    for wi, wwi in zip(w, w_weight):
        reach = min(c1 * math.sqrt(n * wi / (n - 1)), 7.5 * math.sqrt(n))
        a, a_weight = nodes(-reach, reach, 240)  # sum of the first n, within the first look's boundary
        a_weight = a_weight * stats.norm.pdf(a, scale=math.sqrt(n))
        total, size = a[:, None] + b[None, :], n + m
        need = total**2 * (size - 1) / (size * c2**2)  # |t| < c2: all squared deviations exceed this
        apart = n * m / size * (a[:, None] / n - b[None, :] / m) ** 2
        stay = stats.chi2.sf(np.maximum(need - wi - apart, 0), m - 1)
        inside += wwi * (a_weight @ stay @ b_weight)
    return 1 - inside


def simulated(looks, levels, replicates, rng):
    critical = {n: stats.t.isf(p / 2, n - 1) for n, p in zip(looks, levels)}
    crossed, done, batch = 0, 0, 1_000_000
    while done < replicates:
        total, square, hit = np.zeros(batch), np.zeros(batch), np.zeros(batch, bool)
        for n in range(1, looks[-1] + 1):
            x = rng.standard_normal(batch)
            total += x
            square += x * x
            if n in critical:
                spread = np.sqrt((square - total**2 / n) / (n - 1) / n)
                hit |= np.abs(total / n) / spread > critical[n]
        crossed += int(hit.sum())
        done += batch
    return crossed / done


def e_value(n, mean, deviation, g=1.0):
    t2, v = n * mean**2 / deviation**2, n - 1
    return (1 + n * g) ** -0.5 * ((1 + t2 / v) / (1 + t2 / ((1 + n * g) * v))) ** ((v + 1) / 2)


def anytime_half(n, deviation, alpha, g=1.0):
    v = n - 1
    q = (math.sqrt(1 + n * g) / alpha) ** (2 / (v + 1))
    return None if q >= 1 + n * g else deviation / math.sqrt(n) * math.sqrt(v * (q - 1) / (1 - q / (1 + n * g)))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    crossings = [
        {"looks": [n, n + m], "levels": [a, b], "crossed": two_looks(n, m, a, b), "by": "integration"}
        for n, m, a, b in [(5, 5, 0.005165, 0.047998), (5, 5, 0.0293838, 0.0293838), (3, 5, 0.0293838, 0.0293838),
                           (10, 10, 0.005165, 0.047998), (5, 5, 0.0049, 0.0467), (4, 16, 0.001, 0.01)]
    ]
    for looks, levels in [([5, 10, 15, 20], [0.0000514, 0.0041997, 0.0194139, 0.0429726]), ([5, 10, 15, 20], [0.0182] * 4),
                          ([3, 5, 10, 20], [0.0182] * 4)]:
        crossed = simulated(looks, levels, 60_000_000, rng)
        crossings.append({"looks": looks, "levels": levels, "crossed": crossed, "by": "simulation"})
    anytime = []
    for n in [2, 3, 5, 10, 15, 20, 40]:
        for mean, deviation in [(0.5, 1.0), (-1.2, 0.8), (0.0, 2.0)]:
            stein = max(n, math.ceil((stats.t.isf(0.025, n - 1) * deviation / 0.7) ** 2))
            halves = {"half_width_05": anytime_half(n, deviation, 0.05), "half_width_001": anytime_half(n, deviation, 0.001)}
            e = e_value(n, mean, deviation)
            anytime.append({"seeds": n, "mean": mean, "deviation": deviation, "e": e, **halves, "stein": stein})
    (folder / "sequential.json").write_text(json.dumps({"crossings": crossings, "anytime": anytime}, indent=1) + "\n")
    (folder / "sequential.origin.toml").write_text(
        f'program = "scipy, numpy"\nversion = "{scipy.__version__}, {np.__version__}"\n'
        'command = "python experiments/peers/make_verdict_goldens.py harness/verdicts/testdata"\nseed = 7\n')


main()
