"""Golden inputs and answers of the program's verbs, from independent programs (transformers, hdbscan, PyTorch, scipy).

Usage: python make_verbs_golden.py FOLDER
Writes FOLDER/tiny-qwen3 (a random model with its tokenizer) and FOLDER/VERB.json: {"runs": [{"arguments", "input", "output"}]}.
MODEL among the arguments stands for the model folder. Needs torch, transformers, tokenizers, hdbscan, scikit-learn, scipy.
"""
import json
import math
import os
import sys
import warnings

import hdbscan
import numpy as np
import scipy.stats
import torch
import transformers
from sklearn.preprocessing import normalize
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SEED = 20261123
warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
TEMPLATE = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content | trim + '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}"
    "{%- if enable_thinking is defined and enable_thinking is false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}{%- endif -%}"
)


def make_tokenizer():
    split = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    text = "so the answer is \\boxed{12} and $\\boxed{3}$ or \\boxed{x}. the sum of 3 and 4 is 7, the product is 12. "
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<pad>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text * 5], trainer)
    tokenizer.add_special_tokens(["<think>", "</think>"])
    return tokenizer


def make_model(folder, tokenizer):
    config = transformers.Qwen3Config(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=24, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=128, tie_word_embeddings=True, eos_token_id=2,
        bos_token_id=None, pad_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        model = transformers.Qwen3ForCausalLM(config).float().eval()
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, dtype=torch.float32)
            parameter.data = 1 + 0.2 * noise if "norm" in name else 0.25 * noise
    model.save_pretrained(folder)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "chat_template": TEMPLATE}
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump(settings, file, indent=1)
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def tokens(tokenizer, folder):
    fast = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    texts = ["", "so the answer is \\boxed{12}.", "e\u0301 \U0001f642 \u65e5\u672c", "<|im_end|>x<think>", " a  b\r\n\tc"]
    lines = [{"text": text} for text in texts]
    out = [{"ids": encode(tokenizer, t), "text": tokenizer.decode(encode(tokenizer, t), skip_special_tokens=False)} for t in texts]
    smile = encode(tokenizer, "\U0001f642")
    for ids in ([], smile[:2], smile[1:], [2, 0, 1]):
        lines.append({"ids": ids})
        out.append({"text": tokenizer.decode(ids, skip_special_tokens=False)})
    chat = [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "2+2?"}]
    for arguments in (None, {"enable_thinking": False}):
        text = fast.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **(arguments or {}))
        lines.append({"messages": chat, **({"template_args": arguments} if arguments else {})})
        out.append({"text": text, "ids": encode(tokenizer, text)})
    return [{"arguments": ["inspect", "tokens", "--model", "MODEL"], "input": lines, "output": out}]


@torch.no_grad()
def logits(tokenizer, model):
    lines, out = [], []
    for ids in ([5], [7, 3, 250, 11, 42], encode(tokenizer, "the sum of 3 and 4")):
        table = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        top = table.topk(3, -1)
        lines.append({"ids": ids})
        out.append(
            {
                "logprobs": [table[t, i].item() for t, i in enumerate(ids[1:])],
                "entropy": (-(table.exp() * table).sum(-1)).tolist(),
                "top": [list(map(list, zip(i, v))) for i, v in zip(top.indices.tolist(), top.values.tolist())],
            }
        )
    return [{"arguments": ["inspect", "logits", "--model", "MODEL", "--top", "3"], "input": lines, "output": out}]


@torch.no_grad()
def fingerprint(tokenizer, model):
    # (response, index of the token before the answer): worked out from the tokens by hand.
    box = encode(tokenizer, "\\boxed{")
    prompt = "3 and 4 is "
    runs = []
    for options in ([], ["--layers", "half"], ["--layers", "all", "--diff"], ["--layers", "last2", "--lens-norm", "all"]):
        lines, out = [], []
        for before, after in (("", "12}"), ("so ", "7} the"), ("\\boxed{3} and", "x}")):
            head = encode(tokenizer, before)
            response = head + box + encode(tokenizer, after)
            place = len(head) + len(box) - 1
            ids = encode(tokenizer, prompt) + response
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states
            row = model.lm_head.weight[response[place + 1]].float()
            at = len(ids) - len(response) + place
            normed = "--lens-norm" in options
            values = []
            for layer in range(1, len(states)):
                hidden = states[layer][0, at]
                if normed and layer < len(states) - 1:
                    hidden = model.model.norm(hidden)
                values.append(float(row @ hidden))
            if "--diff" in options:
                values = [b - a for a, b in zip(values, values[1:])]
            kept = {"half": 2, "last2": 2}.get(options[1] if options else "", len(values))
            lines.append({"prompt_ids": encode(tokenizer, prompt), "response_ids": response})
            out.append({"position": place, "answer_token": response[place + 1], "fingerprint": values[-kept:]})
        nothing = {"position": None, "answer_token": None, "fingerprint": None}
        lines += [{"prompt": prompt, "response": "no box"}, {"prompt": prompt, "response": "so \\boxed{"}]
        out += [nothing, nothing]
        runs.append({"arguments": ["inspect", "fingerprint", "--model", "MODEL", *options], "input": lines, "output": out})
    return runs


