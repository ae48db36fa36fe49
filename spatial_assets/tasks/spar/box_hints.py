"""What boxes alone suggest of how far the objects in them are: where each reaches, how large it is, beside the others.

Low in an image is near, on one floor; large is near, of things of one size. Features are classes of these, and pairs of
such, so that a log-linear law over them (`tasks.core.priors`) says what a reader of the numbers could learn at most.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.facts import Indices
from spatial_assets.tasks.core.marks import GRID
from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.spar.fours import superlatives

COARSE, FINE = GRID // 10, GRID // 25
"""Grid steps of the classes of where a box begins and ends."""
SIDEWAYS = 120
"""Twice the grid steps of the classes of how far from the middle a box is."""
GAP, GAPS, OCTAVES = 50, 8, 5
"""Against the largest of the others, or the smallest: grid steps in a class, and how many classes or octaves up and
down."""
STEPS, RATIOS = 2 * GAPS + 1, 2 * OCTAVES + 1
LONE, LONES = 40, 10
"""Grid steps to the nearest of the others in a class, and how many classes."""
SIDES = ("left", "right")
"""Which a mirrored image exchanges."""
DECIMALS = 9
"""Of chances: what is kept must not depend on how a processor computes the last digits of an exponential."""


def octave(numbers: Indices) -> Indices:
    """The whole part of the binary logarithm of positive numbers, exactly; 0 for less than 1."""
    found: Indices = np.frexp(np.maximum(numbers, 1))[1].astype(np.int64) - 1
    return found


def above(values: Indices) -> Indices:
    """(M, 4): of each of four values how many of the others are above it."""
    found: Indices = (values[:, None, :] > values[:, :, None]).sum(axis=2)
    return found


def largest_other(values: Indices) -> Indices:
    """(M, 4): of each of four values the largest of the others."""
    ordered = np.sort(values, axis=1)
    return np.where(values == ordered[:, -1:], ordered[:, -2:-1], ordered[:, -1:])


def apart(values: Indices) -> Indices:
    """(M, 4, 4): how far each two of four values are from each other."""
    return np.abs(values[:, None, :] - values[:, :, None])


def features(boxes: Indices, places: Indices) -> list[tuple[str, Indices, int]]:
    """Features of each box: name, classes as (M, 4), and how many classes there are.

    A mirrored image has the same: what is said of the left side is said of the right side under one name.

    Parameters
    ----------
    boxes : (M, 4, 4) array
        Left, top, right, bottom of each of four boxes, in whole grid steps.
    places : (M, 4) array
        Which of the images each is in.
    """
    left, top, right, bottom = np.moveaxis(boxes, 2, 0)
    width, height = right - left, bottom - top
    area = width * height
    later = np.minimum(places, 1)
    low, high = bottom // COARSE, np.where(top <= 0, 0, 1 + top // COARSE)
    size = octave(area)
    lower, larger, higher = above(bottom), above(area), above(-top)
    gap, least = _steps(bottom - largest_other(bottom)), _steps(-bottom - largest_other(-bottom))
    up, down = _steps(top - largest_other(top)), _steps(-top - largest_other(-top))
    center = _steps((top + bottom - largest_other(top + bottom)) // 2)
    ratio, smaller = _octaves(area, largest_other(area)), _octaves(area, -largest_other(-area))
    tall, wide = height * height, width * width
    taller, wider = _octaves(tall, largest_other(tall)), _octaves(wide, largest_other(wide))
    same = places[:, None, :] == places[:, :, None]
    beside = same.sum(axis=2) - 1
    lower_there = (same & (bottom[:, None, :] > bottom[:, :, None])).sum(axis=2)
    larger_there = (same & (area[:, None, :] > area[:, :, None])).sum(axis=2)
    far = {
        name: above(apart(values).sum(axis=2))
        for name, values in {
            "left": left, "right": right, "top": top, "bottom": bottom, "area": octave(area * area)
        }.items()
    }  # fmt: skip
    lone = {
        name: np.minimum(np.sort(apart(values), axis=2)[..., 1] // step, LONES - 1)
        for name, values, step in (
            ("left", left, LONE),
            ("right", right, LONE),
            ("middle", left + right, 2 * LONE),
        )
    }
    one, other = np.minimum(far["left"], far["right"]), np.maximum(far["left"], far["right"])
    at_edge = ((left <= 0) | (right >= GRID)).astype(np.int64)
    sideways = np.abs(left + right - GRID) // SIDEWAYS
    return [
        ("bottom", lower, 4),
        ("area", larger, 4),
        ("image", later, 2),
        ("low", low, 12),
        ("high", high, 13),
        ("size", size, 22),
        ("height", octave(tall), 22),
        ("width", octave(wide), 22),
        ("low high", _pair(low // 2, high // 2, 8), 64),
        ("low size", _pair(low, size // 2, 16), 256),
        ("size high", _pair(size // 2, high // 2, 8), 128),
        *(
            (name, steps, STEPS)
            for name, steps in (
                ("gap", gap),
                ("least", least),
                ("up", up),
                ("down", down),
                ("center", center),
            )
        ),
        *(
            (name, ratios, RATIOS)
            for name, ratios in (("ratio", ratio), ("smaller", smaller), ("taller", taller), ("wider", wider))
        ),
        ("gap ratio", _pair(gap, ratio, RATIOS), STEPS * RATIOS),
        ("gap taller", _pair(gap, taller, RATIOS), STEPS * RATIOS),
        ("gap low", _pair(gap, low, 12), STEPS * 12),
        ("gap size", _pair(gap, size // 2, 11), STEPS * 11),
        ("gap least", _pair(gap, least, STEPS), STEPS * STEPS),
        ("up gap", _pair(up, gap, STEPS), STEPS * STEPS),
        ("down least", _pair(down, least, STEPS), STEPS * STEPS),
        ("center low", _pair(center, low, 12), STEPS * 12),
        ("ratio low", _pair(ratio, low, 12), RATIOS * 12),
        ("ratio smaller", _pair(ratio, smaller, RATIOS), RATIOS * RATIOS),
        ("height low", _pair(octave(tall), low, 12), 22 * 12),
        ("bottom size", _pair(lower, size, 22), 4 * 22),
        ("area low", _pair(larger, low, 12), 4 * 12),
        ("wider taller", _pair(above(width), above(height), 4), 16),
        ("bottom area top", _pair(_pair(lower, larger, 4), higher, 4), 64),
        ("sideways low", _pair(sideways, low // 2, 8), 128),
        ("edge low", _pair(at_edge, low // 3, 4), 8),
        ("width height", _pair(octave(width), octave(height), 16), 256),
        ("bottom area", _pair(lower, larger, 4), 16),
        ("bottom top", _pair(lower, higher, 4), 16),
        ("lowest", bottom // FINE, 27),
        ("highest", np.maximum(top, 0) // FINE, 27),
        ("image low", _pair(later, low // 2, 8), 16),
        ("which image", places, 3),
        ("beside", beside, 4),
        ("which beside", _pair(places, beside, 4), 12),
        ("lower there", _pair(beside, lower_there, 4), 16),
        ("larger there", _pair(beside, larger_there, 4), 16),
        ("beside size", _pair(beside, size // 2, 16), 64),
        *((f"far {name}", far[name], 4) for name in ("top", "bottom", "area")),
        *(("far side", far[side], 4) for side in SIDES),
        *(("lone side", lone[side], LONES) for side in SIDES),
        ("lone middle", lone["middle"], LONES),
        ("far sides", _pair(one, other, 4), 16),
        *(("far side and bottom", _pair(far[side], far["bottom"], 4), 16) for side in SIDES),
        *(("far side and lower", _pair(far[side], lower, 4), 16) for side in SIDES),
    ]


def _steps(differences: Indices) -> Indices:
    """Classes, below STEPS, of differences in grid steps."""
    found: Indices = np.clip(differences // GAP, -GAPS, GAPS) + GAPS
    return found


def _octaves(values: Indices, others: Indices) -> Indices:
    """Classes, below RATIOS, of how many times as large positive numbers are as others."""
    found: Indices = np.clip(octave(values) - octave(others), -OCTAVES, OCTAVES) + OCTAVES
    return found


def _pair(first: Indices, second: Indices, count: int) -> Indices:
    """One class of two, of which the second has fewer than `count`."""
    return first * count + second


def hints(relation: str, boxes: Indices, places: Indices) -> list[list[str]]:
    """Of each of four boxes, (4, 4), by the names that the prior has for its features."""
    found = features(boxes[None], places[None])
    return [[f"{relation} {name} {codes[0, place]}" for name, codes, _ in found] for place in range(4)]


def chances(suite: str, task: str, asked: Indices, boxes: Indices, places: Indices) -> Float:
    """(M, 4), how likely each of four boxes is the one that is asked for, by a task's prior.

    Parameters
    ----------
    suite, task : str
        Whose prior it is.
    asked : (M,) array
        Places among `fours.superlatives`.
    boxes, places
        As for `features`.
    """
    scores = np.zeros(places.shape)
    tables = _tables(suite, task)
    for name, codes, _ in features(boxes, places):
        scores += tables[name][asked[:, None], codes]
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely: Float = np.round(weights / weights.sum(axis=1, keepdims=True), DECIMALS)
    return likely


@cache
def _tables(suite: str, task: str) -> dict[str, Float]:
    """Scores by feature, (relations, classes)."""
    prior = prior_of(suite, task)
    none = np.zeros((1, 4), np.int64)
    return {
        name: np.array(
            [
                [prior.score(f"{relation} {name} {code}") for code in range(count)]
                for relation in superlatives()
            ]
        )
        for name, _, count in features(none[..., None].repeat(4, axis=2), none)
    }
