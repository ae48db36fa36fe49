"""The routes that a robot can take between objects on a floor, turning at each: the search for them.

Routes grow by one stop at a time, all of them together. Whatever way on is looked at is followed, or rejected with a
reason. Angles are degrees, left positive.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spatial_assets.geometry.directions import FULL_TURN, HALF_TURN
from spatial_assets.geometry.floor_walk import Floor, stand_by, walk_to
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.draws import Hashes, mix_pair
from spatial_assets.tasks.vsi.sectors import BACK_FROM

AHEAD, BACK = 45.0, BACK_FROM
"""Degrees to either side up to which a direction is straight on, and from which it is back."""
ON, LEFT, RIGHT, BEHIND = 0, 1, 2, 3
TURNS = ("", "left", "right", "back")
"""Words by code; straight on has none."""
REASONS = ("no_place", "short", "blocked", "ahead", "border", "undone", "off_floor")
NO_PLACE, SHORT, BLOCKED, STRAIGHT, BORDER, UNDONE, OFF_FLOOR = range(len(REASONS))
OPEN, VISITED, UNWALKED, NEAR = -1, -2, -3, -4
"""In place of a reason: a way that may be followed, one that is none, one of which only a walk can tell, and one to
what is so near that nobody walks there."""
ROLES_BEFORE_STOPS = 2
"""Where a robot starts, and what it faces there."""


class Things(NamedTuple):
    """The objects that routes lead between."""

    centers: Float
    """(n, 2), meters."""
    hulls: Float
    """(n, k, 2), their outlines from above, convex."""
    identities: Hashes
    """(n,)."""
    stand: Bools
    """(n,), which a robot can go to; it begins by any, and faces any."""


class Rules(NamedTuple):
    """What routes must be like: see the task's parameters."""

    min_turns: int
    max_turns: int
    min_angle: float
    min_leg: float
    reach: float
    branches: int


@dataclass(frozen=True)
class Routes:
    """Routes of one number of turns, none at first, and where on them a robot is."""

    objects: Indices
    """(N, max_turns + 3), where each starts, what it faces there, and its stops; NOTHING after the last."""
    walks_first: Bools
    """(N,), whether it begins with a walk to what it faces, which then is its first stop, or with a turn."""
    turns: Float
    """(N, max_turns), degrees; NaN after the last."""
    here: Indices
    """(N,), the object where the robot is."""
    places: Float
    """(N, 2), x, y, meters."""
    headings: Float
    """(N, 2), degrees, of the walk that led here, or of what is faced; and the same between the objects' centers."""
    states: Hashes
    """(N,), of the draws: of the key, of how it begins and of all objects so far, in order."""

    def __len__(self) -> int:
        return len(self.objects)

    def at(self, rows: Indices) -> Routes:
        """The routes at these places, (M,)."""
        return Routes(
            self.objects[rows],
            self.walks_first[rows],
            self.turns[rows],
            self.here[rows],
            self.places[rows],
            self.headings[rows],
            self.states[rows],
        )

    def by_place(self) -> Routes:
        """The same, those that go on from one place together."""
        return self.at(np.lexsort((self.here, self.places[:, 1], self.places[:, 0])))


@kernel
def between(heading: float, direction: float) -> float:
    """Degrees from a heading to a direction, both in [-180, 180], counter-clockwise, in [-180, 180)."""
    turn = direction - heading
    if turn >= HALF_TURN:
        return turn - FULL_TURN
    return turn + FULL_TURN if turn < -HALF_TURN else turn


@kernel
def turn_code(turn: float) -> int:
    """What a turn in [-180, 180] is called, as a place in TURNS."""
    if abs(turn) < AHEAD:
        return ON
    if abs(turn) >= BACK:
        return BEHIND
    return LEFT if turn > 0 else RIGHT


@kernel
def turn_margin(turn: float) -> float:
    """Degrees by which a turn may change before it is called otherwise."""
    return min(abs(abs(turn) - AHEAD), abs(abs(turn) - BACK))


@kernel
def _direction(from_x: float, from_y: float, to_x: float, to_y: float) -> float:
    """Degrees, counter-clockwise from the world's x axis."""
    return math.degrees(math.atan2(to_y - from_y, to_x - from_x))


@kernel
def _walk(
    floor: Floor, things: Things, rules: Rules, x: float, y: float, target: int
) -> tuple[int, float, float]:
    """Straight on to an object: OPEN or the reason why not, and the place where the walk ends."""
    end_x, end_y = walk_to(floor, x, y, things.centers[target], things.hulls[target], rules.reach)
    if end_x != end_x:
        return BLOCKED, end_x, end_y
    if math.hypot(end_x - x, end_y - y) < rules.min_leg:
        return SHORT, end_x, end_y
    return OPEN, end_x, end_y


