"""Which scenes show one room though no name says so: the same furniture in the same places, scanned twice.

The rooms of one building stand in several datasets under names that have nothing to do with each other, and a split by
names puts one scan into training and the other into the test. Here a scene is known by what stands in it and by the
floor that is free between. Gravity is up in every dataset, so two scans of a room differ by a turn about the vertical
and a shift. Every two objects that are alike in both scenes (categories, distance, difference of height) propose one
such motion, and the best of those proposed is judged by the product of four shares:

- of the furnished places where both scenes are, how many agree. A place is what stands within `PLACE`: a table with its
  six chairs, or a kitchen unit with all that it holds, stands alike in many rooms and counts as one;
- of all that the smaller scene holds, how much meets its like in the other: what two scenes have alike in a corner is
  no room;
- of the free floor of one of the two, how much is free in the other: rooms of one plan are furnished differently;
- of the objects that meet, how many say something: two always meet, since they fix the motion.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.releases.like_scenes import Indices, Like, Standing, like_scenes
from spatial_assets.scene.model import Float

LEAST_LIKENESS = 0.22
"""Of two scenes that show one room. Between what planted scans reach at least and what different rooms reach at most:
`python -m benchmarks.same_rooms` prints both."""
LEAST_WITHOUT_FLOOR = 0.27
"""The same where the free floor of one of the two is not known: three shares are larger than four."""
FIXING = 2
"""Objects that fix a motion."""
LEAST_OBJECTS = 6
"""With fewer that meet, chance is likelier than a second scan."""
LEAST_CORNERS, CORNERS_APART = 3, 1.25
"""Objects that meet and stand so many meters from each other: two fix the motion, and a third elsewhere confirms it. A
dining table with its chairs, and a stove that happens to stand where another does, are two."""
REACH = 0.35
"""Meters within which a proposed motion looks for an object's other scan: the two that propose it leave it a little
off."""
NEAR = 0.25
"""The same after the motion is fitted to all that meet: boxes of what was scanned in part end a hand's breadth
apart."""
REFITS = 2
"""After the first fit a few more objects meet, and some of the first no longer do."""
SIZE_RATIO = 1.6
"""Of an object's scale in two scans, the larger to the smaller."""
LEAST_SCALE = 0.01
"""Meters: pictures and papers have boxes without depth."""
PLACE = 0.75
"""Meters: what stands nearer together was put there together."""
BESIDE = 0.3
"""Meters around what the other scene holds in which something is where both are."""
YAW_BIN, SHIFT_BIN = math.radians(20), 1.0
"""Radians and meters within which motions are nearly the same: half a meter between two objects leaves the turn open
by as much."""
MOST_MOTIONS = 40
"""Proposals that are tried for two scenes, those that most others are nearly the same as first."""
FLOOR_STEP = 0.1
"""Meters between the places of the free floor that are compared, about."""


@dataclass(frozen=True)
class Floor:
    """What is free of a scene's floor."""

    origin: Float
    """(2,), meters: the corner of the first cell."""
    cell: float
    """Meters."""
    free: NDArray[np.bool_]
    """(rows along y, columns along x)."""


@dataclass(frozen=True)
class Furniture:
    """What a scene is known by."""

    scene: str
    categories: tuple[str, ...]
    """Of N objects that are no part of the building."""
    centers: Float
    """(N, 3), meters, z up."""
    sizes: Float
    """(N, 3), meters."""
    floor: Floor | None = None
    """None where it is not known."""


