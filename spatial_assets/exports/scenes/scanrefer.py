"""ScanRefer's descriptions of one object of a scene, with the objects' 3D boxes beside, for grounding in scans.

    <out>/ScanRefer_<split>.json     [{"scene_id", "object_id", "object_name", "ann_id", "description", "token"}, ...]
    <out>/ScanRefer_<split>.txt      the scenes that it describes, one a line
    <out>/boxes_<split>.json         {scene: {object: {"object_name", "center", "size", "rotation"}}}
    <out>/ids.parquet                of each description its row

A description is made of a row that states something of an object in the world, such as how large it is: of which
tasks, and how, says `scanrefer.json`. A row is taken only where each object that it names is the only one of the whole
scene, not merely of the images shown, that its name can mean: of a chair beside an office chair nothing is said. Equal
descriptions of an object stand once. `object_id` is the source's own, as a text; boxes are in meters, z up, `rotation`
3x3 row-major, its columns the box's axes. A scene is called as its source calls it, with dataset and release before
where two scenes of the export have one name. Images are no part of it, whatever `--images` says.
https://github.com/daveredrum/ScanRefer
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import Options, Source
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.core.source import ReleaseRows, Which
from spatial_assets.exports.scenes import behind
from spatial_assets.exports.scenes.behind import IDS, KEYS, Behind
from spatial_assets.scene.categories import is_structure, may_mean
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_text

WORDS = Path(__file__).with_suffix(".json")
STEM, BOXES, SUFFIX, SCENES = "ScanRefer_", "boxes_", ".json", ".txt"
COLUMNS = ("task", "format", "license", "objects", "answer")
CARRIES = frozenset({"qa_id", "split", "dataset", "release", "scene", "license", "task", "format"})
"""Of the questions' rows; a record is a description, with its `object` and `description`."""
OF_SCENES = True
HOLDS = "nothing"
NEEDED = ("scene_id", "object_id", "object_name", "ann_id", "description", "token")
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        *((name, pa.string()) for name in ("qa_id", "split", *KEYS, "license", "task", "format")),
        ("object", pa.int32()),
        ("hash", pa.string()),
    ]
)
_TOKEN = re.compile(r"\w+(?:\.\d+)?|[^\w\s]")


@cache
def _words() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))
    return held


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Returns how many descriptions each split has. Raises InputError where no row of the release makes one."""
    rows = behind.release_rows(source, "scanrefer")
    splits = {split: behind.scenes(rows, split) for split in rows.splits}
    names = scene_names([scene.which for found in splits.values() for scene in found])
    counts: dict[str, int] = {}
    with files.Table(out / IDS, SCHEMA) as ids:
        for split, found in splits.items():
            told: list[dict[str, Any]] = []
            records = _records(rows, split, names, told)
            first = next(records, None)
            if first is None:
                continue
            file = out / f"{STEM}{split}{SUFFIX}"
            files.write_json_list(file, _chained(first, records))
            for row in told:
                row["file"] = file.name
            ids.write(told)
            described = {tuple(row[name] for name in KEYS) for row in told}
            own = [scene for scene in found if scene.which in described]
            _write_boxes(rows, out, split, own, names)
            lines = "".join(f"{names[scene.which]}\n" for scene in own)
            (out / f"{STEM}{split}{SCENES}").write_text(lines, encoding="utf-8")
            counts[split] = len(told)
    if not counts:
        known = ", ".join(_words()["tasks"])
        why = (
            f"no row names objects that nothing else of their scene may be called; rows are made of: {known}"
        )
        raise InputError(rows.name, why, "no_rows")
    return counts


def _chained(first: dict[str, Any], others: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from others


def scene_names(scenes: Sequence[Which]) -> dict[Which, str]:
    """What each scene is called: by its own name, or with dataset and release where that is another's too."""
    found = sorted(set(scenes))
    taken = Counter(which[2] for which in found)
    return {which: which[2] if taken[which[2]] == 1 else "-".join(which) for which in found}


