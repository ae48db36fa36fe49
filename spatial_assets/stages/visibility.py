"""Which pixels of which frame show which object, exactly, for every selection of a scene's frames in one pass.

Keyframes and the 32-frame video get every column; frames that only the dense video has get visible
pixels alone. Beside the table stand, per scene, the instance image of every frame, and which faces own a
pixel in each frame of the first two sets. A scene with a mesh is rendered; one that ships instance images
in place of a mesh is read from these, and what only a mesh can tell stays null.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.geometry.cameras import project
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.kernels.png_filters import unfiltered
from spatial_assets.geometry.kernels.png_runs import zlib_stream
from spatial_assets.geometry.rasterize import prepare_mesh
from spatial_assets.geometry.visibility import FrameVisibility, frame_visibility, image_visibility
from spatial_assets.scene import parameters as base
from spatial_assets.scene import tables
from spatial_assets.scene.frames import KEYFRAMES, VIDEO, View, selections, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float, InputError
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.stages.stage import Stage
from spatial_assets.storage import instance_images, meshes, visible_faces

NAME = "visibility"


class Parameters(base.Parameters):
    """How frames are rendered."""

    near: float = Field(0.05, gt=0, description="meters; nothing nearer to the camera is seen")


@dataclass(frozen=True)
class Wanted:
    """The frames of a scene's sets, in the order of the sequence, and which of them get every column."""

    views: dict[str, View]
    full: frozenset[str]


@dataclass(frozen=True)
class Centers:
    """Box centers of the scene's objects."""

    instances: NDArray[np.int32]
    """(N,), ascending."""
    points: Float
    """(N, 3), meters."""


AHEAD = 4
"""Frames by threads that may be rendered and not written yet."""


@dataclass(frozen=True)
class Seen:
    """What is kept of one frame: arrays as long as its rows, its visible faces where they are wanted, its instance
    image as PNG."""

    frame: str
    columns: dict[str, NDArray[Any]]
    faces: NDArray[np.int32] | None
    png: bytes