@torch.no_grad()
def generate(tokenizer, model):
    lines, out = [], []
    for number, text in enumerate(("the sum of", "so \\boxed{", "\u00e9")):
        prompt = encode(tokenizer, text)
        full = model.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=16, pad_token_id=0)[0].tolist()
        new = full[len(prompt):]
        table = model(torch.tensor([full])).logits[0].double().log_softmax(-1)
        stopped = new[-1] == 2
        lines.append({"id": f"q{number}", **({"prompt": text} if number else {"ids": prompt})})
        out.append(
            {
                "id": f"q{number}", "sample": 0, "ids": new, "text": tokenizer.decode(new[:-1] if stopped else new, skip_special_tokens=False),
                "finish": "stop" if stopped else "length",
                "logprobs": [table[len(prompt) - 1 + i, t].item() for i, t in enumerate(new)],
            }
        )
    arguments = ["generate", "--model", "MODEL", "--greedy", "--max-new-tokens", "16"]
    return [{"arguments": arguments, "input": lines, "output": out}]


def labels_of(vectors):
    if len(vectors) < 2:
        return [-1] * len(vectors)
    fit = hdbscan.HDBSCAN(min_cluster_size=2, min_samples=1, approx_min_span_tree=False)
    return fit.fit_predict(normalize(np.array(vectors, dtype=float))).tolist()


def draw(rng, n, d=3):
    centres = rng.normal(size=(3, d))
    return [[round(float(x), 4) for x in centres[i] + 0.1 * rng.normal(size=d)] for i in rng.integers(0, 3, n)]


def clusters(rng):
    sets = [[], [[1.0, 2.0]], [[1, 0], [1, 0], [0, 1], [0, 1]], draw(rng, 9), draw(rng, 40), draw(rng, 17, 1 + 4)]
    return [{"arguments": ["inspect", "clusters"], "input": [{"vectors": v} for v in sets], "output": [{"labels": labels_of(v)} for v in sets]}]


class Memory:
    """The memory of the method, transcribed plainly: look up in what earlier steps stored, then add, then cluster anew."""

    def __init__(self, alpha, beta, target, single):
        self.alpha, self.cap, self.target, self.single, self.stored = alpha, beta / alpha, target, single, {}

    def step(self, responses):
        answer = {"labels": [], "sizes": [], "penalties": [], "scores": []}
        for r in responses:
            vectors, labels = self.stored.get((r["problem"], r["correct"]), ([], []))
            label, size = None, 0
            if vectors and r.get("fingerprint"):
                q = np.float32(r["fingerprint"]).astype(float)
                far = [1 - float(v @ q) / math.sqrt(float(v @ v) * float(q @ q)) for v in vectors]
                near = [labels[i] for i in np.argsort(far, kind="stable")[:3]]
                label = 0 if self.single else min(near, key=lambda name: (-near.count(name), name))
                size = labels.count(label)
            if self.target not in ("both", "right" if r["correct"] else "wrong"):
                size = 0
            b = self.alpha * min(math.log(size + 1), self.cap)
            for key, value in zip(answer, (label, size, b, 1 / (1 + b) if r["correct"] else -b)):
                answer[key].append(value)
        for r in responses:
            if r.get("fingerprint"):
                vectors, _ = self.stored.setdefault((r["problem"], r["correct"]), ([], []))
                vectors.append(np.float32(r["fingerprint"]).astype(float))
        for key, (vectors, _) in self.stored.items():
            self.stored[key] = (vectors, [0] * len(vectors) if self.single else labels_of(vectors))
        return answer


