"""A studio scene before it is written: its bodies, mesh, light, camera and truth."""

from __future__ import annotations

import math
import zlib
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.studio import light
from spatial_assets.studio.camera import Targets, camera_path
from spatial_assets.studio.furnish import furnish
from spatial_assets.studio.layout import Layout
from spatial_assets.studio.mesh import StudioMesh, triangulate
from spatial_assets.studio.models.base import palette, pick
from spatial_assets.studio.rearrange import Rearranged, rearrange
from spatial_assets.studio.rooms import (
    PARTNERS,
    FloorPlan,
    finish,
    floor_plan,
    level_patches,
    passage_patches,
    wall_patches,
)
from spatial_assets.studio.sun import sun_direction
from spatial_assets.studio.surfaces import Material, Patches
from spatial_assets.studio.truth import clarified, true_box
from spatial_assets.studio.voxels import Voxels, voxelize

SHAPES = ("rectangle", "L", "two")
STRUCTURE = frozenset({"wall", "floor", "ceiling"})
KINDS = ("living room", "bedroom", "kitchen", "office", "bathroom")
AMBIENT = 0.42
"""Light that comes from everywhere, against white at 1."""
FOCAL = (0.86, 0.95)
"""Focal length over image width: a phone's or a depth camera's, 55 to 60 degrees across."""
PRINCIPAL = 0.01
"""How far the principal point lies from the middle, at most, as a share of the width."""
KEPT = 4
"""Homes that a process remembers: who writes one in several datasets' formats, or at several visits, makes it once."""


@dataclass(frozen=True)
class Body:
    """Surfaces that belong together, before they are triangulated."""

    label: str | None
    """ScanNet's word; None for what its annotators would pass over, such as a light switch."""
    patches: Patches


@dataclass(frozen=True)
class StudioObject:
    """One labeled thing with its true box."""

    instance: int
    category: str
    center: Float
    size: Float
    yaw: float
    body: int
    """Index of its body: it owns the vertices whose owner is that."""


@dataclass(frozen=True)
class _Built:
    """A home at one visit, before it is lit and filmed. Nobody changes it: scenes share it."""

    layout: Layout
    changes: Rearranged
    shell: int
    mesh: StudioMesh
    objects: tuple[StudioObject, ...]


@dataclass(frozen=True)
class StudioScene:
    """Everything about a scene; the world is meters, z up, the floor at 0, walls along x and y."""

    plan: FloorPlan
    layout: Layout
    mesh: StudioMesh
    light: NDArray[np.float32]
    """(V, 3), linear."""
    objects: tuple[StudioObject, ...]
    poses: Float
    """(N, 4, 4), camera-to-world, OpenCV axes."""
    intrinsics: Float
    """(3, 3), pixel centers at integer + 0.5."""
    width: int
    height: int
    shell: int
    """How many bodies come before those of `layout.placed`: walls, in the plan's order, then floors and others."""
    voxels: Voxels | None
    """What is solid; None for a scene without images."""
    sun: Float | None
    """(3,), unit vector toward the sun; None where it does not shine in."""
    motions: dict[int, Float] = field(default_factory=dict)
    """At a later visit, of objects that moved: rigid (4, 4) from where they stood at the first, by `instance`."""
    removed: int | None = None
    """The `instance` that an object had at the first visit which is gone: those from it on have come down by one."""


def stream(seed: int, index: int, purpose: str) -> np.random.Generator:
    """The random numbers for one purpose of one scene: they depend on nothing else."""
    return np.random.default_rng([seed, index, zlib.crc32(purpose.encode())])


def _shell(plan: FloorPlan, rng: np.random.Generator) -> list[Body]:
    """Walls, floors, ceilings, and the reveals of doorways."""
    finishes = [finish(rng, room.kind) for room in plan.rooms]
    bodies = [Body("wall", wall_patches(wall, plan.height, finishes[wall.room])) for wall in plan.walls]
    for k, room in enumerate(plan.rooms):
        through = plan.passages if k == 0 else ()
        bodies.append(
            Body("floor", level_patches((*room.rectangles, *through), 0.0, finishes[k].floor, up=True))
        )
    ceiling = Material("plaster", (0.96, 0.96, 0.95), 1.4)
    for room in plan.rooms:
        bodies.append(Body("ceiling", level_patches(room.rectangles, plan.height, ceiling, up=False)))
    bodies += [Body(None, passage_patches(passage, finishes[0])) for passage in plan.passages]
    return bodies


def _lamps(layout: Layout, rng: np.random.Generator) -> tuple[Float, Float]:
    """Points that give light: several about each ceiling lamp and window, so that shadows are soft, and their
    colors."""
    places, colors = [], []
    warm, day, bounce = np.array([1.0, 0.86, 0.68]), np.array([0.82, 0.92, 1.0]), np.array([1.0, 0.97, 0.92])
    height = layout.plan.height
    for thing in layout.placed:
        if thing.model.kind == "window":
            w, h = float(thing.model.high[0]), float(thing.model.high[2])
            for side, up in ((-0.5, 0.3), (0.5, 0.3), (-0.5, 0.75), (0.5, 0.75)):
                x, y = thing.local(side * w, -0.22)
                places.append((x, y, thing.z + up * h))
                colors.append(day * 0.75)
        elif thing.model.kind == "ceiling_light":
            for k in range(3):
                a = 2 * math.pi * k / 3
                places.append((thing.x + 0.3 * math.cos(a), thing.y + 0.3 * math.sin(a), thing.z - 0.06))
                colors.append(warm * 0.42)
        elif thing.model.label == "lamp":
            places.append((thing.x, thing.y, thing.top + 0.02))
            colors.append(warm * 0.12)
    for outline in layout.outlines:
        x0, y0, x1, y1 = (float(b) for b in outline.bounds)
        # Light that walls and ceiling throw back, from four points high in the room.
        for fx, fy in ((0.25, 0.3), (0.75, 0.3), (0.25, 0.7), (0.75, 0.7)):
            places.append((x0 + fx * (x1 - x0), y0 + fy * (y1 - y0), height - 0.25))
            colors.append(bounce * 0.3)
    return np.array(places), np.array(colors)


