"""The check on load: whether cameras, images and geometry of a scene can belong together.

Formats are written by many programs, and some write poses the other way round, other axes or other units; all of it
reads well and is wrong. What geometry says is looked at under the format's own meaning first. Only where that is bad
are other meanings tried, and a scene is rejected if another is clearly better, or if no meaning is possible at all:
good data is never rejected for being unusual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers.cameras import AS_DOCUMENTED, FARTHEST, PoseReading
from spatial_assets.readers.source_images import read_gray
from spatial_assets.scene.model import Camera, Float, Frame, InputError, Mesh

LARGEST_SCENE = 500.0
"""Meters across. Scans of whole buildings stay below; a room in millimeters does not."""
SMALLEST_SCENE = 0.1
"""Meters across; a room in kilometers has less."""
STRAY_SHARE = 0.001
"""Of the vertices at either end: what is far out with no more than so many is a stray, not the scene."""
CAMERA_REACH = 10.0
"""Meters, or the scene's own size where that is more, that the middle camera may stand outside the scene."""
LEAP, LEAP_SHARE = 5.0, 0.2
"""Meters from one frame to the next and back again that nobody carries a camera, and the greatest share of it that the
frames before and after may lie apart."""
MOST_STRAYS = 0.1
"""Share of the frames."""
FEWEST_ON_A_WAY = 5
SAME_POSES = 3
"""So many poses that are all one and the same are a placeholder; two may be a camera that stood still."""
LOOKS = 6
"""Frames that are looked at: spread over the scene, few enough to cost nothing."""
POINTS = 8_000
"""Places on the mesh that are projected."""
EVEN = (0.7548776662466927, 0.5698402909980532)
"""Steps of the R2 sequence, whose points fill a square evenly."""
CELLS = 24
"""Columns of the grid on which image and projected mesh are compared: coarse enough for points to fill it."""
FEWEST_CELLS = 40
"""Of a frame, that points must fall into for its comparison to mean anything."""
FLAT = 2.0
"""Standard deviation of brightness, of 255, below which an image or a mesh shows nothing to compare."""
ALIKE = 0.3
"""Correlation of brightness from which on the format's own meaning is taken for right: scans at their true poses
have 0.5 to 0.9, at wrong ones about 0."""
CLEARLY = 0.25
"""By how much another meaning must be better, and"""
GOOD = 0.45
"""how good it must be, for the format's own to be called wrong."""
UPRIGHT, UPSIDE_DOWN = 0.5, -0.5
"""Mean height of the cameras' own up axes, 1 for cameras held level. Sideways ones have 0."""
NEAR = 0.05
"""Meters: what is nearer to a camera is not in its picture."""
SCALES = (0.001, 0.01, 0.0254, 0.1, 0.2, 0.25, 0.3048)
"""Ratios of units that programs confuse: millimeters, centimeters, inches, decimeters, depth in 1/5000 and 1/4000,
feet, with meters. Tried both ways."""


def check_extent(path: str, points: Float) -> None:
    """Raises InputError for points (N, 3), meters, that no scene is made of, naming a stray one."""
    low, high = bounds(points)
    size = float((high - low).max())
    if size <= LARGEST_SCENE and max(-low.min(), high.max()) <= FARTHEST:
        if size < SMALLEST_SCENE:
            raise InputError(
                path, f"the scene is {size:.3g} m across, less than {SMALLEST_SCENE:g}; its unit is no meter",
                "scene_size",
            )  # fmt: skip
        return
    core = np.quantile(points, [STRAY_SHARE, 1 - STRAY_SHARE], axis=0)
    inner = float((core[1] - core[0]).max())
    if inner <= LARGEST_SCENE < size:
        away = np.abs(points - core.mean(axis=0)).max(axis=1)
        worst = int(away.argmax())
        raise InputError(
            path,
            f"vertex {worst} lies {away[worst]:.3g} m away, where nearly all lie within {inner:.3g} m",
            "scene_size",
        )
    raise InputError(
        path,
        f"the scene is {size:.3g} m across and reaches {max(-low.min(), high.max()):.3g} m from the origin, more than "
        f"{LARGEST_SCENE:g} and {FARTHEST:g}; if it is in millimeters, say so (mesh_unit)",
        "scene_size",
    )


