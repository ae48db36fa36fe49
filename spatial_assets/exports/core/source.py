"""A release's questions as exports are given them: chosen, streamed, each with where its images are."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spatial_assets.exports.core.base import Question, Shot
from spatial_assets.exports.core.scene_truth import SceneTruth, instance_image, scene_truth
from spatial_assets.imaging.marks import PIXELS, SIZE
from spatial_assets.lineage import registrations
from spatial_assets.media import path_images
from spatial_assets.releases import revocations
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.frame_set_tables import RELEASED
from spatial_assets.scene.model import InputError
from spatial_assets.scene.suggestions import instead
from spatial_assets.scene.viewpoint_rows import panoramas_of
from spatial_assets.storage import instance_images
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.lake import Lake

BATCH = 4096
"""Rows in memory at once."""
COLUMN_BATCH = 16_384
"""The same where rows stay columns, which take less."""
SCENES_KEPT = 64
"""Scenes whose frames are kept: a task's rows are sorted by scene, and tasks begin with the same ones."""
TRUTHS_KEPT, IMAGES_KEPT = 256, 64
"""Scenes whose objects and what is seen of them are kept, and frames whose instances are, pixel by pixel."""
KEYS = ("qa_id", "dataset", "release", "scene")
Which = tuple[str, str, str]
"""Dataset, release and scene."""
SHOWN = ("frames", "marks")
"""What is read of a row to know its images."""
EXACT = ("mark_pixels", "sizes")
"""And what to know where marks are before rounding."""
Taken = tuple[str | None, tuple[float, ...], tuple[float, ...], Path | None]
"""A frame's image, intrinsics and pose, and its scene's depth images."""
UNKNOWN: Taken = (None, (), (), None)


