"""Steps of a furnishing program that go by the walls: doors, cupboards, pictures, kitchens."""

from __future__ import annotations

import math

from spatial_assets.studio.layout import Placed, Rect
from spatial_assets.studio.models.base import Model
from spatial_assets.studio.models.builders import build
from spatial_assets.studio.rooms import Wall
from spatial_assets.studio.workshop import TRIES, Workshop, between

SLACK = math.radians(2.0)
"""How far from straight furniture stands against a wall."""
LOOSE = frozenset(
    {"box", "backpack", "suitcase", "basket", "chair", "trash_can", "stool", "shoes", "bag", "stuffed_animal"}
)
"""Kinds that somebody put down without a thought."""
PLUMBED = frozenset({"bathtub", "toilet", "bathroom_vanity", "washing_machine"})
"""Kinds whose pipes keep them straight."""
FLUSH = 0.001
"""Meters between a wall and what is set into it."""
DOOR_CLEARANCE = 0.85
"""Meters of floor in front of a door."""
SILL_HEIGHT = (0.80, 0.95)
"""Meters from the floor to a window's lower edge, where the window is not too tall for it."""
LINTEL = 0.08
"""Meters of wall above a window, at least."""
UNIT = (0.6, 0.6, 0.9)
"""Width, depth and height of a kitchen unit, meters."""
KITCHEN_ROW = (
    "kitchen_cabinet",
    "stove",
    "kitchen_cabinet",
    "kitchen_cabinet",
    "dishwasher",
    "kitchen_cabinet",
)
HOOD_HEIGHT, CUPBOARD_HEIGHT = 1.55, 1.45
"""Meters from the floor to what hangs over a worktop."""


def openings(shop: Workshop, room: int) -> None:
    """Doors and windows. They come first: furniture then leaves them free."""
    rng, layout = shop.rng, shop.layout
    doors = 1 if room == 0 or rng.random() < 0.4 else 0
    for _ in range(doors + int(rng.random() < 0.25)):
        door = shop.build("door")

        spots: list[tuple[Wall, float]] = []

        def at_wall(model: Model = door, spots: list[tuple[Wall, float]] = spots) -> Placed | None:
            spot = shop.wall_spot(room, model, 0.1)
            if spot is None or any(a - 0.6 < spot[1] < b + 0.6 for a, b, _ in spot[0].openings):
                return None
            spots.append(spot)
            return layout.against(model, *spot, gap=FLUSH)

        index = shop.attempt(at_wall)
        if index is not None:
            d = layout.placed[index]
            wall, s = spots[-1]
            wall.gaps.append((s - float(d.model.high[0]), s + float(d.model.high[0])))
            x, y = d.local(0.0, -DOOR_CLEARANCE / 2)
            layout.clear.append(Rect(x, y, float(d.model.high[0]), DOOR_CLEARANCE / 2, d.yaw))
            switch = shop.build("light_switch")
            x, y = d.local(float(d.model.high[0]) + 0.12, -0.002)
            layout.add(Placed(switch, x, y, 1.05, d.yaw, room))
    count = int(rng.random() * 2) + (layout.plan.rooms[room].kind != "bathroom")
    for _ in range(count):
        window = shop.build("window")
        tallest = layout.plan.height - LINTEL - float(window.high[2])
        sill = min(between(rng, *SILL_HEIGHT), tallest)

        def in_wall(model: Model = window, z: float = sill) -> Placed | None:
            spot = shop.wall_spot(room, model, 0.25)
            if spot is None or spot[0].openings:
                return None
            return layout.against(model, *spot, z=z, gap=FLUSH)

        shop.attempt(in_wall)


def to_wall(shop: Workshop, room: int, kind: str, _: str, count: int) -> None:
    """Backs to the walls; loose things stand less straight."""
    # One home buys the same shelf twice.
    model = shop.build(kind)
    loose = kind in LOOSE
    for _n in range(count):
        if loose:
            model = shop.build(kind) if kind != "chair" else model

        def spot(model: Model = model) -> Placed | None:
            at = shop.wall_spot(room, model)
            if at is None:
                return None
            turn = (2 * shop.rng.random() - 1) * (10 * SLACK if loose else SLACK)
            if kind in PLUMBED:
                turn = 0.0
            return shop.layout.against(
                model, *at, turn=turn, gap=0.02 + (0.1 * shop.rng.random() if loose else 0.0)
            )

        shop.attempt(spot)


