"""Writes method_losses.json: advantages, loss and gradients of each method by plain PyTorch, sharing no code with the product.

Usage: python method_losses.py > method_losses.json   (PyTorch, double precision, seed 20260401)
"""
import hashlib
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
            "stored": [i % 4 == 2 for i in range(rows)],
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
            r = lambda values: [round(x, 4) for x in values.tolist()]
            line["top_log_probs"][i][t], line["old_top_log_probs"][i][t] = r(now[order]), r(old[order])
            line["log_probs"][i][t], line["old_log_probs"][i][t] = r(now)[token], r(old)[token]
            line["ref_log_probs"][i][t] = round(now[token].item() + draw.gauss(0, 0.5), 4)
            line["entropies"][i][t] = round(draw.uniform(0, 1.5), 4)
            line["most_likely"][i][t] = int(token == order[0])
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


def uniform(name):
    """Draw 0 of the keyed stream of this name: Philox 4x32-10 under the first eight bytes of its SHA-256."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    low, high, x = key & 0xFFFFFFFF, key >> 32, [0, 0, 0, 0]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ low, b & 0xFFFFFFFF, (a >> 32) ^ x[3] ^ high, a & 0xFFFFFFFF]
        low, high = (low + 0x9E3779B9) & 0xFFFFFFFF, (high + 0xBB67AE85) & 0xFFFFFFFF
    return ((x[1] << 32 | x[0]) >> 11) * 2.0 ** -53


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
            if m == "edas" and len(bad) > 1:
                S = A[bad if keys.get("scale") == "wrong" else idx].abs().mean().item()
                share = {i: sum(1 for j in bad if line["answers"][j] == line["answers"][i]) / len(bad) for i in bad}
                H = -sum(q * math.log(q) for q in {line["answers"][i]: share[i] for i in bad}.values())
                for i in bad:
                    D = keys.get("alpha", 0.4) * S * (-math.log(share[i]) - H) / math.log(len(bad))
                    if share[i] == 1:
                        D = -keys.get("beta", 0.2) * S
                    out[i] = A[i] + (1 if D > 0 else -1) * min(abs(D), abs(A[i].item()) / keys.get("kappa", 2.0))
            if m == "f_grpo":
                out[idx] = A[idx] * (len(bad) / len(idx)) ** keys.get("gamma", 0.5)
            if m == "ucpo" and good:
                likely = old_sums[good] if keys.get("log_prob") == "sum" else old_sums[good] / lengths[good]
                v = 1 / likely.softmax(0).clamp(min=1e-6)
                tau, n = keys.get("tau", 0.2), len(good)
                out[good] = A[good] * n * ((1 - tau) / n + tau * v / v.sum())
            if m == "differential_smoothing":
                out[good] = A[good] - keys.get("tau", 0.01) * old_sums[good]
                out[bad] = A[bad] + keys.get("alpha", 0.01) * old_sums[bad]
            if m == "bbg":
                k, G = keys.get("k", 16), len(idx)
                # k times the mean of (1 - p)^(k - 1) under Beta(c + 1, G - c + 1), by Gamma functions
                u = lambda c: k * math.exp(math.lgamma(G - c + k) + math.lgamma(G + 2)
                                           - math.lgamma(G - c + 1) - math.lgamma(G + 1 + k))
                c = len(good)
                w = 0.0 if u(c) < keys.get("tau", 0.01) * (G + 1) else u(c) / u(1)
                out[idx] = w * (A[idx] if c > 0 else -torch.ones(G))
            if m == "cue_grpo" and good:
                f = [f for f in self.sizes(line, idx, right) if f > 0]
                s = torch.tensor([x ** -keys.get("alpha", 1.0) for x in f])
                out[good] = A[good] * (len(good) * s / s.sum()).clamp(0.3, 3.0)
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
        if m == "darling":
            def shaped(idx):
                f = self.sizes(line, idx, lambda i: True)
                return torch.tensor([r[i].item() * max(keys.get("floor", 0.1), (len(idx) - x) / (len(idx) - 1))
                                     for i, x in zip(idx, f)])
            return grpo_norm(per_group(shaped, groups), groups)
        if m == "repexp":
            def shaped(idx):
                h = torch.tensor([line["fingerprints"][i] for i in idx])
                inverse = torch.linalg.inv(keys.get("lambda", 1.0) * torch.eye(h.shape[1]) + h.T @ h)
                return r[idx] + keys.get("c", 0.1) * ((h @ inverse) * h).sum(1)
            return grpo_norm(per_group(shaped, groups), groups)
        if m in ("random_reward", "format_reward"):
            def shaped(idx):
                rate = sum(correct[i] for i in idx) / len(idx)
                given = [line["answers"][i] != "" for i in idx]
                if m == "random_reward":
                    given = [uniform(f"random_reward/{i}") < rate for i in idx]
                return torch.tensor([float(x) + line["rewards"][i] - float(correct[i]) for x, i in zip(given, idx)])
            return grpo_norm(per_group(shaped, groups), groups)
        if m == "qae":
            def adv(idx):
                v = r[idx]
                covers = lambda x: (v <= x).sum().item() / len(idx) >= keys.get("quantile", 0.4) - 1e-12
                lowest = min(x for x in v.tolist() if covers(x))
                if keys.get("interpolated"):
                    lowest = torch.quantile(v, keys.get("quantile", 0.4)).item()
                return (v - lowest) / (v.std() + 1e-6)
            return per_group(adv, groups)
        if m == "risk_sensitive":
            beta = keys.get("beta", 2.0)
            return per_group(lambda idx: ((beta * r[idx]).exp() / (beta * r[idx]).exp().mean() - 1) / beta, groups)
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
        if "top_log_probs" in line:
            top = torch.tensor(line["top_log_probs"], requires_grad=True)
            old_top = torch.tensor(line["old_top_log_probs"])
        A = self.reshape(line, self.advantage(line), (old * mask).sum(1), mask.sum(1))[:, None] * mask
        if m == "entropy_advantage":
            A = A + torch.minimum(keys.get("alpha", 0.4) * H.detach(), A.abs() / keys.get("kappa", 2.0)) * mask
        if m == "steer":
            p, rho0 = l.detach().exp(), torch.clamp(l.detach() - old, -20, 20).exp()
            if keys.get("change") == "code":
                w = A / old.exp() * p * (1 - p) * (p.log() + H.detach())
                floor = 0.02
            else:
                w = rho0 * A * p * (1 - p) * (p.log() + H.detach())
                alive = (rho0 <= 1 + b["high"]) & (A > 0) | (rho0 >= 1 - b["low"]) & (rho0 <= b["dual"]) & (A < 0)
                w = torch.where(alive, w, torch.zeros(()))
                floor = 0.0
            w = (w * mask).abs()
            A = A * keys.get("lambda_min", 0.7) ** (w / max(w.max().item(), floor))
        if m == "dph_rl":
            stored = torch.tensor(line["stored"]).double()[:, None] * mask
            A, b["kl"] = A * (1 - stored), 0.0
        if m == "simko":
            k, a = keys.get("k", 3), keys.get("a", 0.01)
            fork = torch.zeros_like(mask)
            for i, n in enumerate(mask.sum(1).int().tolist()):
                fork[i, :n] = (H[i, :n].detach() > torch.quantile(H[i, :n].detach(), keys.get("quantile", 0.8))).double()
            A = torch.where((A < 0) & (fork > 0) & (torch.tensor(line["most_likely"]) > 0), A * keys.get("boost", 1.1), A)
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
        rho, selected = d.exp(), None
        if m == "simko":
            top_rho = (top - old_top).exp()[:, :, :k]
            mixed = (1 - a) * rho + a / k * ((rho[:, :, None] / top_rho).detach() * top_rho).sum(2)
            rho = torch.where((fork > 0) & (A > 0), mixed, rho)
            selected = fork
        N = int(mask.sum().item())
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
        if m == "dph_rl":
            base, now = old.exp(), l.exp()
            f = (base / now).log() + (0 if keys.get("divergence") == "kl_plain" else now / base - 1)
            if keys.get("divergence") == "js":  # by its definition, over answers of the base: each one's KL from the middle
                middle = (base + now) / 2
                f = (base / middle).log() + now / base * (now / middle).log()
            terms = terms + keys.get("eta", 0.01) * stored * f
        if m == "lp_reg":
            tau = keys.get("tau", 0.02)
            falling = sorted((old[i, t].item(), i, t) for i, t in mask.nonzero().tolist() if A[i, t] < 0)
            extra = torch.zeros_like(mask)
            for value, i, t in falling[:max(1, int(keys.get("share", 0.01) * len(falling)))]:
                floor = tau * (old_top[i, t].max().exp().item() if keys.get("threshold") == "relative" else 1)
                kept = [j for j in range(old_top.shape[2]) if old_top[i, t, j].exp() >= floor]
                if math.exp(value) < floor:
                    continue
                Z = sum(old_top[i, t, j].exp().item() for j in kept)
                if keys.get("estimator") == "full":
                    kl = sum((q := old_top[i, t, j].exp().item() / Z) * (math.log(q) - top[i, t, j]) for j in kept)
                else:
                    e = value - math.log(Z) - l[i, t]
                    kl = e.exp() - e - 1
                here = torch.zeros_like(mask)
                here[i, t] = keys.get("beta", 1.0)
                extra = extra + kl * here
            terms = terms + extra
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
        if m == "simko" or keys.get("estimator") == "full":
            out["grad_top_log_probs"] = top.grad.tolist()
        if selected is not None:
            out["selected"] = [[int(x) for x in row] for row in selected.tolist()]
        return out


CASES = [("grpo", {}), ("dapo", {}), ("dr_grpo", {}), ("clip_higher", {}), ("entropy_bonus", {"beta": 0.01}),
         ("adaptive_entropy", {"target": 1.0, "delta": 0.001}), ("entropy_advantage", {}),
         ("clip_cov", {"ratio": 1.0, "cov_low": 0.05, "cov_high": 2.0}), ("kl_cov", {"fraction": 0.2}), ("kl_cov", {}),
         ("top_entropy", {}), ("top_entropy", {"rho": 0.5}), ("nsr", {}), ("psr", {}), ("w_reinforce", {}),
         ("pass_k_training", {"k": 2}), ("pkpo", {"k": 2}), ("pkpo", {"k": 3}), ("unlikeliness", {}),
         ("outcome_exploration", {}), ("maxrl", {}), ("gspo", {}), ("cispo", {})]

ANSWERS = {"partition": "answer"}
RICH_CASES = [("uniqueness", {"strategy": "answer"}), ("uniqueness", {"strategy": "answer", "alpha": 0.5}), ("edas", {}),
              ("edas", {"alpha": 2.0, "beta": 1.0, "kappa": 3.0, "scale": "wrong"}), ("f_grpo", {}),
              ("f_grpo", {"gamma": 2.0}), ("ucpo", {}),
              ("ucpo", {"tau": 0.7, "log_prob": "sum"}), ("steer", {}), ("steer", {"lambda_min": 0.3, "change": "code"}),
              ("random_reward", {}), ("format_reward", {}), ("qae", {}), ("qae", {"quantile": 0.8, "interpolated": True}),
              ("differential_smoothing", {}), ("differential_smoothing", {"tau": 0.1, "alpha": 0.3}), ("darling", ANSWERS),
              ("darling", {**ANSWERS, "floor": 0.5}), ("simko", {}),
              ("simko", {"k": 5, "quantile": 0.3, "a": 0.4, "boost": 2.0}),
              ("lp_reg", {}), ("lp_reg", {"tau": 0.1, "beta": 0.5, "share": 0.8}),
              ("lp_reg", {"tau": 0.2, "share": 0.8, "threshold": "relative"}),
              ("lp_reg", {"share": 0.6, "estimator": "full"}), ("bbg", {}), ("bbg", {"k": 4, "tau": 0.15}),
              ("cue_grpo", ANSWERS), ("cue_grpo", {**ANSWERS, "alpha": 3.0}), ("repexp", {}),
              ("repexp", {"c": 0.7, "lambda": 4.0}),
              ("dph_rl", {}), ("dph_rl", {"divergence": "kl_plain"}), ("dph_rl", {"eta": 0.5, "divergence": "js"}),
              ("risk_sensitive", {}), ("risk_sensitive", {"beta": -3.0})]

draw = random.Random(SEED + 1)  # apart, so that the first lines stay what they are
lines = {"lines": [make_line(0), make_line(1)], "rich_lines": [make_rich_line(draw)]}
cases = []
for name, (method, keys) in [("lines", case) for case in CASES] + [("rich_lines", case) for case in RICH_CASES]:
    for base in ("grpo", "dapo"):
        if method in ("grpo", "dapo") and method != base:
            continue
        reference = Reference(method, base, keys)
        settings = [f"method.{k}={str(v).lower()}" for k, v in keys.items()]
        cases.append({"method": method, "base": base, "set": settings, "lines": name,
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
