"""Space-aware frames: of a scene's video the frames that show most of it, by what they see of its mesh or its depth
images, or by points that a model has predicted."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from spatial_assets.geometry.cameras import unproject
from spatial_assets.geometry.keyframes import uniform_indices
from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.geometry.space_aware import choose, choose_as_released, grid_of, seen_voxels, trusted
from spatial_assets.scene import parameters as base
from spatial_assets.scene import tables
from spatial_assets.scene.frames import View, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float, InputError
from spatial_assets.storage import instance_images, meshes
from spatial_assets.tasks.core.draws import hash_name

POINTS, CONFIDENCE, FRAMES = "world_points", "world_points_conf", "frames"
"""Arrays of a file of predicted points: (T, H, W, 3) or (1, T, H, W, 3), (T, H, W) or (1, T, H, W), and, where it is
not about the candidates in their order, the names (T,) of its frames."""
MESH, DEPTH, PREDICTED = "mesh", "depth images", "predicted points"


class Parameters(base.Parameters):
    """Which frames are chosen among, and what counts as one more place seen."""

    candidates: int = Field(
        128, ge=1, description="frames spread evenly over the video that are chosen among, as released"
    )
    rule: Literal["exact", "official"] = Field(
        "exact",
        description="exact: always as many frames as are asked for, voxels that no stray point moves; official: "
        "Spatial-MLLM's released code, which may stop early",
    )
    width: int = Field(
        64, ge=2, description="pixels across, at which the mesh is looked at: points 3 cm apart at 2 m"
    )
    parts: int = Field(20, ge=1, description="voxels along the shortest side of the place, as released")
    most_parts: int = Field(
        200, ge=1, description="along the longest, at most: a wall seen alone has no shortest side"
    )
    outside: float = Field(
        0.01, ge=0, lt=0.5, description="share of the points that each end of a side leaves out"
    )
    quantile: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="of predicted points' confidence, below which none is trusted; as released",
    )
    least_confidence: float = Field(
        0.1, ge=0, description="no predicted point of so little is trusted; as released"
    )
    step: float = Field(
        1.25, gt=1, description="voxels' sizes are powers of it, so that a point more changes none"
    )
    least_points: int = Field(
        2, ge=1, description="in a voxel, of all frames together: one alone may be a stray"
    )
    near: float = Field(0.05, gt=0, description="meters; nothing nearer to the camera is seen")


@dataclass(frozen=True)
class Sampled:
    """Frames chosen, in the order of the video."""

    frames: list[View]
    gains: list[int | None]
    """Voxels that each added where it was taken; None by the official rule."""
    candidates: int
    voxels: int | None
    """That the candidates see together."""
    source: str


def sample(
    inputs: SceneInputs, parameters: Parameters, wanted: int, predicted: Path | None = None
) -> Sampled:
    """`wanted` frames of a scene. Raises InputError where it has no frames, or nothing says what they see."""
    every = list(views(inputs.table(tables.FRAMES)).values())
    if not every:
        raise InputError(inputs.ref.name, "it has no frames", "no_frames")
    places = uniform_indices(len(every), min(parameters.candidates, len(every)))
    candidates = [every[place] for place in places]
    if predicted is not None:
        points, source = _predicted(predicted, parameters, candidates), PREDICTED
    else:
        points, source = own_points(inputs, parameters, candidates)
    if parameters.rule == "official":
        released = choose_as_released(points, wanted).tolist()
        found = [candidates[place] for place in released]
        return Sampled(found, [None] * len(found), len(candidates), None, source)
    grid = grid_of(points, parameters.parts, parameters.outside, parameters.most_parts, parameters.step)
    seen = seen_voxels(points, grid, parameters.least_points)
    names = inputs.which.values()
    identities = np.array([hash_name(*names, view.frame) for view in candidates], np.uint64)
    chosen = choose(seen, identities, wanted)
    # In the order of the video; where one is taken again, what it added is told of once.
    order = np.argsort(chosen.frames, kind="stable").tolist()
    return Sampled(
        [candidates[chosen.frames[at]] for at in order],
        [int(chosen.gains[at]) for at in order],
        len(candidates),
        seen.total,
        source,
    )


def own_points(
    inputs: SceneInputs, parameters: Parameters, candidates: Sequence[View]
) -> tuple[list[Float], str]:
    """Points that frames see, (P, 3) meters each: of the mesh, or of the depth images that a source ships."""
    if inputs.file(meshes.KIND).exists():
        mesh, _ = meshes.from_ply(inputs.file(meshes.KIND))
        prepared = prepare_mesh(mesh.vertices, mesh.faces)
        points = []
        for view in candidates:
            small = _small(view, parameters.width)
            _, depth = rasterize(
                prepared, small.intrinsics, small.world_to_camera, small.width, small.height, parameters.near
            )
            points.append(unproject(depth, small.intrinsics, small.camera_to_world))
        return points, MESH
    kind = instance_images.SHIPPED_DEPTH_KIND
    if inputs.file(kind).exists():
        with instance_images.ImageArchive(inputs.file(kind)) as images:
            return [_of_depth(images, view, parameters.width) for view in candidates], DEPTH
    raise InputError(
        inputs.ref.name,
        "it has no mesh and no depth images that tell what frames see; give points that a model has predicted",
        "no_geometry",
    )


def _small(view: View, width: int) -> View:
    """The same view on fewer pixels, if it has more: these are whole, so that its shape may change a little."""
    across = min(width, view.width)
    down = max(1, round(view.height * across / view.width))
    scale = np.diag([across / view.width, down / view.height, 1.0])
    return replace(view, width=across, height=down, intrinsics=scale @ view.intrinsics)


def _of_depth(images: instance_images.ImageArchive, view: View, width: int) -> Float:
    """Points of every so many pixels of a depth image; none where a frame ships none."""
    if view.frame not in images.frames:
        return np.zeros((0, 3))
    try:
        depth = images.depth(view.frame)
    except ValueError as error:
        raise InputError(instance_images.SHIPPED_DEPTH_KIND, str(error), "unreadable_image") from None
    every = max(1, depth.shape[1] // width)
    kept = np.zeros_like(depth)
    kept[every // 2 :: every, every // 2 :: every] = depth[every // 2 :: every, every // 2 :: every]
    return unproject(kept, view.intrinsics, view.camera_to_world)


def _predicted(path: Path, parameters: Parameters, candidates: Sequence[View]) -> list[Float]:
    """Points of a file, trusted as the released code trusts them. Raises InputError for a file of another kind."""
    try:
        held = np.load(path, allow_pickle=False)
        if not isinstance(held, np.lib.npyio.NpzFile):
            raise InputError(path, f"it is one array; an .npz with {POINTS} is needed", "bad_points")
        with held:
            missing = [name for name in (POINTS, CONFIDENCE) if name not in held.files]
            if missing:
                raise InputError(path, f"it has no {' and no '.join(missing)}", "bad_points")
            points, confidence = held[POINTS], held[CONFIDENCE]
            names = held[FRAMES].astype(str).tolist() if FRAMES in held.files else None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"it is no .npz file of arrays: {error}", "bad_points") from None
    # A batch of one, as models give it.
    points = points[0] if points.ndim == 5 and len(points) == 1 else points
    confidence = confidence[0] if confidence.ndim == 4 and len(confidence) == 1 else confidence
    if points.ndim != 4 or points.shape[3:] != (3,) or confidence.shape != points.shape[:3]:
        raise InputError(
            path,
            f"{POINTS} {points.shape} and {CONFIDENCE} {confidence.shape} are not (T, H, W, 3) and (T, H, W)",
            "bad_points",
        )
    if points.dtype.kind != "f" or confidence.dtype.kind != "f":
        raise InputError(path, f"{POINTS} and {CONFIDENCE} must be floating-point numbers", "bad_points")
    places = _places(path, names, len(points), [view.frame for view in candidates])
    flat = points.reshape(len(points), -1, 3)[places].astype(np.float64)
    sure = confidence.reshape(len(points), -1)[places].astype(np.float64)
    known = np.isfinite(flat).all(axis=2) & np.isfinite(sure)
    own = [sure[frame][known[frame]] for frame in range(len(flat))]
    good = trusted(own, parameters.quantile, parameters.least_confidence)
    return [flat[frame][known[frame]][good[frame]] for frame in range(len(flat))]


def _places(path: Path, names: Sequence[str] | None, count: int, wanted: Sequence[str]) -> list[int]:
    """Which of a file's frames the candidates are."""
    if names is None:
        if count != len(wanted):
            raise InputError(
                path,
                f"it is about {count} frames and the candidates are {len(wanted)}; name its frames in an array "
                f"{FRAMES!r}, or choose among as many",
                "bad_points",
            )
        return list(range(count))
    if len(names) != count:
        raise InputError(path, f"it names {len(names)} frames and is about {count}", "bad_points")
    place = {name: at for at, name in enumerate(names)}
    missing = [name for name in wanted if name not in place]
    if missing:
        raise InputError(
            path, f"it has no points of {len(missing)} candidates, as {missing[0]!r}", "bad_points"
        )
    return [place[name] for name in wanted]
