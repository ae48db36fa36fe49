"""View sets: a few keyframes of which every two share little, and what each object of the scene shows in them.

SpatialMosaic asks about such sets. What it has published of them is that they hold 2 to 5 views, that no two overlap
by more than 30 %, and that overlap is measured over the visible surfaces of instances; the rest are named choices here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from spatial_assets.geometry.drawable import face_areas
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.view_sets import (
    LARGEST,
    Bools,
    Numbers,
    count_sets,
    draw_sets,
    pair_overlaps,
    spread,
)
from spatial_assets.scene import parameters as base
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.frames import KEYFRAMES, selections, views
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Float
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.scene.tables import VIEW_SET_OBJECTS, VIEW_SETS
from spatial_assets.stages.stage import Stage
from spatial_assets.stages.view_set_objects import Surfaces, object_rows
from spatial_assets.storage import meshes, visible_faces
from spatial_assets.tasks.core.draws import hash_name, mix, mix_columns

NAME = "view_sets"
LEVELS = ("low", "medium", "high")


class Parameters(base.Parameters):
    """Which frames may stand in one set, and how many sets are kept."""

    smallest: int = Field(2, ge=2, le=LARGEST, description="views of a set, at least, as published")
    largest: int = Field(LARGEST, ge=2, le=LARGEST, description="views of a set, at most, as published")
    most: float = Field(0.3, gt=0, le=1, description="overlap of two views of a set, at most, as published")
    least: float = Field(
        0.0, ge=0, lt=1, description="two views are connected that overlap by more than this; unpublished"
    )
    together: Literal["pairs", "chain", "none"] = Field(
        "pairs",
        description="what must be connected: every two views of a set, so that no view of it can be told apart from "
        "the others as being elsewhere; all views over a chain of pairs; or nothing. Unpublished",
    )
    measure: Literal["union", "smaller"] = Field(
        "union",
        description="what the area seen in both views is a share of: the area seen in either, as published, or the "
        "smaller of their areas, which a close view inside a wide one cannot evade",
    )
    surfaces: Literal["instances", "objects", "all"] = Field(
        "instances",
        description="whose area counts: of all instances, as published; of those that are no part of the building, "
        "which a dataset may annotate as instances or not; or of everything",
    )
    levels: tuple[float, float] = Field(
        (0.1, 0.2),
        description="average overlaps up to which a set's level is the first and the second; thirds of the published "
        "30 %, since the published levels have no published borders",
    )
    level_of: Literal["overlap", "difficulty"] = Field(
        "overlap",
        description="what a high level means: much overlap, as the word says, or little, as a published sample of "
        "3.95 % with the level 'high' has it",
    )
    least_px: int = Field(
        1, ge=1, description="visible pixels from which on a view shows an object; tasks may ask for more"
    )
    per_size: int = Field(
        48, ge=0, description="sets of each size that are kept: some ten questions each make SpatialMosaic's 2,400 "
        "a scene"
    )  # fmt: skip
    cell: float = Field(
        1.0, gt=0, description="meters, edge of the cells of camera positions that take turns: about a step"
    )
    draws: int = Field(
        4,
        ge=1,
        le=100,
        description="sets grown from each frame, of each size and level, before some are kept",
    )
    frames: int = Field(
        300, ge=2, le=1000, description="keyframes that sets are looked for among; the sets, which are counted, grow "
        "by their fifth power"
    )  # fmt: skip
    seed: int = Field(0, description="changes which sets are kept")

    @model_validator(mode="after")
    def _in_order(self) -> Parameters:
        if self.smallest > self.largest:
            raise ValueError(f"sets of {self.smallest} to {self.largest} views: no size is left")
        if self.least >= self.most:
            raise ValueError(f"overlaps above {self.least} and up to {self.most}: none is left")
        if self.levels[0] > self.levels[1]:
            raise ValueError(f"levels that end at {self.levels[0]} and {self.levels[1]} are not in order")
        return self


@dataclass(frozen=True)
class Pairs:
    """Which two frames may stand in one set."""

    overlap: Float
    """(N, N)."""
    fits: Bools
    """(N, N)."""
    shares: Bools | None
    """(N, N), who is connected to whom where a chain of them must reach everyone."""


def find(inputs: SceneInputs, parameters: Parameters) -> SceneOutputs:
    if not inputs.file(visible_faces.KIND).exists():
        return SceneOutputs(tallies=[Tally("frames", 0, 0)])
    outputs = SceneOutputs()
    observed = inputs.table(tables.VISIBILITY)
    surfaces = _surfaces(inputs, parameters, observed, outputs)
    pairs = _pairs(inputs, parameters, surfaces, outputs)
    sets = _sets(inputs, parameters, surfaces, pairs, outputs)
    ids = [
        _id(inputs, [surfaces.frames[place].frame for place in row if place >= 0]) for row in sets.tolist()
    ]
    # Diagnostics are listed in the order in which the sequence shows the views.
    positions = np.array([view.position for view in surfaces.frames], np.int64)
    later = np.iinfo(np.int64).max
    shown = np.take_along_axis(
        sets, np.argsort(np.where(sets < 0, later, positions[sets] if len(positions) else 0), axis=1), axis=1
    )
    outputs.tables = {
        VIEW_SETS.name: _set_rows(inputs, parameters, surfaces, pairs.overlap, ids, shown, sets),
        VIEW_SET_OBJECTS.name: object_rows(inputs, parameters.least_px, surfaces, observed, ids, shown),
    }
    outputs.rejects = [reject for reject in outputs.rejects if reject.count]
    return outputs


def _key(inputs: SceneInputs, parameters: Parameters, purpose: str) -> int:
    return mix(hash_name(*inputs.which.values()), hash_name(str(parameters.seed), NAME, purpose))


def _id(inputs: SceneInputs, names: list[str]) -> str:
    """Of the set's frames in no order, and of nothing else."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (*inputs.which.values(), *sorted(names)):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _surfaces(
    inputs: SceneInputs, parameters: Parameters, observed: pl.DataFrame, outputs: SceneOutputs
) -> Surfaces:
    """The keyframes that show an object, and, where they are too many, of those whose names hash the least."""
    chosen = selections(inputs.table(tables.KEYFRAMES)).get(KEYFRAMES, [])
    showing = set(observed.filter(pl.col("visible_px") > 0)["frame"].unique())
    used = sorted(showing.intersection(chosen))
    hashes = np.array([hash_name(name) for name in used], np.uint64)
    ranks = mix_columns(_key(inputs, parameters, "frames"), hashes)
    first = np.sort(np.argsort(ranks, kind="stable")[: parameters.frames])
    outputs.rejects += [
        Reject("no_object", "it shows no object", len(chosen) - len(used), "frames"),
        Reject(
            "over_quota", "more keyframes than sets are looked for among", len(used) - len(first), "frames"
        ),
    ]
    outputs.tallies.append(Tally("frames", len(chosen), len(first), parameters.frames))
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    seen = visible_faces.read_faces(inputs.file(visible_faces.KIND))
    names = [used[place] for place in first.tolist()]
    cameras = views(inputs.table(tables.FRAMES), names)
    return Surfaces(
        [cameras[name] for name in names],
        [seen[name] for name in names],
        face_areas(mesh.vertices, mesh.faces),
        owners,
        hashes[first],
    )


