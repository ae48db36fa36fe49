"""Run by the interpreter of lmms-eval's own environment: its loader and evaluator on exported tasks, its own scorers.

    python lmms_eval_run.py tasks FOLDER RESPONSES OUT     RESPONSES: {document's id: response}
    python lmms_eval_run.py scorers ROWS OUT [mended]      ROWS: [[benchmark, row], ...] with task, truth, prediction

Writes JSON. Nothing of this project is imported.
"""

from __future__ import annotations

import json
import math
import sys
from functools import partial
from pathlib import Path
from typing import Any


def run_tasks(folder: str, responses: str, out: str) -> None:
    from lmms_eval.api.model import lmms
    from lmms_eval.evaluator import evaluate
    from lmms_eval.tasks import TaskManager

    said = json.loads(Path(responses).read_text(encoding="utf-8"))
    seen: dict[str, Any] = {"asked": {}, "images": {}, "results": {}}

    class Scripted(lmms):
        """Says what it is told to, after looking at its images."""

        def generate_until(self, requests):
            found = []
            for request in requests:
                context, settings, visuals, number, task, split = request.args
                doc = self.task_dict[task][split][number]
                assert settings["until"] == [], settings
                seen["asked"][doc["id"]] = context
                seen["images"][doc["id"]] = [list(image.size) for image in visuals(doc)]
                found.append(said[doc["id"]])
            return found

        def loglikelihood(self, requests):
            raise NotImplementedError

        generate_until_multi_round = loglikelihood

    manager = TaskManager(include_path=folder, include_defaults=False)
    seen["names"] = {name: kind["type"] for name, kind in manager.task_index.items()}
    tasks = manager.load_task_or_group(manager.all_subtasks)
    model = Scripted()
    for name, task in tasks.items():
        model.task_dict[name] = task.dataset
        task.set_config(key="num_fewshot", value=0)
    done = evaluate(model, tasks, bootstrap_iters=0, log_samples=True, cli_args=_arguments())
    seen["results"] = {name: _numbers(found) for name, found in done["results"].items()}
    seen["targets"] = {
        sample["doc"]["id"]: sample["target"] for samples in done["samples"].values() for sample in samples
    }
    Path(out).write_text(json.dumps(seen), encoding="utf-8")


def _arguments():
    import argparse

    return argparse.Namespace(
        process_with_media=False, output_path=None, tasks="", model="scripted", log_samples=True
    )


def _numbers(found):
    return {
        name.partition(",")[0]: None if math.isnan(value) else value
        for name, value in found.items()
        if isinstance(value, float) and "_stderr" not in name
    }


def run_scorers(rows: str, out: str, mended: str = "") -> None:
    from lmms_eval.tasks.sparbench import utils as sparbench
    from lmms_eval.tasks.vsibench import utils as vsibench

    # What its rules for numbers name and, in 0.7.3, do not import: without it each number is worth nothing.
    lacking = not hasattr(sparbench, "partial")
    if lacking and mended:
        sparbench.partial = partial
    metrics = {
        "sparbench": (sparbench.sparbench_process_results, "task", "answer", "sparbench_score"),
        "vsibench": (vsibench.vsibench_process_results, "question_type", "ground_truth", "vsibench_overall"),
    }
    scores = ("accuracy", "MRA:.5:.95:.05", "vci_metric")
    found: list[Any] = []
    documents: dict[str, list[Any]] = {}
    for benchmark, row in json.loads(Path(rows).read_text(encoding="utf-8")):
        score, kind, truth, metric = metrics[benchmark]
        document = {kind: row["task"], truth: row["ground_truth"]}
        try:
            made = score(document, [row["prediction"]])[metric]
        except Exception as error:
            found.append(type(error).__name__)
            continue
        documents.setdefault(benchmark, []).append(made)
        found.append(next(float(made[name]) for name in scores if name in made))
    overall = {
        "sparbench": sparbench._compute_all_subscores(documents.get("sparbench", [])),
        "vsibench": vsibench._compute_all_subscores(documents.get("vsibench", [])),
    }
    told = {name: {key: float(value) for key, value in own.items()} for name, own in overall.items()}
    Path(out).write_text(json.dumps({"scores": found, "means": told, "lacking": lacking}), encoding="utf-8")


if __name__ == "__main__":
    {"tasks": run_tasks, "scorers": run_scorers}[sys.argv[1]](*sys.argv[2:])
