"""Golden file for harness/train: loss and gradients of a policy update, computed with transformers and plain PyTorch.

    python experiments/peers/make_grpo_goldens.py harness/model/testdata/tiny-qwen3 harness/train/testdata/grpo_step.json

Responses, rewards, old and reference log-probs are fixed numbers; advantages, loss and gradients are computed here in double
precision. Of each parameter (by its Hugging Face name) the file holds the gradient's norm, its product with cos(0.37 i + 0.1)
and its first eight values.
"""

import argparse
import json
import math
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM

SEED = 20261123
ARMS = {
    "grpo": dict(clip_low=0.2, clip_high=0.2, dual_clip=3.0, kl_coef=0.05, aggregation="seq_mean_token_mean"),
    "dapo": dict(clip_low=0.2, clip_high=0.28, dual_clip=10.0, kl_coef=0.0, aggregation="token_mean"),
}


def make_rollouts(model):
    """Two prompts, four responses each; old and reference log-probs lie around the model's own."""
    generator = torch.Generator().manual_seed(SEED)
    draw = lambda n: torch.randint(3, model.config.vocab_size, (n,), generator=generator).tolist()
    groups = []
    for prompt_length, lengths, rewards in ((5, (7, 3, 12, 1), (1.0, 0.0, 0.0, -0.4)),
                                            (9, (4, 10, 6, 5), (1.0, 1.0, 0.0, 0.7))):
        prompt = draw(prompt_length)
        responses = []
        for length, reward in zip(lengths, rewards):
            ids = draw(length)
            current = token_log_probs(model, prompt, ids).detach()
            noise = lambda scale: scale * torch.randn(length, generator=generator, dtype=torch.float64)
            responses.append(dict(ids=ids, reward=reward, old=(current + noise(0.4)).float().tolist(),
                                  ref=(current + noise(0.3)).float().tolist()))
        responses[-1]["old"] = (torch.tensor(responses[-1]["old"]) - 2.0).tolist()  # ratios that the dual clip bounds
        groups.append(dict(prompt=prompt, responses=responses))
    return groups


def token_log_probs(model, prompt, ids):
    logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1:-1]
    return torch.log_softmax(logits, -1).gather(1, torch.tensor(ids)[:, None])[:, 0]


def token_losses(arm, advantage, log_probs, response):
    old = torch.tensor(response["old"], dtype=torch.float64)
    ratio = torch.exp((log_probs - old).clamp(-20, 20))
    clipped = ratio.clamp(1 - arm["clip_low"], 1 + arm["clip_high"])
    loss = torch.maximum(-advantage * ratio, -advantage * clipped)
    if advantage < 0:
        loss = torch.minimum(loss, torch.full_like(loss, -advantage * arm["dual_clip"]))
    if arm["kl_coef"] > 0:
        d = (torch.tensor(response["ref"], dtype=torch.float64) - log_probs).clamp(-20, 20)
        loss = loss + arm["kl_coef"] * (d.exp() - d - 1).clamp(-10, 10)
    return loss


def step(model, arm, groups):
    model.zero_grad()
    losses, advantages = [], []
    for group in groups:
        rewards = torch.tensor([r["reward"] for r in group["responses"]], dtype=torch.float64)
        normalised = (rewards - rewards.mean()) / (rewards.std() + 1e-6)
        advantages += normalised.tolist()
        for advantage, response in zip(normalised, group["responses"]):
            losses.append(token_losses(arm, advantage, token_log_probs(model, group["prompt"], response["ids"]), response))
    loss = torch.cat(losses).mean() if arm["aggregation"] == "token_mean" else torch.stack([x.mean() for x in losses]).mean()
    loss.backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        flat = parameter.grad.flatten()
        wave = torch.cos(0.37 * torch.arange(flat.numel(), dtype=torch.float64) + 0.1)
        gradients[name] = dict(norm=flat.norm().item(), wave=(flat @ wave).item(), first=flat[:8].tolist())
    return dict(settings=arm, advantages=advantages, loss=loss.item(), gradients=gradients)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float64, attn_implementation="eager")
    with torch.no_grad():
        groups = make_rollouts(model)
    arms = {name: step(model, arm, groups) for name, arm in ARMS.items()}
    assert all(math.isfinite(arm["loss"]) for arm in arms.values())
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(dict(groups=groups, arms=arms)) + "\n")
    origin = arguments.out.with_suffix(".origin.toml")
    origin.write_text(f'program = "transformers and PyTorch"\nversion = "{transformers.__version__}"\n'
                      f'torch = "{torch.__version__}"\n'
                      f'command = "python experiments/peers/make_grpo_goldens.py {arguments.model} {arguments.out}"\n'
                      f'seed = {SEED}\n')


if __name__ == "__main__":
    main()
