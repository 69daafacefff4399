"""Outcome files as lm-evaluation-harness and lighteval write them, for the tests of harness/exchange.

    python make_outcome_goldens.py lm_eval harness/exchange/testdata      (pip install lm_eval==0.4.13)
    python make_outcome_goldens.py lighteval harness/exchange/testdata    (pip install lighteval==0.13.0)

A model of this script answers (by a hash of question, seed and repeat, so about half are right); tasks, filters, metrics
and files are the programs' own. Prints one line of JSON: the files and what each program aggregated.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile

SUMS = [(17, 25), (8, 36), (40, 2), (9, 9), (63, 12), (5, 70)]


def draw(*key):
    return int(hashlib.sha256(repr(key).encode()).hexdigest(), 16)


def answer_of(question, seed, repeat):
    a, b = map(int, re.findall(r"\d+", question)[-2:])
    key = draw(question, seed, repeat)
    value = a + b if key % 2 else a + b + 1 + key % 3
    if key % 11 == 0:
        return "I cannot say."
    return f"{a} and {b} make {value}." + (f"\n#### {value}" if key % 5 else "")


def lm_eval_files(out):
    import lm_eval
    from lm_eval.api.model import LM
    from lm_eval.loggers import EvaluationTracker

    class Scripted(LM):
        def __init__(self, seed):
            super().__init__()
            self.seed, self.met = seed, {}

        def generate_until(self, requests, disable_tqdm=False):
            replies = []
            for request in requests:
                question = request.args[0]
                repeat = self.met[question] = self.met.get(question, -1) + 1
                replies.append(answer_of(question, self.seed, repeat))
            return replies

        def loglikelihood(self, requests, disable_tqdm=False):
            return [(-(draw(*request.args, self.seed) % 1000) / 100, False) for request in requests]

        def loglikelihood_rolling(self, requests, disable_tqdm=False):
            raise NotImplementedError

    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "sums.jsonl").write_text("".join(
        json.dumps({"question": f"What is {a} + {b}?", "answer": str(a + b)}) + "\n" for a, b in SUMS))
    (folder / "pairs.jsonl").write_text("".join(
        json.dumps({"question": f"Is {a} or {b} larger?", "choices": [str(a), str(b)], "gold": int(b > a)}) + "\n"
        for a, b in SUMS))
    common = {"dataset_path": "json", "test_split": "test", "num_fewshot": 0}
    generated = common | {
        "dataset_kwargs": {"data_files": {"test": str(folder / "sums.jsonl")}}, "output_type": "generate_until",
        "doc_to_text": "Question: {{question}}\nAnswer:", "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "generation_kwargs": {"until": ["Question:"], "do_sample": True, "temperature": 0.6}}
    tasks = [
        generated | {"task": "sums", "filter_list": [
            {"name": "strict-match", "filter": [{"function": "regex", "regex_pattern": "#### (-?[0-9]+)"},
                                                {"function": "take_first"}]},
            {"name": "flexible-extract", "filter": [{"function": "regex", "regex_pattern": "(-?[0-9]+)", "group_select": -1},
                                                    {"function": "take_first"}]}]},
        generated | {"task": "sums_repeated", "repeats": 4},
        common | {"task": "pairs", "dataset_kwargs": {"data_files": {"test": str(folder / "pairs.jsonl")}},
                  "output_type": "multiple_choice", "doc_to_text": "{{question}}", "doc_to_choice": "{{choices}}",
                  "doc_to_target": "{{gold}}", "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]}]
    said = []
    for seed in (1, 2):
        results = lm_eval.simple_evaluate(model=Scripted(seed), tasks=tasks, log_samples=True, bootstrap_iters=0)
        samples = results.pop("samples")
        tracker = EvaluationTracker(output_path=str(folder / f"run{seed}"))
        tracker.general_config_tracker.log_experiment_args("scripted", f"pretrained=scripted-{seed}", None, None, False)
        tracker.save_results_aggregated(results=results, samples=samples)
        for task, lines in samples.items():
            tracker.save_results_samples(task_name=task, samples=lines)
        written = sorted((folder / f"run{seed}").rglob("samples_*.jsonl"))
        place = out / f"lm_eval_{seed}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for path in written:  # the day of the run says nothing
            shutil.copy(path, place / re.sub(r"_\d{4}-.*\.jsonl", "_2026-01-02T03-04-05.678901.jsonl", path.name))
        said.append({"seed": seed, "results": {task: {k: v for k, v in values.items() if "," in k and "stderr" not in k}
                                               for task, values in results["results"].items()}})
    return said


def lighteval_files(out):
    from dataclasses import asdict

    from datasets import Dataset
    from lighteval.logging.info_loggers import DetailsLogger
    from lighteval.metrics.metrics import Metrics
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    said = []
    for name, repeats in (("sums|0", 1), ("sums_repeated|0", 4)):
        metric = Metrics.exact_match.value
        details, values = [], []
        for i, (a, b) in enumerate(SUMS):
            question = f"What is {a} + {b}?"
            texts = [re.findall(r"\d+", answer_of(question, 1, repeat))[-1:] for repeat in range(repeats)]
            response = ModelResponse(input=question, text=[t[0] if t else "none" for t in texts], input_tokens=[1, 2],
                                     output_tokens=[[3, 4, 5]] * repeats)
            doc = Doc(query=question, choices=[str(a + b)], gold_index=0, id=str(i), task_name=name)
            scores = metric.compute_sample(model_response=response, doc=doc)
            details.append(DetailsLogger.Detail(doc, response, scores))
            values.append(scores)
        path = out / f"details_{name}_2026-01-02T03-04-05.678901.parquet"
        Dataset.from_list([asdict(detail) for detail in details]).to_parquet(str(path))
        said.append({"file": path.name, "values": values})
    return said


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=["lm_eval", "lighteval"])
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps((lm_eval_files if arguments.program == "lm_eval" else lighteval_files)(arguments.out)))
