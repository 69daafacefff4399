"""Encoding speed of medsbench's tokenizer against the `tokenizers` package on one text, one thread each, in turn (ABAB).

Usage: tokenizer_speed.py BENCH_TEXT TOKENIZER.json TEXT [ROUNDS]. BENCH_TEXT is the benchmark program bench_text. The text is
cut into documents as bench_text cuts it; both sides count processor time. The peer is the faster of its `encode` and
`encode_batch_fast`. Prints one line of JSON: megabytes a second (medians) and the ratios ours / peer (median, minimum,
maximum).
"""

import json
import os
import statistics
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402: reads the environment

program, file, text = sys.argv[1:4]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
tokenizer = tokenizers.Tokenizer.from_file(file)


def documents():
    data = open(text, "rb").read()
    begin = 0
    while begin < len(data):
        end = len(data)
        if begin + 2000 < len(data):
            newline = data.find(b"\n", begin + 2000)
            end = newline + 1 if newline >= 0 else len(data)
        yield data[begin:end].decode()
        begin = end


def seconds(body):
    start = time.process_time()
    body()
    return time.process_time() - start


def ours():
    environment = {**os.environ, "MEDSBENCH_TOKENIZER": file, "MEDSBENCH_BENCH_TEXT": text, "OMP_NUM_THREADS": "1"}
    out = subprocess.run([program, "--benchmark_filter=^encode$", "--benchmark_format=json", "--benchmark_min_time=1"],
                         check=True, capture_output=True, text=True, env=environment).stdout
    return json.loads(out)["benchmarks"][0]["bytes_per_second"] / 1e6


texts = list(documents())
size = sum(len(t.encode()) for t in texts) / 1e6
peers = {"encode": lambda: [tokenizer.encode(t, add_special_tokens=False) for t in texts],
         "encode_batch_fast": lambda: tokenizer.encode_batch_fast(texts, add_special_tokens=False)}
for body in peers.values():
    body()  # warm
a, b = [], {name: [] for name in peers}
for _ in range(rounds):
    a.append(ours())
    for name, body in peers.items():
        count = max(1, round(1 / seconds(body)))
        b[name].append(count * size / seconds(lambda: [body() for _ in range(count)]))
best = max(b, key=lambda name: statistics.median(b[name]))
ratios = [x / y for x, y in zip(a, b[best])]
print(json.dumps({"peer": f"tokenizers {tokenizers.__version__}, {best}", "rounds": rounds, "text_megabytes": size,
                  "medsbench_megabytes_per_second": statistics.median(a),
                  "peer_megabytes_per_second": {name: statistics.median(values) for name, values in b.items()},
                  "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}}))