def _intrinsics(rng: np.random.Generator, width: int, height: int) -> Float:
    focal = width * (FOCAL[0] + (FOCAL[1] - FOCAL[0]) * rng.random())
    off = (2 * rng.random(2) - 1) * PRINCIPAL * width
    ratio = 1 + 0.004 * (2 * rng.random() - 1)
    return np.array([[focal, 0, width / 2 + off[0]], [0, focal * ratio, height / 2 + off[1]], [0, 0, 1.0]])


def _objects(bodies: list[Body], mesh: StudioMesh) -> list[StudioObject]:
    """The labeled bodies with their boxes; vertices of things without one clear box are squeezed in place."""
    order = np.argsort(mesh.owner, kind="stable")
    stops = np.searchsorted(mesh.owner[order], np.arange(len(bodies) + 1))
    objects: list[StudioObject] = []
    for k, body in enumerate(bodies):
        if body.label is None:
            continue
        own = order[stops[k] : stops[k + 1]]
        if body.label not in STRUCTURE:
            mesh.vertices[own] = clarified(mesh.vertices[own], (k * 0.618034) % 1.0)
        center, extent, yaw = true_box(mesh.vertices[own])
        objects.append(StudioObject(len(objects), body.label, center, extent, yaw, k))
    return objects


def plan_of(seed: int, index: int) -> FloorPlan:
    """The rooms of scene `index` of a seed."""
    rng = stream(seed, index, "plan")
    # The kinds take turns, so that a few scenes already show all of them.
    kind = KINDS[(index + seed) % len(KINDS)]
    return floor_plan(rng, kind, pick(rng, SHAPES) if kind in PARTNERS else "rectangle")


def layout_of(seed: int, index: int) -> Layout:
    """The same with all that stands, lies and hangs in them; no surfaces yet."""
    return furnish(
        plan_of(seed, index), palette(stream(seed, index, "palette")), stream(seed, index, "furniture")
    )


_furnished = lru_cache(maxsize=KEPT)(layout_of)


@lru_cache(maxsize=KEPT)
def _built(seed: int, index: int, faces: int, visit: int) -> _Built:
    """What stands in a home at a visit, triangulated."""
    layout, changes = _furnished(seed, index), Rearranged({}, None)
    if visit:
        layout = copy(layout)
        layout.placed, layout.clear = list(layout.placed), list(layout.clear)
        changes = rearrange(layout, stream(seed, index, f"visit {visit}"))
    shell = _shell(layout.plan, stream(seed, index, "shell"))
    bodies = shell + [Body(p.model.label, p.patches()) for p in layout.placed]
    mesh = triangulate([body.patches for body in bodies], faces)
    return _Built(layout, changes, len(shell), mesh, tuple(_objects(bodies, mesh)))


@lru_cache(maxsize=KEPT)
def _lit(seed: int, index: int, faces: int, visit: int) -> tuple[Voxels, NDArray[np.float32]]:
    """What is solid in it, and the light (V, 3) on its mesh."""
    built = _built(seed, index, faces, visit)
    voxels = voxelize(built.mesh.vertices, built.mesh.faces)
    places, colors = _lamps(built.layout, stream(seed, index, "lamps"))
    return voxels, light.bake(built.mesh, voxels, places, colors, AMBIENT)


def make_scene(
    seed: int, index: int, faces: int, frames: int, size: tuple[int, int], images: bool = True, visit: int = 0
) -> StudioScene:
    """Scene `index` of a seed; depends on nothing but the arguments.

    Without `images` neither light nor camera path is computed: for layouts that have boxes only. At a `visit` that is
    not the first, things in it have been moved.
    """
    built = _built(seed, index, faces, visit)
    layout, changes, mesh, objects = built.layout, built.changes, built.mesh, built.objects
    sky = palette(stream(seed, index, "palette")).sky
    baked = np.ones((len(mesh.vertices), 3), np.float32)
    poses = np.zeros((0, 4, 4))
    voxels = None
    if images:
        voxels, baked = _lit(seed, index, faces, visit)
        things = [o for o in objects if o.body >= built.shell]
        targets = Targets(
            np.array([o.center for o in things]),
            np.array([float(np.linalg.norm(o.size)) / 2 for o in things]),
            np.array([layout.placed[o.body - built.shell].room for o in things]),
        )
        poses = camera_path(layout, targets, voxels, frames, stream(seed, index, "camera"))
    width, height = size
    return StudioScene(
        plan=layout.plan,
        layout=layout,
        mesh=mesh,
        light=baked,
        objects=objects,
        poses=poses,
        intrinsics=_intrinsics(stream(seed, index, "intrinsics"), width, height),
        width=width,
        height=height,
        shell=built.shell,
        voxels=voxels,
        sun=None if sky == "overcast" else sun_direction(layout, stream(seed, index, "sun")),
        motions={
            thing.instance: changes.motions[thing.body - built.shell]
            for thing in objects
            if thing.body - built.shell in changes.motions
        },
        removed=None
        if changes.removed is None
        else sum(thing.body < built.shell + changes.removed for thing in objects),
    )