@kernel
def _verdict(turned: bool, angle: float, of_centers: float, min_angle: float) -> int:
    """OPEN, or the reason against a turn of so many degrees, walked and measured between the centers."""
    code = turn_code(angle)
    other = turn_code(of_centers)
    if code == ON or other == ON:
        return STRAIGHT
    if code != other or turn_margin(angle) < min_angle:
        return BORDER
    if turned and code == BEHIND:
        return UNDONE
    return OPEN


@kernel
def _begin(
    floor: Floor, things: Things, rules: Rules, key: np.uint64
) -> tuple[Indices, Bools, Float, Float, Hashes, Indices]:
    """Objects (N, 2), walks_first, places, headings and states of routes without a turn; and the rejected."""
    count = len(things.centers)
    rejected = np.zeros(len(REASONS), np.int64)
    room = 2 * count * count
    objects, walks_first = np.empty((room, 2), np.int64), np.empty(room, np.bool_)
    places, headings = np.empty((room, 2), np.float64), np.empty((room, 2), np.float64)
    states = np.empty(room, np.uint64)
    row = 0
    for start in range(count):
        center_x, center_y = things.centers[start, 0], things.centers[start, 1]
        x, y = stand_by(floor, things.centers[start], things.hulls[start], rules.reach)
        if x != x:
            rejected[NO_PLACE] += 1
            continue
        for facing in range(count):
            if facing == start:
                continue
            to_x, to_y = things.centers[facing, 0], things.centers[facing, 1]
            if math.hypot(to_x - x, to_y - y) < rules.min_leg:
                rejected[SHORT] += 1
                continue
            verdict, end_x, end_y = OFF_FLOOR, x, y
            if things.stand[facing]:
                verdict, end_x, end_y = _walk(floor, things, rules, x, y, facing)
            if verdict != OPEN:
                rejected[verdict] += 1
            for walks in range(2 if verdict == OPEN else 1):
                objects[row, 0], objects[row, 1], walks_first[row] = start, facing, walks == 1
                places[row, 0], places[row, 1] = (end_x, end_y) if walks else (x, y)
                headings[row, 0] = _direction(x, y, to_x, to_y)
                headings[row, 1] = _direction(center_x, center_y, to_x, to_y)
                state = mix_pair(mix_pair(key, np.uint64(walks)), things.identities[start])
                states[row] = mix_pair(state, things.identities[facing])
                row += 1
    return objects[:row], walks_first[:row], places[:row], headings[:row], states[:row], rejected


@kernel
def _look_around(
    things: Things, min_leg: float, x: float, y: float, here: int, legs: Indices, directions: Float
) -> None:
    """What all routes share that go on from a place: `legs` (n,), NEAR or UNWALKED, and the `directions` (n, 2) of
    all objects, as walked and between the centers."""
    center_x, center_y = things.centers[here, 0], things.centers[here, 1]
    for target in range(len(things.centers)):
        to_x, to_y = things.centers[target, 0], things.centers[target, 1]
        legs[target] = NEAR if math.hypot(to_x - x, to_y - y) < min_leg else UNWALKED
        directions[target, 0] = _direction(x, y, to_x, to_y)
        directions[target, 1] = _direction(center_x, center_y, to_x, to_y)


@kernel
def _next_way(verdicts: Indices, ranks: Hashes) -> int:
    """The OPEN way of the lowest rank, or NOTHING."""
    best = NOTHING
    for target in range(len(verdicts)):
        if verdicts[target] == OPEN and (best == NOTHING or ranks[target] < ranks[best]):
            best = target
    return best


