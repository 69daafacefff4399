"""Writes method_losses.json: advantages, loss and gradients of each method by plain PyTorch, sharing no code with the product.

Usage: python method_losses.py > method_losses.json   (PyTorch, double precision, seed 20260401)
"""
import itertools
import json
import math
import random

import torch

torch.set_default_dtype(torch.float64)
SEED = 20260401
random.seed(SEED)
B, T = 12, 6
GROUPS = [3, 7, 3, 9, 7, 3, 9, 7, 3, 9, 7, 9]
CORRECT = [True, False, False, True, False, True, True, False, False, False, True, True]


def make_line(problem_offset):
    lengths = [random.randint(1, T) for _ in range(B)]
    lengths[0] = T
    mask = [[1 if t < n else 0 for t in range(T)] for n in lengths]
    r = lambda x: round(x, 3)
    old = [[r(-random.expovariate(1.0)) * mask[i][t] for t in range(T)] for i in range(B)]
    moves = [0.0, 0.05, -0.05, 0.3, -0.3, 0.9, -0.9, 2.6, -2.6, 24.0]
    cur = [[r(old[i][t] + random.choice(moves) + random.uniform(-0.02, 0.02)) * mask[i][t] for t in range(T)] for i in range(B)]
    ref = [[r(cur[i][t] + random.gauss(0, 0.5)) * mask[i][t] for t in range(T)] for i in range(B)]
    entropies = [[r(random.uniform(0, 1.5)) * mask[i][t] for t in range(T)] for i in range(B)]
    rewards = [1.0 if c else 0.0 for c in CORRECT]
    answers = [("a" if c else random.choice(["b", "c", ""])) for c in CORRECT]
    return {"groups": GROUPS, "rewards": rewards, "correct": CORRECT, "mask": mask, "log_probs": cur, "old_log_probs": old,
            "ref_log_probs": ref, "entropies": entropies, "answers": answers, "problems": [g % 2 for g in GROUPS]}


