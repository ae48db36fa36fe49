"""What an exported task of lmms-eval does with a document: images, text, target, scores, means.

This module is copied into every export `lmms-eval`, together with the scorers that it is handed; so it imports nothing
but these, and what every Python has. lmms-eval calls it through the folder's `utils.py`. A score is kept with its
benchmark, profile and metric, so that one function makes every mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spatial_assets.scoring.profile import Benchmark, NoAnswer, Profile, Unscorable
from spatial_assets.scoring.totals import totals

SHOWN = ("strict", "official")
"""Profiles whose scores are told of each benchmark."""
OVERALL, LEVEL = "overall", "level"
Doc = Mapping[str, Any]
Item = dict[str, Any]
"""A document's score under one metric; `score` is missing where it has none, and then `error` says why."""


def doc_to_visual(folder: Path, doc: Doc) -> list[Image.Image]:
    """The question's images in its order; `folder` is the task's."""
    found = []
    for name in doc["images"]:
        with Image.open(folder / name) as image:
            found.append(image.convert("RGB"))
    return found


def doc_to_text(doc: Doc) -> str:
    """The whole question, its options and how to answer it."""
    return str(doc["question"])


def doc_to_target(doc: Doc) -> str:
    return str(doc["ground_truth"])


def rows_of(dataset: Any, benchmark: str) -> Any:
    """Of a data set the rows that a benchmark scores."""
    places = [place for place, names in enumerate(dataset["benchmarks"]) if benchmark in names]
    return dataset.select(places)


def profiles_of(benchmark: Benchmark) -> list[Profile]:
    return [profile for name in SHOWN for profile in benchmark.PROFILES if profile.name == name]


def keys_of(benchmark: Benchmark, task: str) -> list[tuple[str, str]]:
    """What a task's scores count in: (`tasks`, `levels` or `overall`, name of it)."""
    groups = [group for group, members in benchmark.MERGED.items() if task in members]
    levels = [level for level, members in benchmark.LEVELS.items() if task in members]
    return [
        ("tasks", task),
        *(("tasks", group) for group in groups),
        *(("levels", level) for level in levels),
        (OVERALL, OVERALL),
    ]


def metric_name(profile: str, part: str, key: str) -> str:
    """What lmms-eval's table calls it."""
    return f"{profile}_{LEVEL}_{key}" if part == "levels" else f"{profile}_{key}"


def metrics(benchmark: Benchmark, tasks: Sequence[str]) -> list[str]:
    """Names of what can be told of rows of these tasks, the overall scores first."""
    names = sorted(set(tasks))
    wanted = {pair for task in names for pair in keys_of(benchmark, task)}
    found: list[str] = []
    for profile in profiles_of(benchmark):
        told = profile.aggregate(np.ones(len(names)), np.arange(len(names)), names)
        for part, key in sorted(wanted, key=lambda pair: (pair[0] != OVERALL, pair)):
            if part == OVERALL or told[part].get(key) is not None:
                found.append(metric_name(profile.name, part, key))
    return found


def process_results(name: str, benchmark: Benchmark, doc: Doc, results: Sequence[str]) -> dict[str, Item]:
    """The score of a response by every metric that it counts in."""
    row = {**doc, "prediction": results[0] if results else ""}
    task = doc["task"]
    found: dict[str, Item] = {}
    for profile in profiles_of(benchmark):
        verdict = _verdict(profile, task, row)
        for part, key in keys_of(benchmark, task):
            found[metric_name(profile.name, part, key)] = {
                "id": doc["id"],
                "benchmark": name,
                "profile": profile.name,
                "part": part,
                "key": key,
                "task": task,
                **verdict,
            }
    return found


def _verdict(profile: Profile, task: str, row: Doc) -> Item:
    try:
        score = profile.scorers[task](row)
    except Unscorable as why:
        return {"error": str(why)}
    return {"score": float(score), **({"unread": score.reason} if isinstance(score, NoAnswer) else {})}


def aggregate(benchmarks: Mapping[str, Benchmark], items: Sequence[Item]) -> float:
    """The mean of scores of one metric, as its profile makes it; NaN where there is none."""
    first = items[0]
    profile = next(
        found for found in profiles_of(benchmarks[first["benchmark"]]) if found.name == first["profile"]
    )
    names = list(dict.fromkeys(item["task"] for item in items))
    place = {task: number for number, task in enumerate(names)}
    scores = np.array([item.get("score", math.nan) for item in items], dtype=np.float64)
    tasks = np.array([place[item["task"]] for item in items], dtype=np.int64)
    stopped = next((item["error"] for item in items if "error" in item), None)
    told = totals(profile, scores, tasks, names, stopped)
    value = told[OVERALL] if first["part"] == OVERALL else told[first["part"]].get(first["key"])
    return math.nan if value is None else float(value)
