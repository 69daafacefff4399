"""Compares a folder written by `medsbench import FILE.gguf --out DIR` with what independent readers make of the same file.

    python experiments/peers/import_check.py FILE.gguf DIR

Weights: the `gguf` package's dequantisation, put in order by transformers' own GGUF reader, bit for bit (fp32 folders only).
Token ids: transformers' tokenizer from the GGUF against the folder's. Then the folder's greedy answer to one question.
"""

import argparse
import json
import pathlib
import random

import gguf
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = ["", " ", "Hello world", "  two  spaces\n\n\tand tabs ", "12345 + 67.89 = 12412.89", "naïve café — “quotes” …",
         "日本語のテキスト 한국어 русский العربية", "🙂👩‍👩‍👧‍👦 emoji", "don't I'LL we've it's",
         "def f(x):\n    return x ** 2  # \\boxed{42}\r\n",
         "<|im_start|>user\nhi<|im_end|>\n", "a" * 300, "\u0000\u0007control", "½ Ⅷ ² ٣", "e\u0301 combining"]


def weights_differ(path, folder):
    """Every tensor that is not bit-equal to the gguf package's numbers (query and key rows put back as transformers does)."""
    ours = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    names = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
             "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
             "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
             "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
    differ, seen = [], 0
    for tensor in gguf.GGUFReader(path).tensors:
        parts = tensor.name.split(".")
        name = (f"model.layers.{parts[1]}." if parts[0] == "blk" else "") + names[parts[-2]] + ".weight"
        values = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        if parts[-2] in ("attn_q", "attn_k"):
            heads = config["num_attention_heads"] if parts[-2] == "attn_q" else config["num_key_value_heads"]
            values = values.reshape(heads, -1, 2, values.shape[-1]).swapaxes(1, 2).reshape(values.shape)
        seen += 1
        if not torch.equal(values.view(torch.int32), ours[name].view(torch.int32)):
            differ.append(name)
    assert seen == len(ours), (seen, len(ours))
    return differ, seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    differ, seen = weights_differ(arguments.file, arguments.folder)
    print(f"weights: {seen - len(differ)} of {seen} tensors bit-equal", differ[:5])

    raw = Tokenizer.from_file(str(arguments.folder / "tokenizer.json"))
    ours = AutoTokenizer.from_pretrained(arguments.folder)
    theirs = AutoTokenizer.from_pretrained(arguments.file.parent, gguf_file=arguments.file.name)
    generator = random.Random(1)
    texts = TEXTS + ["".join(chr(generator.choice([generator.randrange(32, 127), generator.randrange(160, 0x2FFF)]))
                             for _ in range(generator.randrange(1, 60))) for _ in range(500)]
    same_raw = sum(raw.encode(t, add_special_tokens=False).ids == ours(t, add_special_tokens=False)["input_ids"] for t in texts)
    same_gguf = [ours(t, add_special_tokens=False)["input_ids"] == theirs(t, add_special_tokens=False)["input_ids"]
                 for t in texts]
    print(f"token ids: folder by tokenizers = folder by transformers: {same_raw} of {len(texts)}; "
          f"= transformers' reading of the GGUF: {sum(same_gguf)} of {len(texts)}")
    for text, same in zip(texts, same_gguf):
        if not same:
            print("  differs:", repr(text)[:60])
            break

    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=torch.float32).eval()
    reference = AutoModelForCausalLM.from_pretrained(arguments.file.parent, gguf_file=arguments.file.name,
                                                     dtype=torch.float32).eval()
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    inputs = ours.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        gap = (model(**inputs).logits - reference(**inputs).logits).abs().max().item()
    print(f"largest difference of logits from transformers' reading of the GGUF: {gap:g}")
    generated = model.generate(**inputs, max_new_tokens=24, do_sample=False)[0]
    print("greedy:", ours.decode(generated[inputs["input_ids"].shape[1]:]))


if __name__ == "__main__":
    main()