def memory(rng):
    runs = []
    for options in ({}, {"alpha": 0.3, "beta": 0.4, "penalty_target": "both"}, {"cluster": "single", "penalty_target": "right"}):
        alpha = options.get("alpha", 0.1)
        own = Memory(alpha, options.get("beta", 2 * alpha), options.get("penalty_target", "wrong"), "cluster" in options)
        vectors, lines = {p: draw(rng, 40) for p in ("a", "b")}, []
        for _ in range(6):
            responses = []
            for problem in ("a", "b", "a"):
                for _ in range(3):
                    r = {"problem": problem, "correct": bool(rng.random() < 0.3), "fingerprint": vectors[problem].pop() if vectors[problem] else None}
                    responses.append({**r, "fingerprint": None} if rng.random() < 0.1 else r)
            lines.append({"responses": responses})
        arguments = ["inspect", "memory"] + [part for k, v in options.items() for part in ("--set", f"method.{k}={v}")]
        runs.append({"arguments": arguments, "input": lines, "output": [own.step(line["responses"]) for line in lines]})
    return runs


BASES = {"grpo": (0.2, 0.2, 3.0, 0.001, True), "dapo": (0.2, 0.28, 10.0, 0.0, False)}  # low, high, dual, kl, mean of means


def loss_of(name, base, line):
    """Advantages, loss and gradients of a batch under a method, from the formulas."""
    low, high, dual, kl, by_response = BASES[base]
    mask, old, ref = (torch.tensor(line[k], dtype=torch.double) for k in ("mask", "old_log_probs", "ref_log_probs"))
    now, entropy = (torch.tensor(line[k], requires_grad=True) for k in ("log_probs", "entropies"))
    reward, right = torch.tensor(line["rewards"]), line["correct"]
    advantage = torch.zeros(len(right))
    for group in sorted(set(line["groups"])):
        ids = [i for i, g in enumerate(line["groups"]) if g == group]
        r, n, c = reward[ids], len(ids), sum(right[i] for i in ids)
        if name == "nsr":
            a = torch.tensor([0.0 if right[i] else -1.0 for i in ids])
        elif name == "maxrl":
            a = (r - r.mean()) / r.mean() if r.mean() > 0 else 0 * r
        elif name == "pkpo":
            k = 2
            a = torch.tensor([k / n if right[i] else k / n * (1 - math.comb(n - 1 - c, k - 1) / math.comb(n - 1, k - 1)) for i in ids])
            a = a - a.mean()
        else:
            a = (r - r.mean()) / (r.std() + 1e-6)
        advantage[ids] = a
    advantage = advantage[:, None] * mask
    if name == "entropy_advantage":
        advantage = advantage + torch.minimum(0.4 * entropy.detach(), advantage.abs() / 2) * mask
    ratio = ((now - old) * mask).clamp(-20, 20).exp()
    terms = torch.maximum(-advantage * ratio, -advantage * ratio.clamp(1 - low, 1 + high))
    terms = torch.where(advantage < 0, torch.minimum(terms, -advantage * dual), terms)
    if name == "gspo":
        ratio = (((now - old) * mask).sum(1) / mask.sum(1)).exp()[:, None].expand_as(mask)
        terms = torch.maximum(-advantage * ratio, -advantage * ratio.clamp(1 - 3e-4, 1 + 4e-4))
    answer = {}
    if name == "cispo":
        terms = -ratio.detach().clamp(max=5) * advantage * now
    if name == "top_entropy":
        chosen = torch.zeros(mask.numel())
        chosen[entropy.detach().masked_fill(mask == 0, -1).flatten().topk(math.ceil(0.2 * float(mask.sum()))).indices] = 1
        answer["selected"] = chosen.view_as(mask).int().tolist()
        terms = terms * chosen.view_as(mask)
    if kl:
        d = ((ref - now) * mask).clamp(-20, 20)
        terms = terms + kl * (d.exp() - d - 1).clamp(-10, 10)
    if name == "entropy_bonus":
        terms = terms - 1e-3 * entropy
    terms = terms * mask
    loss = (terms.sum(1) / mask.sum(1)).mean() if by_response else terms.sum() / mask.sum()
    loss.backward()
    if name == "entropy_bonus":
        answer["grad_entropies"] = entropy.grad.tolist()
    return {"advantages": advantage.tolist(), "loss": loss.item(), "grad_log_probs": now.grad.tolist(), **answer}