@kernel
def _go_on(
    floor: Floor,
    things: Things,
    rules: Rules,
    turned: bool,
    objects: Indices,
    here: Indices,
    places: Float,
    headings: Float,
    states: Hashes,
) -> tuple[Indices, Indices, Float, Float, Float, Hashes, Indices]:
    """Ways on from all routes: the route, target, turn, place, headings and state of each; and the rejected.

    Routes that go on from one place stand together, so that each way is walked once. At each point ways are looked
    at in the order of their ranks until as many as `branches` are followed; those that would have come later are
    neither followed nor counted.
    """
    count = len(things.centers)
    rejected = np.zeros(len(REASONS), np.int64)
    room = len(objects) * min(rules.branches, count)
    parents, targets = np.empty(room, np.int64), np.empty(room, np.int64)
    turns, stops = np.empty(room, np.float64), np.empty((room, 2), np.float64)
    ways, after = np.empty((room, 2), np.float64), np.empty(room, np.uint64)
    verdicts, ranks, angles = (
        np.empty(count, np.int64),
        np.empty(count, np.uint64),
        np.empty(count, np.float64),
    )
    legs, ends, directions = np.empty(count, np.int64), np.empty((count, 2)), np.empty((count, 2))
    row = 0
    for route in range(len(objects)):
        x, y = places[route, 0], places[route, 1]
        if (
            route == 0
            or here[route] != here[route - 1]
            or x != places[route - 1, 0]
            or y != places[route - 1, 1]
        ):
            _look_around(things, rules.min_leg, x, y, here[route], legs, directions)
        for target in range(count):
            verdicts[target] = OPEN
        for place in range(objects.shape[1]):
            if objects[route, place] != NOTHING:
                verdicts[objects[route, place]] = VISITED
        for target in range(count):
            ranks[target] = mix_pair(states[route], things.identities[target])
            if verdicts[target] == OPEN and not things.stand[target]:
                verdicts[target] = OFF_FLOOR
            if verdicts[target] == OPEN:
                angles[target] = between(headings[route, 0], directions[target, 0])
                of_centers = between(headings[route, 1], directions[target, 1])
                verdicts[target] = _verdict(turned, angles[target], of_centers, rules.min_angle)
                if legs[target] == NEAR:
                    verdicts[target] = SHORT
                elif verdicts[target] == OPEN and legs[target] >= 0:
                    # An earlier route's walk ended before it.
                    verdicts[target] = legs[target]
        followed, last = 0, np.uint64(0xFFFFFFFFFFFFFFFF)
        target = _next_way(verdicts, ranks)
        while target != NOTHING and followed < rules.branches:
            if legs[target] == UNWALKED:
                legs[target], ends[target, 0], ends[target, 1] = _walk(floor, things, rules, x, y, target)
            verdicts[target] = legs[target]
            if legs[target] == OPEN:
                verdicts[target] = VISITED
                followed += 1
                if followed == rules.branches:
                    last = ranks[target]
                parents[row], targets[row], turns[row], after[row] = (
                    route,
                    target,
                    angles[target],
                    ranks[target],
                )
                for part in range(2):
                    stops[row, part], ways[row, part] = ends[target, part], directions[target, part]
                row += 1
            target = _next_way(verdicts, ranks)
        for target in range(count):
            if verdicts[target] >= 0 and ranks[target] <= last:
                rejected[verdicts[target]] += 1
    return parents[:row], targets[:row], turns[:row], stops[:row], ways[:row], after[:row], rejected


def begin(floor: Floor, things: Things, rules: Rules, key: int) -> tuple[Routes, Counter[str]]:
    """All beginnings of routes, without a turn yet, and how many were rejected for which reason."""
    pairs, walks_first, places, headings, states, rejected = _begin(floor, things, rules, np.uint64(key))
    objects = np.full((len(pairs), ROLES_BEFORE_STOPS + 1 + rules.max_turns), NOTHING, np.int64)
    objects[:, :ROLES_BEFORE_STOPS] = pairs
    objects[walks_first, ROLES_BEFORE_STOPS] = pairs[walks_first, 1]
    turns = np.full((len(pairs), rules.max_turns), np.nan)
    here = np.where(walks_first, pairs[:, 1], pairs[:, 0])
    return Routes(objects, walks_first, turns, here, places, headings, states), _counted(rejected)


def go_on(
    floor: Floor, things: Things, rules: Rules, routes: Routes, depth: int
) -> tuple[Routes, Counter[str]]:
    """All routes of a turn more than those of `depth` turns, and how many ways were rejected for which reason."""
    routes = routes.by_place()
    parents, targets, turns, places, headings, states, rejected = _go_on(
        floor,
        things,
        rules,
        depth > 0,
        routes.objects,
        routes.here,
        routes.places,
        routes.headings,
        routes.states,
    )
    walks_first = routes.walks_first[parents]
    objects, all_turns = routes.objects[parents], routes.turns[parents]
    objects[np.arange(len(objects)), ROLES_BEFORE_STOPS + depth + walks_first] = targets
    all_turns[:, depth] = turns
    return Routes(objects, walks_first, all_turns, targets, places, headings, states), _counted(rejected)


def find_routes(
    floor: Floor, things: Things, rules: Rules, key: int
) -> tuple[Indices, Bools, Float, Counter[str]]:
    """All routes of as many turns as the rules want.

    Parameters
    ----------
    key : of the draws of ways: those on from a point depend on it and on the identities of the objects so far.

    Returns
    -------
    objects (N, max_turns + 3), walks_first (N,), turns (N, max_turns) : as in Routes, objects by their places among
    the things. rejected : ways, and starts, by reason.
    """
    routes, rejected = begin(floor, things, rules, key)
    found = [routes.at(np.arange(0))]
    for depth in range(rules.max_turns):
        routes, also = go_on(floor, things, rules, routes, depth)
        rejected += also
        if depth + 1 >= rules.min_turns:
            found.append(routes)
    objects, walks_first, turns = (
        np.concatenate([getattr(part, name) for part in found])
        for name in ("objects", "walks_first", "turns")
    )
    return objects, walks_first, turns, rejected


def _counted(counts: Indices) -> Counter[str]:
    return Counter({reason: count for reason, count in zip(REASONS, counts.tolist(), strict=True) if count})
