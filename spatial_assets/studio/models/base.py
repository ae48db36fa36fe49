"""What a model of a thing is, how its builder is registered, and the materials they choose from.

A model stands on z = 0 around the origin with its front toward -y; one that hangs on a wall has its back at
y = 0 or behind it, one that hangs from the ceiling has its top at z = its height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.studio.scenery import VIEW_LIST, VIEWS
from spatial_assets.studio.surfaces import Material, Patch, Patches, Point, tube

OVAL = 0.96
"""Depth over width of things that a potter would call round: a footprint with one clear long axis has one
box."""


@dataclass(frozen=True)
class Top:
    """A level surface that things can stand on, in the model's frame."""

    low: tuple[float, float]
    high: tuple[float, float]
    height: float
    headroom: float = 0.6
    """Height of what fits, meters."""


@dataclass(frozen=True)
class Model:
    """A thing before it is placed."""

    kind: str
    label: str | None
    patches: Patches
    tops: tuple[Top, ...]
    low: Float
    """(3,), lower corner of its bounding box."""
    high: Float


@dataclass(frozen=True)
class Built:
    """What a builder returns: the parts, and the surfaces to put things on."""

    patches: list[Patch] = field(default_factory=list)
    tops: tuple[Top, ...] = ()


@dataclass(frozen=True)
class Palette:
    """The materials of one home, so that its things look as if one person had bought them."""

    woods: tuple[Point, ...]
    fabrics: tuple[Point, ...]
    paints: tuple[Point, ...]
    sky: str
    """What the sky over it is like, one of `scenery.SKIES`."""
    views: tuple[str, ...]
    """Patterns that its windows show, all under that sky."""

    def wood(self, rng: np.random.Generator, tile: float = 0.7) -> Material:
        return Material("wood", pick(rng, self.woods), tile)

    def fabric(self, rng: np.random.Generator) -> Material:
        texture = pick(rng, ("fabric", "fabric", "leather", "checks", "stripes"))
        return Material(texture, pick(rng, self.fabrics), 0.35)

    def paint(self, rng: np.random.Generator) -> Material:
        return Material("plain", pick(rng, self.paints), 0.5)


T = TypeVar("T")
Builder = Callable[[np.random.Generator, Point, Palette], Built]
BUILDERS: dict[str, Builder] = {}

WOODS: tuple[Point, ...] = (
    (0.86, 0.68, 0.46),
    (0.68, 0.46, 0.27),
    (0.45, 0.27, 0.15),
    (0.30, 0.19, 0.12),
    (0.92, 0.87, 0.78),
    (0.75, 0.52, 0.36),
)
FABRICS: tuple[Point, ...] = (
    (0.30, 0.40, 0.52),
    (0.62, 0.60, 0.56),
    (0.24, 0.26, 0.30),
    (0.72, 0.36, 0.28),
    (0.42, 0.50, 0.36),
    (0.82, 0.74, 0.60),
    (0.50, 0.24, 0.32),
    (0.86, 0.72, 0.30),
    (0.22, 0.42, 0.44),
    (0.88, 0.86, 0.82),
)
PAINTS: tuple[Point, ...] = (
    (0.94, 0.94, 0.92),
    (0.20, 0.21, 0.23),
    (0.75, 0.20, 0.17),
    (0.20, 0.38, 0.62),
    (0.25, 0.52, 0.42),
    (0.93, 0.75, 0.25),
    (0.60, 0.62, 0.64),
    (0.85, 0.52, 0.40),
)
WHITE = Material("plain", (0.95, 0.95, 0.94), 0.5)
CERAMIC = Material("plain", (0.97, 0.97, 0.96), 0.5)
BLACK = Material("plain", (0.09, 0.09, 0.10), 0.5)
DARK = Material("plain", (0.20, 0.20, 0.22), 0.5)
STEEL = Material("metal", (0.72, 0.73, 0.75), 0.5)
CHROME = Material("metal", (0.88, 0.89, 0.91), 0.6)
BRASS = Material("metal", (0.80, 0.64, 0.34), 0.5)


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options, all equally likely."""
    return options[int(rng.random() * len(options))]


def palette(rng: np.random.Generator) -> Palette:
    """The materials of one home."""
    woods = rng.permutation(len(WOODS))[:2]
    fabrics = rng.permutation(len(FABRICS))[:5]
    # As often as there are views with it.
    sky = pick(rng, VIEW_LIST).sky
    views = tuple(name for name, view in zip(VIEWS, VIEW_LIST, strict=True) if view.sky == sky)
    return Palette(tuple(WOODS[k] for k in woods), tuple(FABRICS[k] for k in fabrics), PAINTS, sky, views)


def model(kind: str) -> Callable[[Builder], Builder]:
    """Registers the builder of a kind of thing."""

    def register(f: Builder) -> Builder:
        BUILDERS[kind] = f
        return f

    return register


def legs(
    width: float,
    depth: float,
    height: float,
    radius: float,
    material: Material,
    inset: float = 0.04,
    splay: float = 0.0,
) -> Patches:
    """Four round legs under a rectangle, their feet `splay` meters further out."""
    out: Patches = []
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (width / 2 - inset), sy * (depth / 2 - inset)
            out += tube((x + sx * splay, y + sy * splay, 0), (x, y, height), radius * 0.8, material, radius)
    return out


def top_of(width: float, depth: float, height: float, margin: float = 0.04, headroom: float = 0.6) -> Top:
    """A top that is centered on the model."""
    return Top(
        (-width / 2 + margin, -depth / 2 + margin), (width / 2 - margin, depth / 2 - margin), height, headroom
    )
