"""The audit: every attack on every task and format, scored, judged, and written as the table `shortcuts`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from spatial_assets.audit import choices, learners, numbers
from spatial_assets.audit.choices import ANSWER, BOTH, LETTER, MARKS, OPTIONS, TEXT, YES_NO, Outcome
from spatial_assets.audit.intervals import Share, folds, share, weights
from spatial_assets.audit.rows import SAMPLE, Asked, asked
from spatial_assets.audit.verdicts import cause, is_barred, verdict
from spatial_assets.scene.model import Float
from spatial_assets.storage import shortcut_table

MODULES, DATA = (__name__,), ("audit/residue.json",)
"""What the table's code version covers: modules, and data relative to the package."""
FOLDS = 5
LEAST_PLACES = 2 * FOLDS
"""Two a part: of fewer places nothing is learned."""
RIGHT, MRA = "rows answered right", "MRA"
Told = Callable[[str, str, int], None]


def audit(
    home: Path,
    release: str | None = None,
    tasks: Collection[str] = (),
    sample: int = SAMPLE,
    told: Told | None = None,
) -> pl.DataFrame:
    """Attack the questions of a lake or a release, and write what came of it. Returns the table `shortcuts`.

    Of named tasks alone, the rows of other tasks stay as they were. `told` hears of each task and format before its
    rows are attacked. Raises ValueError where scikit-learn is missing, InputError for an unknown release or task.
    """
    learners.require()
    found: list[dict[str, Any]] = []
    for group in asked(home, release, tasks, sample):
        if told is not None:
            told(group.task, group.format, len(group.rows))
        found += attacked(group)
    before = shortcut_table.load(home, release) if tasks else None
    if before is not None:
        found += before.filter(~pl.col("task").is_in(list(tasks))).to_dicts()
    return shortcut_table.save(home, found, release)


def attacked(group: Asked) -> Iterator[dict[str, Any]]:
    """Rows of the table for one task and format."""
    rows = group.rows
    weight = weights(rows)
    names = [(row["dataset"], row["release"], row["scene"]) for row in rows]
    number = {name: place for place, name in enumerate(sorted(set(names)))}
    scenes = np.array([number[name] for name in names], np.int64)
    spaces = sorted({row["space"] for row in rows}, key=lambda name: hashlib.blake2b(name.encode()).digest())
    fold = folds([row["space"] for row in rows], spaces, FOLDS)
    enough = len(spaces) >= LEAST_PLACES

    def line(
        attack: str, measure: str, got: Share | None, chance: float | None, often: float, detail: str | None
    ) -> dict[str, Any]:
        bound = max(often, chance or 0.0)
        if attack in (LETTER, YES_NO):
            assert chance is not None
            bound = chance
        barred = is_barred(group.task, group.format, attack)
        return {
            "task": group.task,
            "format": group.format,
            "attack": attack,
            "measure": measure,
            "total": group.total,
            "rows": len(rows),
            "scenes": len(number),
            "accuracy": None if got is None else got.value,
            "low": None if got is None else got.low,
            "high": None if got is None else got.high,
            "chance": chance,
            "frequency": often,
            "over": None if got is None else got.value - bound,
            "barred": barred,
            "verdict": verdict(got, len(number), bound, barred),
            "detail": detail,
            "cause": cause(group.task, group.format, attack),
        }

    def shared(hits: Float) -> Share:
        return share(hits, weight, scenes)

    options = choices.option_rows(rows, weight, fold) if group.format in ("select", "judge") else None
    if options is not None:
        first = choices.frequency(options)
        often = shared(first.hits).value
        simple = [first, choices.answer_text(options), choices.exact_guess(options)]
        for outcome in simple if len(spaces) > 1 else simple[:1]:
            yield line(outcome.attack, RIGHT, shared(outcome.hits), options.chance, often, outcome.detail)
        if enough:
            for outcome in choices.Learned(options).outcomes():
                yield line(outcome.attack, RIGHT, shared(outcome.hits), options.chance, often, None)
        else:
            for attack in (OPTIONS, TEXT, BOTH, *([MARKS] if options.marks.shape[1] else [])):
                yield line(attack, RIGHT, None, options.chance, often, None)
        return
    truth = numbers.answers(rows) if group.format == "fill" else None
    if truth is not None:
        often, chance, commonest = numbers.frequent_and_chance(truth, weight)
        hits = numbers.mra(np.full(len(truth), commonest), truth)
        yield line(ANSWER, MRA, shared(hits), chance, often, f"commonest: {commonest:g}")
        for outcome in numbers.outcomes(rows, truth, weight, fold) if enough else ():
            yield line(outcome.attack, MRA, shared(outcome.hits), chance, often, outcome.detail)
        return
    outcome = _said(rows, weight)
    got = shared(outcome.hits)
    yield line(outcome.attack, RIGHT, got, None, got.value, outcome.detail)


def _said(rows: list[dict[str, Any]], weight: Float) -> Outcome:
    """Always the most frequent answer, word for word."""
    texts, index = np.unique([row["answer"] for row in rows], return_inverse=True)
    place = int(np.argmax(np.bincount(index, weight)))
    return Outcome(ANSWER, (index == place).astype(float), str(texts[place]))
