"""Golden files for harness/model: tiny random models and what Hugging Face transformers computes with them.

    python experiments/peers/make_model_goldens.py harness/model/testdata

Each folder is an ordinary model folder with a golden.json beside it: for a few sequences of ids the logits [T, V], the
log-probs of the next id [T-1], the entropies [T], and the layer readouts [T-1, L] (the product of the head's row of the next
id with each block's output; "last": final norm on the last block only, "all": on every block).
"""

import argparse
import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

SEED = 20261123
SMALL = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
             pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64)

# name -> (configuration, longest sequence whose logits are checked, how config.json is laid out, how weights are stored)
MODELS = {
    "tiny-llama": (LlamaConfig(**SMALL, tie_word_embeddings=True, rope_parameters=LLAMA3), 48, "4.x", "one"),
    "tiny-llama-untied": (LlamaConfig(**{**SMALL, "num_key_value_heads": 4}, tie_word_embeddings=False), 40, "5.x", "one"),
    "tiny-qwen2": (Qwen2Config(**SMALL, tie_word_embeddings=False, rope_parameters=dict(rope_type="default", rope_theta=1e6)),
                   40, "4.x", "one"),
    "tiny-qwen3": (Qwen3Config(**SMALL, head_dim=12, tie_word_embeddings=True,
                               rope_parameters=dict(rope_type="default", rope_theta=1e6)), 40, "5.x", "one"),
    "tiny-qwen3-untied": (Qwen3Config(**{**SMALL, "num_hidden_layers": 2, "num_key_value_heads": 1}, head_dim=16,
                                      tie_word_embeddings=False), 40, "4.x", "one"),
    "tiny-llama-linear": (LlamaConfig(**{**SMALL, "num_hidden_layers": 2}, tie_word_embeddings=True,
                                      rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.5)),
                          40, "4.x", "one"),
    "tiny-llama-dynamic": (LlamaConfig(**{**SMALL, "num_hidden_layers": 2, "max_position_embeddings": 48},
                                       tie_word_embeddings=True,
                                       rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)),
                           64, "5.x", "one"),
    "tiny-qwen2-yarn": (Qwen2Config(**{**SMALL, "num_hidden_layers": 2}, tie_word_embeddings=True, rope_parameters=YARN), 80,
                        "4.x", "one"),
    "tiny-qwen3-yarn": (Qwen3Config(**{**SMALL, "num_hidden_layers": 2}, head_dim=16, tie_word_embeddings=True,
                                    rope_parameters={**YARN, "beta_fast": 16.0, "beta_slow": 2.0, "attention_factor": 1.25,
                                                     "truncate": False}), 72, "5.x", "one"),
    "tiny-qwen2-bf16-sharded": (Qwen2Config(**SMALL, tie_word_embeddings=False), 40, "4.x", "shards"),
}


def randomise(model):
    """Weights large enough that every part of the network shows in the logits."""
    for name, parameter in model.named_parameters():
        if "norm" in name:
            parameter.data.uniform_(0.5, 1.5)
        elif name.endswith("bias"):
            parameter.data.normal_(0, 0.5)
        elif "embed_tokens" in name:
            parameter.data.normal_(0, 1)
        else:
            parameter.data.normal_(0, parameter.shape[1] ** -0.5)
    if model.config.tie_word_embeddings:
        model.tie_weights()
        model.get_input_embeddings().weight.data.mul_(0.4)


def older_layout(folder):
    """config.json as transformers 4 wrote it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta", 10000.0)
    config["rope_scaling"] = rope if rope["rope_type"] != "default" else None
    config["torch_dtype"] = config.pop("dtype")
    config.pop("layer_types", None)
    path.write_text(json.dumps(config, indent=2) + "\n")


def split_in_shards(folder):
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    thirds = [names[0::3], names[1::3], names[2::3]]
    weight_map = {}
    for i, part in enumerate(thirds):
        file = f"model-{i + 1:05}-of-00003.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
        weight_map.update({name: file for name in part})
    total = sum(t.nbytes for t in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def rounded(tensor):
    """Nested lists of the shortest decimals that read back to the same floats."""
    if tensor.dim() == 0:
        return float(str(tensor.numpy()))
    return [rounded(part) for part in tensor]


@torch.no_grad()
def answer(model, ids):
    # Its own fresh model state for each sequence: dynamic frequencies remember the longest sequence seen.
    out = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    logits = out.logits[0].float()
    log_probs = torch.log_softmax(logits, -1)
    following = torch.tensor(ids[1:], dtype=torch.long)
    rows = model.get_output_embeddings().weight[following].float()  # [T-1, D]
    last = [h[0].float() for h in out.hidden_states[1:]]  # the last one is normalised by transformers already
    full = [model.model.norm(h) for h in last[:-1]] + [last[-1]]
    readout = {
        "last": torch.stack([(rows * h[:-1]).sum(-1) for h in last], -1),
        "all": torch.stack([(rows * h[:-1]).sum(-1) for h in full], -1),
    }
    # Logits to six decimals: they are most of the file.
    result = {"ids": ids, "logits": [[round(x, 6) for x in row] for row in logits.tolist()]}
    if len(ids) <= 16:
        result["readout_last"] = rounded(readout["last"])
        result["readout_all"] = rounded(readout["all"])
    result["logprobs"] = rounded(log_probs[:-1].gather(1, following[:, None])[:, 0])
    result["entropy"] = rounded(-(log_probs.exp() * log_probs).sum(-1))
    return result


def make(name, root):
    config, longest, layout, storage = MODELS[name]
    torch.manual_seed(SEED)
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    randomise(model)
    if storage == "shards":
        model = model.to(torch.bfloat16)
    model.save_pretrained(folder)
    if layout == "4.x":
        older_layout(folder)
    if storage == "shards":
        split_in_shards(folder)
    generator = torch.Generator().manual_seed(SEED)
    sequences = [torch.randint(0, config.vocab_size, (length,), generator=generator).tolist() for length in (12, 1, longest)]
    answers = []
    for ids in sequences:
        fresh = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        answers.append(answer(fresh, ids))
    # The frequencies of a model that has seen the longest sequence.
    rotary = fresh.model.rotary_emb
    golden = {"sequences": answers, "inverse_frequencies": rounded(rotary.inv_freq.float()),
              "inverse_frequencies_length": longest, "attention_factor": float(rotary.attention_scaling)}
    (folder / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    (folder / "golden.origin.toml").write_text(
        f'program = "transformers"\nversion = "{transformers.__version__}"\ntorch = "{torch.__version__.split("+")[0]}"\n'
        f'command = "python experiments/peers/make_model_goldens.py harness/model/testdata"\nseed = {SEED}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.names:
        make(name, arguments.folder)
        print(name, sum(f.stat().st_size for f in (arguments.folder / name).iterdir()), "bytes")


if __name__ == "__main__":
    main()
