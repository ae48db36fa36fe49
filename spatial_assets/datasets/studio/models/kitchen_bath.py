"""Kitchen and bathroom: appliances, cupboards, crockery's larger relatives, sanitary ware."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from spatial_assets.datasets.studio.models.base import (
    BLACK,
    CERAMIC,
    CHROME,
    DARK,
    OVAL,
    STEEL,
    WHITE,
    Built,
    Palette,
    Top,
    model,
    pick,
    top_of,
)
from spatial_assets.datasets.studio.surfaces import (
    Material,
    Patch,
    Patches,
    Point,
    box,
    cylinder,
    ellipsoid,
    lathe,
    moved,
    soft_box,
    tube,
    turned,
)
from spatial_assets.scene import Float

COUNTER = 0.035
"""Thickness of a worktop, metres."""


def _grip(x0: float, x1: float, y: float, z: float, radius: float = 0.009) -> Patches:
    """A bar handle along x, 3 cm in front of the plane at depth `y`."""
    parts = tube((x0, y - 0.03, z), (x1, y - 0.03, z), radius, STEEL)
    for x in (x0 + 0.03, x1 - 0.03):
        parts += tube((x, y - 0.03, z), (x, y, z), radius * 0.8, STEEL)
    return parts


def _front(w: float, h: float, face: Material, y: float, z: float, x: float = 0.0) -> Patches:
    """A kitchen door with its handle at the top."""
    parts = box((w - 0.008, 0.018, h - 0.008), face, (x, y - 0.009, z + 0.004))
    parts += box((w - 0.12, 0.006, h - 0.12), face, (x, y - 0.019, z + 0.06))
    return parts + _grip(x - 0.07, x + 0.07, y - 0.016, z + h - 0.035, 0.006)


def _base(w: float, d: float, h: float, body: Material, counter: Material) -> Patches:
    parts = box((w - 0.02, d - 0.08, 0.1), DARK, (0, 0.03, 0))
    parts += box((w, d - 0.05, h - 0.1 - COUNTER), body, (0, 0.015, 0.1))
    return parts + box((w, d, COUNTER), counter, (0, 0, h - COUNTER))


def _counter(home: Palette) -> Material:
    return Material("marble", home.woods[0] if max(home.woods[0]) < 0.5 else (0.8, 0.79, 0.76), 0.8)


@model("kitchen_cabinet")
def _kitchen_cabinet(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    face = home.wood(rng) if rng.random() < 0.5 else WHITE
    parts = _base(w, d, h, WHITE, _counter(home))
    y, low, tall = -d / 2 + 0.04, 0.1, h - 0.1 - COUNTER
    count = max(1, round(w / 0.5))
    each = w / count
    for k in range(count):
        x = -w / 2 + each * (k + 0.5)
        parts += _front(each, tall * 0.74, face, y, low, x) + _front(
            each, tall * 0.26, face, y, low + tall * 0.74, x
        )
    return Built(parts, (top_of(w, d - 0.06, h, 0.05, 0.45),))


@model("kitchen_sink")
def _kitchen_sink(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    # A sink that stands on its counter: rim, basin with walls, and tap; its bottom is the counter's top.
    w, d, h = size
    rim = 0.03
    parts: Patches = []
    for side in (-1, 1):
        parts += box((0.02, d, rim), STEEL, (side * (w / 2 - 0.01), 0, 0))
        parts += box((w - 0.04, 0.02, rim), STEEL, (0, side * (d / 2 - 0.01), 0))
    parts += box((w - 0.04, d - 0.04, 0.006), Material("metal", (0.5, 0.51, 0.53), 0.4))
    parts += cylinder(0.03, 0.003, BLACK, (0, 0, 0.0055))
    y = d / 2 - 0.035
    parts += box((0.09, 0.07, rim), STEEL, (0, d / 2 - 0.055, 0)) + cylinder(0.02, 0.04, CHROME, (0, y, rim))
    path = [
        (y, rim + 0.03),
        (y, h - 0.03),
        (y - 0.05, h - 0.008),
        (y - 0.13, h - 0.012),
        (y - 0.15, h - 0.06),
    ]
    for (y0, z0), (y1, z1) in pairwise(path):
        parts += tube((0, y0, z0), (0, y1, z1), 0.011, CHROME)
    return Built(parts + tube((0.015, y, rim + 0.035), (0.075, y, rim + 0.055), 0.007, CHROME))


@model("wall_cabinet")
def _wall_cabinet(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    face = home.wood(rng) if rng.random() < 0.5 else WHITE
    parts = box((w, d - 0.02, h), WHITE, (0, -(d - 0.02) / 2, 0))
    count = 2 if w > 0.5 else 1
    for k in range(count):
        x = -w / 2 + w / count * (k + 0.5)
        parts += box((w / count - 0.008, 0.018, h - 0.008), face, (x, -d + 0.012, 0.004))
        parts += box((w / count - 0.12, 0.006, h - 0.14), face, (x, -d + 0.002, 0.07))
        parts += tube((x, -d - 0.02, 0.03), (x, -d - 0.02, 0.13), 0.006, STEEL)
    return Built(moved(parts, (0, 0.0, 0)))


@model("stove")
def _stove(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (WHITE, STEEL, DARK))
    parts = box((w, d - 0.04, h - 0.02), body, (0, 0.02, 0))
    parts += box((w, d, 0.02), BLACK, (0, 0, h - 0.025))
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y, r = sx * w * 0.24, sy * d * 0.22, 0.1 if sx * sy > 0 else 0.08
            parts += lathe(
                [(r, 0), (r, 0.012), (r - 0.025, 0.012), (r - 0.025, 0)], DARK, (x, y, h - 0.006), squash=OVAL
            )
            parts += cylinder(0.035, 0.01, STEEL, (x, y, h - 0.006))
    y = -d / 2 + 0.04
    for k in range(5):
        knob = cylinder(0.02, 0.025, BLACK, (0, 0, 0))
        parts += moved(knob, (w * (-0.36 + 0.18 * k), y, h - 0.075), turned(x=math.pi / 2))
    parts += box((w - 0.03, 0.02, h * 0.5), body, (0, y - 0.01, 0.2))
    parts += box((w - 0.16, 0.008, h * 0.3), BLACK, (0, y - 0.022, 0.26))
    parts += _grip(-w * 0.36, w * 0.36, y - 0.02, 0.2 + h * 0.46)
    return Built(parts + box((w - 0.03, 0.02, 0.13), body, (0, y - 0.01, 0.05)))


@model("dishwasher")
def _dishwasher(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (WHITE, STEEL))
    parts = box((w, d - 0.05, h), body, (0, 0.025, 0))
    y = -d / 2 + 0.05
    parts += box((w - 0.008, 0.02, h - 0.24), body, (0, y - 0.01, 0.1)) + box(
        (w - 0.008, 0.02, 0.12), DARK, (0, y - 0.01, h - 0.13)
    )
    for k in range(4):
        parts += box((0.03, 0.006, 0.015), WHITE, (w * (-0.3 + 0.1 * k), y - 0.022, h - 0.08))
    return Built(parts + _grip(-w * 0.34, w * 0.34, y - 0.018, h - 0.19), (top_of(w, d, h, 0.05, 0.4),))


@model("range_hood")
def _range_hood(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = box((w, d, 0.05), STEEL, (0, -d / 2, 0)) + box(
        (w * 0.7, d * 0.65, 0.07), STEEL, (0, -d * 0.34, 0.05)
    )
    parts += box((w * 0.4, d * 0.5, h - 0.12), STEEL, (0, -d * 0.26, 0.12))
    return Built(parts + box((w * 0.3, 0.004, 0.02), BLACK, (0, -d - 0.001, 0.015)))


@model("refrigerator")
def _refrigerator(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (WHITE, STEEL, Material("plain", (0.75, 0.3, 0.25), 0.5)))
    parts = box((w, d - 0.09, h - 0.03), body, (0, 0.045, 0.03))
    y = -d / 2 + 0.09
    split = h * (0.66 if rng.random() < 0.5 else 0.34)
    for z, tall in ((0.05, split - 0.055), (split + 0.005, h - split - 0.01)):
        parts += soft_box((w, 0.055, tall), body, (0, y - 0.0275, z), radius=0.015)
        x = w / 2 - 0.06
        low = z + tall * 0.3
        parts += tube((x, y - 0.085, low), (x, y - 0.085, low + tall * 0.4), 0.01, STEEL)
        for at in (low + 0.02, low + tall * 0.4 - 0.02):
            parts += tube((x, y - 0.085, at), (x, y - 0.05, at), 0.007, STEEL)
    for k in range(3):
        note = Material("paper", pick(rng, ((1.0, 1.0, 0.7), (1.0, 1.0, 1.0), (0.8, 0.9, 1.0))), 0)
        place = (-w * 0.3 + 0.16 * k, y - 0.056, h * 0.72 + 0.1 * rng.random())
        parts += box((0.09, 0.003, 0.1), WHITE, place, front=note)
    return Built(parts, (top_of(w, d - 0.1, h, 0.05, 0.35),))


@model("microwave")
def _microwave(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (WHITE, STEEL, DARK))
    parts = soft_box((w, d - 0.03, h - 0.012), body, (0, 0.015, 0.012), radius=0.012)
    y = -d / 2 + 0.03
    parts += box((w * 0.7, 0.016, h - 0.05), BLACK, (-w * 0.12, y - 0.008, 0.03))
    parts += box(
        (w * 0.2, 0.01, h - 0.05),
        DARK,
        (w * 0.36, y - 0.005, 0.03),
        front=Material("keys", (0.5, 0.5, 0.5), 0),
    )
    parts += tube((w * 0.21, y - 0.025, 0.06), (w * 0.21, y - 0.025, h - 0.05), 0.008, STEEL)
    for sx in (-1, 1):
        for sy in (-1, 1):
            parts += cylinder(0.014, 0.014, BLACK, (sx * w * 0.4, sy * d * 0.36, 0))
    return Built(parts, (top_of(w, d, h, 0.04, 0.3),))


@model("toaster")
def _toaster(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = soft_box(
        (w - 0.02, d, h - 0.012), pick(rng, (STEEL, home.paint(rng))), (-0.01, 0, 0.012), radius=0.03
    )
    parts += box((w * 0.88, d * 0.9, 0.014), BLACK, (-0.01, 0, 0))
    for y in (-d * 0.17, d * 0.17):
        parts += box((w * 0.7, 0.026, 0.004), BLACK, (-0.01, y, h - 0.002))
        if rng.random() < 0.4:
            bread = Material("speckle", (0.75, 0.52, 0.28), 0.1)
            parts += soft_box((w * 0.5, 0.018, 0.05), bread, (-0.01, y, h - 0.012), radius=0.008)
    return Built(parts + box((0.022, 0.04, 0.014), BLACK, (w / 2 - 0.011, 0, h * 0.66)))


@model("coffee_maker")
def _coffee_maker(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (BLACK, STEEL, home.paint(rng)))
    parts = soft_box((w, d, 0.04), body, radius=0.012)
    parts += soft_box((w, d * 0.38, h - 0.03), body, (0, d * 0.31, 0.03), radius=0.02)
    parts += soft_box((w, d * 0.9, h * 0.25), body, (0, d * 0.04, h * 0.75), radius=0.02)
    glass = Material("plain", (0.22, 0.13, 0.08), 0.5)
    r = min(w * 0.36, d * 0.25)
    profile = [(0, 0), (r * 0.9, 0), (r, h * 0.14), (r * 0.92, h * 0.34), (r * 0.6, h * 0.46), (0, h * 0.46)]
    parts += lathe(profile, glass, (0, -d * 0.18, 0.04), squash=OVAL)
    grip = [(r * 0.9, 0.1), (r * 1.35, 0.11), (r * 1.3, 0.04 + h * 0.36), (r * 0.85, 0.04 + h * 0.4)]
    for (y0, z0), (y1, z1) in pairwise(grip):
        parts += tube((0, -d * 0.18 - y0, z0), (0, -d * 0.18 - y1, z1), 0.007, BLACK)
    return Built(parts)


@model("kettle")
def _kettle(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (STEEL, WHITE, home.paint(rng)))
    r = d / 2
    parts = cylinder(r, 0.02, BLACK, squash=OVAL)
    profile = [
        (0, 0.02),
        (r * 0.92, 0.02),
        (r * 0.95, h * 0.3),
        (r * 0.72, h * 0.8),
        (r * 0.5, h * 0.9),
        (0, h * 0.93),
    ]
    parts += lathe(profile, body, smooth=True, squash=OVAL) + ellipsoid(
        (0.015, 0.015, 0.016), BLACK, (0, 0, h * 0.94)
    )
    parts += tube((-r * 0.6, 0, h * 0.7), (-r * 1.15, 0, h * 0.84), 0.018, body, 0.011)
    reach = w - r
    path = [
        (r * 0.6, h * 0.84),
        (reach * 0.8, h * 0.86),
        (reach, h * 0.66),
        (reach * 0.96, h * 0.3),
        (r * 0.9, h * 0.22),
    ]
    for (x0, z0), (x1, z1) in pairwise(path):
        parts += tube((x0, 0, z0), (x1, 0, z1), 0.011, BLACK)
    return Built(parts)


@model("pot")
def _pot(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    body = pick(rng, (STEEL, DARK, home.paint(rng)))
    r, tall = d / 2, h * 0.72
    parts = lathe([(0, 0), (r * 0.94, 0), (r, 0.015), (r, tall), (r + 0.004, tall)], body, squash=OVAL)
    parts += lathe(
        [(r + 0.004, tall), (r * 0.9, tall + 0.014), (r * 0.4, h - 0.024), (0, h - 0.02)], STEEL, squash=OVAL
    )
    parts += cylinder(0.018, 0.022, BLACK, (0, 0, h - 0.022))
    for side in (-1, 1):
        x = side * (r - 0.004)
        out = side * (w / 2 - 0.008)
        parts += tube((x, -0.035, tall * 0.8), (out, -0.03, tall * 0.82), 0.006, BLACK)
        parts += tube((x, 0.035, tall * 0.8), (out, 0.03, tall * 0.82), 0.006, BLACK)
        parts += tube((out, -0.033, tall * 0.82), (out, 0.033, tall * 0.82), 0.007, BLACK)
    return Built(parts)


@model("toilet")
def _toilet(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    seat = 0.41
    tank = 0.19
    front = d - tank
    parts = soft_box(
        (w * 0.94, tank, h - seat + 0.02), CERAMIC, (0, (d - tank) / 2, seat - 0.04), radius=0.03
    )
    parts += soft_box(
        (w * 0.98, tank + 0.012, 0.035), CERAMIC, (0, (d - tank) / 2 - 0.004, h - 0.04), radius=0.014
    )
    parts += cylinder(0.022, 0.012, CHROME, (0, (d - tank) / 2, h - 0.008))
    bowl = [
        (0, 0),
        (w * 0.3, 0),
        (w * 0.27, 0.1),
        (w * 0.34, 0.24),
        (w * 0.47, seat - 0.05),
        (w * 0.48, seat - 0.02),
    ]
    stretch = front / w
    parts += lathe(bowl, CERAMIC, (0, -tank / 2, 0), smooth=True, squash=stretch)
    rim = w * 0.48
    hole = [
        (rim, seat - 0.02),
        (rim + 0.006, seat),
        (rim - 0.05, seat),
        (rim - 0.07, seat - 0.05),
        (rim - 0.11, 0.24),
        (0, 0.2),
    ]
    parts += lathe(hole, CERAMIC, (0, -tank / 2, 0), squash=stretch)
    lid = lathe([(0, 0), (rim - 0.01, 0), (rim - 0.004, 0.018), (0, 0.022)], WHITE, squash=stretch)
    if rng.random() < 0.5:
        parts += moved(lid, (0, -tank / 2, seat + 0.002))
    else:
        raised = moved(
            moved(lid, (0, -front / 2, 0)), (0, d / 2 - tank - 0.075, seat), turned(x=-math.radians(82))
        )
        parts += raised
    parts += box((w * 0.4, front * 0.5, seat - 0.12), CERAMIC, (0, d / 2 - tank - front * 0.2, 0))
    return Built(parts)


@model("bathtub")
def _bathtub(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    rim = 0.075
    parts = box((w, 0.03, h - 0.03), CERAMIC, (0, -d / 2 + 0.02, 0)) + box(
        (w, 0.03, h - 0.03), CERAMIC, (0, d / 2 - 0.02, 0)
    )
    for side in (-1, 1):
        parts += box((0.03, d - 0.07, h - 0.03), CERAMIC, (side * (w / 2 - 0.02), 0, 0))
        parts += soft_box((rim, d, 0.04), CERAMIC, (side * (w - rim) / 2, 0, h - 0.04), radius=0.015)
        parts += soft_box(
            (w - 2 * rim + 0.02, rim, 0.04), CERAMIC, (0, side * (d - rim) / 2, h - 0.04), radius=0.015
        )
    inner_w, inner_d, deep = w / 2 - rim, d / 2 - rim, h - 0.15
    # An oval basin, its wall drawn from the rim inwards and down.
    basin = [
        (inner_w, h - 0.012),
        (inner_w * 0.97, h - 0.1),
        (inner_w * 0.9, h - deep * 0.8),
        (inner_w * 0.8, 0.15),
        (0, 0.14),
    ]
    parts += lathe(basin, CERAMIC, smooth=True, squash=inner_d / inner_w, sides=24)

    def deck(u: Float, v: Float) -> Float:
        """The level part between the rim, a rectangle, and the basin, an oval."""
        x, y = np.cos(2 * math.pi * u), np.sin(2 * math.pi * u)
        # Beneath the rim boards the rectangle may lose its corners to the sampling.
        square = 1 / np.maximum(np.abs(x) / (inner_w + 0.06), np.abs(y) / (inner_d + 0.06))
        outer, inner = np.stack([square * x, square * y], 1), np.stack([inner_w * x, inner_d * y], 1)
        flat = outer + v[:, None] * (inner - outer)
        return np.column_stack([flat, np.full(len(u), h - 0.012)])

    parts.append(Patch(deck, (2 * w, d * 0.3), (24, 3), CERAMIC, closed=True))
    x = w / 2 - 0.05
    parts += tube((x, 0, h), (x, 0, h + 0.09), 0.014, CHROME) + tube(
        (x, 0, h + 0.085), (x - 0.13, 0, h + 0.07), 0.012, CHROME
    )
    for side in (-1, 1):
        parts += cylinder(0.02, 0.04, CHROME, (x, side * 0.08, h - 0.002))
    return Built(parts)


@model("bathroom_vanity")
def _bathroom_vanity(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    face = home.wood(rng) if rng.random() < 0.6 else WHITE
    top = h - 0.17
    parts = box((w - 0.02, d - 0.06, top - 0.16), face, (0, 0.02, 0.12)) + box(
        (w - 0.1, d - 0.12, 0.12), DARK, (0, 0.04, 0)
    )
    y = -d / 2 + 0.05
    count = 2 if w > 0.6 else 1
    for k in range(count):
        each = (w - 0.03) / count
        parts += _front(each, top - 0.18, face, y, 0.13, -(w - 0.03) / 2 + each * (k + 0.5))
    parts += soft_box((w, d, 0.045), CERAMIC, (0, 0, top - 0.045), radius=0.015)
    r = min(w * 0.34, 0.26)
    squash = (d * 0.36) / r
    bowl = [(r * 0.8, 0), (r, 0.055), (r - 0.012, 0.055), (r * 0.72, 0.012), (0, 0.008)]
    parts += lathe(bowl, CERAMIC, (0, -0.03, top - 0.004), squash=squash)
    parts += cylinder(0.02, 0.004, STEEL, (0, -0.03, top + 0.004))
    back = d / 2 - 0.035
    parts += tube((0, back, top - 0.005), (0, back, h - 0.012), 0.013, CHROME)
    parts += tube((0, back, h - 0.02), (0, back - 0.14, h - 0.05), 0.011, CHROME)
    parts += tube((0, back, h - 0.012), (0, back + 0.01, h), 0.016, CHROME)
    side = Top((w / 2 - (w / 2 - r) + 0.01, -d / 2 + 0.06), (w / 2 - 0.03, d / 2 - 0.06), top, 0.35)
    return Built(parts, (side,) if w / 2 - r > 0.14 else ())


@model("washing_machine")
def _washing_machine(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = soft_box((w, d - 0.04, h), WHITE, (0, 0.02, 0), radius=0.012)
    y = -d / 2 + 0.04
    r = w * 0.27
    ring = lathe(
        [(0, 0), (r + 0.035, 0), (r + 0.03, 0.02), (r, 0.026), (r * 0.92, 0.01), (r * 0.5, 0.03), (0, 0.036)],
        STEEL,
    )
    parts += moved(ring, (0, y, h * 0.46), turned(x=math.pi / 2))
    glass = ellipsoid(
        (r * 0.9, 0.03, r * 0.9), Material("plain", (0.16, 0.19, 0.24), 0.5), (0, y - 0.012, h * 0.46)
    )
    parts += glass + box((w - 0.04, 0.012, 0.11), DARK, (0, y - 0.004, h - 0.14))
    knob = cylinder(0.03, 0.025, WHITE)
    parts += moved(knob, (w * 0.2, y - 0.008, h - 0.085), turned(x=math.pi / 2))
    return Built(
        parts + box((w * 0.28, 0.012, 0.08), WHITE, (-w * 0.3, y - 0.012, h - 0.125)),
        (top_of(w, d, h, 0.05, 0.4),),
    )


@model("toilet_paper")
def _toilet_paper(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    # On its holder on the wall.
    w, d, h = size
    r = d / 2
    z = h - r
    roll = lathe([(0.02, 0), (r, 0), (r, w - 0.03), (0.02, w - 0.03), (0.02, 0)], WHITE)
    parts = moved(roll, (-(w - 0.03) / 2, -r, z), turned(y=math.pi / 2))
    parts += tube((-w / 2, -r, z), (w / 2 - 0.006, -r, z), 0.008, CHROME)
    parts += tube((w / 2 - 0.008, 0, z), (w / 2 - 0.008, -r, z), 0.007, CHROME)
    parts += box((0.05, 0.008, 0.05), CHROME, (w / 2 - 0.025, -0.004, z - 0.025))
    return Built(parts + box((w - 0.035, 0.003, z), WHITE, (0, -d + 0.0015, 0)))