def _pairs(inputs: SceneInputs, parameters: Parameters, surfaces: Surfaces, outputs: SceneOutputs) -> Pairs:
    overlap = _overlap(inputs, parameters, surfaces)
    apart = ~np.eye(len(overlap), dtype=np.bool_)
    shares = (overlap > parameters.least) & apart
    little = (overlap <= parameters.most) & apart
    fits = little & shares if parameters.together == "pairs" else little
    total = len(overlap) * (len(overlap) - 1) // 2
    much, kept = int((apart & ~little).sum()) // 2, int(fits.sum()) // 2
    outputs.rejects += [
        Reject("much_overlap", "the two views share more than a set's may", much, "pairs"),
        Reject("no_overlap", "the two views are not connected", total - much - kept, "pairs"),
    ]
    outputs.tallies.append(Tally("pairs", total, kept))
    return Pairs(overlap, fits, shares if parameters.together == "chain" else None)


def _overlap(inputs: SceneInputs, parameters: Parameters, surfaces: Surfaces) -> Float:
    """(N, N), by the surfaces and the measure that are asked for."""
    owners = surfaces.owners
    if parameters.surfaces == "objects":
        objects = inputs.table(tables.OBJECTS)
        building = [row["instance"] for row in objects.iter_rows(named=True) if is_structure(row["category"])]
        counts = (owners >= 0) & ~np.isin(owners, building)
        shared = overlap_matrices(surfaces.faces, surfaces.areas, np.where(counts, owners, -1))[1]
    else:
        counts = (owners >= 0) | (parameters.surfaces == "all")
        shared = _table_overlap(inputs, surfaces, parameters.surfaces)
    if parameters.measure == "smaller":
        weights = np.where(counts, surfaces.areas, 0.0)
        own = np.array([weights[faces].sum() for faces in surfaces.faces])
        both = shared * (own[:, None] + own) / (1.0 + shared)
        less = np.minimum(own[:, None], own)
        # What rounding adds to the whole is taken off again.
        shared = np.minimum(np.divide(both, less, out=np.zeros_like(both), where=less > 0), 1.0)
    return shared


