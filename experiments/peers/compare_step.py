"""Seconds of a whole GRPO step on a nano model, medsbench against TRL, in turn (ABAB), one thread each.

Both sample 16 prompts x 16 responses of at most 48 tokens from the same model folder and make four updates; ours also grades
them and records fingerprints. Ours takes the training problems of the nano suite, TRL 16 of their texts.
Usage: compare_step.py MODEL_FOLDER [ROUNDS] [PROGRAM]      MODEL_FOLDER: models/nano-qwen3-.../model
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

folder = pathlib.Path(sys.argv[1])
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
program = sys.argv[3] if len(sys.argv) > 3 else "build/medsbench"
environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
here = pathlib.Path(__file__).parent
steps = 5

config = f"""
base = "dapo"
model.folder = "{folder}"
method.name = "meds"
train.steps = {steps}
train.prompts_per_step = 16
train.responses_per_prompt = 16
train.mini_batch_prompts = 4
sampling.max_new_tokens = 48
filter.enabled = false
overlong.buffer = 0
optimizer.lr = 3e-4
fingerprint.layers = "half"
prompt.template = "plain"
prompt.suffix = "?"
prompt.add_bos = true
checkpoint.every = {steps}
"""


def ours(scratch):
    out = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    (out / "cell.toml").write_text(config)
    subprocess.run([program, "train", str(out / "cell.toml"), "--out", str(out / "run")], check=True, env=environment,
                   stderr=subprocess.DEVNULL)
    seconds = json.loads((out / "run/timing.json").read_text())["seconds"]
    lines = [json.loads(line) for line in (out / "run/metrics.jsonl").read_text().splitlines()]
    return sum(seconds[part] for part in ("rollout", "score", "shape", "update")) / steps, statistics.mean(
        line["response_tokens"] for line in lines)


def theirs(prompts):
    out = subprocess.run([sys.executable, str(here / "trl_step.py"), str(folder), "--steps", "1", "--prompts-file", prompts],
                         check=True, env=environment, capture_output=True, text=True).stdout
    result = json.loads(out.splitlines()[-1])
    return result["seconds_per_step"]["median"], result["mean_response_tokens"], result["program"]


with tempfile.TemporaryDirectory() as scratch:
    shown = [subprocess.run([program, "data", "show", f"nano/{name}", "--split", "train", "--index", str(index)], check=True,
                            capture_output=True, text=True).stdout
             for name in ("prec", "mod", "lin", "seq") for index in (0, 13, 26, 39)]
    texts = [json.loads(text)["text"] for text in shown]
    prompts = pathlib.Path(scratch) / "prompts.txt"
    prompts.write_text("".join(f"<bos>{text}?\n" for text in texts))
    a, b = [], []
    for _ in range(rounds):
        a.append(ours(scratch))
        b.append(theirs(str(prompts)))
    ratios = [y[0] / x[0] for x, y in zip(a, b)]
    print(json.dumps({"peer": b[0][2], "rounds": rounds,
                      "medsbench_seconds": statistics.median(x[0] for x in a),
                      "medsbench_response_tokens": statistics.mean(x[1] for x in a),
                      "trl_seconds": statistics.median(y[0] for y in b),
                      "trl_response_tokens": statistics.mean(y[1] for y in b),
                      "ratio": {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}}))
