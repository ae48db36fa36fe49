"""What each object of a scene shows in the views of each set: in which it is visible, what hides it, how much of its
surface is seen, by one view and by all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from spatial_assets.geometry.view_sets import Bools, Numbers, shown_areas
from spatial_assets.scene import tables
from spatial_assets.scene.frames import View
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float
from spatial_assets.scene.tables import VIEW_SET_OBJECTS
from spatial_assets.tasks.core.draws import Hashes

ALL, SOME, ONE, NONE = "all", "some", "one", "none"


@dataclass(frozen=True)
class Surfaces:
    """What the chosen frames show, frames by name: the order of the sequence decides nothing."""

    frames: list[View]
    faces: list[NDArray[np.int32]]
    """Faces that each frame shows."""
    areas: Float
    """(F,), square meters."""
    owners: NDArray[np.int32]
    """(F,), the instance that a face is of; negative for none."""
    hashes: Hashes
    """(N,), of the frames' names."""


def object_rows(
    inputs: SceneInputs,
    least_px: int,
    surfaces: Surfaces,
    observed: pl.DataFrame,
    ids: list[str],
    sets: Numbers,
) -> pa.Table:
    """A row per set, (K, LARGEST) frames in the order in which they are shown, and object; columns as whole arrays."""
    instances = np.sort(inputs.table(tables.OBJECTS)["instance"].to_numpy())
    count = len(instances)
    slots = np.searchsorted(instances, surfaces.owners).astype(np.int32)
    slots[slots == count] = 0
    slots[(surfaces.owners < 0) | (instances[slots] != surfaces.owners if count else True)] = -1
    whole: Float = np.bincount(slots[slots >= 0], surfaces.areas[slots >= 0], count).astype(np.float64)
    # By name: in whatever order the sequence shows them, areas add up to the same last digit.
    named = np.argsort(-sets, axis=1)
    each, parts = shown_areas(
        surfaces.faces, slots, surfaces.areas, count, np.take_along_axis(sets, named, axis=1)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        # Areas summed in another order may come to more than the whole by their last digit.
        each, union = (
            np.where(whole > 0, np.minimum(area / whole, 1.0), np.nan) for area in (each, parts.sum(axis=2))
        )
    # (K, O): of which objects two views or more show any surface.
    several = ((each[sets] > 0) & (sets >= 0)[:, :, None]).sum(axis=1) > 1
    pixels, occlusion, truncation = _observations(surfaces, observed, instances)
    sizes = (sets >= 0).sum(axis=1)
    # (set, object, view): which frame, and which object, stands at each place of the flat lists.
    view = np.concatenate([np.zeros(0, np.int64), *(np.tile(row[row >= 0], count) for row in sets)])
    thing = np.concatenate([np.zeros(0, np.int64), *(np.repeat(np.arange(count), size) for size in sizes)])
    lengths = np.repeat(sizes, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    seen = np.zeros((len(sets), count), np.int64)
    for row, places in enumerate(sets):
        seen[row] = (pixels[places[places >= 0]] >= least_px).sum(axis=0)
    views_with = seen.ravel()
    kinds = np.select([views_with == lengths, views_with > 1, views_with == 1], [0, 1, 2], 3)

    def lists(values: NDArray[np.float64] | NDArray[np.int32], kind: pa.DataType) -> pa.Array:
        flat = values[view, thing]
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat, kind, mask=np.isnan(flat)))

    total = len(sets) * count
    columns: dict[str, pa.Array] = {
        **{name: pa.repeat(pa.scalar(value, pa.string()), total) for name, value in inputs.which.items()},
        "view_set": pa.array(ids, pa.string()).take(pa.array(np.repeat(np.arange(len(ids)), count))),
        "instance": pa.array(np.tile(instances, len(sets)), pa.int32()),
        "seen": pa.array([ALL, SOME, ONE, NONE]).take(pa.array(kinds)),
        "views_with": pa.array(views_with, pa.int32()),
        "visible_px": lists(pixels, pa.int32()),
        "occlusion": lists(occlusion, pa.float64()),
        "truncation": lists(truncation, pa.float64()),
        "shown": lists(each, pa.float64()),
        "shown_union": pa.array(union.ravel(), pa.float64(), mask=np.isnan(union.ravel())),
        "shown_parts": _part_lists(parts, whole, several, named, sizes),
    }
    return pa.table([columns[name] for name in VIEW_SET_OBJECTS.schema.names], VIEW_SET_OBJECTS.schema)


def _part_lists(parts: Float, whole: Float, several: Bools, named: Numbers, sizes: Numbers) -> pa.Array:
    """(K * O,) lists by which of a set's views show a part of a surface, of the objects that several show, (K, O).

    parts : (K, O, 2 ** LARGEST), areas by the views in the order of `named`, (K, LARGEST), which says where each stands
    in the set. whole : (O,).
    """
    numbers = np.arange(parts.shape[2])
    digits = (numbers[:, None] >> np.arange(named.shape[1])) & 1
    # (K, 2 ** LARGEST): the number of the same views in the set's order.
    own = (digits[None] << named[:, None]).sum(axis=2)
    held = (numbers > 0) & (numbers < (1 << sizes)[:, None])
    row, thing = np.nonzero(several)
    ordered = np.zeros((len(row), len(numbers)))
    np.put_along_axis(ordered, own[row], np.minimum(parts[row, thing] / whole[thing][:, None], 1.0), axis=1)
    lengths = np.where(several, ((1 << sizes) - 1)[:, None], 0).ravel()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.array(ordered[held[row]], pa.float64()), mask=pa.array(~several.ravel())
    )


def _observations(
    surfaces: Surfaces, observed: pl.DataFrame, instances: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Float, Float]:
    """(N, O) visible pixels, occlusion and truncation; 0 and nan where a frame's image has no place for an object."""
    names = pl.DataFrame(
        {
            "frame": pl.Series([view.frame for view in surfaces.frames], dtype=pl.String),
            "row": np.arange(len(surfaces.frames)),
        }
    )
    rows = observed.join(names, on="frame")
    at = (rows["row"].to_numpy(), np.searchsorted(instances, rows["instance"].to_numpy()))
    shape = (len(surfaces.frames), len(instances))
    pixels = np.zeros(shape, np.int32)
    pixels[at] = rows["visible_px"].to_numpy()
    shares = []
    for name in ("occlusion", "truncation"):
        values = np.full(shape, np.nan)
        values[at] = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        shares.append(values)
    return pixels, shares[0], shares[1]