class ReleaseRows:
    """The rows of a release, without what was revoked since; of some tasks and splits, and at most `limit`.

    A limit takes the rows with the smallest ids, which are hashes: so a few stand for all tasks and scenes, and a
    smaller export is part of a larger one.
    """

    def __init__(
        self,
        home: Path,
        name: str,
        tasks: Collection[str] = (),
        splits: Collection[str] = (),
        limit: int | None = None,
    ) -> None:
        """Raises InputError where there is no such release, task or split."""
        self.home, self.name, self.limit = Path(home), name, limit
        self.tell: Callable[[int], None] = lambda more: None
        """Called with how many more questions were gone through, whenever some were."""
        self._gone_through = 0
        held = manifest.load(home, name)
        self._sizes = {entry["path"]: entry["bytes"] for entry in held["files"]}
        """Of the release's files in bytes, as they were when it was made."""
        self.narrowed = bool(splits)
        """Whether splits were named."""
        self.tasks = _chosen(tasks, held["tasks"], "task", name)
        self._splits = _chosen(splits, held["splits"], "split", name)
        self.revoked = {
            (entry["dataset"], entry["release"], entry["scene"]): entry["rows"]
            for entry in revocations.of_release(home, name)
        }
        """Rows of each scene that was taken back since the release was made, over all tasks."""
        shards = registrations.shards(home)
        self._shard_of = {
            (shard.dataset, shard.release, ref.name): shard for shard in shards for ref in shard.scenes
        }
        self._lake = Lake(home)
        self._taken = lru_cache(SCENES_KEPT)(self._taken_in)
        self._unmarked: Callable[[Which], dict[tuple[str, str], Shot]] = lru_cache(SCENES_KEPT)(lambda _: {})
        self._truths = lru_cache(TRUTHS_KEPT)(self._truth_of)
        self._instances = lru_cache(IMAGES_KEPT)(self._instances_in)
        self._viewpoints = lru_cache(SCENES_KEPT)(self._viewpoints_of)

    @cached_property
    def splits(self) -> dict[str, int]:
        """How many questions there are of each split that has any, in the release's order."""
        counts = {split: sum(len(self._wanted(keys)) for keys in self._keys(split)) for split in self._splits}
        return {split: count for split, count in counts.items() if count}

    def questions(self, split: str, columns: Collection[str] = ()) -> Iterator[Question]:
        """Those of a split, by task, dataset, release and scene; of their rows all columns, or those named."""
        read = sorted({*columns, *KEYS, *SHOWN}) if columns else None
        for path in self._files(split, self.tasks):
            for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=read):
                for row in self._wanted(pa.Table.from_batches([batch])).to_pylist():
                    yield Question(row, split, self._shots(row))
                    self._count(1)

    def batches(self, split: str, columns: Collection[str]) -> Iterator[pa.Table]:
        """The same in the same order as tables with these columns and those that `shown` reads; null where a column is
        younger than the release."""
        names = list(dict.fromkeys((*columns, *KEYS, *SHOWN, *EXACT)))
        for path in self._files(split, self.tasks):
            file = pq.ParquetFile(path)
            there = set(file.schema_arrow.names)
            for batch in file.iter_batches(COLUMN_BATCH, columns=[name for name in names if name in there]):
                rows = self._wanted(pa.Table.from_batches([batch]))
                for name in names:
                    if name not in there:
                        kind = RELEASED.get(name) or tables.QUESTIONS.schema.field(name).type
                        rows = rows.append_column(name, pa.nulls(rows.num_rows, kind))
                if rows.num_rows:
                    before = self._gone_through
                    yield rows.select(names)
                    # Where a batch's images are made, its questions were counted one by one.
                    self._count(rows.num_rows - (self._gone_through - before))

    def shown(self, rows: pa.Table, split: str) -> Iterator[Question]:
        """The questions of a batch with their images; of their rows only what these follow from."""
        for row in rows.select([*KEYS, *SHOWN, *EXACT]).to_pylist():
            yield Question(row, split, self._shots(row))
            self._count(1)

    def columns(self, split: str, task: str, names: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns of a task's rows, `qa_id` among them; nothing of a task that is not asked for."""
        read = list(dict.fromkeys((*names, *KEYS)))
        for path in self._files(split, [name for name in self.tasks if name == task]):
            for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=read):
                yield self._wanted(pa.Table.from_batches([batch])).select(list(names))

    def named(self, split: str, task: str, ids: Collection[str]) -> dict[str, Question]:
        """The questions of a task with these ids, those that are there."""
        wanted, found = pa.array(sorted(ids), pa.string()), {}
        for path in self._files(split, [name for name in self.tasks if name == task]):
            for batch in pq.ParquetFile(path).iter_batches(BATCH):
                rows = pa.Table.from_batches([batch])
                rows = rows.filter(pc.is_in(rows.column("qa_id"), wanted))
                for row in self._wanted(rows).to_pylist():
                    found[row["qa_id"]] = Question(row, split, self._shots(row))
        return found

    def truth(self, row: Mapping[str, Any]) -> SceneTruth:
        """What the lake knows of a row's scene."""
        return self._truths((row["dataset"], row["release"], row["scene"]))

    def scene_file(self, kind: str, row: Mapping[str, Any]) -> Path | None:
        """A file of the lake about a row's scene, as `meshes.ply`; None where there is none."""
        key = self.shard_key(row)
        path = None if key is None else self._lake.file_path(kind, key, row["scene"])
        return path if path is not None and path.exists() else None

    def shard_key(self, row: Mapping[str, Any]) -> str | None:
        """Which shard a row's scene stands in; None where it is not registered any more."""
        shard = self._shard_of.get((row["dataset"], row["release"], row["scene"]))
        return None if shard is None else shard.key

    def _count(self, more: int) -> None:
        self._gone_through += more
        self.tell(more)

    def _truth_of(self, which: Which) -> SceneTruth:
        shard = self._shard_of.get(which)
        if shard is None:
            return SceneTruth()
        return scene_truth(self._lake, shard.key, which[2], partial(self._instances, which))

    def _instances_in(self, which: Which, frame: str) -> NDArray[np.int32] | None:
        shard = self._shard_of.get(which)
        return None if shard is None else instance_image(self._lake, shard.key, which[2], frame)

    def _files(self, split: str, tasks: Collection[str]) -> list[Path]:
        """Raises InputError for a file that is not what the release was made with, as far as its size shows."""
        folder = manifest.folder(self.home, self.name)
        found = []
        for task in tasks:
            name = manifest.data_path(split, task)
            path, wanted = folder / name, self._sizes.get(str(name))
            there = path.stat().st_size if path.exists() else None
            if there != wanted:
                raise InputError(
                    path,
                    f"{'not there' if there is None else f'{there:,} bytes'}, where the release's manifest has "
                    f"{'none' if wanted is None else f'{wanted:,}'}; see release verify",
                    "damaged_release",
                )
            if there is not None:
                found.append(path)
        return found

    def _keys(self, split: str) -> Iterator[pa.Table]:
        for path in self._files(split, self.tasks):
            for batch in pq.ParquetFile(path).iter_batches(COLUMN_BATCH, columns=list(KEYS)):
                yield pa.Table.from_batches([batch])

    def _wanted(self, rows: pa.Table) -> pa.Table:
        """Those that are neither revoked nor beyond the limit."""
        rows = self._standing(rows)
        if self.limit is not None:
            rows = rows.filter(pc.is_in(rows.column("qa_id"), self._smallest))
        return rows

    def _standing(self, rows: pa.Table) -> pa.Table:
        if not self.revoked:
            return rows
        which = zip(*(rows.column(name).to_pylist() for name in KEYS[1:]), strict=True)
        return rows.filter(pa.array([key not in self.revoked for key in which], pa.bool_()))

    @cached_property
    def _smallest(self) -> pa.Array:
        assert self.limit is not None
        ids = (
            qa_id
            for split in self._splits
            for keys in self._keys(split)
            for qa_id in self._standing(keys).column("qa_id").to_pylist()
        )
        return pa.array(heapq.nsmallest(self.limit, ids), pa.string())

    def _shots(self, row: Mapping[str, Any]) -> tuple[Shot, ...]:
        which = (row["dataset"], row["release"], row["scene"])
        unmarked = self._unmarked(which)
        if not row["marks"]:
            # A video's images stand in all questions about it, most of them with nothing drawn on them.
            with suppress(KeyError):
                return tuple([unmarked[item["role"], item["frame"]] for item in row["frames"]])
        shard = self._shard_of.get(which)
        taken = self._taken(which)
        unknown = [item["frame"] for item in row["frames"] if item["frame"] not in taken]
        if unknown:
            views = path_images.images_of(unknown, panoramas_of(self._viewpoints(which)))
            taken = {**taken, **{name: (image, *UNKNOWN[1:]) for name, image in views.items()}}
        root = None if shard is None else shard.root
        marks: dict[str, list[Any]] = {}
        for mark in unrounded(row):
            marks.setdefault(mark["frame"], []).append(mark)
        shots = []
        for item in row["frames"]:
            role, frame = item["role"], item["frame"]
            own = marks.get(frame)
            shot = None if own else unmarked.get((role, frame))
            if shot is None:
                image, intrinsics, pose, depths = taken.get(frame, UNKNOWN)
                shot = Shot(role, frame, image, root, tuple(own or ()), intrinsics, pose, depths)
                if not own:
                    unmarked[role, frame] = shot
            shots.append(shot)
        return tuple(shots)

    def _taken_in(self, which: Which) -> dict[str, Taken]:
        """Image and camera by frame; empty where the scene is not registered or built any more."""
        shard = self._shard_of.get(which)
        if shard is None:
            return {}
        frames = self._lake.read(tables.FRAMES, shard.key, which[2])
        archive = self._lake.file_path(instance_images.SHIPPED_DEPTH_KIND, shard.key, which[2])
        depths = archive if archive.exists() else None
        return {
            name: (image, tuple(intrinsics), tuple(pose), depths)
            for name, image, intrinsics, pose in frames.select(
                "frame", "image", "intrinsics", "camera_to_world"
            ).iter_rows()
        }

    def _viewpoints_of(self, which: Which) -> pl.DataFrame:
        """Rows of a scene's viewpoints, from which its paths are seen; none of one that is not there any more."""
        shard = self._shard_of.get(which)
        if shard is None:
            return optional_tables.VIEWPOINTS.empty()
        return self._lake.read(optional_tables.VIEWPOINTS, shard.key, which[2])


def unrounded(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A row's marks, each with where it is in pixels and its image's size; as they are where the row has neither."""
    marks, places, sizes = row["marks"], row.get("mark_pixels"), row.get("sizes")
    if not places or not sizes:
        return list(marks)
    size_of = {item["frame"]: size for item, size in zip(row["frames"], sizes, strict=True)}
    return [
        {**mark, PIXELS: xy, SIZE: size_of[mark["frame"]]} for mark, xy in zip(marks, places, strict=True)
    ]


def _chosen(wanted: Collection[str], there: Collection[str], what: str, name: str) -> list[str]:
    """The wanted ones in the release's order; all where none is named."""
    unknown = sorted(set(wanted) - set(there))
    if unknown:
        raise InputError(name, f"the release has no {what} {unknown[0]!r}; {instead(unknown[0], there)}")
    return [item for item in there if not wanted or item in wanted]
