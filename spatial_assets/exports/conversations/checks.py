"""What would stop a trainer at files of conversations: broken lines, tags without images, images that are gone, answers
that are another question's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from spatial_assets.exports.conversations.jsonl import NO_LINE, SUFFIX, Line, Parse, Read, read_lines
from spatial_assets.exports.core.files import read_json
from spatial_assets.exports.core.ids import IDS, answers_of, differs, ids_of, shown
from spatial_assets.exports.core.image_checks import wrong_image
from spatial_assets.scene.model import InputError


def validate(
    path: Path,
    parse: Parse,
    kinds: Sequence[str] = ("",),
    suffix: str = SUFFIX,
    read: Read = read_lines,
    unit: str = "line",
) -> list[str]:
    """A line for each problem of the files below a folder, or of one file; answers only where `ids.parquet` is there.

    Each question stands once in the files whose names begin with the same kind. Other files than of JSON lines have a
    `suffix` of their own, and what they hold, `unit`, is read by `read`.
    """
    root = path if path.is_dir() else path.parent
    files = sorted(root.rglob(f"*{suffix}")) if path.is_dir() else [path]
    files = [file for file in files if file != root / IDS]
    if not files:
        return [str(InputError(path, f"no {suffix} file is there", "missing_file"))]
    errors: list[str] = []
    known: dict[str, dict[str, tuple[str, int]]] | None = None
    if (root / IDS).exists():
        try:
            known = answers_of(root)
        except InputError as error:
            errors.append(str(error))
    met: dict[tuple[str, str], str] = {}
    opened: dict[str, str | None] = {}
    for file in files:
        name = file.relative_to(root).as_posix()
        kind = next((kind for kind in kinds if name.startswith(kind)), "")
        wanted = None if known is None else known.get(name, {})
        found = 0
        try:
            for number, record in read(file):
                found += 1
                where = f"{name}: {unit} {number}"
                try:
                    errors += [f"{where}: {what}" for what in _wrong(record, parse, root, opened, wanted)]
                except NO_LINE as error:
                    errors.append(f"{where}: not as the format has it: {error}")
                own = record.get("id") if isinstance(record, Mapping) else None
                if isinstance(own, str) and met.setdefault((kind, own), where) != where:
                    errors.append(f"{where}: id {own} is that of {met[kind, own]}")
        except InputError as error:
            errors.append(str(error))
            continue
        if wanted is not None and found < len(wanted):
            errors.append(f"{name}: ends after {found} of {len(wanted)} questions")
    if known is not None and path.is_dir():
        names = {file.relative_to(root).as_posix() for file in files}
        errors += [f"{name}: not there" for name in known if name not in names]
    return errors


def wrong_index(
    path: Path, name: str, named: Callable[[Any], Iterable[Any]], read: Callable[[Path], Any] = read_json
) -> list[str]:
    """What is wrong with the file that tells a trainer of the others, by what it has `named`: files or folders.

    Nothing where the tree is a file, or has no `ids.parquet`, so that it may be another's.
    """
    if not path.is_dir() or not (path / IDS).exists():
        return []
    try:
        told = list(named(read(path / name)))
        known = ids_of(path)["file"].unique(maintain_order=True).to_list()
    except InputError as error:
        return [str(error)]
    except NO_LINE:
        return [f"{name}: not as the trainer reads it"]
    # A file of lines that is gone is told of already.
    gone = [one for one in told if one not in known and not _is_there(path, one)]
    errors = [f"{name}: {shown(one)} is not there" for one in gone]
    return errors + [
        f"{name}: does not name {file}"
        for file in known
        if file not in told and PurePosixPath(file).parent.as_posix() not in told
    ]


def _is_there(path: Path, name: Any) -> bool:
    try:
        return isinstance(name, str) and (path / name).exists()
    except (OSError, ValueError):
        return False


def _wrong(
    record: Any,
    parse: Parse,
    root: Path,
    opened: dict[str, str | None],
    wanted: Mapping[str, tuple[str, int]] | None,
) -> Iterator[str]:
    if not isinstance(record, Mapping):
        yield f"not an object: {shown(record)}"
        return
    try:
        line = parse(record)
    except NO_LINE as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        yield f"not as the format has it: {why or shown(record)}"
        return
    told = (("id", line.id), ("question", line.question), ("answer", line.answer))
    if other := [name for name, text in told if not isinstance(text, str)]:
        yield f"its {other[0]} is no text"
        return
    if not line.id:
        yield "has no id"
    yield from line.wrong
    if not line.question.strip():
        yield "asks nothing"
    if not line.answer.strip():
        yield "answers nothing"
    yield from _wrong_media(line, root, opened)
    if wanted is None:
        return
    yield from differs(wanted, line.id, line.answer, sum(map(len, line.media.values())))


def _wrong_media(line: Line, root: Path, opened: dict[str, str | None]) -> Iterator[str]:
    for tag, count in line.tags.items():
        paths = line.media.get(tag, ())
        there = line.parts.get(tag, len(paths))
        if count != there:
            yield f"{count} {tag} for {there} {'videos' if tag in line.parts else 'images'}"
    for paths in line.media.values():
        for path in paths:
            if not isinstance(path, str):
                yield f"image {shown(path)}: is no path"
                continue
            if path not in opened:
                opened[path] = wrong_image(root, path)
            if opened[path] is not None:
                yield f"image {path}: {opened[path]}"
