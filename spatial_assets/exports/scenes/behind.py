"""The scenes and frames behind a release's questions, for exports that are not of questions but of what is seen there.

Everything goes by dataset, release and scene, sorted; frames of a scene in the order of its sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from spatial_assets.exports.core.base import Question, Source
from spatial_assets.exports.core.ids import read_table
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.core.source import ReleaseRows, Which
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.lake import file_name

IDS = "ids.parquet"
KEYS = ("dataset", "release", "scene")
SHOWN = pa.schema(
    [
        *((name, pa.string()) for name in ("qa_id", *KEYS)),
        ("frames", pa.list_(pa.struct([("role", pa.string()), ("frame", pa.string())]))),
        ("marks", pa.list_(pa.struct([("frame", pa.string())]))),
        ("mark_pixels", pa.list_(pa.list_(pa.float64()))),
        ("sizes", pa.list_(pa.list_(pa.int32()))),
    ]
)
"""What a source reads of a row to know its images."""
ROLE = "frame"
"""The role of a frame that is shown by itself."""


@dataclass
class Behind:
    """One scene of a split."""

    which: Which
    license: str
    frames: set[str] = field(default_factory=set)
    """Those that some question shows."""

    @property
    def row(self) -> dict[str, Any]:
        """What a source finds the scene by."""
        return {**dict(zip(KEYS, self.which, strict=True)), "license": self.license}

    @property
    def place(self) -> str:
        """Where its files go below an export's folder."""
        dataset, release, scene = self.which
        return f"{dataset}-{release}/{file_name(scene)}"


def release_rows(source: Source, form: str) -> ReleaseRows:
    """Raises TypeError for a source that has questions alone, without the scenes that they are about."""
    if not isinstance(source, ReleaseRows):
        raise TypeError(f"{form} is made of the scenes of a release")
    return source


def scenes(source: ReleaseRows, split: str) -> list[Behind]:
    """Those that a split's questions are about."""
    found: dict[Which, Behind] = {}
    for batch in source.batches(split, ["license"]):
        told = pl.from_arrow(batch.select([*KEYS, "license", "frames"]))
        assert isinstance(told, pl.DataFrame)
        names = pl.col("frames").list.eval(pl.element().struct.field("frame"))
        shown = told.select(*KEYS, "license", names).explode("frames").unique()
        for dataset, release, scene, license, frame in shown.iter_rows():
            which = (dataset, release, scene)
            own = found.setdefault(which, Behind(which, license)).frames
            if frame is not None:
                own.add(frame)
    return [found[which] for which in sorted(found)]


def truth(source: ReleaseRows, scene: Behind) -> SceneTruth:
    """Raises InputError for a scene that is not registered or built any more."""
    found = source.truth(scene.row)
    if not found.cameras and not found.things:
        raise InputError(scene.place, "the scene is not registered or built any more", "no_scene")
    return found


def shown(source: ReleaseRows, split: str, scene: Behind, frames: list[str]) -> Iterator[Question]:
    """Each frame as a question that shows it alone and draws nothing."""
    rows = [
        {
            "qa_id": frame,
            **dict(zip(KEYS, scene.which, strict=True)),
            "frames": [{"role": ROLE, "frame": frame}],
            "marks": [],
        }
        for frame in frames
    ]
    yield from source.shown(pa.Table.from_pylist(rows, SHOWN), split)


def ids_of(path: Path, schema: pa.Schema) -> pl.DataFrame:
    """The table of where records come from. Raises InputError where it is not there or is another table."""
    empty = pl.from_arrow(schema.empty_table())
    assert isinstance(empty, pl.DataFrame)
    return read_table(path / IDS, dict(empty.schema))


def files_below(path: Path, suffix: str) -> list[Path]:
    """The path itself where it is a file, else all with the suffix below it, sorted. Raises InputError for none."""
    found = sorted(path.rglob(f"*{suffix}")) if path.is_dir() else [path]
    if not found:
        raise InputError(path, f"no {suffix} file is there", "missing_file")
    return found


def file_problems(
    path: Path, found: Sequence[Path], hashes: Mapping[str, str], wrong: Callable[[Path], Iterable[str]]
) -> list[str]:
    """What is `wrong` with each file, that its bytes are not those of its hash, or that it is lost; hashes by name."""
    root = path if path.is_dir() else path.parent
    errors: list[str] = []
    names = {file: file.relative_to(root).as_posix() for file in found}
    for file, name in names.items():
        own = [f"{name}: {what}" for what in wrong(file)]
        if not own and name in hashes and hash_file(file) != hashes[name]:
            own = [f"{name}: not the bytes that {IDS} has"]
        elif not own and hashes and name not in hashes:
            own = [f"{name}: is not in {IDS}"]
        errors += own
    lost = set(hashes) - set(names.values()) if path.is_dir() else set()
    return errors + [f"{name}: not there" for name in sorted(lost)]
