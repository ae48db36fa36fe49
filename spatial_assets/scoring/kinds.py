"""One response to one question of any task as a number from 0 to 1, by the kind of answer that the question asks for.

Choices, numbers, image points and view changes go to the benchmarks' own scorers, by default in their strict
profiles: a response that gives several answers, or ends within its thinking, gives none. What no benchmark scores,
boxes and descriptions in several words, is read by the same rules. Rewards and the benchmark `release` use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from spatial_assets.scoring import reading, sparbench, spatialmosaic, vsibench
from spatial_assets.scoring.metrics import mean_relative_accuracy, relative_error
from spatial_assets.scoring.profile import Row, Scorer, Unscorable
from spatial_assets.scoring.quantities import Unclear

ACCURACY, MRA, POINT, BOX, RELATION, VIEW_CHANGE = (
    "accuracy",
    "mra",
    "point",
    "box",
    "relation",
    "view_change",
)
STRICT, OFFICIAL = "strict", "official"
_BOX = re.compile(r"\[\s*([-\d.]+(?:\s*,\s*[-\d.]+){3})\s*\]")
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")
_WORDS = re.compile(r"\w+")
_PUNCTUATION = " \t\n\r.!\"'`*"
ORDINALS = {"first": "1", "second": "2", "third": "3"}
CHOICE_TASK, POINT_TASK, VIEW_TASK = "position_matching", "obj_localization_occ_na", "view_change_infer"
"""Of the benchmarks', those whose scorers read a choice, a point and a view change."""


@dataclass(frozen=True)
class Truth:
    """What a response is held against: fields of a row of the export `grpo`."""

    ground_truth: str
    reward: str = ACCURACY
    choices: Sequence[str] | None = None
    """Options' texts, A first; then the truth is a letter."""
    tolerance: float | None = None
    """Of a point: the length that distances are measured by, as an object's diagonal, in the unit it is printed in."""
    unit: str | None = None
    """Of a number: m, m2, count, or None where it may be any."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Truth:
        """Those that it knows, of a row that may have more; absent and null ones are as if not said."""
        known = {name: fields[name] for name in cls.__dataclass_fields__ if fields.get(name) is not None}
        return cls(**known)


def score(response: str, truth: Truth, profile: str = STRICT) -> float:
    """The reward that the question asks for. Raises ValueError for the name of none."""
    try:
        return judged(response, truth, profile)
    except (Unclear, Unscorable):
        return 0.0


def judged(response: str, truth: Truth, profile: str = STRICT) -> float:
    """The same, but what gives no score says why.

    Raises Unclear for a response that gives no single answer, Unscorable for a truth that cannot be scored against, and
    ValueError for the name of no reward.
    """
    rule = RULES.get(truth.reward)
    if rule is None:
        raise ValueError(f"no reward {truth.reward!r}; there are: {', '.join(RULES)}")
    return rule(response, truth, profile)


@cache
def _scorer(benchmark: ModuleType, profile: str, task: str) -> Scorer:
    found = {made.name: made.scorers for made in benchmark.PROFILES}
    scorer: Scorer = found[profile][task]
    return scorer


def _row(response: str, truth: Truth) -> Row:
    return {"prediction": response, "ground_truth": truth.ground_truth}


def _accuracy(response: str, truth: Truth, profile: str) -> float:
    """The letter where there are choices, else the same words."""
    if truth.choices:
        return _scorer(sparbench, profile, CHOICE_TASK)(_row(response, truth))
    return float(_plain(_only(response)) == _plain(_only(truth.ground_truth)))


def _plain(text: str) -> tuple[str, ...]:
    """Items between commas, without case, punctuation at their ends or what spaces there are."""
    return tuple(" ".join(item.strip(_PUNCTUATION).casefold().split()) for item in text.split(","))


def _mra(response: str, truth: Truth, profile: str) -> float:
    """Mean relative accuracy, of several numbers the mean of each's."""
    wanted = [float(number) for number in _NUMBERS.findall(truth.ground_truth)]
    if len(wanted) > 1:
        given = [float(number) for number in _NUMBERS.findall(_only(response))]
        if len(given) != len(wanted):
            return 0.0
        errors = [relative_error(number, reference) for number, reference in zip(given, wanted, strict=True)]
        return sum(map(mean_relative_accuracy, errors)) / len(errors)
    if profile == OFFICIAL:
        return vsibench.official_number_score(_row(response, truth))
    return vsibench.strict_number_score(_row(response, truth), truth.unit)