@dataclass(frozen=True)
class Match:
    """Two scenes that may show one room, under the motion that brings most together."""

    first: str
    second: str
    objects: int
    """How many meet."""
    corners: int
    """How many of them stand far from each other."""
    places: float
    """Of the furnished places where both scenes are, the share that agrees."""
    common: float
    """Of what the smaller scene holds, by weight, the share that meets."""
    floor: float | None
    """Of the free floor of one, the share that is free in the other: the larger of the two; None where not known."""
    yaw: float
    """Degrees from the first scene to the second, counter-clockwise seen from above."""
    shift: tuple[float, float, float]
    """Meters, after the turn."""

    @property
    def likeness(self) -> float:
        return self.without_floor * (1.0 if self.floor is None else self.floor)

    @property
    def without_floor(self) -> float:
        """The likeness where a floor is not known."""
        return self.places * self.common * (1.0 - FIXING / self.objects)

    @property
    def is_one_room(self) -> bool:
        least = LEAST_WITHOUT_FLOOR if self.floor is None else LEAST_LIKENESS
        enough = self.objects >= LEAST_OBJECTS and self.corners >= LEAST_CORNERS
        return enough and self.likeness >= least


def find(scenes: Sequence[Furniture]) -> list[Match]:
    """All two scenes that show one room, in the order of the scenes given; each two at most once."""
    return [match for match in compare(scenes) if match.is_one_room]


def compare(scenes: Sequence[Furniture]) -> list[Match]:
    """All two scenes that have anything to be compared by, in the order of the scenes given, and how alike they are."""
    words = {word: code for code, word in enumerate(sorted({w for own in scenes for w in own.categories}))}
    having = Counter(word for own in scenes for word in set(own.categories))
    # The fewer scenes have a category, the more it says.
    weights = np.array([math.log((1 + len(scenes)) / having[word]) for word in words])
    standing = [_standing(own, words) for own in scenes]
    found = {
        (like.first, like.second): _judged(scenes, standing, weights, like)
        for like in like_scenes(standing, len(words))
    }
    return [match for _, match in sorted(found.items()) if match is not None]


def _standing(own: Furniture, words: dict[str, int]) -> Standing:
    codes = np.array([words[word] for word in own.categories], np.int64)
    order = np.argsort(codes, kind="stable")
    sizes = np.maximum(np.asarray(own.sizes, np.float64).reshape(-1, 3)[order], LEAST_SCALE)
    return Standing(
        codes[order],
        np.ascontiguousarray(np.asarray(own.centers, np.float64).reshape(-1, 3)[order]),
        np.cbrt(sizes.prod(axis=1)),
    )


def _judged(
    scenes: Sequence[Furniture], standing: Sequence[Standing], weights: Float, like: Like
) -> Match | None:
    first, second = standing[like.first], standing[like.second]
    a, b = ((own.centers, own.codes, own.scales) for own in (first, second))
    yaw, shift = _best_motion(*a, *b, weights, like.pairs)
    met, _ = _meeting(*a, *b, weights, yaw, shift, REACH)
    for _ in range(REFITS):
        if (met >= 0).sum() < LEAST_OBJECTS:
            return None
        yaw, shift = _fitted(first.centers[met >= 0], second.centers[met[met >= 0]])
        met, _ = _meeting(*a, *b, weights, yaw, shift, NEAR)
    count = int((met >= 0).sum())
    if count < LEAST_OBJECTS:
        return None
    met_back = np.zeros(len(second.codes), np.bool_)
    met_back[met[met >= 0]] = True
    whole = min(weights[own.codes].sum() for own in (first, second))
    common = min(1.0, float(weights[first.codes[met >= 0]].sum() / max(whole, 1e-9)))
    if common < LEAST_LIKENESS / 2:
        return None
    back = -_turned(shift[None], -yaw)[0]
    places = (
        _agreeing_places(first.centers, met >= 0, _turned(first.centers, yaw) + shift, second.centers)
        + _agreeing_places(second.centers, met_back, _turned(second.centers, -yaw) + back, first.centers)
    ) / 2
    floor, floors = None, (scenes[like.first].floor, scenes[like.second].floor)
    # What is too little without the floor is not made more by it.
    if floors[0] is not None and floors[1] is not None and places * common >= LEAST_LIKENESS / 2:
        floor = max(_free_in(floors[0], floors[1], yaw, shift), _free_in(floors[1], floors[0], -yaw, back))
    x, y, z = shift.tolist()
    return Match(
        scenes[like.first].scene, scenes[like.second].scene,
        count, _corners(first.centers[met >= 0, :2]), places, common, floor, math.degrees(yaw), (x, y, z),
    )  # fmt: skip