def loss(rng):
    runs = []
    for name, base in [("grpo", "grpo"), ("dapo", "dapo"), ("entropy_bonus", "dapo"), ("entropy_advantage", "grpo"), ("nsr", "dapo"), ("maxrl", "dapo"),
                       ("pkpo", "dapo"), ("gspo", "grpo"), ("cispo", "dapo"), ("top_entropy", "dapo")]:
        lines = []
        for groups in ([4, 4, 4, 4, 1, 1, 1, 1], [0, 1, 0, 1, 0, 1]):
            shape = (len(groups), 4)
            lengths = rng.integers(1, 5, len(groups))
            old = -3 * rng.random(shape)
            right = rng.random(len(groups)) < 0.5
            line = {"groups": groups, "rewards": right.astype(float).tolist(), "correct": right.tolist(),
                    "mask": [[int(t < n) for t in range(4)] for n in lengths]}
            for key, values in (("log_probs", old + 0.4 * rng.normal(size=shape)), ("old_log_probs", old),
                                ("ref_log_probs", old + 0.2 * rng.normal(size=shape)), ("entropies", 2 * rng.random(shape))):
                line[key] = np.round(values, 4).tolist()
            lines.append(line)
        arguments = ["inspect", "loss", "--method", name, "--base", base] + (["--set", "method.k=2"] if name == "pkpo" else [])
        runs.append({"arguments": arguments, "input": lines, "output": [loss_of(name, base, line) for line in lines]})
    return runs


def score(rng):
    lines, cells = [], {}
    for seed in (1, 2):
        for problem in ("a", "b", "c", "d", "e"):
            chance = rng.random()
            for _ in range(8):
                right = bool(rng.random() < chance)
                answer = "7" if right else (None if rng.random() < 0.2 else str(rng.integers(0, 3)))
                lines.append({"problem": problem, "seed": seed, "correct": right, "answer": answer})
                cells.setdefault((seed, problem), []).append((right, answer))
    means = [np.mean([r for r, _ in cell]) for cell in cells.values()]

    def mean_over_cells(function):
        values = [function(cell) for cell in cells.values()]
        values = [v for v in values if v is not None]
        return float(np.mean(values))

    def pass_at(k):
        return mean_over_cells(lambda cell: 1 - math.comb(8 - sum(r for r, _ in cell), k) / math.comb(8, k))

    def counts(cell, kept):
        kept = [a for r, a in cell if kept(r, a)]
        return {a: kept.count(a) for a in kept}

    def majority(cell):
        votes = counts(cell, lambda r, a: a is not None)
        top = [a for a in votes if votes[a] == max(votes.values())]
        return np.mean([a == "7" for a in top]) if top else 0.0

    def wrong_share(cell):
        wrong = counts(cell, lambda r, a: not r)
        return max(wrong.values()) / sum(wrong.values()) if wrong else None

    def entropy(cell):
        votes = counts(cell, lambda r, a: a is not None)
        return scipy.stats.entropy(list(votes.values())) if votes else None

    out = {
        "n": 8, "problems": 5, "pass@k": {str(k): {"value": pass_at(k)} for k in (1, 3, 8)}, "maj@k": {"8": {"value": mean_over_cells(majority)}},
        "pass_gain": {str(k): pass_at(k) - float(np.mean(means)) for k in (1, 3, 8)}, "iqm": float(scipy.stats.trim_mean(means, 0.25)),
        "diversity": {"distinct_answers": mean_over_cells(lambda cell: len(counts(cell, lambda r, a: a is not None))),
                      "largest_wrong_share": mean_over_cells(wrong_share), "answer_entropy": mean_over_cells(entropy),
                      "eigen_ratio": None, "vendi": None, "distinct_1": None},
    }
    return [{"arguments": ["score", "--k", "1,3,8"], "input": lines, "output": [out]}]


def main(folder):
    rng = np.random.default_rng(SEED)
    tokenizer = make_tokenizer()
    model_folder = os.path.join(folder, "tiny-qwen3")
    model = make_model(model_folder, tokenizer)
    versions = {name: sys.modules[name].__version__ for name in ("torch", "transformers", "tokenizers", "numpy", "scipy")}
    versions["hdbscan"] = "0.8.44"
    written = {
        "tokens": tokens(tokenizer, model_folder), "logits": logits(tokenizer, model), "fingerprint": fingerprint(tokenizer, model),
        "generate": generate(tokenizer, model), "clusters": clusters(rng), "memory": memory(rng), "loss": loss(rng), "score": score(rng),
    }
    for name, runs in written.items():
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            file.write('{"runs": [\n' + ",\n".join(json.dumps(run) for run in runs) + "\n]}\n")
    for name in [*written, "tiny-qwen3"]:
        with open(os.path.join(folder, f"{name}.origin.toml"), "w") as file:
            file.write('program = "make_verbs_golden.py"\ncommand = "python tests/testdata/make_verbs_golden.py tests/testdata"\n')
            file.write(f"seed = {SEED}\n" + "".join(f'{key} = "{value}"\n' for key, value in sorted(versions.items())))


main(sys.argv[1])