def make_rich_line(draw):
    """Four groups (none right, one right, three right, all right); responses cut short, several right answers, fingerprints."""
    rows, vocabulary = 16, 8
    groups = [i % 4 for i in range(rows)]
    right = [i // 4 < [0, 1, 3, 4][i % 4] for i in range(rows)]
    lengths = [T] + [draw.randint(1, T) for _ in range(rows - 1)]
    mask = [[1 if t < n else 0 for t in range(T)] for n in lengths]
    line = {"groups": groups, "correct": right, "mask": mask, "problems": groups,
            "rewards": [float(c) - (0.25 if i % 5 == 0 else 0.0) for i, c in enumerate(right)],
            "answers": [draw.choice(["a", "a", "d"] if c else ["b", "b", "c", ""]) for c in right],
            "fingerprints": [[draw.randint(-96, 96) / 32 for _ in range(5)] for _ in range(rows)]}
    for name in ("log_probs", "old_log_probs", "ref_log_probs", "entropies", "most_likely"):
        line[name] = [[0.0] * T for _ in range(rows)]
    for name in ("top_log_probs", "old_top_log_probs"):
        line[name] = [[[0.0] * vocabulary for _ in range(T)] for _ in range(rows)]
    for i in range(rows):
        for t in range(lengths[i]):
            old = torch.tensor([draw.gauss(0, 1.5) for _ in range(vocabulary)])
            now = (old + torch.tensor([draw.gauss(0, 0.4) for _ in range(vocabulary)])).log_softmax(0)
            old = old.log_softmax(0)
            order = old.argsort(descending=True)
            token = order[draw.choice([0, 0, 1, 2, 5])]
            line["log_probs"][i][t], line["old_log_probs"][i][t] = now[token].item(), old[token].item()
            line["ref_log_probs"][i][t] = now[token].item() + draw.gauss(0, 0.5)
            line["entropies"][i][t] = draw.uniform(0, 1.5)
            line["most_likely"][i][t] = int(token == order[0])
            line["top_log_probs"][i][t], line["old_top_log_probs"][i][t] = now[order].tolist(), old[order].tolist()
    return line


BASES = {
    "grpo": dict(low=0.2, high=0.2, dual=3.0, kl=0.001, agg="seq"),
    "dapo": dict(low=0.2, high=0.28, dual=10.0, kl=0.0, agg="token"),
}


def grpo_norm(r, groups):
    out = torch.zeros(len(r))
    for g in set(groups):
        idx = [i for i, x in enumerate(groups) if x == g]
        v = r[idx]
        out[idx] = (v - v.mean()) / (v.std() + 1e-6)
    return out


def per_group(fn, groups):
    out = torch.zeros(len(groups))
    for g in set(groups):
        idx = [i for i, x in enumerate(groups) if x == g]
        out[idx] = fn(idx)
    return out


def subsets_pass_k_wrong(n, c, k):
    # share of the groups of k that contain one given wrong response and at least one right one, by enumeration
    others = [1] * c + [0] * (n - 1 - c)
    draws = list(itertools.combinations(others, k - 1))
    return sum(1 for d in draws if any(d)) / len(draws)


class Reference:
    def __init__(self, method, base, keys):
        self.m, self.b, self.keys = method, dict(BASES[base]), keys
        self.beta, self.counts = 0.0, {}

    def sizes(self, line, idx, members):
        # classes by equal answers; a response without one is alone
        answer = [line["answers"][i] for i in idx]
        return [0 if not members(i) else 1 if a == "" else sum(1 for j, b in zip(idx, answer) if members(j) and b == a)
                for i, a in zip(idx, answer)]

    def reshape(self, line, A, old_sums, lengths):
        """The advantages A [B] of each group once they are known."""
        m, keys = self.m, self.keys
        right = lambda i: line["correct"][i]
        out = A.clone()
        for g in set(line["groups"]):
            idx = [i for i, x in enumerate(line["groups"]) if x == g]
            good = [i for i in idx if right(i)]
            bad = [i for i in idx if not right(i)]
            if m == "uniqueness":
                for i, f in zip(idx, self.sizes(line, idx, right)):
                    out[i] = A[i] * (f ** -keys.get("alpha", 1.0) if f > 0 else 1)
        return out

    def advantage(self, line):
        m, keys = self.m, self.keys
        r = torch.tensor(line["rewards"])
        correct, groups = line["correct"], line["groups"]
        mask = torch.tensor(line["mask"], dtype=torch.float64)
        old = torch.tensor(line["old_log_probs"])
        if m == "unlikeliness":
            mean = (old * mask).sum(1) / mask.sum(1)

            def shaped(idx):
                order = sorted(idx, key=lambda i: mean[i].item())
                return torch.tensor([r[i].item() * (1 - keys.get("beta", 0.25) * order.index(i) / len(idx)) for i in idx])
            return grpo_norm(per_group(shaped, groups), groups)
        if m == "outcome_exploration":
            c, const = keys.get("c", 0.2), keys.get("constant", 0.5)
            s = r.clone()
            for i in range(B):
                n = self.counts.get((line["problems"][i], line["answers"][i]), 0)
                bonus = 0.0 if line["answers"][i] == "" else (1.0 if n == 0 else min(1.0, n ** -0.5))
                s[i] += c * (bonus - const)
            for i in range(B):
                key = (line["problems"][i], line["answers"][i])
                self.counts[key] = self.counts.get(key, 0) + 1
            return grpo_norm(s, groups)
        if m == "dr_grpo":
            return per_group(lambda idx: r[idx] - r[idx].mean(), groups)
        if m == "maxrl":
            return per_group(lambda idx: (r[idx] - r[idx].mean()) / r[idx].mean(), groups)
        if m in ("nsr", "psr", "w_reinforce"):
            right, wrong = {"nsr": (0, -1), "psr": (1, 0), "w_reinforce": (keys.get("lambda", 0.1), -1)}[m]
            return torch.tensor([float(right if c else wrong) for c in correct])
        if m == "pass_k_training":
            k = keys.get("k", 4)

            def adv(idx):
                n, c = len(idx), sum(correct[i] for i in idx)
                big = 1 - math.comb(n - c, k) / math.comb(n, k)
                sigma = math.sqrt(big * (1 - big))
                if sigma == 0:
                    return torch.zeros(n)
                # a right response's groups all pass; a wrong one's pass when its fellows hold a right one
                return torch.tensor([((1.0 if correct[i] else subsets_pass_k_wrong(n, c, k)) - big) / sigma for i in idx])
            return per_group(adv, groups)
        if m == "pkpo":
            k = keys.get("k", 4)

            def adv(idx):
                n, c = len(idx), sum(correct[i] for i in idx)
                v = torch.tensor([k / n * (1.0 if correct[i] else subsets_pass_k_wrong(n, c, k)) for i in idx])
                return v - v.mean()
            return per_group(adv, groups)
        return grpo_norm(r, groups)

    def run(self, line):
        m, keys, b = self.m, self.keys, self.b
        mask = torch.tensor(line["mask"], dtype=torch.float64)
        l = torch.tensor(line["log_probs"], requires_grad=True)
        H = torch.tensor(line["entropies"], requires_grad=True)
        old, ref = torch.tensor(line["old_log_probs"]), torch.tensor(line["ref_log_probs"])
        A = self.reshape(line, self.advantage(line), (old * mask).sum(1), mask.sum(1))[:, None] * mask
        if m == "entropy_advantage":
            A = A + torch.minimum(keys.get("alpha", 0.4) * H.detach(), A.abs() / keys.get("kappa", 2.0)) * mask
        low, high, dual, agg = b["low"], b["high"], b["dual"], b["agg"]
        if m == "clip_higher":
            high = 0.28
        if m == "clip_cov":
            low = high = 1.0
        if m == "gspo":
            low, high = 3e-4, 4e-4
        if m == "dr_grpo":
            agg = "norm"
        d = torch.clamp(l - old, -20, 20)
        rho = d.exp()
        N = int(mask.sum().item())
        selected = None
        surrogate = torch.max(-A * rho, -A * torch.clamp(rho, 1 - low, 1 + high))
        surrogate = torch.where(A < 0, torch.min(surrogate, -A * dual), surrogate)
        flat = lambda x: x[mask > 0]
        cov = (A - flat(A).mean()) * (l.detach() - flat(l.detach()).mean())
        if m == "kl_cov":
            k = max(1, int(keys.get("fraction", 2e-3) * N))
            top = torch.topk(cov.masked_fill(mask == 0, -1e30).reshape(-1), k).indices
            selected = torch.zeros(mask.numel()).index_fill(0, top, 1.0).reshape(mask.shape)
            terms = -A * rho + keys.get("beta", 1.0) * selected * d.abs()
        elif m == "clip_cov":
            inside = ~(-A * torch.clamp(rho, 0.0, 2.0) > -A * rho)
            selected = ((cov > keys["cov_low"]) & (cov < keys["cov_high"]) & inside & (mask > 0)).double()
            assert keys["ratio"] == 1.0  # all that qualify are taken: nothing random
            terms = surrogate * (1 - selected)
        elif m == "top_entropy":
            k = max(1, math.ceil(keys.get("rho", 0.2) * N - 1e-4))
            top = torch.topk(H.detach().masked_fill(mask == 0, -1e30).reshape(-1), k).indices
            selected = torch.zeros(mask.numel()).index_fill(0, top, 1.0).reshape(mask.shape)
            terms = surrogate * selected
        elif m == "gspo":
            s = torch.exp(torch.clamp(((l - old) * mask).sum(1) / mask.sum(1), -20, 20))[:, None] * torch.ones_like(mask)
            terms = torch.max(-A * s, -A * torch.clamp(s, 1 - low, 1 + high))
        elif m == "cispo":
            terms = -torch.clamp(rho, max=keys.get("high", 5.0)).detach() * A * l
        else:
            terms = surrogate
        if b["kl"] > 0:
            e = torch.clamp(ref - l, -20, 20)
            terms = terms + b["kl"] * torch.clamp(e.exp() - e - 1, -10, 10)
        mean_entropy = (flat(H.detach()).mean()).item()
        if m == "entropy_bonus":
            terms = terms - keys.get("beta", 1e-3) * H
        if m == "adaptive_entropy" and mean_entropy <= keys["target"]:
            terms = terms - self.beta * H
        terms = terms * mask
        if agg == "token":
            loss = terms.sum() / N
        elif agg == "seq":
            loss = (terms.sum(1) / mask.sum(1)).mean()
        else:
            loss = terms.sum() / (len(mask) * T)
        loss.backward()
        if m == "adaptive_entropy":
            step = keys.get("delta", 1e-4) * (1 if mean_entropy < keys["target"] else -1)
            self.beta = min(max(self.beta + step, 0.0), keys.get("beta_max", 5e-3))
        out = {"advantages": (A * mask).tolist(), "loss": loss.item(),
               "grad_log_probs": (torch.zeros_like(mask) if l.grad is None else l.grad).tolist()}
        if m in ("entropy_bonus", "adaptive_entropy"):
            out["grad_entropies"] = (torch.zeros_like(mask) if H.grad is None else H.grad).tolist()
        if selected is not None:
            out["selected"] = [[int(x) for x in row] for row in selected.tolist()]
        return out


CASES = [("grpo", {}), ("dapo", {}), ("dr_grpo", {}), ("clip_higher", {}), ("entropy_bonus", {"beta": 0.01}),
         ("adaptive_entropy", {"target": 1.0, "delta": 0.001}), ("entropy_advantage", {}),
         ("clip_cov", {"ratio": 1.0, "cov_low": 0.05, "cov_high": 2.0}), ("kl_cov", {"fraction": 0.2}), ("kl_cov", {}),
         ("top_entropy", {}), ("top_entropy", {"rho": 0.5}), ("nsr", {}), ("psr", {}), ("w_reinforce", {}),
         ("pass_k_training", {"k": 2}), ("pkpo", {"k": 2}), ("pkpo", {"k": 3}), ("unlikeliness", {}),
         ("outcome_exploration", {}), ("maxrl", {}), ("gspo", {}), ("cispo", {})]

RICH_CASES = [("uniqueness", {"strategy": "answer"}), ("uniqueness", {"strategy": "answer", "alpha": 0.5})]

draw = random.Random(SEED + 1)  # apart, so that the first lines stay what they are
lines = {"lines": [make_line(0), make_line(1)], "rich_lines": [make_rich_line(draw), make_rich_line(draw)]}
cases = []
for name, (method, keys) in [("lines", case) for case in CASES] + [("rich_lines", case) for case in RICH_CASES]:
    for base in ("grpo", "dapo"):
        if method in ("grpo", "dapo") and method != base:
            continue
        reference = Reference(method, base, keys)
        cases.append({"method": method, "base": base, "set": [f"method.{k}={v}" for k, v in keys.items()], "lines": name,
                      "expected": [reference.run(line) for line in lines[name]]})


def shortened(value):
    if isinstance(value, float):
        return 0 if value == 0 else float(f"{value:.13g}")
    if isinstance(value, list):
        return [shortened(v) for v in value]
    if isinstance(value, dict):
        return {k: shortened(v) for k, v in value.items()}
    return value


print(json.dumps({**lines, "cases": shortened(cases)}, separators=(",", ":")))
