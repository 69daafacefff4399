"""`medsbench plan` against the measured peak memory of a short training with random weights in a real model's shape, on the
CPU.

    python experiments/peers/plan_memory.py WORK [--shape qwen2.5-0.5b] [--layers 24] [--dtype fp32|bf16] [--recompute] [--kl 0]
                                            [--processes 1] [--shard none|optimizer|gradients|parameters]
                                            [--vocabulary 151936] [--medsbench build/medsbench]

Writes WORK/model (random weights, a byte-level tokenizer filled up to the vocabulary) and WORK/trial.toml, asks `plan`, trains
two steps (the second with all states in place), and compares the peak resident memory of the largest process with the plan's.
One line of JSON; status 1 if they are more than 10 % apart. Qwen2.5-0.5B in fp32 takes 8 GiB and about two minutes on two
cores.
`--base` prints the resident memory of the program before it loads a model.
"""

import argparse
import json
import pathlib
import re
import resource
import subprocess
import sys

import torch
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHAPES = {"qwen2.5-0.5b": dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
                               num_key_value_heads=2, vocab_size=151936)}
TRIAL = """
title = "memory of a short step"
[models.trial]
path = "{work}/model"
[run]
jobs = 1
[numerics]
dtype = "{dtype}"
[data]
train = ["words"]
test = ["words"]
limit = 8
[train]
steps = 2
prompts_per_step = 2
responses_per_prompt = 4
mini_batch_prompts = 2
recompute_activations = {recompute}
processes = {processes}
shard = "{shard}"
[sampling]
max_new_tokens = {tokens}
[rollout]
max_rows = 8
[prompt]
template = "plain"
prompt_tokens = {prompt}
[overlong]
buffer = 0
[filter]
enabled = false
[eval]
n = 1
max_new_tokens = 8
[[rows]]
name = "trial"
base = "dapo"
method.name = "meds"
loss.kl_coef = {kl}
filter.enabled = false
"""


def write_model(folder, shape, dtype):
    folder.mkdir(parents=True, exist_ok=True)
    width, kv = shape["hidden_size"], shape["num_key_value_heads"] * 64
    config = dict(architectures=["Qwen2ForCausalLM"], model_type="qwen2", hidden_act="silu", max_position_embeddings=32768,
                  rms_norm_eps=1e-6, rope_theta=1e6, tie_word_embeddings=True, torch_dtype=dtype, bos_token_id=0,
                  eos_token_id=shape["vocab_size"] - 1, **shape)
    (folder / "config.json").write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(0)
    number = {"float32": torch.float32, "bfloat16": torch.bfloat16}[dtype]

    def matrix(*size):
        return (torch.randn(*size, generator=generator) * 0.02).to(number)

    tensors = {"model.embed_tokens.weight": matrix(shape["vocab_size"], width),
               "model.norm.weight": torch.ones(width, dtype=number)}
    for layer in range(shape["num_hidden_layers"]):
        at, mlp = f"model.layers.{layer}.", shape["intermediate_size"]
        for name, size in {"q": width, "k": kv, "v": kv}.items():
            tensors[f"{at}self_attn.{name}_proj.weight"] = matrix(size, width)
            tensors[f"{at}self_attn.{name}_proj.bias"] = torch.zeros(size, dtype=number)
        tensors[f"{at}self_attn.o_proj.weight"] = matrix(width, width)
        tensors[f"{at}mlp.gate_proj.weight"], tensors[f"{at}mlp.up_proj.weight"] = matrix(mlp, width), matrix(mlp, width)
        tensors[f"{at}mlp.down_proj.weight"] = matrix(width, mlp)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{at}{norm}.weight"] = torch.ones(width, dtype=number)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer = json.loads((ROOT / "harness/text/testdata/qwen2s.tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    taken = set(vocabulary.values()) | {token["id"] for token in tokenizer["added_tokens"]}
    vocabulary.update({f"filler{i}": i for i in range(shape["vocab_size"]) if i not in taken})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def gigabytes(text):
    number, unit = text.split()
    return float(number) * {"GB": 1e9, "MB": 1e6}[unit]


def processor_seconds():
    """Of all programs that ran so far, the system's share included: steadier than time on a busy machine."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def base_memory(medsbench, work):
    """Resident memory of the program with LibTorch and no model: that of a plan of nothing."""
    subprocess.run([medsbench, "config", str(work / "trial.toml")], check=True, capture_output=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--shape", choices=list(SHAPES), default="qwen2.5-0.5b")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--vocabulary", type=int, help="at least 1024; fewer than the shape's leave most numbers to the layers")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--tokens", type=int, default=24, help="new tokens of a response")
    parser.add_argument("--prompt", type=int, default=96, help="prompt tokens")
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--kl", type=float, default=0.0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--shard", choices=["none", "optimizer", "gradients", "parameters"], default="none")
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--medsbench", default="build/medsbench")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    shape = dict(SHAPES[arguments.shape])
    if arguments.layers:
        shape["num_hidden_layers"] = arguments.layers
    if arguments.vocabulary:
        shape["vocab_size"] = arguments.vocabulary
    work.mkdir(parents=True, exist_ok=True)
    (work / "trial.toml").write_text(TRIAL.format(work=work, dtype=arguments.dtype, tokens=arguments.tokens,
                                                  prompt=arguments.prompt,
                                                  recompute=str(arguments.recompute).lower(), kl=arguments.kl,
                                                  processes=arguments.processes, shard=arguments.shard))
    if arguments.base:
        print(json.dumps({"base_bytes": base_memory(arguments.medsbench, work)}))
        return
    write_model(work / "model", shape, {"fp32": "float32", "bf16": "bfloat16"}[arguments.dtype])
    command = [str(work / "trial.toml"), "--out", str(work / "out")]
    plan = subprocess.run([arguments.medsbench, "plan", *command], check=True, capture_output=True, text=True).stdout
    line = next(line for line in plan.splitlines() if line.strip().startswith("training"))
    planned = gigabytes(re.search(r"([\d.]+ [GM]B) at its peak", line).group(1))
    before = processor_seconds()
    subprocess.run([arguments.medsbench, "run", *command], check=True)
    timing = json.loads((work / "out/cells/trial/trial/seed1/train/timing.json").read_text())
    # The first process knows its own peak; the system knows that of the largest of all that ran.
    measured = max(timing["peak_memory_mib"] * 2**20, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
    seconds = (timing["seconds"]["step"] - timing["seconds"].get("checkpoint", 0)) / 2
    ratio = planned / measured
    print(json.dumps({"shape": arguments.shape, "layers": shape["num_hidden_layers"], "vocabulary": shape["vocab_size"],
                      "dtype": arguments.dtype, "kl": arguments.kl, "recompute": arguments.recompute,
                      "processes": arguments.processes, "shard": arguments.shard, "planned_bytes": planned,
                      "measured_bytes": measured, "planned_to_measured": round(ratio, 4), "seconds_a_step": round(seconds, 2),
                      "processor_seconds_of_the_run": round(processor_seconds() - before, 1), "plan": line.strip()}))
    sys.exit(0 if abs(ratio - 1) <= 0.1 else 1)


if __name__ == "__main__":
    main()
