"""TRL's GRPOTrainer on a model folder: seconds of whole training steps at given prompts, samples and lengths.

    python experiments/peers/trl_step.py DIR [--prompts 16] [--samples 16] [--new-tokens 48] [--steps 5] [--threads 1]

The prompts are ids of the model's vocabulary (fixed seed), one length for all, so that any model folder will do; the reward
is a rule on the completion's ids (no network, no text). The first step warms up and is not counted. Prints one JSON object.
"""

import argparse
import json
import pathlib
import random
import statistics
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


def tokenizer_of(folder, vocabulary):
    """The folder's own, or for a folder without one a tokenizer whose words are the ids' numbers."""
    if (folder / "tokenizer.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(folder)
    else:
        words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t0"))
        words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="t0", bos_token="t1", eos_token="t2")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def reward(completion_ids, **_):
    """Half of the completions or so: whether the sum of the ids is even."""
    LENGTHS.extend(len(ids) for ids in completion_ids)
    return [float(sum(ids) % 2 == 0) for ids in completion_ids]


LENGTHS = []


class Clock(TrainerCallback):
    def __init__(self):
        self.seconds = []

    def on_step_begin(self, *_, **__):
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__):
        self.seconds.append(time.perf_counter() - self.began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--prompt-tokens", type=int, default=12)
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--updates", type=int, default=4, help="optimiser updates a step, as mini-batches")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prompts-file", type=pathlib.Path, help="texts, one a line, instead of random ones")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(arguments.folder, dtype=dtype)
    tokenizer = tokenizer_of(arguments.folder, model.config.vocab_size)
    ordinary = [i for i in range(model.config.vocab_size) if i not in set(tokenizer.all_special_ids)]
    generator = random.Random(arguments.seed)
    rows = [tokenizer.decode(generator.choices(ordinary, k=arguments.prompt_tokens)) for _ in range(arguments.prompts)]
    if arguments.prompts_file:
        rows = arguments.prompts_file.read_text().splitlines()[:arguments.prompts]
    rollout = arguments.prompts * arguments.samples
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        # One "generation" is the whole step of ours: `updates` mini-batches, each one optimiser update.
        config = GRPOConfig(
            output_dir=scratch, per_device_train_batch_size=rollout // arguments.updates, gradient_accumulation_steps=1,
            steps_per_generation=arguments.updates, num_generations=arguments.samples,
            max_completion_length=arguments.new_tokens, max_steps=(arguments.steps + 1) * arguments.updates,
            learning_rate=3e-4, temperature=1.0, beta=0.0, loss_type="dapo", epsilon=0.2, epsilon_high=0.28,
            use_cpu=not torch.cuda.is_available(), bf16=False, gradient_checkpointing=False, report_to="none",
            save_strategy="no", logging_strategy="no", disable_tqdm=True, seed=arguments.seed)
        trainer = GRPOTrainer(model=model, args=config, reward_funcs=reward, processing_class=tokenizer,
                              train_dataset=Dataset.from_dict({"prompt": rows}), callbacks=[clock])
        trainer.train()
    updates = clock.seconds
    whole = [sum(updates[i:i + arguments.updates]) for i in range(0, len(updates), arguments.updates)][1:]
    print(json.dumps({"program": f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}",
                      "model": arguments.folder.name, "threads": arguments.threads, "dtype": arguments.dtype,
                      "prompts": arguments.prompts, "samples": arguments.samples, "prompt_tokens": arguments.prompt_tokens,
                      "new_tokens": arguments.new_tokens, "mean_response_tokens": statistics.mean(LENGTHS),
                      "updates": arguments.updates,
                      "seconds_per_step": {"median": statistics.median(whole), "min": min(whole), "max": max(whole),
                                           "rounds": len(whole)}}))


if __name__ == "__main__":
    main()
