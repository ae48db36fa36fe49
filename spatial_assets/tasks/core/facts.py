"""One scene's facts as arrays over its objects and frames: made once, read by all tasks of a step.

Objects are in the order of their identities, frames in that of the sequence; every array's axes follow these two. So
which of two objects comes first, wherever a task takes them two by two, follows from what the source calls them and not
from how it numbers them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene import tables
from spatial_assets.scene.frame_set_tables import FRAME_SETS
from spatial_assets.scene.frames import KEYFRAMES, VIDEO, FrameSet
from spatial_assets.scene.model import MADE_BY, Fact, Float, rigid_inverse
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.arrays import Bools, Indices, floats_of, places_of
from spatial_assets.tasks.core.draws import Hashes, hash_name
from spatial_assets.tasks.core.scene_objects import Objects, objects_of

T = TypeVar("T")

READS = (tables.SCENES, tables.FRAMES, tables.OBJECTS, tables.KEYFRAMES)
"""Tables that the facts of every task come from."""
READ_FOR: Mapping[Fact, Table] = {Fact.VISIBILITY: tables.VISIBILITY, Fact.OVERLAP: tables.OVERLAP}
"""And those of tasks that need a fact."""
MADE_BY_OVERLAP = tables.VIEW_SETS
"""Tasks that read it need to know what frames share because it is made by that, and do not look for themselves."""
WIDTHS = {"box": 4, "amodal_box": 4, "center": 2, "marker": 2}
"""How many numbers the visibility table's lists hold; a scene of which no frame shows an object has none to count."""
_NOT_YET: Any = object()
"""In place of what was not made yet, which may be None."""


@dataclass(frozen=True)
class Frames:
    """The keyframes and the frames of the 32-frame video, in the order of the sequence."""

    names: tuple[str, ...]
    widths: Float
    """(F,), pixels."""
    heights: Float
    """(F,), pixels."""
    intrinsics: Float
    """(F, 3, 3), pixels."""
    camera_to_world: Float
    """(F, 4, 4), meters."""
    identities: Hashes
    """(F,), of the source's own names."""
    keyframes: Indices
    """(K,), the keyframes' places among these frames."""
    video: Indices
    """(V,), the same of the video's frames, in the video's order."""

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def world_to_camera(self) -> Float:
        """(F, 4, 4)."""
        return rigid_inverse(self.camera_to_world)

    @cached_property
    def pixels(self) -> Float:
        """(F,), how many an image has."""
        return self.widths * self.heights


class Observations:
    """What each frame shows of each object: the visibility table's columns as (F, O) arrays.

    Whole numbers are 0 and others NaN where there is no row, or where the table has a null.
    """

    def __init__(self, rows: pl.DataFrame, chosen: Indices, cells: Indices, shape: tuple[int, int]) -> None:
        """Of the rows those chosen, (N,), each of which belongs in one of the cells, (N,)."""
        self._rows, self._chosen, self._cells, self._shape = rows, chosen, cells, shape
        self._made: dict[str, Float] = {}

    def column(self, name: str) -> Float:
        """(F, O) of a numeric column, or (F, O, k) of a list of k numbers, as float64."""
        if name not in self._made:
            self._made[name] = self._column(name)
        return self._made[name]

    def _column(self, name: str) -> Float:
        # By Arrow: Polars starts its threads for each of dozens of small columns.
        array = self._rows[name].to_arrow()
        count = self._shape[0] * self._shape[1]
        if not pa.types.is_large_list(array.type):
            out = np.full(count, np.nan)
            out[self._cells] = array.cast(pa.float64()).to_numpy(zero_copy_only=False)[self._chosen]
            return out.reshape(self._shape)
        width = WIDTHS[name]
        present = array.is_valid().to_numpy(zero_copy_only=False)
        values = array.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False).reshape(-1, width)
        given = present[self._chosen]
        out = np.full((count, width), np.nan)
        out[self._cells[given]] = values[(np.cumsum(present) - 1)[self._chosen[given]]]
        return out.reshape(*self._shape, width)

    @cached_property
    def visible_px(self) -> Float:
        """(F, O), 0 where nothing is visible."""
        return np.nan_to_num(self.column("visible_px"), nan=0.0)

    @cached_property
    def visible(self) -> Bools:
        """(F, O)."""
        return self.visible_px > 0


