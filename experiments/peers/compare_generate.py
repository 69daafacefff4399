"""Sampling speed on one model folder, medsbench against transformers' generate, in turn (ABAB): one 128-token prompt, 64
samples of 64 new tokens each. Usage: compare_generate.py MODEL_FOLDER fp32|bf16 [ROUNDS] [THREADS] [PROGRAM]
"""

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

folder, dtype = pathlib.Path(sys.argv[1]), sys.argv[2]
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
threads = sys.argv[4] if len(sys.argv) > 4 else "2"
program = sys.argv[5] if len(sys.argv) > 5 else "build/medsbench"
environment = {**os.environ, "OMP_NUM_THREADS": threads}
here = pathlib.Path(__file__).parent
samples, tokens = 64, 64
prompt = [random.Random(0).randrange(3, 40000) for _ in range(128)]


def ours():
    done = subprocess.run([program, "generate", "--model", str(folder), "--n", str(samples), "--max-new-tokens", str(tokens),
                           "--dtype", dtype, "--threads", threads, "--ignore-stop", "--timing"],
                          input=json.dumps({"ids": prompt}), check=True, env=environment, capture_output=True, text=True)
    timing = json.loads(done.stderr.splitlines()[-1])
    whole = timing["prompt_seconds"] + timing["decode_seconds"]
    return samples * tokens / whole, timing["decoded_tokens"] / timing["decode_seconds"]


def theirs():
    out = subprocess.run([sys.executable, str(here / "transformers_generate.py"), str(folder), "--samples", str(samples),
                          "--new-tokens", str(tokens), "--dtype", dtype, "--threads", threads, "--rounds", "1"],
                         check=True, env=environment, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    return result["whole_tokens_per_second"]["median"], result["decode_tokens_per_second"]["median"], result["program"]


a, b = [], []
for _ in range(rounds):
    a.append(ours())
    b.append(theirs())
ratio = {}
for i, phase in enumerate(("whole", "decode")):
    values = [x[i] / y[i] for x, y in zip(a, b)]
    ratio[phase] = {"median": statistics.median(values), "min": min(values), "max": max(values)}
print(json.dumps({"peer": b[0][2], "dtype": dtype, "threads": threads, "rounds": rounds,
                  "medsbench_tokens_per_second": {"whole": statistics.median(x[0] for x in a),
                                                  "decode": statistics.median(x[1] for x in a)},
                  "transformers_tokens_per_second": {"whole": statistics.median(y[0] for y in b),
                                                     "decode": statistics.median(y[1] for y in b)},
                  "ratio": ratio}))
