"""What would stop a reader of tar files with questions and images: broken tars, lost parts, images that do not open."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatial_assets.exports.core import files
from spatial_assets.exports.core.ids import IDS, ids_of
from spatial_assets.exports.core.image_checks import unreadable
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_file

SUFFIX, INDEX, SPLIT, JSON = ".tar", "index.json", "split", "json"
SHOWN = 60
"""Characters of what is wrong that a line shows."""


@dataclass
class Sample:
    """What a tar holds of one question."""

    key: str
    record: Any = None
    """Of its JSON; None where it has none."""
    images: dict[str, bytes] = field(default_factory=dict)
    """By what follows the key's dot."""


def samples(file: Path) -> Iterator[Sample]:
    """As the library groups a tar's members: those that follow each other with the same name up to the first dot.

    Raises InputError for what is no tar, is cut short, or holds a JSON that is none.
    """
    held: Sample | None = None
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                key, _, what = member.name.partition(".")
                if held is None or held.key != key:
                    if held is not None:
                        yield held
                    held = Sample(key)
                opened = tar.extractfile(member)
                data = b"" if opened is None else opened.read()
                if what == JSON:
                    held.record = json.loads(data)
                else:
                    held.images[what] = data
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(file, f"not a tar that can be read: {error}", "malformed_file") from None
    except (ValueError, RecursionError) as error:
        where = "" if held is None else f"{held.key}.{JSON}: "
        raise InputError(file, f"{where}not JSON: {str(error).splitlines()[0]}", "malformed_file") from None
    if held is not None:
        yield held


def validate(path: Path) -> list[str]:
    """A line for each problem of the tars of a folder, or of one; answers only where `ids.parquet` is there."""
    try:
        tars = files.found(path, SUFFIX)
    except InputError as error:
        return [str(error)]
    root = path if path.is_dir() else path.parent
    errors: list[str] = []
    known: dict[str, dict[str, tuple[str, int]]] | None = None
    if (root / IDS).exists():
        try:
            known = {}
            for file, own, answer, images in (
                ids_of(root).select("file", "id", "answer", "images").iter_rows()
            ):
                known.setdefault(file, {})[own] = answer, images
        except InputError as error:
            errors.append(str(error))
            known = None
    hashes = _hashes(root, errors)
    met: dict[str, str] = {}
    for tar in tars:
        name = tar.name
        wrong = list(_wrong(tar, None if known is None else known.get(name, {}), met))
        if not wrong and hashes is not None and hashes.get(name) != hash_file(tar):
            # Said last, since whatever else is wrong with a file changes its hash.
            wrong = [f"{name}: {'not in' if name not in hashes else 'other bytes than'} {INDEX}"]
        errors += wrong
    if path.is_dir():
        names = {tar.name for tar in tars}
        errors += [f"{name}: not there" for name in known or hashes or () if name not in names]
    return errors


def _hashes(root: Path, errors: list[str]) -> dict[str, str] | None:
    """By file, of the index; None where there is none."""
    file = root / INDEX
    if not file.exists():
        return None
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        return {item["url"]: item["sha256"] for item in held["shardlist"]}
    except (OSError, ValueError, KeyError, TypeError):
        errors.append(str(InputError(file, "not an index of tar files", "malformed_file")))
        return None


def _wrong(file: Path, wanted: Mapping[str, tuple[str, int]] | None, met: dict[str, str]) -> Iterator[str]:
    found = 0
    try:
        for sample in samples(file):
            where = f"{file.name}: {sample.key}"
            found += 1
            if met.setdefault(sample.key, file.name) != file.name or f"{file.name}/{sample.key}" in met:
                yield f"{where}: stands in {met[sample.key]} already"
            met[f"{file.name}/{sample.key}"] = file.name
            yield from (f"{where}: {what}" for what in _wrong_sample(sample))
            if wanted is None:
                continue
            if sample.key not in wanted:
                yield f"{where}: not in {IDS} for this file"
                continue
            answer, images = wanted[sample.key]
            said = sample.record.get("answer") if isinstance(sample.record, Mapping) else answer
            if said != answer:
                yield f"{where}: answers {_shown(said)}, where {IDS} has {_shown(answer)}"
            if len(sample.images) != images:
                yield f"{where}: {len(sample.images)} images, where {IDS} has {images}"
    except InputError as error:
        yield str(error)
        return
    if wanted is not None and found < len(wanted):
        yield f"{file.name}: ends after {found} of {len(wanted)} questions"


def _wrong_sample(sample: Sample) -> Iterator[str]:
    if not isinstance(sample.record, Mapping):
        yield f"has no {JSON} with an object"
    else:
        for name in ("question", "answer"):
            if not str(sample.record.get(name) or "").strip():
                yield f"{name} is empty"
    for what, data in sample.images.items():
        why = unreadable(io.BytesIO(data))
        if why is not None:
            yield f"image {what}: {why}"
    numbers = [what.partition(".")[0] for what in sample.images]
    if numbers != [str(number) for number in range(len(numbers))]:
        yield f"its images are numbered {', '.join(numbers)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:SHOWN]