def _only(response: str) -> str:
    """The one conclusion of a response."""
    found = reading.conclusions(response)
    if len(set(map(_plain, found))) > 1:
        raise Unclear("several answers")
    return found[0]


def _point(response: str, truth: Truth, profile: str) -> float:
    """Mean point accuracy by the tolerance; where a depth belongs to it, the mean with that's relative accuracy."""
    scorer = _scorer(spatialmosaic, profile, POINT_TASK)
    wanted = _NUMBERS.findall(truth.ground_truth)
    if len(wanted) < 3:
        return scorer({**_row(response, truth), "bbox_2d_diag": truth.tolerance})
    given = _NUMBERS.findall(_only(response))
    if len(given) != len(wanted):
        return 0.0
    place = scorer(
        {
            "prediction": f"({given[0]},{given[1]})",
            "ground_truth": f"({wanted[0]},{wanted[1]})",
            "bbox_2d_diag": truth.tolerance,
        }
    )
    depth = mean_relative_accuracy(relative_error(float(given[2]), float(wanted[2])))
    return (place + depth) / 2


def _box(response: str, truth: Truth, profile: str) -> float:
    """Intersection over union; 0 where an image is named and it is another one."""
    wanted, found = _boxes(truth.ground_truth), _boxes(_only(response))
    if len(found) != 1 or len(wanted) != 1:
        return 0.0
    named = _image(truth.ground_truth)
    if named is not None and named != _image(response):
        return 0.0
    return overlap(found[0], wanted[0])


def _boxes(text: str) -> list[list[float]]:
    """Boxes in brackets, else four numbers alone."""
    found = [list(map(float, _NUMBERS.findall(match))) for match in _BOX.findall(text)]
    if found:
        return [box for number, box in enumerate(found) if len(box) == 4 and box not in found[:number]]
    numbers = list(map(float, _NUMBERS.findall(text)))
    return [numbers] if len(numbers) == 4 else []


def _image(text: str) -> str | None:
    """Which image a text names, by the first place in an order that it says."""
    return next((ORDINALS[word] for word in _WORDS.findall(text.casefold()) if word in ORDINALS), None)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes x0, y0, x1, y1; 0 for one without an extent, and corners out of order."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b) if box[2] > box[0] and box[3] > box[1]]
    if len(areas) < 2 or width <= 0 or height <= 0:
        return 0.0
    return width * height / (sum(areas) - width * height)


def _relation(response: str, truth: Truth, profile: str) -> float:
    """The letter where there are choices; else the share of parts between commas that are right, each in its place."""
    if truth.choices:
        return _accuracy(response, truth, profile)
    wanted, given = _plain(_only(truth.ground_truth)), _plain(_only(response))
    if len(given) != len(wanted):
        return 0.0
    return sum(one == other for one, other in zip(given, wanted, strict=True)) / len(wanted)


def _view_change(response: str, truth: Truth, profile: str) -> float:
    return _scorer(sparbench, profile, VIEW_TASK)(_row(response, truth))


RULES: Mapping[str, Callable[[str, Truth, str], float]] = {
    ACCURACY: _accuracy,
    MRA: _mra,
    POINT: _point,
    BOX: _box,
    RELATION: _relation,
    VIEW_CHANGE: _view_change,
}
