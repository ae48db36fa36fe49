"""What depends on a scene, a file, an object, a frame or a word: rows by task, shards, and releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatial_assets.lineage import registrations
from spatial_assets.lineage.cache import Lineage
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.mirrors import ObjectPath
from spatial_assets.storage.shipped import sql

COUNT = (
    "select task, shard, dataset, release, scene, count(*) as rows from ({query}) group by all order by all"
)
COUNT_RELEASED = (
    "select split, task, dataset, release, scene, count(*) as rows from ({query}) group by all order by all"
)
IDS = "select replace(qa_id::varchar, '-', '') as qa_id from ({query}) order by all"


@dataclass(frozen=True)
class Question:
    """A selection of questions: a query of `sql/lineage` that gives their rows, and what it needs."""

    query: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scenes: tuple[Shard, ...] = ()
    """Shards narrowed to the scene in question; empty for a question about all scenes."""
    note: str = ""


def of_scene(home: Path, scene: str, dataset: str | None = None) -> Question:
    found = tuple(registrations.find_scenes(home, scene, dataset))
    return Question("about_scene", _which(found), found)


def of_file(lineage: Lineage, path: str, dataset: str | None = None) -> Question:
    """A file, relative to its dataset's root, absolute, or by its address.

    Raises InputError where no scene was read from it.
    """
    shards = {
        shard.key: shard for shard in registrations.shards(lineage.home) if dataset in (None, shard.dataset)
    }
    wanted = {path}
    for shard in shards.values():
        if isinstance(shard.root, ObjectPath):
            wanted.add(path.removeprefix(f"{shard.root.address}/"))
            continue
        given = Path(path)
        if given.is_absolute() and given.resolve().is_relative_to(shard.root):
            wanted.add(given.resolve().relative_to(shard.root).as_posix())
    rows = [row for name in sorted(wanted) for row in lineage.query("scenes_of_file", {"path": name})]
    rows = [row for row in rows if row["shard"] in shards]
    if not rows:
        raise InputError(path, "no scene that was built was read from this file")
    found = tuple(_narrowed(shards[row["shard"]], row["scene"]) for row in rows)
    return Question("about_scene", _which(found), found, ", ".join(sorted({row["role"] for row in rows})))


def of_frame(home: Path, text: str, dataset: str | None = None) -> Question:
    """`SCENE/FRAME`, both by the source's own names."""
    scene, frame = _pair(text, "--frame", "SCENE/FRAME")
    found = tuple(registrations.find_scenes(home, scene, dataset))
    _check_known(home, found, tables.FRAMES, "frame", frame)
    return Question("about_frame", {**_which(found), "frame": frame}, found)


def of_object(home: Path, text: str, dataset: str | None = None) -> Question:
    """`SCENE/INSTANCE`, by the source's own id of the object."""
    scene, instance = _pair(text, "--object", "SCENE/INSTANCE")
    if not instance.lstrip("-").isdecimal():
        raise ValueError(f"--object {text!r}: {instance!r} is not the number of an instance")
    found = tuple(registrations.find_scenes(home, scene, dataset))
    _check_known(home, found, tables.OBJECTS, "instance", int(instance))
    return Question("about_object", {**_which(found), "instance": int(instance)}, found)


def of_label(word: str) -> Question:
    return Question("about_label", {"word": word})


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    scene, slash, other = text.partition("/")
    if not (scene and slash and other):
        raise ValueError(f"{option} {text!r}: give {form}")
    return scene, other


def _check_known(
    home: Path, found: tuple[Shard, ...], table: tables.Table, column: str, value: object
) -> None:
    lake = Lake(home)
    for shard in found:
        rows = lake.read(table, shard.key, shard.scenes[0].name)
        if value in rows[column].to_list():
            return
    raise InputError(home, f"scene {found[0].scenes[0].name} has no {column} {value!r} in the lake")


def _narrowed(shard: Shard, scene: str) -> Shard:
    refs = tuple(ref for ref in shard.scenes if ref.name == scene)
    return Shard(shard.key, shard.dataset, shard.release, shard.license, shard.root, refs)


