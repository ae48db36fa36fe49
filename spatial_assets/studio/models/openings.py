"""What is set into walls or hangs on them: doors, windows, curtains, radiators, pictures, mirrors.

The back of these models is y = 0; they reach into the room, toward -y.
"""

from __future__ import annotations

import math

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.studio.models.base import (
    BLACK,
    BRASS,
    CHROME,
    STEEL,
    WHITE,
    Built,
    Palette,
    model,
    pick,
)
from spatial_assets.studio.scenery import PAINTINGS
from spatial_assets.studio.surfaces import (
    Material,
    Patches,
    Point,
    box,
    cylinder,
    ellipsoid,
    moved,
    sheet,
    soft_box,
    tube,
    turned,
)


@model("door")
def _door(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    leaf = pick(rng, (WHITE, home.wood(rng), Material("wood", (0.93, 0.9, 0.84), 0.9)))
    frame = WHITE
    casing = 0.07
    parts: Patches = []
    for side in (-1, 1):
        parts += box((casing, d * 0.5, h), frame, (side * (w - casing) / 2, -d * 0.25, 0))
    parts += box((w - 2 * casing, d * 0.5, casing), frame, (0, -d * 0.25, h - casing))
    inner = w - 2 * casing - 0.008
    parts += box((inner, 0.028, h - casing - 0.012), leaf, (0, -0.014, 0.008))
    for z, tall in ((0.14, 0.62), (0.98, 0.82)):
        for x in (-inner / 4, inner / 4):
            parts += soft_box((inner / 2 - 0.13, 0.024, tall), leaf, (x, -0.03, z), radius=0.01)
    grip = inner / 2 - 0.055
    parts += cylinder(0.026, 0.012, STEEL, (grip, -0.034, 1.0))
    parts += tube((grip, -0.03, 1.02), (grip, -d + 0.012, 1.02), 0.009, STEEL)
    parts += tube((grip, -d + 0.012, 1.02), (grip - 0.12, -d + 0.012, 1.02), 0.009, STEEL)
    return Built(parts)


@model("window")
def _window(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    frame = pick(rng, (WHITE, home.wood(rng), Material("plain", (0.3, 0.31, 0.33), 0.5)))
    bar = 0.055
    glass = Material(pick(rng, home.views), (1.0, 1.0, 1.0), 0)
    parts = box((w - 2 * bar, 0.012, h - 2 * bar), frame, (0, -0.012, bar), front=glass)
    for side in (-1, 1):
        parts += box((bar, d * 0.5, h), frame, (side * (w - bar) / 2, -d * 0.25, 0))
        parts += box((w - 2 * bar, d * 0.5, bar), frame, (0, -d * 0.25, 0 if side < 0 else h - bar))
    parts += box((0.04, d * 0.42, h - 2 * bar), frame, (0, -d * 0.21 - 0.001, bar))
    if h > 1.1:
        parts += box((w - 2 * bar, d * 0.3, 0.03), frame, (0, -d * 0.15 - 0.002, h * 0.62))
    # The sill is what reaches furthest into the room.
    parts += box((w + 0.08, d, 0.03), WHITE, (0, -d / 2, -0.03))
    return Built(moved(parts, (0, 0, 0.03)))


@model("curtain")
def _curtain(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    cloth = home.fabric(rng)
    folds = max(3, round(w / 0.13))
    swing = d / 2 - 0.012
    phase = rng.random()

    def surface(u: Float, v: Float) -> Float:
        wave = swing * np.sin(2 * math.pi * (folds * u + phase)) * (0.75 + 0.25 * (1 - v))
        return np.stack([(u - 0.5) * (w - 0.08), -d / 2 + wave, v * (h - 0.02)], axis=1)

    parts: Patches = [sheet(surface, (w * 1.6, h), cloth, (folds * 8, 4))]
    parts += tube((-w / 2, -d / 2, h - 0.01), (w / 2, -d / 2, h - 0.01), 0.01, STEEL)
    return Built(parts)


@model("radiator")
def _radiator(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    foot = 0.1
    parts = box((w, 0.015, h - foot - 0.02), WHITE, (0, -0.035, foot))
    columns = round(w / 0.06)
    step = w / columns
    for k in range(columns):
        x = -w / 2 + step * (k + 0.5)
        parts += soft_box(
            (step - 0.014, d - 0.045, h - foot), WHITE, (x, -d / 2 - 0.0225, foot), radius=0.012
        )
    for side in (-1, 1):
        parts += box((0.03, d - 0.05, foot), WHITE, (side * (w / 2 - 0.1), -d / 2, 0))
    parts += cylinder(0.018, 0.06, WHITE, (w / 2 + 0.02, -d / 2, foot + 0.02))
    parts += tube((w / 2 + 0.02, -d / 2, 0.0), (w / 2 + 0.02, -d / 2, foot + 0.03), 0.009, CHROME)
    return Built(parts)


def _framed(w: float, d: float, h: float, frame: Material, face: Material, bar: float) -> Patches:
    """A flat picture in a frame."""
    parts = box((w - 2 * bar, d * 0.5, h - 2 * bar), frame, (0, -d * 0.25, bar), front=face)
    for side in (-1, 1):
        parts += box((bar, d, h), frame, (side * (w - bar) / 2, -d / 2, 0))
        parts += box((w - 2 * bar, d, bar), frame, (0, -d / 2, 0 if side < 0 else h - bar))
    return parts


@model("picture")
def _picture(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    frame = pick(rng, (BLACK, WHITE, BRASS, home.wood(rng)))
    image = Material(pick(rng, PAINTINGS), (1.0, 1.0, 1.0), 0)
    bar = 0.03
    parts = _framed(w, d, h, frame, WHITE, bar)
    mount = 0.06 if rng.random() < 0.5 else 0.0
    inner = (w - 2 * bar - 2 * mount, 0.004, h - 2 * bar - 2 * mount)
    parts += box(inner, WHITE, (0, -d * 0.5 - 0.002, bar + mount), front=image)
    return Built(parts)


@model("mirror")
def _mirror(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    frame = pick(rng, (BRASS, BLACK, home.wood(rng), STEEL))
    return Built(_framed(w, d, h, frame, Material("mirror", (0.86, 0.9, 0.93), 0), 0.035))


@model("whiteboard")
def _whiteboard(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = _framed(w, d * 0.7, h - 0.03, STEEL, Material("scribble", (1.0, 1.0, 1.0), 0), 0.02)
    parts = moved(parts, (0, 0, 0.03)) + box((w * 0.5, 0.06, 0.012), STEEL, (0, -0.03, 0.02))
    for k, color in enumerate(((0.1, 0.2, 0.7), (0.75, 0.1, 0.1), (0.1, 0.45, 0.2))):
        pen = Material("plain", color, 0.5)
        x = -w * 0.15 + 0.15 * k * w
        parts += tube((x, -0.04, 0.04), (x + 0.12, -0.04, 0.04), 0.008, pen)
    return Built(parts)


@model("clock")
def _clock(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    rim = pick(rng, (BLACK, STEEL, home.wood(rng), home.paint(rng)))
    face = Material("clock", (1.0, 1.0, 1.0), 0)
    side = w * 0.62
    disc = cylinder(w / 2, d * 0.8, rim, top_radius=w / 2 - 0.008)
    disc += cylinder(w / 2 - 0.02, d * 0.86, WHITE)
    parts = moved(disc, (0, 0, h / 2), turned(x=math.pi / 2))
    parts += box((side, d, side), WHITE, (0, -d / 2 - 0.0, h / 2 - side / 2), front=face)
    return Built(parts)


@model("towel")
def _towel(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    cloth = Material(pick(rng, ("carpet", "stripes")), pick(rng, home.fabrics), 0.3)
    z = h - 0.015
    parts = tube((-w / 2 - 0.03, -d + 0.015, z), (w / 2 + 0.03, -d + 0.015, z), 0.009, CHROME)
    for side in (-1, 1):
        x = side * (w / 2 + 0.02)
        parts += tube((x, 0, z), (x, -d + 0.01, z), 0.008, CHROME)
        parts += ellipsoid((0.014, 0.008, 0.014), CHROME, (x, -0.008, z))
    parts += soft_box((w, 0.016, h - 0.03), cloth, (0, -d + 0.008, 0), radius=0.007)
    parts += soft_box((w, 0.012, h * 0.6), cloth, (0, -d + 0.032, h * 0.38), radius=0.005)
    return Built(parts)


@model("light_switch")
def _light_switch(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = box((w, d * 0.6, h), WHITE, (0, -d * 0.3, 0))
    return Built(parts + box((w * 0.6, d * 0.4, h * 0.6), WHITE, (0, -d * 0.8, h * 0.2)))


@model("power_outlet")
def _power_outlet(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    parts = box((w, d, h), WHITE, (0, -d / 2, 0))
    count = round(w / h)
    for k in range(count):
        socket = cylinder(h * 0.36, 0.002, Material("plain", (0.7, 0.7, 0.7), 0.5))
        parts += moved(socket, (-w / 2 + w / count * (k + 0.5), -d, h / 2), turned(x=math.pi / 2))
    return Built(parts)
