"""Loads a folder saved by medsbench in transformers and compares log-probs and entropies with medsbench's own.

    python experiments/peers/logits_check.py DIR [--medsbench build/medsbench] [--against OTHER_DIR] [--dtype fp32|bf16]

Sequences of random ids go through `medsbench inspect logits --model DIR` and through transformers; the largest differences are
printed and the status is 1 if one is above the tolerance. With --against, the logits of two folders are compared in
transformers alone (a folder and what medsbench saved of it): no program is run.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM


def sequences(vocabulary, seed, lengths):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(0, vocabulary, (length,), generator=generator).tolist() for length in lengths]


@torch.no_grad()
def log_probs(model, ids):
    return torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--medsbench", default="build/medsbench")
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 7, 32])
    parser.add_argument("--tolerance", type=float)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    tolerance = arguments.tolerance if arguments.tolerance is not None else {"fp32": 1e-4, "bf16": 0.1}[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=dtype).eval()
    inputs = sequences(model.config.vocab_size, arguments.seed, arguments.lengths)
    expected = [log_probs(model, ids) for ids in inputs]
    if arguments.against is not None:
        other = AutoModelForCausalLM.from_pretrained(arguments.against, dtype=dtype).eval()
        gaps = {"log_probs": max((log_probs(other, ids) - e).abs().max().item() for ids, e in zip(inputs, expected))}
    else:
        command = [arguments.medsbench, "inspect", "logits", "--model", str(arguments.folder), "--dtype", arguments.dtype]
        lines = "".join(json.dumps({"ids": ids}) + "\n" for ids in inputs)
        found = [json.loads(line) for line in
                 subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()]
        assert len(found) == len(inputs), (len(found), len(inputs))
        gaps = {"log_probs": 0.0, "entropy": 0.0}
        for ids, e, answer in zip(inputs, expected, found):
            following = e[:-1].gather(1, torch.tensor(ids[1:], dtype=torch.long)[:, None])[:, 0]
            entropy = -(e.exp() * e).sum(-1)
            if len(ids) > 1:
                gaps["log_probs"] = max(gaps["log_probs"], (torch.tensor(answer["logprobs"]) - following).abs().max().item())
            gaps["entropy"] = max(gaps["entropy"], (torch.tensor(answer["entropy"]) - entropy).abs().max().item())
    print(json.dumps({"model": arguments.folder.name, "sequences": len(inputs), "largest_difference": gaps,
                      "tolerance": tolerance}))
    sys.exit(0 if max(gaps.values()) <= tolerance else 1)


if __name__ == "__main__":
    main()