def bounds(points: NDArray[Any]) -> tuple[Float, Float]:
    """The least and greatest coordinates (3,) of points (N, 3)."""
    # Columns in one piece are reduced ten times as fast.
    columns = np.ascontiguousarray(points.T)
    return columns.min(axis=1), columns.max(axis=1)


def check_not_all_same(path: str, poses: Float) -> None:
    """Raises InputError where all poses (N, 4, 4) are one, as a program writes that knows none."""
    if (poses == poses[0]).all():
        identity = np.array_equal(poses[0], np.eye(4))
        if len(poses) >= (2 if identity else SAME_POSES):
            told = "the identity" if identity else "the same"
            raise InputError(path, f"all {len(poses)} poses are {told}: nothing was tracked", "bad_pose")


def strays(poses: Float) -> NDArray[np.bool_]:
    """Which poses (N, 4, 4) of one camera's way cannot be on it (N,): far from their neighbors, which are near each
    other. None where there are many, which is another way of writing poses and not a way with strays."""
    count = len(poses)
    if count < FEWEST_ON_A_WAY:
        return np.zeros(count, np.bool_)
    centers = poses[:, :3, 3]
    before, after = np.arange(count) - 1, np.arange(count) + 1
    before[0], after[-1] = 2, count - 3
    leaps = [np.linalg.norm(centers - centers[other], axis=1) for other in (before, after)]
    least = np.minimum(*leaps)
    gap = np.linalg.norm(centers[before] - centers[after], axis=1)
    found: NDArray[np.bool_] = (least > LEAP) & (gap < LEAP_SHARE * least)
    return found if found.sum() <= MOST_STRAYS * count else np.zeros(count, np.bool_)


def in_the_scene(
    path: str, frames: Sequence[Frame], raw: Float, reading: PoseReading, mesh: Mesh, is_video: bool
) -> tuple[list[Frame], Float, dict[str, int]]:
    """Frames and poses (N, 4, 4) without single cameras that cannot be of the scene, and how many went for what.

    Raises InputError where the middle camera cannot be.
    """
    poses = reading.apply(raw)
    near = within_reach(path, poses, mesh)
    strayed = strays(poses) if is_video else np.zeros(len(poses), np.bool_)
    kept = near & ~strayed
    counts = dropped(outside_the_scene=int((~near).sum()), strayed_pose=int((near & strayed).sum()))
    return [frame for frame, is_kept in zip(frames, kept, strict=True) if is_kept], raw[kept], counts


def dropped(**counts: int) -> dict[str, int]:
    """Reasons for which frames were dropped, those alone that there were."""
    return {reason: count for reason, count in counts.items() if count}


def check_against_mesh(
    root: Path,
    path: str,
    frames: Sequence[Frame],
    raw: Float,
    reading: PoseReading,
    mesh: Mesh,
    up: Float,
    sideways: bool = False,
) -> str:
    """What was found, in words. Raises InputError where poses and mesh contradict each other.

    Where the poses' meaning was chosen, no other is tried.

    Parameters
    ----------
    path : of the poses. raw : each frame's pose as on disk, (N, 4, 4). mesh : in their world. up : (3,), in it.
    sideways : whether the images may be stored on their side.
    """
    poses = reading.apply(raw)
    chosen = np.unique(np.linspace(0, len(frames) - 1, LOOKS).astype(int)).tolist()
    shown = _Shown(root, [frames[i] for i in chosen], mesh)
    own, hits = shown.likeness(poses[chosen])
    if hits == 0:
        raise InputError(
            path, f"{(len(chosen) + 1) // 2} of {len(chosen)} cameras that were tried see nothing of the mesh; "
            "poses and mesh are of different worlds or units (pose_convention, pose_unit, mesh_unit)",
            "contradiction",
        )  # fmt: skip
    if reading.convention != AS_DOCUMENTED:
        return f"taken at its word; images correlate {own:.2f} with the mesh"
    if own >= ALIKE:
        return f"images correlate {own:.2f} with the mesh"
    if not np.isnan(own):
        others = {
            name: shown.likeness(other.apply(raw[chosen]))[0] for name, other in _readings(reading).items()
        }
        best = max(others, key=lambda name: np.nan_to_num(others[name], nan=-1.0))
        if others[best] >= max(GOOD, own + CLEARLY):
            raise InputError(
                path,
                f"images correlate {own:.2f} with the mesh as the poses stand, and {others[best]:.2f} with {best}",
                "contradiction",
            )
    told = "show nothing to compare" if np.isnan(own) else f"correlate {own:.2f}, which says nothing"
    return f"{_check_upright(path, raw, reading, mesh, up, sideways)}; images and mesh {told}"


