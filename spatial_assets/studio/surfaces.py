"""Parametric surfaces: the patches that every piece of furniture and every wall is built from.

A patch maps the unit square to space and knows how long it is, so that one scene can be triangulated as
coarsely or as finely as is wanted. Patches are oriented: the derivative along u, times the derivative along
v, points out of the solid. Lengths are meters; a builder's local frame has z up and the front toward -y.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from spatial_assets.scene.model import Float

Point = tuple[float, float, float]
Patches = list["Patch"]
Vector = Sequence[float] | Float
"""Three numbers, meters."""

ROUND_SIDES = 12
"""Least number of sides of anything round: fewer reads as a prism even from across the room."""
THIN_SIDES, THIN_RADIUS = 8, 0.013
"""The same for bars of a smaller radius than this, meters."""
SMALL_BOX = 0.15
"""Rounded boxes no longer than this, meters, get by with fewer divisions."""
EDGE_CLUSTERING = 0.55
"""How strongly samples of a rounded box crowd toward its edges (0 = even, 1 = extreme): the rounding is
there."""


@dataclass(frozen=True)
class Material:
    """What a patch is made of."""

    texture: str
    """Name of a pattern in `textures`."""
    color: Point
    """sRGB, 0 to 1; the pattern multiplies it."""
    tile: float = 1.0
    """Meters that one repeat of the pattern covers; 0 stretches it over the patch once."""


@dataclass(frozen=True)
class Patch:
    """A surface over the unit square, placed by a rigid motion."""

    surface: Callable[[Float, Float], Float]
    """(N,), (N,) in [0, 1] to (N, 3), meters."""
    extent: tuple[float, float]
    """Length along u and along v, meters."""
    least: tuple[int, int]
    """Least number of divisions along u and v; 1 only where the patch is straight that way."""
    material: Material
    thin: bool = False
    """A sheet that is lit from both sides, such as a leaf or a curtain."""
    closed: bool = False
    """u runs around: the seam is sampled twice at the same place, and a flat side faces along each axis."""
    rotation: Float = field(default_factory=lambda: np.eye(3))
    offset: Float = field(default_factory=lambda: np.zeros(3))

    def points(self, u: Float, v: Float) -> Float:
        """Points of the placed patch, (N, 3)."""
        return np.einsum("ij,nj->ni", self.rotation, self.surface(u, v)) + self.offset


def moved(patches: Iterable[Patch], offset: Vector = (0, 0, 0), rotation: Float | None = None) -> Patches:
    """The patches turned by `rotation` (3, 3) about the origin, then shifted by `offset`."""
    turn = np.eye(3) if rotation is None else rotation
    shift = np.asarray(offset, dtype=np.float64)
    return [
        replace(
            p,
            rotation=np.einsum("ij,jk->ik", turn, p.rotation),
            offset=np.einsum("ij,j->i", turn, p.offset) + shift,
        )
        for p in patches
    ]


def turned(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Float:
    """Rotation about x, then y, then z, radians, (3, 3)."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (x, y, z) for f in (math.cos, math.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.einsum("ij,jk,kl->il", about_z, about_y, about_x)


def quad(origin: Vector, along_u: Vector, along_v: Vector, material: Material) -> Patch:
    """A flat parallelogram: a corner and two edges, (3,) each, meters."""
    o, a, b = (np.asarray(x, dtype=np.float64) for x in (origin, along_u, along_v))

    def surface(u: Float, v: Float) -> Float:
        return o + u[:, None] * a + v[:, None] * b

    return Patch(surface, (float(np.linalg.norm(a)), float(np.linalg.norm(b))), (1, 1), material)


def sheet(
    surface: Callable[[Float, Float], Float],
    extent: tuple[float, float],
    material: Material,
    least: tuple[int, int] = (2, 2),
) -> Patch:
    """A thin free-form patch, lit from both sides; `surface` takes u (N,) and v (N,) in [0, 1] to (N, 3), meters."""
    return Patch(surface, extent, least, material, thin=True)


def _sides(size: Sequence[float]) -> list[tuple[Float, Float, Float]]:
    """Origin and two edges of the six faces of a box that stands on the origin, outward."""
    w, d, h = (float(s) for s in size)
    x, y, z = np.array([w, 0, 0]), np.array([0, d, 0]), np.array([0, 0, h])
    lo = np.array([-w / 2, -d / 2, 0.0])
    return [
        (lo, x, z),
        (lo + x + y, -x, z),
        (lo + x, y, z),
        (lo + y, -y, z),
        (lo + z, x, y),
        (lo + y, x, -y),
    ]


def box(
    size: Sequence[float],
    material: Material,
    at: Sequence[float] = (0, 0, 0),
    front: Material | None = None,
    top: Material | None = None,
) -> Patches:
    """A box (w, d, h) standing with its bottom's center at `at`; its front or top may differ."""
    faces = _sides(size)
    materials = [front or material, material, material, material, top or material, material]
    return moved([quad(o, a, b, m) for (o, a, b), m in zip(faces, materials, strict=True)], at)