def _which(found: tuple[Shard, ...]) -> dict[str, list[str]]:
    return {
        "datasets": [shard.dataset for shard in found],
        "releases": [shard.release for shard in found],
        "scenes": [shard.scenes[0].name for shard in found],
    }


def impact(lineage: Lineage, question: Question) -> dict[str, Any]:
    """Counts of what a question touches, as JSON.

    For an object, `shown` counts the rows whose images show it, whether they ask about it or not: another
    label may make a name in them ambiguous. Other labels of it change those, too.
    """
    rows = _run(lineage, COUNT, question)
    touched: dict[str, Any] = {
        "rows": sum(row["rows"] for row in rows),
        "tasks": _total(rows, "task"),
        "shards": sorted({row["shard"] for row in rows}),
        "scenes": sorted({"/".join(row[name] for name in ("dataset", "release", "scene")) for row in rows}),
        "releases": releases_touched(lineage, question),
    }
    if question.note:
        touched["role"] = question.note
    if question.query == "about_object":
        shown = _run(lineage, COUNT, _shown(lineage, question))
        touched["shown"] = {"rows": sum(row["rows"] for row in shown), "tasks": _total(shown, "task")}
    return touched


def ids(lineage: Lineage, question: Question) -> list[str]:
    """The qa_ids of the rows, sorted."""
    return [row["qa_id"] for row in _run(lineage, IDS, question)]


def _run(lineage: Lineage, shape: str, question: Question) -> list[dict[str, Any]]:
    return lineage.rows(shape.format(query=sql(f"lineage/{question.query}")), question.parameters)


def _total(rows: list[dict[str, Any]], column: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row[column]] = found.get(row[column], 0) + row["rows"]
    return dict(sorted(found.items()))


def _shown(lineage: Lineage, question: Question) -> Question:
    lake, instance = Lake(lineage.home), question.parameters["instance"]
    frames: set[str] = set()
    for shard in question.scenes:
        seen = lake.read(tables.VISIBILITY, shard.key, shard.scenes[0].name)
        frames |= {
            frame
            for frame, other, pixels in zip(
                seen["frame"].to_list(), seen["instance"].to_list(), seen["visible_px"].to_list(), strict=True
            )
            if other == instance and pixels > 0
        }
    return Question("showing_object", {**_which(question.scenes), "frames": sorted(frames)}, question.scenes)


def releases_touched(lineage: Lineage, question: Question) -> dict[str, dict[str, Any]]:
    """By release, the rows in it that the question is about, by split, by task and by file.

    Files are named relative to the home. Untouched releases and files are left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in manifest.names(lineage.home):
        if question.query == "about_scene":
            rows = _scene_rows(lineage, name, question)
        else:
            rows = _released_rows(lineage, name, question)
        if rows:
            found[name] = {
                "rows": sum(row["rows"] for row in rows),
                "splits": _total(rows, "split"),
                "tasks": _total(rows, "task"),
                "files": _total([{**row, "file": _file_of(lineage.home, name, row)} for row in rows], "file"),
            }
    return found


def _file_of(home: Path, name: str, row: Mapping[str, Any]) -> str:
    path = manifest.folder(home, name) / manifest.data_path(row["split"], row["task"])
    return path.relative_to(home).as_posix()


def _scene_rows(lineage: Lineage, name: str, question: Question) -> list[dict[str, Any]]:
    """Whole scenes are counted in the release's own index, without opening its rows."""
    text = (
        f"with question as (select * from release_scene where name = $name) "
        f"select split, task, sum(rows)::bigint as rows from ({sql('lineage/about_scene')}) group by all order by all"
    )
    return lineage.rows(text, {**question.parameters, "name": name})


def _released_rows(lineage: Lineage, name: str, question: Question) -> list[dict[str, Any]]:
    """The query, asked of the rows of a release instead of the lake's."""
    split = "string_split(filename, '/')[-2] as split"
    text = (
        f"with question as (select *, {split} from read_parquet($files, filename = true, hive_partitioning = false)) "
        + COUNT_RELEASED.format(query=sql(f"lineage/{question.query}"))
    )
    return lineage.rows(text, {**question.parameters, "files": manifest.data_files(lineage.home, name)})