def _turned(points: Float, yaw: float) -> Float:
    c, s = math.cos(yaw), math.sin(yaw)
    turned: Float = points @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return turned


def _corners(points: Float) -> int:
    """How many of points (N, 2) can be taken, the farthest from all taken next, before one is nearer than
    `CORNERS_APART`."""
    gaps = np.hypot(*(points - points.mean(axis=0)).T)
    nearest = np.full(len(points), np.inf)
    count, taken = 0, int(gaps.argmax())
    while nearest[taken] >= CORNERS_APART:
        count += 1
        nearest = np.minimum(nearest, np.hypot(*(points - points[taken]).T))
        taken = int(nearest.argmax())
    return count


def _agreeing_places(centers: Float, met: NDArray[np.bool_], moved: Float, others: Float) -> float:
    """Of a scene's furnished places where the other is, too, the share whose objects meet; moved: where they come to
    lie."""
    low, high = others[:, :2].min(axis=0) - BESIDE, others[:, :2].max(axis=0) + BESIDE
    inside = ((moved[:, :2] >= low) & (moved[:, :2] <= high)).all(axis=1)
    offsets = centers[inside, None, :2] - centers[None, inside, :2]
    crowd = (np.hypot(offsets[..., 0], offsets[..., 1]) < PLACE).sum(axis=1)
    return float((met[inside] / crowd).sum() / max((1.0 / crowd).sum(), 1e-9))


def _free_in(own: Floor, other: Floor, yaw: float, shift: Float) -> float:
    """Of a scene's free floor, the share that comes to lie on what is free in the other."""
    step = max(1, round(FLOOR_STEP / own.cell))
    row, column = np.nonzero(own.free[::step, ::step])
    if len(row) == 0 or other.free.size == 0:
        return 0.0
    places = own.origin + (np.stack([column, row], axis=1) * step + 0.5) * own.cell
    moved = _turned(np.concatenate([places, np.zeros((len(places), 1))], axis=1), yaw)[:, :2] + shift[:2]
    cells = np.floor((moved - other.origin) / other.cell).astype(np.int64)
    inside = ((cells >= 0) & (cells < other.free.shape[::-1])).all(axis=1)
    return float(other.free[cells[inside, 1], cells[inside, 0]].sum() / len(row))


def _fitted(a: Float, b: Float) -> tuple[float, Float]:
    """The turn about the vertical and the shift that bring points (N, 3) nearest to others, by least squares.

    In the plane the best turn is the angle of the sum of the products of one's conjugate and the other, both about
    their means.
    """
    offsets_a, offsets_b = a - a.mean(axis=0), b - b.mean(axis=0)
    flat = (offsets_a[:, 0] - 1j * offsets_a[:, 1]) * (offsets_b[:, 0] + 1j * offsets_b[:, 1])
    yaw = float(np.angle(flat.sum()))
    shift: Float = b.mean(axis=0) - _turned(a.mean(axis=0)[None], yaw)[0]
    return yaw, shift