def _readings(reading: PoseReading) -> dict[str, PoseReading]:
    """Other meanings of poses, by how a user would ask for them."""
    found = reading.others()
    for scale in (*SCALES, *(1 / scale for scale in SCALES)):
        unit = reading.unit * scale
        found[f"pose_unit {unit:.4g}"] = replace(reading, unit=unit)
    return found


def within_reach(path: str, poses: Float, mesh: Mesh) -> NDArray[np.bool_]:
    """Which cameras (N,) stand near enough to a mesh to show it. Raises InputError where the middle one does not.

    poses : camera-to-world (N, 4, 4), in the mesh's world.
    """
    low, high = bounds(mesh.vertices)
    centers = poses[:, :3, 3]
    outside = np.linalg.norm(np.maximum(0, np.maximum(low - centers, centers - high)), axis=1)
    middle, size = float(np.median(outside)), float(np.linalg.norm(high - low))
    limit = max(CAMERA_REACH, size)
    if middle > limit:
        raise InputError(
            path,
            f"the middle camera stands {middle:.3g} m outside a scene of {size:.3g} m; the poses' unit is another, or "
            "they lead from the world to the camera (pose_unit, pose_convention)",
            "contradiction",
        )
    return outside <= limit


def _check_upright(path: str, raw: Float, reading: PoseReading, mesh: Mesh, up: Float, sideways: bool) -> str:
    """By how cameras are held, where images say nothing."""
    poses = reading.apply(raw)
    tilts = _tilts(poses, up)[: 4 if sideways else 1]
    own = _inside(poses, mesh) * max(0.0, *tilts)
    if own >= UPRIGHT:
        return f"cameras stand {own:.2f} upright"
    others = {}
    for name, other in reading.others().items():
        found = other.apply(raw)
        others[name] = _inside(found, mesh) * max(0.0, *_tilts(found, up)[: len(tilts)])
    best = max(others, key=lambda name: others[name])
    tilt = max(tilts)
    if others[best] > UPRIGHT and (tilt < UPSIDE_DOWN or others[best] >= UPRIGHT + own + CLEARLY):
        raise InputError(
            path, f"cameras stand {tilt:.2f} upright (1 is level) and {others[best]:.2f} with {best}; "
            "say which it is",
            "contradiction",
        )  # fmt: skip
    return f"cameras stand {tilt:.2f} upright"


def _tilts(poses: Float, up: Float) -> list[float]:
    """Mean height, 1 for level cameras, of the axes that point to the images' tops, left, bottoms and right."""
    x, y = (float((poses[:, :3, i] @ up).mean()) for i in range(2))
    return [-y, -x, y, x]


def _inside(poses: Float, mesh: Mesh) -> float:
    """Share of the cameras that stand within the scene's box."""
    low, high = mesh.vertices.min(axis=0) - 1, mesh.vertices.max(axis=0) + 1
    return float(((poses[:, :3, 3] >= low) & (poses[:, :3, 3] <= high)).all(axis=1).mean())


