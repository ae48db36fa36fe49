"""What answers without eyes score on SpatialMosaic-Bench, by question type, under the official scorer.

`random` gives one of a type's distinct answers, `most_frequent` always its most frequent one. `blind` is the best of
attacks that read the text alone: learned on the release's training rows, tried on the benchmark's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_assets.audit import trained
from spatial_assets.exports.core.bench_draw import rank
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.releases.spaces import space_of
from spatial_assets.scene.model import Float
from spatial_assets.scoring import spatialmosaic
from spatial_assets.scoring.chance import Golds, guessed
from spatial_assets.scoring.metrics import POINT_LIMITS

PROFILE = spatialmosaic.PROFILES[0]
TRAINING = 3000
"""Rows of a type that attacks are learned on, the first by hash: more teach them no more."""
TRIED_POINTS = 200
"""Points that are tried as the one always said."""
ALWAYS = "most frequent answer"
ONE_POINT = "one point"


@dataclass(frozen=True)
class Chance:
    """Means of a type's questions, 0 to 1."""

    random: float
    frequent: float
    frequent_answer: str
    blind: float
    blind_by: str
    """The attack that it is the score of."""
    attacks: Mapping[str, float]
    """All that were tried."""
    learned_on: int
    """Training rows."""


def chance(
    questions: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    training: Sequence[Mapping[str, Any]],
) -> Chance:
    """Of the questions of one type, at least one: their rows, and the same as they are exported."""
    task = records[0]["question_type"]
    golds = Golds(PROFILE)
    for record in records:
        golds.add(task, record)
    found = guessed(PROFILE, golds, [task])
    frequent = found.frequent[task]
    if task == layout.POINT:
        attacks = _one_point(questions, training)
    else:
        made = trained.attacks([_placed(row) for row in questions], [_placed(row) for row in training])
        attacks = {one.attack: float(one.hits.mean()) for one in made}
    best = max(attacks, key=lambda name: (attacks[name], name), default=ALWAYS)
    if attacks.get(best, -math.inf) <= frequent:
        best, score = ALWAYS, frequent
    else:
        score = attacks[best]
    learned = len(training) if attacks else 0
    return Chance(found.random[task], frequent, found.answers[task], score, best, attacks, learned)


def training_rows(whole: ReleaseRows, split: str, task: str, seed: int) -> list[Mapping[str, Any]]:
    """Rows of a type in the release's other splits, at most TRAINING."""
    others = [name for name in whole.splits if name != split]
    named = sorted(
        (rank(str(seed), qa_id), other, qa_id)
        for other in others
        for table in whole.columns(other, task, ("qa_id",))
        for qa_id in table.column("qa_id").to_pylist()
    )[:TRAINING]
    found: list[Mapping[str, Any]] = []
    for other in others:
        rows = whole.named(other, task, [qa_id for _, of, qa_id in named if of == other])
        found += [rows[qa_id].row for qa_id in sorted(rows)]
    return found


def _placed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "space": space_of(row["dataset"], row["release"], row["scene"])}


def _one_point(
    questions: Sequence[Mapping[str, Any]], training: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """Always the point that scores best of the training rows."""
    known = [(point, diagonal) for point, diagonal in map(_point, training) if diagonal > 0]
    if not known:
        return {}
    step = max(1, len(known) // TRIED_POINTS)
    said = max(
        (point for point, _ in known[::step]),
        key=lambda point: (_accuracy(point, known), [-x for x in point]),
    )
    return {ONE_POINT: _accuracy(said, [_point(row) for row in questions])}


def _point(row: Mapping[str, Any]) -> tuple[tuple[float, float], float]:
    """The answer, and the diagonal of what is seen; 0 where nothing is."""
    box = row["diagnostics"]["box"]
    return spatialmosaic.read_point(row["answer"]) or (0.0, 0.0), math.dist(box[:2], box[2:]) if box else 0.0


def _accuracy(said: tuple[float, float], truths: Sequence[tuple[tuple[float, float], float]]) -> float:
    points, diagonals = (
        np.array([point for point, _ in truths]),
        np.array([diagonal for _, diagonal in truths]),
    )
    away: Float = np.hypot(*(points - said).T)
    return float((away[:, None] <= diagonals[:, None] * np.array(POINT_LIMITS)).mean())