def _records(
    rows: ReleaseRows, split: str, names: Mapping[Which, str], told: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The descriptions of a split; what `ids.parquet` says of each is added to `told`."""
    met: set[tuple[Which, int, str]] = set()
    numbers: Counter[tuple[Which, int]] = Counter()
    wanted = pl.col("task").is_in(list(_words()["tasks"])) & (pl.col("format") == _words()["format"])
    for batch in rows.batches(split, COLUMNS):
        asked = pl.from_arrow(batch.select(["qa_id", *KEYS, *COLUMNS]))
        assert isinstance(asked, pl.DataFrame)
        for row in asked.filter(wanted).iter_rows(named=True):
            made = description(row, rows.truth(row))
            which = (row["dataset"], row["release"], row["scene"])
            if made is None or (which, *made) in met:
                continue
            met.add((which, *made))
            instance, text = made
            number = numbers[which, instance]
            numbers[which, instance] += 1
            told.append({**row, "split": split, "object": instance, "hash": hash_text(text)})
            yield {
                "scene_id": names[which],
                "object_id": str(instance),
                "object_name": object_name(rows.truth(row).things[instance].names[0]),
                "ann_id": str(number),
                "description": text,
                "token": tokens(text),
            }


def description(row: Mapping[str, Any], truth: SceneTruth) -> tuple[int, str] | None:
    """The object that a row describes and what is said of it; None where a name of it may mean another object too."""
    told = _words()["tasks"][row["task"]]
    instances = {entry["role"]: entry["instance"] for entry in row["objects"]}
    named = [role for role in instances if f"{{{role}}}" in told["says"]]
    if told["object"] not in named or any(not is_alone(instances[role], truth) for role in named):
        return None
    names = {role: truth.things[instances[role]].names[0] for role in named}
    return instances[told["object"]], told["says"].format(answer=row["answer"], **names)


def is_alone(instance: int, truth: SceneTruth) -> bool:
    """Whether an object is the only one of its scene that its category can mean."""
    if instance not in truth.things:
        return False
    name = truth.things[instance].names[0]
    return not any(
        may_mean(name, thing.names[0]) for other, thing in truth.things.items() if other != instance
    )


def object_name(category: str) -> str:
    return category.replace(" ", "_")


def tokens(text: str) -> list[str]:
    """Words, numbers and signs of a description, in lower case."""
    return _TOKEN.findall(text.lower())


def _write_boxes(
    rows: ReleaseRows, out: Path, split: str, found: list[Behind], names: Mapping[Which, str]
) -> None:
    """The boxes of all objects of the scenes, those that nothing describes too: they are what one is told from."""
    with (out / f"{BOXES}{split}{SUFFIX}").open("w", encoding="utf-8", newline="\n") as file:
        between = "{\n"
        for scene in found:
            boxes = {
                str(instance): {
                    "object_name": object_name(thing.names[0]),
                    "center": thing.center.tolist(),
                    "size": list(thing.size),
                    "rotation": list(thing.rotation),
                }
                for instance, thing in sorted(behind.truth(rows, scene).things.items())
                if not is_structure(thing.names[0])
            }
            file.write(f"{between}{json.dumps(names[scene.which])}:{json.dumps(boxes, ensure_ascii=False)}")
            between = ",\n"
        file.write("\n}\n")


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """A record a description, with its object."""
    ids = behind.ids_of(path, SCHEMA)
    for (name,), own in ids.group_by("file", maintain_order=True):
        file = path / str(name)
        records = _content(file)
        if len(records) != len(own):
            raise InputError(
                file, f"{len(records)} descriptions, where {IDS} has {len(own)}", "malformed_file"
            )
        for row, record in zip(own.iter_rows(named=True), records, strict=True):
            if record.get("object_id") != str(row["object"]):
                raise InputError(file, f"{row['qa_id']} was not written by this export", "malformed_file")
            yield {
                **{column: row[column] for column in sorted(CARRIES)},
                "object": row["object"],
                "description": record["description"],
            }


def _content(file: Path) -> list[Mapping[str, Any]]:
    """Raises InputError for what is no list of records."""
    content = files.read_json(file)
    if not isinstance(content, list) or not all(isinstance(record, Mapping) for record in content):
        raise InputError(file, "not a list of records", "malformed_file")
    return content


def _boxes(file: Path) -> Mapping[str, Mapping[str, Any]]:
    """Boxes by scene and object. Raises InputError for what is none."""
    content = files.read_json(file)
    if not isinstance(content, Mapping) or not all(isinstance(scene, Mapping) for scene in content.values()):
        raise InputError(file, "not objects by scene", "malformed_file")
    for scene, objects in content.items():
        for number, box in objects.items():
            wrong = _wrong_box(box)
            if wrong is not None:
                raise InputError(file, f"object {number} of {scene}: {wrong}", "malformed_file")
    return content


def _wrong_box(box: Any) -> str | None:
    if not isinstance(box, Mapping) or not isinstance(box.get("object_name"), str):
        return "has no object_name"
    for name, count, least in (("center", 3, -files.LARGEST), ("size", 3, 0), ("rotation", 9, -1.001)):
        values = box.get(name)
        if name == "rotation" and isinstance(values, list) and values and isinstance(values[0], list):
            values = [value for row in values if isinstance(row, list) for value in row]
        if not isinstance(values, list) or len(values) != count:
            return f"{name} is not {count} numbers"
        if not all(files.is_number(value, least) for value in values):
            return f"{name} is not {count} numbers"
    return None


def validate(path: Path) -> list[str]:
    """The keys, one description by scene, object and number, objects that have boxes, texts against `ids.parquet`."""
    root = path if path.is_dir() else path.parent
    found = sorted(root.glob(f"{STEM}*{SUFFIX}")) if path.is_dir() else [path]
    if not found:
        return [str(InputError(path, f"no {STEM}*{SUFFIX} file is there", "missing_file"))]
    try:
        ids = behind.ids_of(root, SCHEMA) if (root / IDS).exists() else None
    except InputError as error:
        return [str(error)]
    errors: list[str] = []
    for file in found:
        boxes_file = file.with_name(file.name.replace(STEM, BOXES, 1))
        try:
            records = _content(file)
            boxes = _boxes(boxes_file) if boxes_file.exists() or ids is not None else None
        except InputError as error:
            errors.append(str(error))
            continue
        hashes = None if ids is None else ids.filter(pl.col("file") == file.name)["hash"].to_list()
        errors += [f"{file.name}: {what}" for what in _wrong(records, boxes, hashes)]
        if hashes is not None:
            errors += _wrong_list(file.with_suffix(SCENES), records)
    there = {file.name for file in found}
    known = [] if ids is None or not path.is_dir() else ids["file"].unique(maintain_order=True).to_list()
    return errors + [f"{name}: not there" for name in known if name not in there]


def _wrong_list(file: Path, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line where a split's list of scenes does not name those that are described."""
    try:
        named = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        yield f"{file.name}: {'not there' if not file.exists() else 'is no text'}"
        return
    told = (record.get("scene_id") for record in records)
    described = {scene for scene in told if isinstance(scene, str)}
    if sorted(named) != sorted(described):
        yield f"{file.name}: names other scenes than those that are described"


def _wrong(records: Sequence[Mapping[str, Any]], boxes: Any, hashes: Sequence[str] | None) -> Iterator[str]:
    met: dict[tuple[str, ...], int] = {}
    for number, record in enumerate(records):
        where = f"record {number}"
        missing = [name for name in NEEDED if name not in record]
        if missing:
            yield f"{where}: has no {', '.join(missing)}"
            continue
        texts = [record[name] for name in NEEDED[:-1]]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            yield f"{where}: {NEEDED[[isinstance(t, str) and bool(t.strip()) for t in texts].index(False)]} is no text"
            continue
        words = record["token"]
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            yield f"{where}: token is no list of words"
        key = (record["scene_id"], record["object_id"], record["ann_id"])
        if met.setdefault(key, number) != number:
            yield f"{where}: scene, object and ann_id are those of record {met[key]}"
        if boxes is not None:
            box = boxes.get(record["scene_id"], {}).get(record["object_id"])
            if box is None:
                yield f"{where}: object {record['object_id']} of {record['scene_id']} has no box"
            elif box["object_name"] != record["object_name"]:
                yield f"{where}: calls {record['object_name']} what its box calls {box['object_name']}"
        if (
            hashes is not None
            and number < len(hashes)
            and hash_text(files.sound(record["description"])) != hashes[number]
        ):
            yield f"{where}: says another thing than {IDS} has"
        elif hashes is not None and words != tokens(record["description"]):
            yield f"{where}: token are not the words of its description"
    if hashes is not None and len(records) != len(hashes):
        yield f"{len(records)} descriptions, where {IDS} has {len(hashes)}"
