"""What the words of a question say of its answer to someone who sees no image, and how it is kept from helping.

A prior is a law over the answers that a question could have, in `<task>.prior.json` beside the task's wording: mostly
log-linear, a score for each hint, such as a category's place in an order; where numbers speak together, a forest
(`tasks.core.forests`). It was measured on questions about made homes
(`benchmarks/priors.py`) and is the same for every scene: nothing here is computed from what is asked about.

There are two ways to use it, both exact where the law is. Where the words allow any answer, wrong ones are drawn from
it as the right one was by the scene; a set with an answer twice is rejected as a whole. Where the other options are
given, the question is kept with a chance that is the smaller the likelier its answer is among them, so that in what is
kept each option is right equally often. A hint without a score says nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.rejections import Rejection
from spatial_assets.tasks.core.wording import SUITES

EXPECTED, TWICE = "expected", "drawn_twice"
PRIOR_REASONS: Mapping[str, str] = {
    EXPECTED: "left out by lot, so that what the words suggest is not right more often than other options",
    TWICE: "the same option was drawn twice",
}


@dataclass(frozen=True)
class Prior:
    """A law of answers given words."""

    scores: Mapping[str, float]

    def chances(self, hints: Sequence[Sequence[str]]) -> list[float]:
        """How likely each of the answers is, of each of which the words give some hints."""
        # Without numpy: they are few, and asked for once a candidate.
        score = self.scores.get
        scores = [sum([score(hint, 0.0) for hint in own]) for own in hints]
        greatest = max(scores)
        weights = [math.exp(one - greatest) for one in scores]
        total = sum(weights)
        return [weight / total for weight in weights]

    def score(self, hint: str) -> float:
        return self.scores.get(hint, 0.0)


def weighed(scores: Float) -> Float:
    """(A,), how likely each of the answers with these scores is."""
    weights: Float = np.exp(scores - scores.max())
    return weights / weights.sum()


def prior_file(suite: str, task: str) -> str:
    """A task's prior, relative to the package."""
    return f"tasks/{suite}/{task}.prior.json"


@cache
def prior_of(suite: str, task: str) -> Prior:
    """A task's prior."""
    held = json.loads((SUITES / suite / f"{task}.prior.json").read_text(encoding="utf-8"))
    return Prior(held["scores"])


def keep_even(chances: Sequence[float], right: int, draw: Draw) -> None:
    """Raises Rejection for so many questions that each of their options is right equally often."""
    if draw.unit("kept against the prior") * chances[right] >= min(chances):
        raise Rejection(EXPECTED)


def draw_others(chances: Float, right: int, count: int, draw: Draw) -> list[int]:
    """`count` other answers, drawn by the law (A,). Raises Rejection where one is the right one or comes twice."""
    bounds = np.cumsum(chances)
    drawn = [
        min(int(np.searchsorted(bounds, draw.unit(f"answer {place}"), "right")), len(chances) - 1)
        for place in range(count)
    ]
    if len({right, *drawn}) <= count:
        raise Rejection(TWICE)
    return drawn