@kernel
def _meeting(
    a: Float, codes_a: Indices, scales_a: Float,
    b: Float, codes_b: Indices, scales_b: Float,
    weights: Float, yaw: float, shift: Float, reach: float,
) -> tuple[Indices, float]:  # fmt: skip
    """Which object of the second scene each of the first meets, or -1, and the weight of all that meet."""
    met = np.full(len(a), -1, np.int64)
    taken = np.zeros(len(b), np.bool_)
    c, s = np.cos(yaw), np.sin(yaw)
    score = 0.0
    begin = 0
    for one in range(len(a)):
        x = c * a[one, 0] - s * a[one, 1] + shift[0]
        y = s * a[one, 0] + c * a[one, 1] + shift[1]
        z = a[one, 2] + shift[2]
        nearest = reach
        while begin < len(b) and codes_b[begin] < codes_a[one]:
            begin += 1
        other = begin
        while other < len(b) and codes_b[other] == codes_a[one]:
            ratio = scales_a[one] / scales_b[other]
            if not taken[other] and 1.0 / SIZE_RATIO <= ratio <= SIZE_RATIO:
                gap = np.sqrt((b[other, 0] - x) ** 2 + (b[other, 1] - y) ** 2 + (b[other, 2] - z) ** 2)
                if gap < nearest:
                    nearest, met[one] = gap, other
            other += 1
        if met[one] >= 0:
            taken[met[one]] = True
            score += weights[codes_a[one]] * (1.0 - (nearest / reach) ** 2) ** 2
    return met, score


@kernel
def _best_motion(
    a: Float, codes_a: Indices, scales_a: Float,
    b: Float, codes_b: Indices, scales_b: Float,
    weights: Float, pairs: Indices,
) -> tuple[float, Float]:  # fmt: skip
    """The turn and the shift, of those that pairs (M, 4) propose, under which most meets."""
    count = len(pairs)
    yaws, shifts, bins = np.empty(count), np.empty((count, 3)), np.empty(count, np.int64)
    middle = np.array([a[:, 0].mean(), a[:, 1].mean(), a[:, 2].mean()])
    for row in range(count):
        i, j, k, m = pairs[row, 0], pairs[row, 1], pairs[row, 2], pairs[row, 3]
        yaw = np.arctan2(b[m, 1] - b[k, 1], b[m, 0] - b[k, 0]) - np.arctan2(
            a[j, 1] - a[i, 1], a[j, 0] - a[i, 0]
        )
        c, s = np.cos(yaw), np.sin(yaw)
        x, y, z = (a[i, 0] + a[j, 0]) / 2, (a[i, 1] + a[j, 1]) / 2, (a[i, 2] + a[j, 2]) / 2
        yaws[row] = yaw
        shifts[row, 0] = (b[k, 0] + b[m, 0]) / 2 - (c * x - s * y)
        shifts[row, 1] = (b[k, 1] + b[m, 1]) / 2 - (s * x + c * y)
        shifts[row, 2] = (b[k, 2] + b[m, 2]) / 2 - z
        # Where the scene's middle comes to lie: a turn that is a little off does not shift that far.
        bins[row] = np.floor(yaw % (2 * np.pi) / YAW_BIN)
        at = (
            c * middle[0] - s * middle[1] + shifts[row, 0],
            s * middle[0] + c * middle[1] + shifts[row, 1],
            middle[2] + shifts[row, 2],
        )
        for value in at:
            bins[row] = bins[row] * 8192 + np.int64(np.floor(value / SHIFT_BIN)) % 8192
    order = np.argsort(bins, kind="mergesort")
    votes = np.empty(count, np.int64)
    begin = 0
    while begin < count:
        end = begin
        while end < count and bins[order[end]] == bins[order[begin]]:
            end += 1
        for place in range(begin, end):
            votes[order[place]] = end - begin
        begin = end
    best_yaw, best_score, best_shift = 0.0, -1.0, np.zeros(3)
    for row in np.argsort(-votes, kind="mergesort")[:MOST_MOTIONS]:
        _, score = _meeting(
            a, codes_a, scales_a, b, codes_b, scales_b, weights, yaws[row], shifts[row], REACH
        )
        if score > best_score:
            best_yaw, best_score = yaws[row], score
            for axis in range(best_shift.shape[0]):
                best_shift[axis] = shifts[row, axis]
    return best_yaw, best_shift