class SceneFacts:
    """Facts of one scene, each turned into arrays when first asked for.

    `read` gives the rows of a table for this scene; `which` are the columns that say which scene a row is of.
    """

    def __init__(self, which: dict[str, str], license: str, read: Callable[[Table], pl.DataFrame]) -> None:
        self.which, self.license, self.read = which, license, read
        self.frame_set: FrameSet = VIDEO
        """Whose frames stand for the video."""
        self._memo: dict[Hashable, Any] = {}

    def once(self, make: Callable[..., T], *arguments: Hashable) -> T:
        """`make(self, *arguments)`, computed once for all tasks that ask for it."""
        key = (make, arguments)
        found: T = self._memo.get(key, _NOT_YET)
        if found is _NOT_YET:
            found = self._memo[key] = make(self, *arguments)
        return found

    def called(self, names: Literal["category", "label"]) -> SceneFacts:
        """The same scene, its objects called by their categories or by their source's labels."""
        return self if names == "category" else self._by_label

    @cached_property
    def _by_label(self) -> SceneFacts:
        found = SceneFacts(self.which, self.license, self.read)
        found.objects = replace(self.objects, by_label=True)
        return found

    def showing(self, frame_set: FrameSet) -> SceneFacts:
        """The same scene, its video shown by the frames of a set: all frames, and what they show, are the same."""
        return self if frame_set == self.frame_set else self.once(_showing, frame_set)

    @cached_property
    def _scene(self) -> pl.DataFrame:
        return self.read(tables.SCENES)

    @cached_property
    def facts(self) -> frozenset[str]:
        return frozenset(self._scene["facts"][0].to_list()) if len(self._scene) else frozenset()

    @property
    def room_size(self) -> float | None:
        """Square meters, where the source states it."""
        size = self._scene["room_size"][0]
        return None if size is None else float(size)

    @property
    def made_by(self) -> str | None:
        """The program that the images say they were made by."""
        noted = {item["what"]: item["found"] for item in self._scene["conventions"].to_list()[0] or ()}
        return noted.get(MADE_BY)

    @cached_property
    def objects(self) -> Objects:
        return objects_of(self.read(tables.OBJECTS))

    @cached_property
    def frames(self) -> Frames:
        sets = self.read(tables.KEYFRAMES)
        members: dict[str, list[tuple[int, str]]] = {KEYFRAMES: [], VIDEO: []}
        for chosen, position, frame in sets.select("set", "position", "frame").iter_rows():
            if chosen in members:
                members[chosen].append((position, frame))
        wanted = sorted({frame for places in members.values() for _, frame in places})
        rows = self.read(tables.FRAMES)
        found = np.flatnonzero(places_of(rows["frame"], wanted) >= 0)
        rows = rows[found[np.argsort(rows["position"].to_numpy()[found], kind="stable")]]
        names = rows["frame"].to_list()
        place = {name: index for index, name in enumerate(names)}
        keyframes, video = (
            np.array([place[name] for _, name in sorted(members[chosen])], np.int64)
            for chosen in (KEYFRAMES, VIDEO)
        )
        return Frames(
            tuple(names),
            rows["width"].to_numpy().astype(np.float64),
            rows["height"].to_numpy().astype(np.float64),
            floats_of(rows["intrinsics"], len(rows), 9).reshape(-1, 3, 3),
            floats_of(rows["camera_to_world"], len(rows), 16).reshape(-1, 4, 4),
            np.array([hash_name("frame", name) for name in names], np.uint64),
            keyframes,
            video,
        )

    @cached_property
    def observed(self) -> Observations:
        """What the frames show; rows of frames that only the dense video has are left out."""
        frames, objects = self.frames, self.objects
        rows = self.read(tables.VISIBILITY)
        place = places_of(rows["frame"], frames.names)
        chosen = np.flatnonzero((place >= 0) & rows["center_distance"].is_not_null().to_numpy())
        column = objects.places(rows["instance"].to_numpy()[chosen])
        return Observations(rows, chosen, place[chosen] * len(objects) + column, (len(frames), len(objects)))

    @cached_property
    def overlap(self) -> Float:
        """(F, F), share of the surface seen by either of two frames that both see."""
        names = self.frames.names
        rows = self.read(tables.OVERLAP)
        first, second = places_of(rows["frame_a"], names), places_of(rows["frame_b"], names)
        both = (first >= 0) & (second >= 0)
        first, second = first[both], second[both]
        shares = np.zeros((len(names), len(names)))
        shares[first, second] = shares[second, first] = rows["overlap"].to_numpy()[both]
        return shares

    @cached_property
    def namesakes(self) -> Bools:
        """(F, O): whether a frame shows another object that the object's category may mean."""
        return _namesakes(self.observed.visible, self.objects.may_mean)

    @cached_property
    def camera_points(self) -> Float:
        """(F, O, 3), the boxes' centers in each frame's camera, meters."""
        return _in_cameras(self.frames.world_to_camera, self.objects.centers)


def _showing(facts: SceneFacts, frame_set: FrameSet) -> SceneFacts:
    # Of a set of another run frames may be none of these; they cannot be told of.
    places = facts.once(_frames_of_sets).get(frame_set, np.zeros(0, np.int64))
    found = SceneFacts(facts.which, facts.license, facts.read)
    found.objects, found.observed = facts.objects, facts.observed
    found.frames = replace(facts.frames, video=places[places >= 0])
    found.frame_set = frame_set
    return found


def _frames_of_sets(facts: SceneFacts) -> dict[str, Indices]:
    """Of each set of frames their places among the scene's, in the set's order; -1 of those that are none of these."""
    rows = facts.read(FRAME_SETS)
    places, ordinals = places_of(rows["frame"], facts.frames.names), rows["ordinal"].to_numpy()
    names = rows["name"].to_numpy()
    found = {}
    for name in dict.fromkeys(names.tolist()):
        own = np.flatnonzero(names == name)
        found[name] = places[own[np.argsort(ordinals[own])]]
    return found


@kernel
def _in_cameras(world_to_camera: Float, points: Float) -> Float:
    out = np.empty((len(world_to_camera), len(points), 3))
    for frame in range(len(world_to_camera)):
        for point in range(len(points)):
            for axis in range(3):
                row = world_to_camera[frame, axis]
                x, y, z = points[point, 0], points[point, 1], points[point, 2]
                out[frame, point, axis] = row[0] * x + row[1] * y + row[2] * z + row[3]
    return out


@kernel
def _namesakes(visible: Bools, may_mean: Bools) -> Bools:
    out = np.zeros(visible.shape, np.bool_)
    for frame in range(len(visible)):
        places = np.flatnonzero(visible[frame])
        for thing in range(visible.shape[1]):
            for other in places:
                if other != thing and may_mean[thing, other]:
                    out[frame, thing] = True
                    break
    return out
