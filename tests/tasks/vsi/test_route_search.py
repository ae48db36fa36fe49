"""The search for routes: against loops in Python, what it depends on, and known floors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from scipy.ndimage import distance_transform_edt
from video_scenes import ROOM, Studio, ask, box, found_by, made, rejected
from video_twin import Twin, strata_of

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.rooms import footprint_of
from spatial_assets.scene.model import Box
from spatial_assets.scene.rooms import read_room, write_free
from spatial_assets.scene.tables import ROOMS, Table
from spatial_assets.tasks.core.candidates import draw_key
from spatial_assets.tasks.core.draws import mix
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.vsi.route_planning import RouteParameters

TASK = "route_planning"
CELL = 0.05
THINGS = 12
"""In random rooms."""
LOW: dict[str, Any] = {"min_height": 0, "min_width": 0}
"""Whatever stands on the floor is gone to: more ways than are followed."""


Place = tuple[float, float]


class TwinFloor:
    """Where a robot can stand, and how far it gets; by numpy and shapely."""

    def __init__(self, free: np.ndarray, origin: Sequence[float], cell: float, radius: float) -> None:
        self.origin, self.cell = np.asarray(origin, np.float64), cell
        self.standable = distance_transform_edt(np.pad(free, 1), sampling=cell)[1:-1, 1:-1] >= radius
        rows, columns = np.nonzero(self.standable)
        self.places = self.origin + (np.column_stack([columns, rows]) + 0.5) * cell

    def can_stand(self, places: np.ndarray) -> np.ndarray:
        at = np.floor((places - self.origin) / self.cell).astype(np.int64)
        rows, columns = self.standable.shape
        inside = ((at >= 0) & (at < [columns, rows])).all(axis=1)
        out = np.zeros(len(places), np.bool_)
        out[inside] = self.standable[at[inside, 1], at[inside, 0]]
        return out

    def stand_by(self, thing: Box, reach: float) -> Place | None:
        if len(self.places) == 0:
            return None
        best = self.places[int(((self.places - thing.center[:2]) ** 2).sum(axis=1).argmin())]
        if shapely.distance(footprint_of(thing), shapely.points(best)) > reach:
            return None
        return float(best[0]), float(best[1])

    def walk_to(self, start: Place, thing: Box, reach: float) -> Place | None:
        origin, target = np.array(start), thing.center[:2]
        length = float(np.linalg.norm(target - origin))
        shares = np.arange(2 + int(2 * length / self.cell)) / (1 + int(2 * length / self.cell))
        places = origin + shares[:, None] * (target - origin)
        stops = np.flatnonzero(~self.can_stand(places))
        if len(stops) == 0 or stops[0] == 0:
            return None
        last = places[stops[0] - 1]
        if shapely.distance(footprint_of(thing), shapely.points(last)) > reach:
            return None
        return float(last[0]), float(last[1])


def twin_word(turn: float) -> str | None:
    if abs(turn) < 45:
        return None
    return "back" if abs(turn) >= 135 else "left" if turn > 0 else "right"


Route = tuple[tuple[int, ...], bool, tuple[float, ...]]


class Planner:
    """Finds routes one by one. Whatever way on is looked at is followed, or rejected with a reason."""

    def __init__(self, facts: SceneFacts, parameters: RouteParameters) -> None:
        room = read_room(facts.read(ROOMS).row(0, named=True))
        self.floor = TwinFloor(room.free, room.origin, room.cell, parameters.robot_radius)
        self.boxes, self.parameters = facts.objects.boxes, parameters
        self.ground = room.floor
        self.identities: list[int] = facts.objects.identities.tolist()
        self.key = draw_key(facts.which, parameters.seed, TASK, "ways")
        twin = Twin(facts)
        self.rejected = Counter(reason for reason in twin.referents().values() if reason is not None)
        self.named = [twin.groups[name][0] for name, reason in twin.referents().items() if reason is None]

    def routes(self) -> Iterator[Route]:
        for start in self.named:
            place = self.floor.stand_by(self.boxes[start], self.parameters.reach)
            if place is None:
                self.rejected["no_place"] += 1
                continue
            for facing in self.named:
                if facing == start:
                    continue
                if self.away(place, facing) < self.parameters.min_leg:
                    self.rejected["short"] += 1
                    continue
                headings = self.headings(start, place, facing)
                yield from self.turn((start, facing), False, start, place, headings, ())
                ahead = self.walk(place, facing) if self.stands(facing) else None
                if ahead is not None:
                    yield from self.turn((start, facing, facing), True, facing, ahead, headings, ())

    def away(self, place: Place, thing: int) -> float:
        x, y = self.boxes[thing].center[:2].tolist()
        return math.hypot(x - place[0], y - place[1])

    def stands(self, thing: int) -> bool:
        """Whether a robot can go to it; counts it where not."""
        heights = box_corners(self.boxes[thing])[:, 2]
        parameters = self.parameters
        fit = (
            heights.min() - self.ground <= parameters.max_bottom
            and heights.max() - heights.min() >= parameters.min_height
            and max(self.boxes[thing].size[:2]) >= parameters.min_width
        )
        self.rejected["off_floor"] += not fit
        return bool(fit)

    def headings(self, here: int, place: Place, there: int) -> tuple[float, float]:
        target, origin = self.boxes[there].center[:2].tolist(), self.boxes[here].center[:2].tolist()
        return direction(place, target), direction(origin, target)

    def walk(self, place: Place, target: int) -> Place | None:
        end = self.floor.walk_to(place, self.boxes[target], self.parameters.reach)
        if end is None:
            self.rejected["blocked"] += 1
        elif math.dist(place, end) < self.parameters.min_leg:
            self.rejected["short"] += 1
            return None
        return end

    def turn(
        self,
        objects: tuple[int, ...],
        walks_first: bool,
        here: int,
        place: Place,
        headings: tuple[float, float],
        turns: tuple[float, ...],
    ) -> Iterator[Route]:
        parameters = self.parameters
        state = mix(self.key, int(walks_first))
        for thing in objects[:2] + objects[2 + walks_first :]:
            state = mix(state, self.identities[thing])
        followed = 0
        for target in sorted(self.named, key=lambda thing: mix(state, self.identities[thing])):
            if target in objects or followed == parameters.branches:
                continue
            ways = self.headings(here, place, target)
            angles = [(way - heading + 180) % 360 - 180 for way, heading in zip(ways, headings, strict=True)]
            words = set(map(twin_word, angles))
            margin = min(abs(abs(angles[0]) - 45), abs(abs(angles[0]) - 135))
            if not self.stands(target):
                continue
            if self.away(place, target) < parameters.min_leg:
                self.rejected["short"] += 1
            elif None in words:
                self.rejected["ahead"] += 1
            elif len(words) > 1 or margin < parameters.min_angle:
                self.rejected["border"] += 1
            elif turns and "back" in words:
                self.rejected["undone"] += 1
            elif (end := self.walk(place, target)) is not None:
                followed += 1
                longer = (*turns, angles[0])
                if len(longer) >= parameters.min_turns:
                    yield (*objects, target), walks_first, longer
                if len(longer) < parameters.max_turns:
                    yield from self.turn((*objects, target), walks_first, target, end, ways, longer)


def direction(origin: Sequence[float], target: Sequence[float]) -> float:
    return math.degrees(math.atan2(target[1] - origin[1], target[0] - origin[0]))


def check(facts: SceneFacts, **parameters: Any) -> Counter[str]:
    """Reasons and counts, with `ok` for routes, once these are those of the twin."""
    planner = Planner(facts, RouteParameters(**parameters))
    expected = {(objects, walks): turns for objects, walks, turns in planner.routes()}
    found = found_by(TASK, facts, **parameters)
    assert found.rejected == planner.rejected
    kept = {}
    for objects, walks, turns in zip(
        found.objects.tolist(),
        found.values["walks_first"].tolist(),
        found.values["turns"].tolist(),
        strict=True,
    ):
        kept[tuple(it for it in objects if it >= 0), walks] = tuple(turn for turn in turns if turn == turn)
    assert len(kept) == len(found) and set(kept) == set(expected)
    cells = {}
    for (route, turns), stratum in zip(kept.items(), strata_of(found), strict=True):
        assert turns == pytest.approx(expected[route], abs=1e-9)
        # Routes of as many turns and the same beginning take turns with others.
        assert cells.setdefault((len(turns), route[1]), stratum) == stratum
    assert len(set(cells.values())) == len(cells)
    return Counter({**found.rejected, "ok": len(found)})


def room_of(free: np.ndarray, origin: Sequence[float] = (0.0, 0.0)) -> dict[str, Any]:
    return {**ROOM, "cell": CELL, "origin": list(origin), "free": write_free(free)}


def furnished(
    seed: int, count: int, wide: float, deep: float, order: Sequence[int] | None = None
) -> SceneFacts:
    """Things of all shapes anywhere in a room, and the floor that they leave free."""
    rng = np.random.default_rng(seed)
    free = np.ones((int(deep / CELL), int(wide / CELL)), np.bool_)
    origin = rng.uniform(-2, 2, 2)
    y, x = np.mgrid[: free.shape[0], : free.shape[1]]
    x, y = origin[0] + (x + 0.5) * CELL, origin[1] + (y + 0.5) * CELL
    objects = []
    for thing in range(count):
        size, yaw = rng.uniform(0.2, 0.9, 3), rng.uniform(0, 3)
        place = origin + rng.uniform(0.3, 1, 2) * (wide - 0.3, deep - 0.3)
        objects.append((f"thing {thing}", box(*place, tuple(size), yaw, z=size[2] / 2)))
        c, s = math.cos(yaw), math.sin(yaw)
        along, across = c * (x - place[0]) + s * (y - place[1]), c * (y - place[1]) - s * (x - place[0])
        # A carpet stops nobody.
        if rng.random() < 0.85:
            free[(abs(along) < size[0] / 2) & (abs(across) < size[1] / 2)] = False
    numbers = list(range(count)) if order is None else list(order)
    return made([objects[n] for n in numbers], room=room_of(free, origin.tolist()), instances=numbers)


def test_routes_of_studio_scenes_are_those_of_loops(studio: Studio) -> None:
    reached: Counter[str] = Counter()
    for facts in studio.facts():
        reached += check(facts)
    assert {"ok", "blocked", "short", "ahead", "border", "undone", "no_place"} <= set(reached)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"branches": 1, "max_turns": 6, "seed": 3},
        {"branches": 99, "min_turns": 3, "max_turns": 3},
        {"min_angle": 0, "min_leg": 0.1, "robot_radius": 0.05, "reach": 2.0, "max_turns": 2},
    ],
)
def test_routes_of_random_rooms_are_those_of_loops(parameters: dict[str, Any]) -> None:
    reached: Counter[str] = Counter()
    for seed in range(5):
        reached += check(furnished(seed, THINGS, 8.0, 7.0), **parameters)
    assert reached["ok"] > 50 and {"blocked", "short", "ahead", "undone"} <= set(reached)


def test_few_objects_and_no_floor_have_no_routes() -> None:
    for count in range(3):
        assert check(furnished(0, count, 5.0, 4.0))["ok"] == 0
    sofa_and_table = [("sofa", box(0, 0)), ("table", box(1, 0))]
    assert rejected(TASK, made(sofa_and_table)) == {"no_floor": 2}
    nothing_free = room_of(np.zeros((0, 0), np.bool_))
    assert rejected(TASK, made(sofa_and_table, room=nothing_free)) == {"no_place": 2}
    assert ask(TASK, made([])) == []
    assert rejected(TASK, furnished(1, THINGS, 8.0, 7.0), min_turns=5, max_turns=4).get("ok") is None


# What routes depend on.


class Reversed(SceneFacts):
    """The rows of every table, last one first."""

    def __init__(self, facts: SceneFacts) -> None:
        def read(table: Table) -> Any:
            return facts.read(table).reverse()

        super().__init__(facts.which, facts.license, read)


def by_number(facts: SceneFacts, **parameters: Any) -> dict[tuple[int, ...], list[float]]:
    found = found_by(TASK, facts, **parameters)
    numbers = [*facts.objects.instances.tolist(), -1]
    return {
        tuple(numbers[place] for place in objects if place >= 0): [turn for turn in turns if turn == turn]
        for objects, turns in zip(found.objects.tolist(), found.values["turns"].tolist(), strict=True)
    }


def test_ways_are_drawn_by_identity_and_seed() -> None:
    facts = furnished(1, THINGS, 8.0, 7.0)
    known = by_number(facts, **LOW)
    assert len(known) > 20
    backwards = furnished(1, THINGS, 8.0, 7.0, order=range(THINGS)[::-1])
    assert by_number(Reversed(facts), **LOW) == known == by_number(backwards, **LOW)
    assert set(by_number(facts, seed=1, **LOW)) != set(known)
    rows = ask(TASK, facts, quota=10_000, **LOW)
    assert ask(TASK, Reversed(facts), quota=10_000, **LOW) == rows
    few = ask(TASK, facts, quota=10, **LOW)
    assert len(few) == 10 and all(row in rows for row in few)
    # Where all ways are followed, the seed draws nothing.
    every = by_number(facts, branches=99, **LOW)
    assert every == by_number(facts, branches=99, seed=1, **LOW) and known.items() < every.items()


def test_the_way_to_an_object_less_is_the_way_to_the_next_in_line() -> None:
    """Without an object, the routes past it go, and those that it kept from being drawn come."""
    whole = by_number(furnished(1, THINGS, 8.0, 7.0), max_turns=2)
    facts = furnished(1, THINGS, 8.0, 7.0)
    for gone in range(THINGS):
        # Its place on the floor stays taken.
        order = [thing for thing in range(THINGS) if thing != gone]
        less = by_number(furnished(1, THINGS, 8.0, 7.0, order=order), max_turns=2)
        assert {route for route in whole if gone not in route} <= set(less)
    assert len(facts.objects) == THINGS


def test_at_each_point_so_many_ways_are_followed() -> None:
    for branches in (1, 2, 3):
        ways: Counter[tuple[int, ...]] = Counter()
        for seed in range(4):
            known = by_number(furnished(seed, THINGS, 8.0, 7.0), branches=branches, **LOW)
            ways.update((seed, *route[:-1]) for route in known)
        assert max(ways.values()) == branches


# Known floors.


@pytest.mark.parametrize(("mirrored", "turn", "degrees"), [(False, "right", -90), (True, "left", 90)])
def test_the_routes_of_a_known_floor(mirrored: bool, turn: str, degrees: float) -> None:
    """A U of corridors round a block: by the sofa facing the door, to the door, to the bed, to the table."""
    free = np.zeros((100, 100), np.bool_)
    free[10:90, 10:30] = free[70:90, 10:90] = free[10:90, 70:90] = True
    objects = [("sofa", (1.0, 0.3)), ("door", (1.0, 4.7)), ("bed", (4.7, 4.1)), ("table", (4.1, 0.3))]
    if mirrored:
        free = free[:, ::-1]
        objects = [(name, (5 - x, y)) for name, (x, y) in objects]
    facts = made([(name, box(*where, (0.3, 0.3, 1.0))) for name, where in objects], room=room_of(free))
    by_objects = by_number(facts)
    turns = by_objects[0, 1, 1, 2, 3]
    assert [twin_word(it) for it in turns] == [turn, turn]
    assert turns == pytest.approx([degrees, degrees], abs=15)
    # Facing the table across the block, one first turns to the door.
    assert twin_word(by_objects[0, 3, 1, 2][-1]) == turn
    # Nobody walks through the block.
    assert not any(objects[0] == 0 and objects[2] == 3 for objects in by_objects)