class _Shown:
    """What the colors of a mesh's vertices look like from cameras, against their images."""

    def __init__(self, root: Path, frames: Sequence[Frame], mesh: Mesh) -> None:
        self.frames = frames
        self.points, light = _points_on(mesh)
        self.light: Float | None = None
        self.images: list[Float] = []
        if light is None or light.std() < FLAT:
            return
        self.light = light
        for frame in frames:
            assert frame.image is not None
            self.images.append(read_gray(root, frame.image, _grid(frame.camera)))

    def likeness(self, poses: Float) -> tuple[float, int]:
        """Mean correlation over the frames (NaN where nothing can be compared), and how many points the middle
        frame has in view."""
        found, hits = [], []
        for i, (frame, pose) in enumerate(zip(self.frames, poses, strict=True)):
            cells, depth, used = _cells(self.points, frame.camera, pose)
            hits.append(len(used))
            if self.light is None or not len(used):
                continue
            # The nearest point of each cell; equal ones by their place.
            order = np.lexsort((used, depth, cells))
            first = np.ones(len(order), np.bool_)
            first[1:] = cells[order][1:] != cells[order][:-1]
            nearest = order[first]
            seen, mesh = self.images[i].ravel()[cells[nearest]], self.light[used[nearest]]
            if len(nearest) >= FEWEST_CELLS and min(seen.std(), mesh.std()) >= FLAT:
                found.append(float(np.corrcoef(seen, mesh)[0, 1]))
        return float(np.mean(found)) if found else float("nan"), int(np.median(hits))


def _points_on(mesh: Mesh) -> tuple[Float, Float | None]:
    """Points (N, 3) spread evenly over the faces of a mesh, and how bright (N,) they are, if it has colors.

    Of a mesh of many faces, which scanners make of equal size, the middles of some.
    """
    if len(mesh.faces) < POINTS:
        faces, weights = _spread(mesh, POINTS)
    else:
        faces = mesh.faces[:: -(-len(mesh.faces) // POINTS)]
        weights = np.full((len(faces), 3), 1 / 3)
    points: Any = sum(mesh.vertices[faces[:, i]] * weights[:, i, None] for i in range(3))
    if mesh.colors is None:
        return points, None
    light = mesh.colors.mean(axis=1) if len(mesh.colors) < POINTS else None
    return points, sum(
        (mesh.colors[faces[:, i]].mean(axis=1) if light is None else light[faces[:, i]]) * weights[:, i]
        for i in range(3)
    )


def places_on(mesh: Mesh, count: int) -> Float:
    """So many points (count, 3), spread over a mesh as its area is."""
    faces, weights = _spread(mesh, count)
    points: Float = np.einsum("nij,ni->nj", mesh.vertices[faces].astype(np.float64), weights)
    return points


def _spread(mesh: Mesh, count: int) -> tuple[NDArray[np.int32], Float]:
    """Corners (count, 3) and weights (count, 3) of points spread over a mesh as its area is."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    areas = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    places = (np.arange(count) + 0.5) / count
    faces = mesh.faces[np.minimum(np.searchsorted(areas, places * areas[-1]), len(areas) - 1)]
    # Low-discrepancy places in the unit square, folded into the triangle.
    u, v = ((np.arange(count)[:, None] * EVEN) % 1).T
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    return faces, np.column_stack([1 - u - v, u, v])


def _grid(camera: Camera) -> tuple[int, int]:
    """Columns and rows."""
    return CELLS, max(1, round(CELLS * camera.height / camera.width))


def _cells(points: Float, camera: Camera, pose: Float) -> tuple[NDArray[np.int64], Float, NDArray[np.int64]]:
    """Cells of the grid and depths (K,) of those points (K,) that a camera has in view."""
    with np.errstate(all="ignore"):
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        pixels = local @ camera.intrinsics.T
        columns, rows = _grid(camera)
        x = pixels[:, 0] / pixels[:, 2] / camera.width * columns
        y = pixels[:, 1] / pixels[:, 2] / camera.height * rows
        used = np.flatnonzero((local[:, 2] > NEAR) & (x >= 0) & (x < columns) & (y >= 0) & (y < rows))
    cells = y[used].astype(np.int64) * columns + x[used].astype(np.int64)
    return cells, local[used, 2], used
