"""The benchmark before it is written: drawn from a release's held-out scenes, checked, and as people left it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from spatial_assets.exports.core.base import Options, Question, Unreviewed
from spatial_assets.exports.core.bench_draw import Drawable, draw, drawable
from spatial_assets.exports.core.bench_source import FULL, Released, held_out
from spatial_assets.exports.spar_bench.problems import ASKED_TWICE, failed, shown_key
from spatial_assets.exports.spar_bench.tasks import BenchTask, Size, bench_tasks, directions, size
from spatial_assets.releases import reviews as said
from spatial_assets.scene.model import InputError

FORM = "spar-bench"
CHANGED, UNSEEN = "changed", "unreviewed"
PLACE = ("dataset", "release", "scene")
DRAWN = ("qa_id", "dataset", "release", "scene", "format", "answer", "options", "objects")
"""Columns that the draw reads."""


@dataclass
class TaskCut:
    """What became of a task's questions."""

    task: BenchTask
    pool: int = 0
    """Questions of its format in the held-out scenes."""
    dropped: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By check, the questions that it dropped and what it found: of those that were drawn, not of all."""
    candidates: list[Question] = field(default_factory=list)
    """In the order in which they were drawn."""
    kept: list[tuple[int, Question]] = field(default_factory=list)
    """With their ids."""
    review: Counter[str] = field(default_factory=Counter)
    """Candidates that were accepted, rejected, rejected before they changed (`changed`), and not looked at."""


@dataclass
class Cut:
    split: str
    size: str
    tasks: list[TaskCut]

    @property
    def kept(self) -> list[tuple[int, Question]]:
        """By id."""
        return sorted((pair for own in self.tasks for pair in own.kept), key=lambda pair: pair[0])


def cut(source: Released, options: Options) -> Cut:
    """Raises InputError where the release has no held-out scenes, or nothing of these tasks in them."""
    split, wanted = held_out(source), size(options.size or FULL)
    verdicts = said.load(source.home, FORM)
    found = [_task_cut(source, split, task, wanted, options, verdicts) for task in bench_tasks().values()]
    made = Cut(split, options.size or FULL, found)
    if not any(own.candidates for own in found):
        raise InputError(source.name, f"its split {split} has no question of SPAR-Bench's tasks")
    return made


def _task_cut(
    source: Released, split: str, task: BenchTask, wanted: Size, options: Options, verdicts: said.Verdicts
) -> TaskCut:
    pool = _pool(source, split, task)
    made = TaskCut(task, len(pool))
    looked: dict[str, Question] = {}
    problems: dict[str, tuple[str, str]] = {}
    while True:
        order = draw(pool, wanted.candidates, f"{FORM}\x1f{options.seed}", problems)
        new = source.named(split, task.task, set(order) - looked.keys())
        looked |= new
        found = _problems(source, new.values()) or _repeats(looked[qa_id] for qa_id in order)
        if not found:
            break
        # What fails makes room, so the draw is that of a release which never had it.
        problems |= found
    for qa_id, (check, problem) in sorted(problems.items()):
        made.dropped.setdefault(check, []).append((qa_id, problem))
    made.candidates = [looked[qa_id] for qa_id in order]
    for place, question in enumerate(made.candidates):
        verdict = _verdict(verdicts, question)
        made.review[verdict] += 1
        stays = verdict == said.ACCEPT or (verdict != said.REJECT and options.unreviewed == Unreviewed.KEEP)
        if stays and (wanted.rows is None or len(made.kept) < wanted.rows):
            made.kept.append((task.id + place, question))
    return made


def _pool(source: Released, split: str, task: BenchTask) -> list[Drawable]:
    return [
        drawable(row, directions)
        for table in source.columns(split, task.task, DRAWN)
        for row in table.filter(pc.equal(table.column("format"), task.format)).to_pylist()
    ]


def _problems(source: Released, questions: Iterable[Question]) -> dict[str, tuple[str, str]]:
    """By id, the check that found something and what. Scene by scene, as each is read once."""
    found: dict[str, tuple[str, str]] = {}
    for question in sorted(questions, key=lambda item: tuple(item.row[name] for name in PLACE)):
        problem = failed(question.row, source.truth(question.row))
        if problem is not None:
            found[question.row["qa_id"]] = problem
    return found


def _repeats(questions: Iterable[Question]) -> dict[str, tuple[str, str]]:
    """Those that an earlier one asks already."""
    found: dict[str, tuple[str, str]] = {}
    first: dict[tuple[Any, ...], str] = {}
    for question in questions:
        qa_id = question.row["qa_id"]
        other = first.setdefault(shown_key(question.row), qa_id)
        if other != qa_id:
            found[qa_id] = (ASKED_TWICE, f"as {other}")
    return found


def _verdict(verdicts: said.Verdicts, question: Question) -> str:
    qa_id, content = question.row["qa_id"], said.content_hash(question.row)
    verdict = verdicts.on(qa_id, content)
    if verdict is not None:
        return verdict.verdict
    return UNSEEN if verdicts.before(qa_id, content) is None else CHANGED
