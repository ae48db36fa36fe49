"""Words that people wrote of objects, in ScanRefer's form, beside scenes of any dataset.

    <root>/descriptions/*.json    [{"scene_id", "object_id", "ann_id", "description"}, ...]

or in `<root>/ScanRefer/`. `object_id` is the source's own number of the object, as a number or a text; `ann_id` may be
missing, and then is the place among the words for the object. A scene is called as its source calls it.
https://github.com/daveredrum/ScanRefer
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_assets.readers import files, labels
from spatial_assets.scene.model import Description, InputError
from spatial_assets.scene.refs import SourceFile

FOLDERS = ("descriptions", "ScanRefer")
"""Where a root may keep them."""
ROLE = "descriptions"
SUFFIX = ".json"
NEEDED = ("scene_id", "object_id", "description")
LICENSES = {"scanrefer": "CC BY-NC-SA 3.0 (ScanRefer)"}
"""Terms by how a file's name begins, in lower case."""
UNKNOWN_LICENSE = "terms of the file's own source"
MOST_UNKNOWN = 0.5
"""Share of a scene's words that may mean objects which it does not have, before the file is called another's."""
LONGEST = 2000
"""Characters; ScanRefer's longest has some five hundred."""
UNKNOWN, EMPTY = "unknown_object", "no_words"


@dataclass(frozen=True)
class Found:
    """Words about one scene."""

    descriptions: tuple[Description, ...] = ()
    dropped: dict[str, int] | None = None
    """Reason to number of those that cannot be used."""


def source_files(root: Path) -> list[SourceFile]:
    """Those that a root has, which belong to every scene of it."""
    return [
        SourceFile(f"{folder}/{entry.name}", ROLE)
        for folder in FOLDERS
        for entry in files.entries(root, folder)
        if entry.name.lower().endswith(SUFFIX)
    ]


def read_descriptions(root: Path, scene: str, instances: Collection[int]) -> Found:
    """Those of a scene with these objects.

    Raises InputError, naming the file and the record, for what is not of the form, for two records of one object and
    ann_id, and where most of a file's words about the scene mean objects that it does not have.
    """
    found: dict[tuple[str, int, str], Description] = {}
    dropped: Counter[str] = Counter()
    for file in source_files(root):
        records = _of_scene(root, file.path, scene)
        unknown = [record for record in records if record.instance not in instances]
        if len(unknown) > MOST_UNKNOWN * len(records):
            told = (
                f"{scene} has no object {unknown[0].instance}, nor those of most of its {len(records)} words"
            )
            raise InputError(file.path, f"record {unknown[0].number}: {told}", "contradiction")
        dropped[UNKNOWN] += len(unknown)
        collection = Path(file.path).stem
        lower = collection.lower()
        terms = next((text for begin, text in LICENSES.items() if lower.startswith(begin)), UNKNOWN_LICENSE)
        counts: Counter[int] = Counter()
        for record in records:
            if record.instance not in instances:
                continue
            own = str(counts[record.instance]) if record.own is None else record.own
            counts[record.instance] += 1
            if not record.text:
                dropped[EMPTY] += 1
                continue
            key = (collection, record.instance, own)
            if key in found:
                told = f"object {record.instance} of {scene} has the ann_id {own} twice"
                raise InputError(file.path, f"record {record.number}: {told}", "contradiction")
            found[key] = Description(collection, terms, record.instance, own, record.text)
    return Found(
        tuple(found[key] for key in sorted(found)),
        {reason: count for reason, count in sorted(dropped.items()) if count},
    )


@dataclass(frozen=True)
class _Record:
    number: int
    instance: int
    own: str | None
    text: str


Records = dict[str, list[_Record]]
"""By scene."""
_parsed: dict[Path, tuple[tuple[int, ...], Records]] = {}
"""Files hold the words about all scenes, so that each is parsed once while it is unchanged."""


def _of_scene(root: Path, path: str, scene: str) -> list[_Record]:
    file = root / path
    with files.reading(path):
        stat = file.stat()
    # An edit can keep size and mtime, or set them back; not ctime and the inode.
    state = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if file not in _parsed or _parsed[file][0] != state:
        _parsed[file] = state, _read(root, path)
    return _parsed[file][1].get(scene, [])


def _read(root: Path, path: str) -> Records:
    content = files.read_json(root, path)
    if not isinstance(content, list):
        raise InputError(path, f"{labels.shown(content)}, not a list of descriptions", "malformed_file")
    found: Records = {}
    for number, value in enumerate(content):
        record = labels.entry(path, value, f"record {number}")
        missing = next((name for name in NEEDED if name not in record), None)
        if missing is not None:
            raise InputError(path, f"record {number} lacks its {missing}", "malformed_file")
        scene = record["scene_id"]
        if not isinstance(scene, str):
            raise InputError(
                path, f"scene_id of record {number} is {labels.shown(scene)}, not a name", "malformed_file"
            )
        found.setdefault(scene, []).append(
            _Record(
                number,
                _object(path, record["object_id"], number),
                _own_id(path, record.get("ann_id"), number),
                _words(path, record["description"], number),
            )
        )
    return found


def _object(path: str, value: Any, number: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    return labels.instance_id(path, value, f"object_id of record {number}")


def _own_id(path: str, value: Any, number: int) -> str | None:
    if value is None:
        return None
    if type(value) is int and abs(value) < 1 << 63:
        return str(value)
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= labels.SHOWN:
        return value
    raise InputError(path, f"ann_id of record {number} is {labels.shown(value)}, no id", "malformed_file")


def _words(path: str, value: Any, number: int) -> str:
    """In one line, without a stop at the end; empty for what says nothing."""
    if not isinstance(value, str) or len(value) > LONGEST:
        raise InputError(
            path, f"description of record {number} is {labels.shown(value)}, no text", "malformed_file"
        )
    text = " ".join(value.split()).rstrip(" .")
    return text if text.isprintable() and any(letter.isalpha() for letter in text) else ""
