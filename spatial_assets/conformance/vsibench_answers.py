"""What VSI-Bench's rules make of a scene's boxes: one function per kind of answer, from boxes to what is
printed.

The rules are VSI-Bench's (Yang et al., Thinking in Space, 2025) as its published generator scripts state
them; ours, where they differ, stand with the tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spatial_assets.geometry.box_sampling import least_sampled_distance
from spatial_assets.geometry.boxes import box_distance
from spatial_assets.geometry.directions import HALF_TURN, QUARTER_TURN
from spatial_assets.scene.model import Box

CENTIMETERS = 100
DECIMALS = 1
"""Meters and square meters are printed with one decimal."""

BACK_FROM, BACK_TO = 135.0, 225.0
"""Degrees between which something is at one's back."""


def longest_side_cm(box: Box) -> int:
    """Longest edge of a box in whole centimeters."""
    return round(CENTIMETERS * float(max(box.size)))


def published_distance(a: Sequence[Box], b: Sequence[Box]) -> float:
    """Meters between the nearest two of two groups of boxes by the published 5 cm sampling, as printed."""
    return round(least_sampled_distance(a, b), DECIMALS)


def exact_distance(a: Sequence[Box], b: Sequence[Box]) -> float:
    """Meters between the nearest two of two groups of boxes, exactly, as printed."""
    return round(min(box_distance(one, other) for one in a for other in b), DECIMALS)


def printed_area(area: float) -> float:
    """Square meters as printed."""
    return round(area, DECIMALS)


def nearest(options: Mapping[str, Sequence[Box]], target: Box) -> str:
    """Key of the option with an instance nearest to the target, by the published sampling; ties go to the
    first.

    Sampling is what the benchmark used here too: its rule that options differ by 0.15 m holds for sampled
    distances on every published question, and for exact ones not.
    """
    distances = {key: least_sampled_distance(boxes, [target]) for key, boxes in options.items()}
    return min(distances, key=lambda key: distances[key])


def direction_easy(turn: float) -> str:
    """Left or right of the direction faced; the benchmark asks nothing that is at one's back."""
    return "left" if turn < HALF_TURN else "right"


def direction_medium(turn: float) -> str:
    """Left, right or back."""
    if turn < BACK_FROM:
        return "left"
    return "back" if turn < BACK_TO else "right"


def direction_hard(turn: float) -> str:
    """The quadrant."""
    return ("front-left", "back-left", "back-right", "front-right")[int(turn // QUARTER_TURN)]


DIRECTIONS = {
    "object_rel_direction_easy": direction_easy,
    "object_rel_direction_medium": direction_medium,
    "object_rel_direction_hard": direction_hard,
}
"""Question type to the word for an angle: degrees in [0, 360), counter-clockwise from the direction faced."""