def _table_overlap(inputs: SceneInputs, surfaces: Surfaces, whose: str) -> Float:
    places = pl.DataFrame(
        {
            "frame": pl.Series([view.frame for view in surfaces.frames], dtype=pl.String),
            "place": np.arange(len(surfaces.frames)),
        }
    )
    rows = (
        inputs.table(tables.OVERLAP)
        .join(places.rename({"frame": "frame_a", "place": "a"}), on="frame_a")
        .join(places.rename({"frame": "frame_b", "place": "b"}), on="frame_b")
    )
    shared = np.zeros((len(places), len(places)))
    a, b = rows["a"].to_numpy(), rows["b"].to_numpy()
    values = rows["overlap" if whose == "all" else "overlap_instances"].to_numpy()
    shared[a, b] = values
    shared[b, a] = values
    return shared


def _bounds(parameters: Parameters) -> list[tuple[float, float]]:
    """Each level's averages: above the first, up to the second."""
    low, high = parameters.levels
    return [(-1.0, low), (low, high), (high, 1.0)]


def _sets(
    inputs: SceneInputs, parameters: Parameters, surfaces: Surfaces, pairs: Pairs, outputs: SceneOutputs
) -> Numbers:
    """(K, LARGEST) the sets that are kept, ascending places of frames; counts of those that exist and were found."""
    sizes = range(parameters.smallest, parameters.largest + 1)
    frames = len(surfaces.frames)
    exist = count_sets(pairs.fits, pairs.shares, parameters.largest)
    cases = np.array([(size, draw) for size in sizes for draw in range(parameters.draws)], np.int64)
    anchors = np.repeat(np.arange(frames), len(cases))
    wanted = np.tile(cases, (frames, 1))
    states = mix_columns(_key(inputs, parameters, "draw"), surfaces.hashes[anchors], wanted.astype(np.uint64))
    ranks = mix_columns(np.repeat(states, frames), np.tile(surfaces.hashes, len(states)))
    found = draw_sets(
        pairs.overlap,
        pairs.fits,
        pairs.shares,
        _bounds(parameters),
        anchors,
        np.ascontiguousarray(wanted[:, 0]),
        ranks.reshape(len(states), frames),
    )
    counts = (found >= 0).sum(axis=1)
    kept = []
    for size in sizes:
        own = found[counts == size, :size]
        order = _turns(inputs, parameters, surfaces, pairs.overlap, own)[: parameters.per_size]
        rows = np.full((len(order), LARGEST), -1, np.int64)
        rows[:, :size] = own[order]
        kept.append(rows)
        form, number = f"{size} views", exist[size - 2]
        outputs.rejects += [
            Reject("not_tried", "sets that fit and that no draw came upon", number - len(own), form),
            Reject("over_quota", "more than are kept of a scene", len(own) - len(order), form),
        ]
        outputs.tallies.append(Tally(form, number, len(order), parameters.per_size))
    return np.concatenate(kept)