def to_corner(shop: Workshop, room: int, kind: str, _: str, count: int) -> None:
    """Near the end of a wall, turned a little toward the room."""
    for _n in range(count):
        model = shop.build(kind)

        def spot(model: Model = model) -> Placed | None:
            half = float(max(model.high[0] - model.low[0], model.high[1] - model.low[1])) / 2
            walls = shop.layout.walls_of(room)
            wall = walls[int(shop.rng.random() * len(walls))]
            if wall.length < 3 * half:
                return None
            near = half + 0.06 + 0.25 * shop.rng.random()
            s = near if shop.rng.random() < 0.5 else wall.length - near
            turn = 0.0 if kind == "refrigerator" else (2 * shop.rng.random() - 1) * 0.5
            return shop.layout.against(model, wall, s, turn=turn, gap=0.03)

        shop.attempt(spot)


def hang(shop: Workshop, room: int, kind: str, height: str, count: int) -> None:
    """On the walls, the middle at `height` meters, give or take."""
    for _n in range(count):
        model = shop.build(kind)
        tall = float(model.high[2])

        def spot(model: Model = model, tall: float = tall) -> Placed | None:
            at = shop.wall_spot(room, model, 0.08)
            if at is None:
                return None
            reach = max(-float(model.low[0]), float(model.high[0])) + 0.05
            if any(a - reach < at[1] < b + reach for a, b, _ in at[0].openings):
                return None
            z = float(height) - tall / 2 + (shop.rng.random() - 0.5) * 0.12
            return shop.layout.against(model, *at, z=z, gap=0.002)

        shop.attempt(spot)


def kitchen_run(shop: Workshop, room: int, kind: str, _: str, __: int) -> None:
    """A row of units of one depth and height along a wall, cupboards and a hood above, a sink in the worktop."""
    rng = shop.rng
    row = list(KITCHEN_ROW)
    row = row[: 4 + int(rng.random() * 3)]
    cupboard = build(kind, rng, shop.home, UNIT)
    models = [cupboard if k == kind else build(k, rng, shop.home, UNIT) for k in row]
    step = UNIT[0] + 0.012
    for _t in range(2 * TRIES):
        walls = [w for w in shop.layout.walls_of(room) if w.length > step * len(row) + 0.1 and not w.openings]
        if not walls:
            models, row = models[:-1], row[:-1]
            if len(row) < 2:
                return
            continue
        wall = walls[int(rng.random() * len(walls))]
        start = between(rng, 0.02, wall.length - step * len(row) - 0.02) if rng.random() < 0.5 else 0.03
        things = [
            shop.layout.against(m, wall, start + step * (k + 0.5), gap=0.02) for k, m in enumerate(models)
        ]
        if all(shop.layout.fits(t) for t in things):
            break
    else:
        return
    upper = build("wall_cabinet", rng, shop.home, (0.58, 0.34, 0.62))
    sink_at = next((k for k in range(len(row) - 1, -1, -1) if row[k] == kind), None)
    for k, thing in enumerate(things):
        index = shop.layout.add(thing)
        if index is None:
            continue
        s = start + step * (k + 0.5)
        if row[k] == "stove":
            shop.layout.add(shop.layout.against(shop.build("range_hood"), wall, s, z=HOOD_HEIGHT, gap=0.004))
        else:
            shop.layout.add(shop.layout.against(upper, wall, s, z=CUPBOARD_HEIGHT, gap=0.004))
        if k == sink_at:
            sink = shop.build("kitchen_sink")
            x, y = thing.local(0.0, -0.02)
            shop.layout.add(Placed(sink, x, y, thing.top, thing.yaw, room, index))
