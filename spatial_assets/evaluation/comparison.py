"""Scored runs side by side: those on the same questions under the same profile stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from spatial_assets.evaluation.names import grouped, ordered_row_levels
from spatial_assets.evaluation.scored import LEVEL, OVERALL, QUESTION_TYPE, ROW_LEVEL, TASK
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.scoring.registry import BENCHMARKS, profiles
from spatial_assets.scoring.registry import benchmark as benchmark_of
from spatial_assets.storage.hashing import hash_text

SHORT_HASH = 8
"""Hex digits by which a page names a set of questions."""
ANSWER_LENGTH = 24
"""Characters of a most frequent answer that are repeated beside its score; a view change is longer."""


@dataclass(frozen=True)
class Row:
    """One task, level or overall score over all models of a section."""

    kind: str
    name: str
    group: str
    """The level that a task belongs to; empty where there are none."""
    rows: int | None
    random: float | None
    most_frequent: float | None
    most_frequent_answer: str | None
    scores: tuple[dict[str, Any] | None, ...]
    """Of each model, in the section's order: a row of the table `scores`."""

    @property
    def present(self) -> list[tuple[int, dict[str, Any]]]:
        """The scores that there are, each with its model's place."""
        return [
            (place, score)
            for place, score in enumerate(self.scores)
            if score is not None and score["score"] is not None
        ]

    @property
    def best(self) -> tuple[int, float]:
        """Place and score of the best model, the first of equals. Raises ValueError where there is no score."""
        place, score = min(self.present, key=lambda item: (-item[1]["score"], item[0]))
        return place, score["score"]

    @property
    def best_of_several(self) -> float | None:
        """The best score, where not all are the same."""
        found = {score["score"] for _, score in self.present}
        return max(found) if len(found) > 1 else None

    @property
    def short_answer(self) -> str:
        """The most frequent answer, cut short."""
        answer = self.most_frequent_answer or ""
        return answer if len(answer) <= ANSWER_LENGTH else f"{answer[:ANSWER_LENGTH]}…"

    def is_below_random(self, score: dict[str, Any]) -> bool:
        """Whether a score, one of `present`, is less than random answers would get."""
        return self.random is not None and score["score"] < self.random


@dataclass(frozen=True)
class Section:
    """The models that answered the same questions and were scored by the same profile, best first."""

    benchmark: str
    profile: str
    questions: str
    models: tuple[Result, ...]
    overall: Row
    levels: tuple[Row, ...]
    tasks: tuple[Row, ...]
    types: tuple[Row, ...]
    """The question types that tasks were merged from; their group is the task."""
    row_levels: tuple[Row, ...] = ()
    """Of questions that say how hard they are; their group is the field that says it."""

    @property
    def title(self) -> str:
        return benchmark_of(self.benchmark).TITLE

    @property
    def groups(self) -> list[tuple[str, list[Row]]]:
        """Tasks by the level that they belong to, in order."""
        names = dict.fromkeys(row.group for row in self.tasks)
        return [(name, [row for row in self.tasks if row.group == name]) for name in names]

    @property
    def anchor(self) -> str:
        return f"{self.benchmark}-{self.profile}-{self.questions[:SHORT_HASH]}"


def compare(found: Sequence[Result]) -> list[Section]:
    """Sections by benchmark, profile and set of questions; the set with most models first."""
    by_section: dict[tuple[str, str, str], list[Result]] = {}
    for result in sorted(found, key=lambda result: result.key):
        run = result.run
        by_section.setdefault((run["benchmark"], run["profile"], run["questions"]), []).append(result)
    order = sorted(
        by_section,
        key=lambda which: (
            BENCHMARKS.index(which[0]),
            profiles(which[0]).index(which[1]),
            -len(by_section[which]),
            which[2],
        ),
    )
    return [_section(*which, by_section[which]) for which in order]


def fingerprint(found: Sequence[Result]) -> str:
    """A hash of what a comparison is made of."""
    return hash_text(*(part for key, output in sorted((r.key, r.run["output_hash"]) for r in found)
                       for part in (key, output)))  # fmt: skip


def _section(benchmark: str, profile: str, questions: str, found: Sequence[Result]) -> Section:
    merged = benchmark_of(benchmark).MERGED
    task_of = {member: task for task, members in merged.items() for member in members}
    models = tuple(sorted(found, key=_best_first))
    scores = pl.concat([result.scores for result in models])
    names = {kind: _names(scores, kind) for kind in (LEVEL, TASK, QUESTION_TYPE, ROW_LEVEL)}
    groups = {task: group for group, tasks in grouped(benchmark, names[TASK]) for task in tasks}
    shown = [*dict.fromkeys(groups.values()), *names[LEVEL]]
    return Section(
        benchmark,
        profile,
        questions,
        models,
        overall=_row(models, OVERALL, OVERALL, ""),
        levels=tuple(_row(models, LEVEL, name, "") for name in sorted(names[LEVEL], key=shown.index)),
        tasks=tuple(_row(models, TASK, task, group) for task, group in groups.items()),
        types=tuple(
            _row(models, QUESTION_TYPE, name, task_of.get(name, "")) for name in names[QUESTION_TYPE]
        ),
        row_levels=tuple(
            _row(models, ROW_LEVEL, name, name.partition(": ")[0])
            for name in ordered_row_levels(benchmark, profile, names[ROW_LEVEL])
        ),
    )


def _names(scores: pl.DataFrame, kind: str) -> list[str]:
    return sorted(set(scores.filter(pl.col("kind") == kind)["name"].to_list()))


def _best_first(result: Result) -> tuple[float, str]:
    score = result.overall()["score"]
    return (1.0 if score is None else -score, result.run["model"])


def _row(models: Sequence[Result], kind: str, name: str, group: str) -> Row:
    found = [result.overall() if kind == OVERALL else result.score(kind, name) for result in models]
    # The questions are the same, so chance and counts are too.
    one = next(row for row in found if row is not None)
    return Row(
        kind,
        name,
        group,
        one["rows"],
        one["random"],
        one["most_frequent"],
        one["most_frequent_answer"],
        tuple(found),
    )