def soft_box(
    size: Sequence[float],
    material: Material,
    at: Sequence[float] = (0, 0, 0),
    radius: float = 0.03,
    bulge: float = 0.0,
) -> Patches:
    """A box with rounded edges; `bulge` meters swell its top and bottom like a cushion's."""
    w, d, h = (float(s) for s in size)
    r = min(radius, w / 2 * 0.98, d / 2 * 0.98, h / 2 * 0.98)
    low = np.array([-w / 2 + r, -d / 2 + r, r])
    high = np.array([w / 2 - r, d / 2 - r, h - r])
    least = (3, 3) if max(w, d, h) < SMALL_BOX else (4, 4)

    def clustered(t: Float) -> Float:
        return t - EDGE_CLUSTERING * np.sin(2 * math.pi * t) / (2 * math.pi)

    def rounded(o: Float, a: Float, b: Float) -> Callable[[Float, Float], Float]:
        def surface(u: Float, v: Float) -> Float:
            p = o + clustered(u)[:, None] * a + clustered(v)[:, None] * b
            core = np.clip(p, low, high)
            away = p - core
            p = core + r * away / np.linalg.norm(away, axis=1, keepdims=True)
            if bulge:
                swell = (1 - (2 * p[:, 0] / w) ** 2) * (1 - (2 * p[:, 1] / d) ** 2)
                p[:, 2] += bulge * swell * (2 * p[:, 2] / h - 1)
            return p

        return surface

    return moved(
        [
            Patch(rounded(o, a, b), (float(np.linalg.norm(a)), float(np.linalg.norm(b))), least, material)
            for o, a, b in _sides(size)
        ],
        at,
    )


def lathe(
    profile: Sequence[tuple[float, float]],
    material: Material,
    at: Sequence[float] = (0, 0, 0),
    smooth: bool = False,
    squash: float = 1.0,
    sides: int | None = None,
) -> Patches:
    """A solid of revolution about z.

    `profile` is (radius, height), from the bottom's center outwards and up. With `smooth` it is one surface,
    else each segment keeps a crease. `squash` scales y, for things that are not quite round.
    """

    def ring(points: list[tuple[float, float]]) -> Patch:
        radii, heights = np.array(points).T
        steps = np.hypot(np.diff(radii), np.diff(heights))
        knots = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()

        def surface(u: Float, v: Float) -> Float:
            angle = 2 * math.pi * u
            r = np.interp(v, knots, radii)
            return np.stack(
                [r * np.cos(angle), squash * r * np.sin(angle), np.interp(v, knots, heights)], axis=1
            )

        widest = float(radii.max())
        count = sides or (THIN_SIDES if widest < THIN_RADIUS else ROUND_SIDES)
        extent = (2 * math.pi * widest, float(steps.sum()))
        return Patch(surface, extent, (count, len(points) - 1), material, closed=True)

    points = list(profile)
    rings = [points] if smooth else [points[i : i + 2] for i in range(len(points) - 1)]
    return moved([ring(r) for r in rings], at)


def cylinder(
    radius: float,
    height: float,
    material: Material,
    at: Sequence[float] = (0, 0, 0),
    top_radius: float | None = None,
    squash: float = 1.0,
) -> Patches:
    """A closed cylinder or truncated cone standing at `at`."""
    top = radius if top_radius is None else top_radius
    return lathe([(0, 0), (radius, 0), (top, height), (0, height)], material, at, squash=squash)


def tube(
    start: Sequence[float],
    end: Sequence[float],
    radius: float,
    material: Material,
    end_radius: float | None = None,
) -> Patches:
    """A closed round bar between two points."""
    a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    axis = b - a
    length = float(np.linalg.norm(axis))
    z = axis / length
    helper = np.array([1.0, 0, 0]) if abs(z[0]) < 0.9 else np.array([0, 1.0, 0])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    return moved(
        cylinder(radius, length, material, top_radius=end_radius), a, np.stack([x, np.cross(z, x), z], axis=1)
    )


def ellipsoid(radii: Sequence[float], material: Material, at: Sequence[float] = (0, 0, 0)) -> Patches:
    """An ellipsoid whose center stands at `at`."""
    a, b, c = (float(r) for r in radii)

    def surface(u: Float, v: Float) -> Float:
        angle, tilt = 2 * math.pi * u, math.pi * (v - 0.5)
        # Exactly zero at the poles, so that the triangles that collapse there can be told and left out.
        r = np.where((v <= 0.0) | (v >= 1.0), 0.0, np.cos(tilt))
        return np.stack([a * r * np.cos(angle), b * r * np.sin(angle), c * np.sin(tilt)], axis=1)

    length = (math.pi * (a + b), math.pi * max(a, b, c))
    return moved([Patch(surface, length, (ROUND_SIDES, 6), material, closed=True)], at)


@lru_cache(maxsize=256)
def _grid(along: int, across: int) -> tuple[Float, Float]:
    """u and v of a grid over the unit square, flat."""
    u, v = np.meshgrid(np.linspace(0.0, 1.0, along + 1), np.linspace(0.0, 1.0, across + 1))
    return u.ravel(), v.ravel()


def extents(patches: Iterable[Patch], samples: int = 8) -> tuple[Float, Float]:
    """Lower and upper corner of the patches' bounding box, (3,) each, from a coarse sampling.

    Folds are not missed: no patch is sampled more coarsely than it would be triangulated.
    """
    points = []
    for patch in patches:
        # One division is enough only where the patch is straight.
        along, across = (1 if n == 1 else max(samples, n) for n in patch.least)
        points.append(patch.points(*_grid(along, across)))
    every = np.concatenate(points)
    return every.min(axis=0), every.max(axis=0)
