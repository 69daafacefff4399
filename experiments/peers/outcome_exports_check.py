"""Files of `medsbench export --lm-eval` and `--every-eval-ever`, read by the programs whose layouts they are in.

    python outcome_exports_check.py lm_eval FOLDER            (pip install lm_eval==0.4.13)
    python outcome_exports_check.py every_eval_ever FOLDER [--lm-eval FOLDER]
                                                              (Python 3.12, pip install every-eval-ever==0.3.0)

lm_eval: its table of each results file, its names of files and tasks, the samples as `datasets` loads them, and each pass@k and
its standard error again by its own metrics from the samples. every_eval_ever: its validator over every file, paths and
companions included, the JSON Schema itself, and its converter of lm-evaluation-harness' logs over the files of the other
export.
Prints one line of JSON; exit status 1 where anything differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile


def check_lm_eval(folder):
    import datasets
    from lm_eval import utils
    from lm_eval.api.metrics import mean, mean_stderr

    names = [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
    runs, tasks, rows, worst, findings = 0, 0, 0, 0.0, []
    for name in utils.get_results_filenames(names):
        results = json.loads(pathlib.Path(name).read_text())
        runs += 1
        table = utils.make_table(results)
        if results.get("groups"):
            utils.make_table(results, "groups")
        run = pathlib.Path(name).parent
        for sample_file in utils.get_sample_results_filenames([n for n in names if pathlib.Path(n).parent == run]):
            task = utils.get_file_task_name(pathlib.Path(sample_file).name)
            if utils.get_file_datetime(sample_file) != utils.get_file_datetime(name).replace(".json", ""):
                findings.append(f"{sample_file}: another date than its results")
            lines = datasets.load_dataset("json", data_files=sample_file, split="train",
                                          cache_dir=tempfile.mkdtemp(prefix="outcomes-"))
            tasks, rows = tasks + 1, rows + len(lines)
            if task not in table:
                findings.append(f"{name}: {task} is not in the table")
            for metric in lines[0]["metrics"]:
                values = list(lines[metric])
                stated = results["results"][task][f"{metric},none"]
                worst = max(worst, abs(mean(values) - stated))
                error = results["results"][task][f"{metric}_stderr,none"]
                if error != "N/A":
                    worst = max(worst, abs(mean_stderr(values) - error))
    if worst > 1e-12:
        findings.append(f"largest difference {worst}")
    return {"runs": runs, "tasks": tasks, "sample_lines": rows, "largest_difference": worst}, findings


def check_every_eval_ever(folder, lm_eval):
    import jsonschema
    from every_eval_ever.schema import get_schema_version
    from importlib import resources

    def schema(name):
        return json.loads((resources.files("every_eval_ever") / "schemas" / name).read_text())

    def validated(place):
        files = [str(p.relative_to(place)) for p in sorted(place.rglob("*.json*"))]
        said, findings = {"files": 0, "lines": 0, "warnings": 0}, []
        for first in range(0, len(files), 200):
            # From the folder above data/: the validator looks for companions by their paths from there.
            done = subprocess.run([sys.executable, "-m", "every_eval_ever", "validate", "--format", "json",
                                   *files[first:first + 200]], cwd=place, capture_output=True, text=True)
            try:
                reports = json.loads(done.stdout)
            except json.JSONDecodeError:
                findings.append(f"validator: {(done.stdout + done.stderr)[-300:]}")
                continue
            for report in reports:
                said["files"] += 1
                said["warnings"] += len(report["warnings"])
                said["lines"] += report["line_count"]
                for problem in report["errors"] + report["warnings"]:
                    findings.append(f"{report['file']}: {problem}")
        return said, findings

    said, findings = validated(folder)
    validators = [jsonschema.Draft7Validator(schema(name)) for name in ("eval.schema.json", "instance_level_eval.schema.json")]
    for path in sorted(folder.rglob("*.json")):
        findings += [f"{path}: {error.message}" for error in validators[0].iter_errors(json.loads(path.read_text()))]
    for path in sorted(folder.rglob("*.jsonl")):
        for line in path.read_text().splitlines():
            findings += [f"{path}: {error.message}" for error in validators[1].iter_errors(json.loads(line))]
    result = {"schema": get_schema_version(), "validator": said}
    if lm_eval:
        out = pathlib.Path(tempfile.mkdtemp(prefix="converted-"))
        done = subprocess.run([sys.executable, "-m", "every_eval_ever", "convert", "lm_eval", "--log_path", str(lm_eval),
                               "--output_dir", str(out / "data"), "--include_samples"], capture_output=True, text=True)
        converted = list(out.rglob("*.json"))
        if done.returncode or not converted:
            findings.append(f"converter: {(done.stdout + done.stderr)[-600:]}")
        result["converted_from_lm_eval"] = {"aggregates": len(converted), "samples": len(list(out.rglob("*_samples.jsonl")))}
    return result, findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=["lm_eval", "every_eval_ever"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--lm-eval", type=pathlib.Path, help="folder of the other export, for Every Eval Ever's converter")
    arguments = parser.parse_args()
    if arguments.program == "lm_eval":
        result, findings = check_lm_eval(arguments.folder.resolve())
    else:
        result, findings = check_every_eval_ever(arguments.folder.resolve(), arguments.lm_eval)
    print(json.dumps(result | {"findings": findings[:20], "findings_in_all": len(findings)}))
    sys.exit(1 if findings else 0)
