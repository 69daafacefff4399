"""Folders saved by medsbench, loaded in transformers: the same logits as before, and the same as medsbench computes itself.

    python experiments/peers/saved_folder_check.py [--medsbench build/medsbench] [--seed 0]

For Llama, Qwen2 and Qwen3, tied and untied, in fp32 and bf16: transformers makes a small random model and saves it; medsbench
loads the folder, trains one step at learning rate 0 (`pretrain` from that folder) and saves its own; transformers loads that.
Prints one line a model: the largest difference of transformers' logits before and after (must be 0), and of log-probs and
entropies between transformers and `medsbench inspect logits` on the saved folder. Status 1 if one is above its tolerance.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = {"fp32": 1e-4, "bf16": 0.1}
START = """
[model]
start = "{start}"
[numerics]
dtype = "{dtype}"
[data]
demonstrations = "words"
[train]
steps = 1
batch = 2
[optimizer]
lr = 0.0
[prompt]
template = "plain"
"""


def make_model(kind, tied, dtype, seed, folder):
    torch.manual_seed(seed)
    shape = dict(vocab_size=640, hidden_size=96, intermediate_size=160, num_hidden_layers=3, num_attention_heads=6,
                 num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=tied, bos_token_id=0, eos_token_id=1)
    if kind == "qwen3":
        shape["head_dim"] = 32
    config = {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}[kind](**shape)
    model = AutoModelForCausalLM.from_config(config).to({"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # norms and biases too must come back as they were
            parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else 0.05))
    model.save_pretrained(folder)
    shutil.copy(ROOT / "harness/text/testdata/qwen2s.tokenizer.json", folder / "tokenizer.json")


@torch.no_grad()
def all_logits(folder, dtype, sequences):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]).eval()
    return [model(torch.tensor([ids])).logits[0].float() for ids in sequences]


def largest_gap(medsbench, folder, dtype, sequences, logits):
    command = [medsbench, "inspect", "logits", "--model", str(folder), "--dtype", dtype]
    lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in sequences)
    answers = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    gap = 0.0
    for ids, expected, answer in zip(sequences, logits, map(json.loads, answers), strict=True):
        log_probs = torch.log_softmax(expected, -1)
        following = log_probs[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
        entropy = -(log_probs.exp() * log_probs).sum(-1)
        gap = max(gap, (torch.tensor(answer["logprobs"]) - following).abs().max().item(),
                  (torch.tensor(answer["entropy"]) - entropy).abs().max().item())
    return gap


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--medsbench", default="build/medsbench")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(arguments.seed)
    sequences = [torch.randint(0, 600, (length,), generator=generator).tolist() for length in (2, 17, 64)]
    failed = False
    for kind in ("llama", "qwen2", "qwen3"):
        for tied in (True, False):
            for dtype in ("fp32", "bf16"):
                with tempfile.TemporaryDirectory() as temporary:
                    start, out = pathlib.Path(temporary) / "start", pathlib.Path(temporary) / "out"
                    make_model(kind, tied, dtype, arguments.seed, start)
                    toml = pathlib.Path(temporary) / "start.toml"
                    toml.write_text(START.format(start=start, dtype=dtype))
                    subprocess.run([arguments.medsbench, "pretrain", str(toml), "--out", str(out)], check=True,
                                   capture_output=True)
                    before, after = (all_logits(folder, dtype, sequences) for folder in (start, out / "model"))
                    same = max((a - b).abs().max().item() for a, b in zip(before, after))
                    gap = largest_gap(arguments.medsbench, out / "model", dtype, sequences, after)
                    failed = failed or same != 0 or gap > TOLERANCE[dtype]
                    print(json.dumps({"model": kind, "tied": tied, "dtype": dtype, "logits_before_and_after": same,
                                      "medsbench_against_transformers": gap}), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
