"""Screens, computers, lamps and other things with a plug."""

from __future__ import annotations

import math

import numpy as np

from spatial_assets.studio.models.base import (
    BLACK,
    BRASS,
    CHROME,
    DARK,
    OVAL,
    STEEL,
    WHITE,
    Built,
    Palette,
    model,
    pick,
    top_of,
)
from spatial_assets.studio.scenery import VIEWS
from spatial_assets.studio.surfaces import (
    Material,
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


def _panel(w: float, h: float, thick: float, image: str, bezel: float) -> Patches:
    """A flat screen whose bottom stands at the origin, its picture toward -y."""
    parts = box((w, thick, h), BLACK)
    picture = Material(image, (1.0, 1.0, 1.0), 0)
    return parts + box(
        (w - 2 * bezel, 0.004, h - 2 * bezel), BLACK, (0, -thick / 2 - 0.001, bezel), front=picture
    )


@model("tv")
def _tv(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    lift = 0.07
    parts = moved(_panel(w, h - lift, 0.04, pick(rng, ("film", *VIEWS)), 0.014), (0, 0, lift))
    parts += soft_box((w * 0.55, 0.05, (h - lift) * 0.5), DARK, (0, 0.035, lift + 0.08), radius=0.02)
    for side in (-1, 1):
        x = side * w * 0.33
        parts += tube((x, 0, lift + 0.02), (x + side * 0.03, -d / 2 + 0.012, 0.012), 0.012, DARK)
        parts += tube((x, 0, lift + 0.02), (x + side * 0.03, d / 2 - 0.012, 0.012), 0.012, DARK)
    return Built(parts)


@model("monitor")
def _monitor(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    lift = 0.11
    parts = moved(
        _panel(w, h - lift, 0.03, pick(rng, ("screen", "screen", "paper", "film")), 0.012), (0, -0.01, lift)
    )
    parts += soft_box((w * 0.4, 0.03, (h - lift) * 0.5), DARK, (0, 0.015, lift + 0.06), radius=0.012)
    parts += box((0.06, 0.02, lift + 0.1), DARK, (0, 0.03, 0.01))
    parts += soft_box((w * 0.42, d, 0.015), DARK, (0, 0, 0), radius=0.006)
    return Built(parts)


@model("keyboard")
def _keyboard(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (DARK, WHITE, BLACK))
    keys = Material("keys", (0.85, 0.85, 0.85) if shell is WHITE else (0.34, 0.34, 0.36), 0)
    parts = soft_box((w, d, h * 0.6), shell, radius=0.005)
    board = box((w - 0.016, d - 0.02, h * 0.3), shell, (0, 0, h * 0.55), top=keys)
    return Built(parts + board)


@model("mouse")
def _mouse(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (DARK, WHITE, BLACK))
    parts = soft_box((w, d, h * 0.8), shell, radius=h * 0.38, bulge=h * 0.2)
    return Built(parts + tube((0, -d * 0.34, h * 0.86), (0, -d * 0.2, h * 0.94), 0.005, STEEL))


@model("laptop")
def _laptop(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (STEEL, DARK))
    thick = 0.016
    parts = box((w, d * 0.86, thick), shell, (0, -d * 0.07, 0), top=Material("keys", (0.3, 0.3, 0.32), 0))
    lean = math.radians(14)
    lid = moved(
        _panel(w, (h - thick) / math.cos(lean), 0.008, pick(rng, ("screen", "paper")), 0.012), (0, 0, 0)
    )
    parts += moved(lid, (0, d * 0.36, thick), turned(x=-lean))
    return Built(parts)


@model("computer_tower")
def _computer_tower(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (BLACK, DARK, WHITE))
    parts = box((w, d - 0.012, h - 0.012), shell, (0, 0.006, 0.012))
    parts += box((w - 0.02, 0.012, h * 0.3), STEEL, (0, -d / 2 + 0.007, h * 0.66))
    parts += box((w - 0.03, 0.008, 0.03), DARK, (0, -d / 2 + 0.002, h * 0.86))
    for k in range(5):
        parts += box((w - 0.06, 0.008, 0.008), STEEL, (0, -d / 2 + 0.006, 0.08 + 0.03 * k))
    for sx in (-1, 1):
        for sy in (-1, 1):
            parts += cylinder(0.014, 0.014, BLACK, (sx * w * 0.36, sy * d * 0.4, 0))
    return Built(parts, (top_of(w, d, h, 0.02, 0.3),))


@model("printer")
def _printer(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (WHITE, DARK, STEEL))
    parts = soft_box((w, d - 0.07, h * 0.62), shell, (0, 0.035, 0), radius=0.02)
    parts += soft_box((w * 0.94, d - 0.12, h * 0.32), shell, (0, 0.03, h * 0.58), radius=0.02)
    parts += box((w * 0.7, 0.09, 0.012), DARK, (0, -d / 2 + 0.045, h * 0.18))
    parts += box(
        (0.21, 0.16, 0.004), WHITE, (0, -d / 2 + 0.09, h * 0.2), top=Material("paper", (1.0, 1.0, 1.0), 0)
    )
    parts += box((w * 0.3, 0.012, 0.05), BLACK, (w * 0.22, -d / 2 + 0.078, h * 0.66))
    return Built(parts)


@model("telephone")
def _telephone(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (BLACK, DARK, WHITE))
    parts = soft_box((w, d, h * 0.45), shell, radius=0.012)
    parts += box(
        (w * 0.45, d * 0.5, 0.008),
        shell,
        (w * 0.2, -d * 0.12, h * 0.44),
        top=Material("keys", (0.6, 0.6, 0.6), 0),
    )
    x = -w * 0.3
    parts += soft_box((0.042, d * 0.94, h * 0.25), shell, (x, 0, h * 0.68), radius=0.014)
    for y in (-d * 0.34, d * 0.34):
        parts += soft_box((0.05, 0.05, h * 0.35), shell, (x, y, h * 0.42), radius=0.015)
    return Built(parts)


def _shade(rng: np.random.Generator, radius: float, height: float, home: Palette, at: Point) -> Patches:
    """An open lampshade with a wall of a few millimeters, and the bulb within."""
    cloth = Material(
        "fabric", pick(rng, ((0.95, 0.9, 0.78), (0.9, 0.88, 0.84), (0.8, 0.45, 0.3), (0.35, 0.42, 0.5))), 0.4
    )
    narrow = radius * (0.6 + 0.35 * rng.random())
    wall = 0.004
    profile = [(radius - wall, 0), (radius, 0), (narrow, height), (narrow - wall, height), (radius - wall, 0)]
    parts = lathe(profile, cloth, at, squash=OVAL)
    x, y, z = at
    return parts + ellipsoid(
        (0.035, 0.035, 0.045), Material("plain", (1.0, 0.97, 0.85), 0.5), (x, y, z + height * 0.45)
    )


@model("floor_lamp")
def _floor_lamp(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, _, h = size
    metal = pick(rng, (BLACK, BRASS, CHROME))
    tall = 0.24 + 0.08 * rng.random()
    parts: Patches = []
    if rng.random() < 0.5:
        parts += cylinder(min(0.15, w * 0.4), 0.022, metal, top_radius=min(0.14, w * 0.37), squash=OVAL)
        parts += tube((0, 0, 0.02), (0, 0, h - tall * 0.5), 0.011, metal)
    else:
        wood = home.wood(rng)
        for k in range(3):
            a = 2 * math.pi * k / 3 + 0.3
            foot = (w * 0.46 * math.cos(a), w * 0.44 * math.sin(a), 0.01)
            parts += tube(foot, (0, 0, h - tall * 0.9), 0.014, wood)
        parts += tube((0, 0, h - tall), (0, 0, h - tall * 0.5), 0.012, metal)
    return Built(parts + _shade(rng, w / 2, tall, home, (0, 0, h - tall)))


@model("table_lamp")
def _table_lamp(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, _, h = size
    tall = h * 0.42
    body = Material(pick(rng, ("plain", "marble")), pick(rng, home.paints), 0.3)
    r = w * 0.3
    style = pick(rng, ("vase", "stem", "cone"))
    if style == "vase":
        points = [
            (0, 0),
            (r * 0.7, 0),
            (r, h * 0.14),
            (r * 0.9, h * 0.3),
            (r * 0.3, h * 0.46),
            (0.015, h * 0.52),
            (0, h * 0.52),
        ]
        parts = lathe(points, body, smooth=True, squash=OVAL)
    elif style == "stem":
        parts = cylinder(r, 0.02, body, squash=OVAL)
        parts += tube((0, 0, 0.018), (0, 0, h * 0.6), 0.01, BRASS)
    else:
        parts = cylinder(r, h * 0.5, body, top_radius=r * 0.35, squash=OVAL)
    parts += tube((0, 0, h * 0.5), (0, 0, h - tall * 0.55), 0.009, BRASS)
    return Built(parts + _shade(rng, w / 2, tall, home, (0, 0, h - tall)))


@model("ceiling_light")
def _ceiling_light(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, _, h = size
    tall = min(h * 0.5, 0.22)
    parts = cylinder(0.05, 0.03, WHITE, (0, 0, h - 0.03), squash=OVAL)
    parts += tube((0, 0, tall * 0.5), (0, 0, h - 0.02), 0.005, BLACK)
    return Built(parts + _shade(rng, w / 2, tall, home, (0, 0, 0)))


@model("fan")
def _fan(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (WHITE, DARK))
    parts = cylinder(d * 0.48, 0.025, shell, squash=OVAL) + tube(
        (0, 0, 0.02), (0, 0.03, h - w / 2), 0.013, shell
    )
    head: Patches = []
    r = w / 2
    for k in range(16):
        a, b = 2 * math.pi * k / 16, 2 * math.pi * (k + 1) / 16
        for y in (-0.05, 0.05):
            p = (r * math.cos(a), y, r * math.sin(a))
            q = (r * math.cos(b), y, r * math.sin(b))
            head += tube(p, q, 0.005, shell)
        p = (r * math.cos(a), -0.05, r * math.sin(a))
        head += tube((0.03 * math.cos(a), -0.075, 0.03 * math.sin(a)), p, 0.003, shell)
        head += tube(p, (p[0], 0.05, p[2]), 0.003, shell)
    for k in range(4):
        blade = box((0.1, 0.006, r * 0.75), Material("plain", (0.6, 0.68, 0.75), 0.5), (0, 0, r * 0.12))
        head += moved(moved(blade, (0, 0, 0), turned(z=0.5)), (0, -0.01, 0), turned(y=math.pi / 2 * k + 0.3))
    head += ellipsoid((0.06, 0.09, 0.06), shell, (0, 0.03, 0)) + ellipsoid(
        (0.035, 0.02, 0.035), shell, (0, -0.075, 0)
    )
    return Built(parts + moved(head, (0, -0.02, h - r - 0.005)))


@model("speaker")
def _speaker(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = pick(rng, (BLACK, home.wood(rng), WHITE))
    parts = box((w, d - 0.012, h), shell, (0, 0.006, 0))
    for radius, z in ((w * 0.36, h * 0.32), (w * 0.2, h * 0.75)):
        cone = lathe(
            [(0, 0), (radius, 0), (radius, 0.01), (radius * 0.85, 0.012), (radius * 0.3, 0.004), (0, 0.009)],
            DARK,
        )
        parts += moved(cone, (0, -d / 2 + 0.012, z), turned(x=math.pi / 2))
    return Built(parts, (top_of(w, d, h, 0.01, 0.25),))


@model("alarm_clock")
def _alarm_clock(rng: np.random.Generator, size: Point, home: Palette) -> Built:
    w, d, h = size
    shell = home.paint(rng)
    parts = soft_box((w, d * 0.9, h - 0.02), shell, (0, 0.004, 0.01), radius=0.02)
    side = min(w, h) * 0.66
    face = Material("clock", (1.0, 1.0, 1.0), 0)
    parts += box((side, 0.006, side), WHITE, (0, -d * 0.45 + 0.004, (h - side) / 2), front=face)
    for x in (-w * 0.3, w * 0.3):
        parts += cylinder(0.012, 0.014, shell, (x, 0, 0))
    return Built(parts + cylinder(0.018, 0.014, STEEL, (0, 0, h - 0.014)))