def _turns(
    inputs: SceneInputs, parameters: Parameters, surfaces: Surfaces, overlap: Float, sets: Numbers
) -> Numbers:
    """(K,) places of sets of one size, (K, k), in the order in which they are kept.

    Levels take turns, and within them the cells of the world in which one of a set's cameras stands, drawn by hash.
    """
    if not len(sets):
        return np.zeros(0, np.int64)
    members = surfaces.hashes[sets]
    states = mix_columns(_key(inputs, parameters, "set"), members)
    flat = mix_columns(np.repeat(states, sets.shape[1]), members.ravel()).reshape(sets.shape)
    stands = np.take_along_axis(sets, flat.argmax(axis=1)[:, None], axis=1)[:, 0]
    places = np.floor(_positions(surfaces) / parameters.cell).astype(np.int64).view(np.uint64)
    cells = mix_columns(0, places)[stands]
    average = pair_overlaps(sets, overlap).mean(axis=1)
    levels = np.searchsorted(parameters.levels, average).astype(np.uint64)
    return spread(states, levels, cells)


def _positions(surfaces: Surfaces) -> Float:
    """(N, 3), meters."""
    return np.array([view.camera_to_world[:3, 3] for view in surfaces.frames]).reshape(-1, 3)


def _set_rows(
    inputs: SceneInputs,
    parameters: Parameters,
    surfaces: Surfaces,
    overlap: Float,
    ids: list[str],
    shown: Numbers,
    sets: Numbers,
) -> list[dict[str, object]]:
    names = [view.frame for view in surfaces.frames]
    positions = _positions(surfaces)
    words = LEVELS if parameters.level_of == "overlap" else LEVELS[::-1]
    rows: list[dict[str, object]] = []
    # Sets of one size at once; they stand beside one another.
    for size in range(parameters.smallest, parameters.largest + 1):
        chosen = np.flatnonzero((sets >= 0).sum(axis=1) == size)
        in_order, by_name = shown[chosen, :size], sets[chosen, :size]
        every = 100.0 * pair_overlaps(in_order, overlap)
        # Of the frames by name, so that the sum's last digit does not depend on the sequence.
        averages = pair_overlaps(by_name, overlap).mean(axis=1)
        levels = np.searchsorted(parameters.levels, averages).tolist()
        places = positions[by_name]
        between = np.linalg.norm(places[:, :, None] - places[:, None], axis=3).max(axis=(1, 2), initial=0.0)
        rows += [
            {
                **inputs.which,
                "view_set": ids[place],
                "views": size,
                "frames": [names[frame] for frame in members],
                "overlap_avg": average,
                "overlap_pairs": pairs,
                "overlap_level": words[level],
                "baseline": baseline,
            }
            for place, members, average, pairs, level, baseline in zip(
                chosen.tolist(),
                in_order.tolist(),
                (100.0 * averages).tolist(),
                every.tolist(),
                levels,
                between.tolist(),
                strict=True,
            )
        ]
    return rows


STAGE = Stage(
    name=NAME,
    reads=(
        tables.FRAMES,
        tables.KEYFRAMES,
        tables.OBJECTS,
        tables.VISIBILITY,
        tables.OVERLAP,
        meshes.KIND,
        visible_faces.KIND,
    ),
    writes=(VIEW_SETS, VIEW_SET_OBJECTS),
    parameters=lambda dataset: Parameters(),
    compute=find,
    modules=lambda dataset: (__name__,),
    heavy=lambda dataset: True,
)
