"""transformers' generate on a model folder: tokens a second as a whole, and of the decode phase alone.

    python experiments/peers/transformers_generate.py DIR [--prompts 1] [--samples 64] [--prompt-tokens 128] [--new-tokens 64]
        [--dtype fp32|bf16] [--threads 2] [--rounds 5]

Each prompt (ids of a fixed seed) is sampled `samples` times at temperature 1 to its full length: no stop token. "whole" is one
call of generate; "decode" is that call's time less the median time of the prompt's forward pass over the same rows, for the
tokens after the first. Prints one JSON object.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import transformers
from transformers import AutoModelForCausalLM


def seconds(call):
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    call()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def summary(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--prompts", type=int, default=1)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=dtype).eval().to(device)
    ids = torch.randint(3, model.config.vocab_size, (arguments.prompts, arguments.prompt_tokens), device=device)
    mask = torch.ones_like(ids)
    rows = ids.repeat_interleave(arguments.samples, 0)
    row_mask = torch.ones_like(rows)

    def generate():
        out = model.generate(ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             num_return_sequences=arguments.samples, min_new_tokens=arguments.new_tokens,
                             max_new_tokens=arguments.new_tokens, pad_token_id=0)
        assert out.shape == (arguments.prompts * arguments.samples, arguments.prompt_tokens + arguments.new_tokens), out.shape

    def prefill():
        model(rows, attention_mask=row_mask, use_cache=True, logits_to_keep=1)

    generate()  # warm-up
    prefill()
    whole, first = [], []
    for _ in range(arguments.rounds):
        whole.append(seconds(generate))
        first.append(seconds(prefill))
    count = arguments.prompts * arguments.samples
    decode = [max(t - statistics.median(first), 1e-9) for t in whole]
    print(json.dumps({"program": f"transformers {transformers.__version__}, torch {torch.__version__}",
                      "model": arguments.folder.name, "device": device, "threads": arguments.threads, "dtype": arguments.dtype,
                      "prompts": arguments.prompts, "samples": arguments.samples, "prompt_tokens": arguments.prompt_tokens,
                      "new_tokens": arguments.new_tokens, "rounds": arguments.rounds,
                      "whole_tokens_per_second": summary([count * arguments.new_tokens / t for t in whole]),
                      "decode_tokens_per_second": summary([count * (arguments.new_tokens - 1) / t for t in decode]),
                      "prefill_seconds": summary(first)}))


if __name__ == "__main__":
    main()