def see(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    wanted = wanted_frames(inputs)
    if inputs.file(meshes.KIND).exists():
        return _outputs(inputs, wanted, rendered(inputs, parameters, wanted), visible_faces.FacesFile())
    if inputs.file(instance_images.SHIPPED_KIND).exists():
        return _outputs(inputs, wanted, shipped(inputs, wanted), None)
    return SceneOutputs(tallies=[Tally("frames", 0, 0)])


def wanted_frames(inputs: SceneInputs) -> Wanted:
    sets = selections(inputs.table(tables.KEYFRAMES))
    members = sorted({name for chosen in sets.values() for name in chosen})
    return Wanted(
        views(inputs.table(tables.FRAMES), members),
        frozenset(sets.get(KEYFRAMES, [])) | frozenset(sets.get(VIDEO, [])),
    )


def _centers(inputs: SceneInputs) -> Centers:
    objects = inputs.table(tables.OBJECTS).sort("instance")
    return Centers(
        objects["instance"].to_numpy(), np.array(objects["center"].to_list(), np.float64).reshape(-1, 3)
    )


def rendered(inputs: SceneInputs, parameters: Parameters, wanted: Wanted) -> Iterator[Seen]:
    """The frames of a scene with a mesh, rendered side by side."""
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    check_ids(meshes.KIND, owners)
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    instances = prepare_instances(prepared, owners)
    centers = _centers(inputs)

    def look(view: View) -> Seen:
        full = view.frame in wanted.full
        seen = frame_visibility(
            prepared, instances, view.intrinsics, view.world_to_camera, view.width, view.height,
            parameters.near, full,
        )  # fmt: skip
        return _seen(view, centers, seen, full)

    with ThreadPoolExecutor(inputs.threads) as pool:
        yield from _in_order(pool, inputs.threads, look, wanted.views.values())


def _in_order(
    pool: ThreadPoolExecutor, threads: int, look: Callable[[View], Seen], views: Iterable[View]
) -> Iterator[Seen]:
    """What `look` makes of the views, in their order. Few wait for who takes them: each holds its visible faces."""
    ahead: deque[Future[Seen]] = deque()
    try:
        for view in views:
            if len(ahead) == AHEAD * threads:
                yield ahead.popleft().result()
            ahead.append(pool.submit(look, view))
        while ahead:
            yield ahead.popleft().result()
    finally:
        for future in ahead:
            future.cancel()


def shipped(inputs: SceneInputs, wanted: Wanted) -> Iterator[Seen]:
    """The frames of a scene that ships instance images, and perhaps depth images; frames without are left out.

    Raises InputError for an image that cannot be read or is not of its frame's size.
    """
    centers = _centers(inputs)
    with ExitStack() as opened:
        kind = instance_images.SHIPPED_KIND
        try:
            images = opened.enter_context(instance_images.ImageArchive(inputs.file(kind), unfiltered))
            depths = None
            if inputs.file(instance_images.SHIPPED_DEPTH_KIND).exists():
                kind = instance_images.SHIPPED_DEPTH_KIND
                depths = opened.enter_context(instance_images.ImageArchive(inputs.file(kind), unfiltered))
            for name, view in wanted.views.items():
                if name not in images.frames:
                    continue
                kind, depth = instance_images.SHIPPED_KIND, None
                image = images.instances(name)
                _check_size(kind, view, image)
                if depths is not None and name in depths.frames:
                    kind = instance_images.SHIPPED_DEPTH_KIND
                    depth = depths.depth(name)
                    _check_size(kind, view, depth)
                seen = image_visibility(image, depth)
                yield _seen(view, centers, seen, name in wanted.full, images.png(name))
        except ValueError as error:
            raise InputError(kind, str(error), "unreadable_image") from None


def _check_size(kind: str, view: View, image: NDArray[Any]) -> None:
    if image.shape != (view.height, view.width):
        found = (
            f"{image.shape[1]} x {image.shape[0]} pixels where its camera has {view.width} x {view.height}"
        )
        raise InputError(kind, f"{view.frame}: {found}", "contradiction")


def check_ids(kind: str, owners: NDArray[np.int32]) -> None:
    """Raises InputError where an instance's id, of owners (F,), does not fit the instance images."""
    greatest = int(owners.max(initial=0))
    if greatest > instance_images.GREATEST_ID:
        raise InputError(
            kind,
            f"instance {greatest} does not fit an instance image, which holds ids up to "
            f"{instance_images.GREATEST_ID}",
            "instance_id",
        )


def _seen(view: View, centers: Centers, seen: FrameVisibility, full: bool, png: bytes | None = None) -> Seen:
    """Rows of the instances that are objects; frames that are not full keep visible ones only.

    `png` is the frame's instance image, where it is there already.
    """
    place = np.searchsorted(centers.instances, seen.instance)
    place[place == len(centers.instances)] = 0
    keep = np.zeros(len(seen.instance), np.bool_)
    if len(centers.instances):
        keep = centers.instances[place] == seen.instance
    if not full or (seen.amodal_px < 0).all():
        keep &= seen.visible_px > 0
    columns: dict[str, NDArray[Any]] = {
        "instance": seen.instance[keep],
        "visible_px": seen.visible_px[keep],
    }
    if full:
        points = centers.points[place[keep]]
        columns |= {name: values[keep] for name, values in _full_columns(seen).items()}
        pixels, depths = project(points, view.intrinsics, view.world_to_camera)
        columns |= {
            "center": pixels,
            "center_depth": depths,
            "center_distance": np.linalg.norm(points - view.camera_to_world[:3, 3], axis=1),
        }
    faces = seen.visible_faces if full else None
    return Seen(view.frame, columns, faces, png or instance_images.to_png(seen.instance_image, zlib_stream))


def _full_columns(seen: FrameVisibility) -> dict[str, NDArray[Any]]:
    """Columns of every instance, nan (or a negative integer) for what is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        occlusion = np.where(seen.amodal_px > 0, 1.0 - seen.visible_px / seen.amodal_px, np.nan)
    return {
        "amodal_px": seen.amodal_px,
        "occlusion": occlusion,
        "truncation": seen.truncation,
        "visible_vertex_fraction": seen.visible_vertex_fraction,
        "box": seen.box,
        "amodal_box": seen.amodal_box,
        "depth_min": seen.depth_min,
        "depth_max": seen.depth_max,
        "marker": seen.marker,
        "marker_radius": seen.marker_radius,
    }


def _outputs(
    inputs: SceneInputs, wanted: Wanted, frames: Iterable[Seen], faces: visible_faces.FacesFile | None
) -> SceneOutputs:
    kept: list[Seen] = []
    pngs: dict[str, bytes] = {}
    for seen in frames:
        pngs[seen.frame] = seen.png
        if faces is not None and seen.faces is not None:
            faces.add(seen.frame, seen.faces)
        kept.append(replace(seen, faces=None, png=b""))
    files = {instance_images.KIND: instance_images.pack(pngs)}
    if faces is not None:
        files[visible_faces.KIND] = faces.close()
    missing = len(wanted.views) - len(kept)
    rejects = [
        Reject("no_instance_image", "the source has no instance image of the frame", missing, "frames")
    ]
    return SceneOutputs(
        {tables.VISIBILITY.name: rows_of(inputs.which, kept)},
        files=files,
        rejects=[item for item in rejects if item.count],
        tallies=[Tally("frames", len(wanted.views), len(kept))],
    )


def rows_of(which: dict[str, str], frames: list[Seen]) -> pl.DataFrame:
    """Rows of the visibility table, all columns built as whole arrays."""
    counts = [len(seen.columns["instance"]) for seen in frames]
    total = sum(counts)
    names = pa.array([seen.frame for seen in frames], pa.string())
    columns: dict[str, pa.Array] = {
        **{name: pa.repeat(pa.scalar(value, pa.string()), total) for name, value in which.items()},
        "frame": names.take(pa.array(np.repeat(np.arange(len(frames)), counts))),
    }
    schema = tables.VISIBILITY.schema
    for field in schema:
        if field.name not in columns:
            columns[field.name] = _column(field, frames, counts)
    frame = pl.from_arrow(pa.table([columns[name] for name in schema.names], schema=schema))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _column(field: pa.Field, frames: list[Seen], counts: list[int]) -> pa.Array:
    """One column over all frames; null where a frame does not have it, where it is nan, or negative as an
    integer."""
    is_list = pa.types.is_list(field.type)
    kind = field.type.value_type if is_list else field.type
    width = next(
        (v.shape[1] for seen in frames if (v := seen.columns.get(field.name)) is not None and is_list), 1
    )
    unknown = np.nan if pa.types.is_floating(kind) else -1
    parts = [
        np.asarray(seen.columns[field.name]).reshape(count, width)
        if field.name in seen.columns
        else np.full((count, width), unknown)
        for seen, count in zip(frames, counts, strict=True)
    ]
    values = np.concatenate([np.zeros((0, width)), *parts]).astype(kind.to_pandas_dtype())
    null = (np.isnan(values) if pa.types.is_floating(kind) else values < 0).any(axis=1)
    if not is_list:
        return pa.array(values[:, 0], kind, mask=null)
    offsets = np.concatenate([[0], np.cumsum(np.where(null, 0, width))]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(values[~null].ravel(), kind), type=field.type, mask=pa.array(null)
    )


STAGE = Stage(
    name=NAME,
    reads=(
        tables.FRAMES,
        tables.KEYFRAMES,
        tables.OBJECTS,
        meshes.KIND,
        instance_images.SHIPPED_KIND,
        instance_images.SHIPPED_DEPTH_KIND,
    ),
    writes=(tables.VISIBILITY,),
    files=(visible_faces.KIND, instance_images.KIND),
    parameters=lambda dataset: Parameters(),
    compute=see,
    modules=lambda dataset: (__name__,),
)
