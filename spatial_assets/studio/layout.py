"""Where things stand: placed models, and the rules that keep them apart and the floor walkable."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from spatial_assets.studio.models.base import Model
from spatial_assets.studio.rooms import FloorPlan, Wall
from spatial_assets.studio.surfaces import Patches, moved, turned

BODY = 0.27
"""Meters between the line somebody walks and the nearest thing: half a person and a little more."""
HEAD = 2.0
"""What hangs higher than this, meters, is in nobody's way."""
STEP_OVER = 0.05
"""What is lower than this, meters, can be walked on: rugs and mats."""
LEAST_ROOM = 0.9
"""Square meters of walkable floor that furnishing must leave in every room."""
APART = 0.004
"""Meters between two things, at least, so that neither shows through the other."""


@dataclass(frozen=True)
class Rect:
    """An oriented rectangle in plan."""

    x: float
    y: float
    half_w: float
    half_d: float
    yaw: float

    def corners(self) -> np.ndarray:
        """(4, 2), meters in plan, counterclockwise."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        local = signs * (self.half_w, self.half_d)
        return np.stack(
            [self.x + c * local[:, 0] - s * local[:, 1], self.y + s * local[:, 0] + c * local[:, 1]], axis=1
        )

    def polygon(self) -> Polygon:
        return Polygon(self.corners())


def overlap(a: Rect, b: Rect, margin: float = APART) -> bool:
    """Whether two rectangles come closer than `margin` (separating axes, so at most `margin` too strict at
    corners)."""
    dx, dy = b.x - a.x, b.y - a.y
    for one, other in ((a, b), (b, a)):
        c, s = math.cos(one.yaw), math.sin(one.yaw)
        cd, sd = abs(math.cos(one.yaw - other.yaw)), abs(math.sin(one.yaw - other.yaw))
        if abs(dx * c + dy * s) > one.half_w + other.half_w * cd + other.half_d * sd + margin:
            return False
        if abs(-dx * s + dy * c) > one.half_d + other.half_w * sd + other.half_d * cd + margin:
            return False
    return True


@dataclass(frozen=True)
class Placed:
    """A model at its place."""

    model: Model
    x: float
    y: float
    z: float
    yaw: float
    room: int
    parent: int | None = None
    """Index of what it stands on or belongs to."""

    @property
    def footprint(self) -> Rect:
        low, high = self.model.low, self.model.high
        mx, my = float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return Rect(
            self.x + c * mx - s * my,
            self.y + s * mx + c * my,
            float(high[0] - low[0]) / 2,
            float(high[1] - low[1]) / 2,
            self.yaw,
        )

    @property
    def top(self) -> float:
        return self.z + float(self.model.high[2])

    def local(self, x: float, y: float) -> tuple[float, float]:
        """World position of a point of the model's frame."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return self.x + c * x - s * y, self.y + s * x + c * y

    def patches(self) -> Patches:
        return moved(self.model.patches, (self.x, self.y, self.z), turned(z=self.yaw))


def _largest(geometry: BaseGeometry) -> Polygon:
    if geometry.geom_type == "Polygon":
        return geometry
    parts = [g for g in getattr(geometry, "geoms", []) if g.geom_type == "Polygon"]
    return max(parts, key=lambda g: float(g.area)) if parts else Polygon()


@dataclass
class Layout:
    """A home being furnished."""

    plan: FloorPlan
    placed: list[Placed] = field(default_factory=list)
    clear: list[Rect] = field(default_factory=list)
    """Floor that stays free: in front of doors and in passages."""
    walkable: Polygon = field(default_factory=Polygon)

    def __post_init__(self) -> None:
        self.outlines = [room.outline for room in self.plan.rooms]
        self.walkable = _largest(self.plan.floor.buffer(-BODY, join_style="mitre"))
        for x0, y0, x1, y1 in self.plan.passages:
            self.clear.append(Rect((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2 + 0.75, (y1 - y0) / 2, 0.0))

    def count(self, kind: str) -> int:
        return sum(p.model.kind == kind for p in self.placed)

    def _left_over(self, thing: Placed) -> Polygon | None:
        """The walkable floor once `thing` stands there; None if it would cut the home apart."""
        blocked = thing.footprint.polygon().buffer(BODY, join_style="mitre")
        rest = self.walkable.difference(blocked)
        largest = _largest(rest)
        for outline in self.outlines:
            if float(largest.intersection(outline).area) < LEAST_ROOM:
                return None
        # A pocket behind furniture is fine, losing a good part of the floor is not.
        return largest if float(rest.area) - float(largest.area) < 0.8 else None

    def fits(self, thing: Placed, ignore: tuple[int, ...] = (), keep_clear: bool = True) -> bool:
        """Whether it stands inside its room, apart from everything at its height and off the ways."""
        mine = thing.footprint
        if thing.top > self.plan.height - 0.01 or not self.outlines[thing.room].contains(mine.polygon()):
            return False
        if keep_clear and thing.z < HEAD and any(overlap(mine, zone) for zone in self.clear):
            return False
        for k, other in enumerate(self.placed):
            if k in ignore or other.z >= thing.top or thing.z >= other.top:
                continue
            if overlap(mine, other.footprint):
                return False
        return True

    def add(self, thing: Placed, ignore: tuple[int, ...] = (), keep_clear: bool = True) -> int | None:
        """Places it if it fits and leaves room to walk; its index, or None."""
        if not self.fits(thing, ignore, keep_clear):
            return None
        on_floor = thing.parent is None or thing.z == 0.0
        if on_floor and thing.z < HEAD and thing.top > STEP_OVER:
            left = self._left_over(thing)
            if left is None:
                return None
            self.walkable = left
        self.placed.append(thing)
        return len(self.placed) - 1

    def move(self, number: int, thing: Placed) -> bool:
        """Puts something on the floor elsewhere, if it fits there and leaves room to walk; its old place is not walked
        on either."""
        if not self.fits(thing, (number,)):
            return False
        left = self._left_over(thing)
        if left is None:
            return False
        self.walkable = left
        self.placed[number] = thing
        return True

    def against(
        self, model: Model, wall: Wall, s: float, z: float = 0.0, gap: float = 0.006, turn: float = 0.0
    ) -> Placed:
        """The model with its back to a wall, its middle `s` meters along it, turned by `turn` radians."""
        nx, ny = wall.inward
        px, py = wall.point(s)
        away = float(model.high[1]) + gap + abs(math.sin(turn)) * float(model.high[0])
        yaw = math.atan2(ny, nx) + math.pi / 2 + turn
        return Placed(model, px + nx * away, py + ny * away, z, yaw, wall.room)

    def walls_of(self, room: int) -> list[Wall]:
        return [w for w in self.plan.walls if w.room == room]

    def room_box(self, room: int) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = self.outlines[room].bounds
        return float(x0), float(y0), float(x1), float(y1)
