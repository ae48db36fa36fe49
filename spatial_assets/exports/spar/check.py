"""Checks a SPAR tree, ours or another: each line of each file, the files' names and counts, and the indexes.

Files are read a line at a time and no line is taken whole that is longer than any record is, so that neither a large
tree nor a hostile one fills the memory.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from spatial_assets.exports.core.found import Found
from spatial_assets.exports.spar import layout
from spatial_assets.exports.spar.problems import astray, problems, shown
from spatial_assets.scene.english import plural

FORMATS = ("fill", "select", "sentence", "judge")
FILE = re.compile(r"([a-z]+)_(\d{1,12})\.jsonl", re.ASCII)
PART = re.compile(r"\d{5}-of-\d{5}", re.ASCII)
LONGEST = 4_000_000
"""Bytes of a line; a record with 32 images has some thousand."""
LARGEST_INDEX = 64_000_000
"""Bytes; SPAR's own index of everything has a hundredth of that."""
TOLD = 100
"""Problems of a file that are told one by one."""
PATHS_KEPT = 200_000
"""Images whose presence is remembered."""


def datasets(path: Path) -> list[Path]:
    """The dataset folders of a tree, sorted: of an export, of one of its parts, of `spar`, or a dataset itself."""
    own = _own_datasets(path)
    if own or not path.is_dir():
        return own
    # Parts have no parts: what leads back to the tree would be one without end.
    parts = [part for part in _folders(path) if PART.fullmatch(part.name)]
    return [dataset for part in parts for dataset in _own_datasets(part)]


def _own_datasets(path: Path) -> list[Path]:
    """Those of a tree that is no parts."""
    if (path / layout.QUESTIONS).is_dir():
        return [path]
    if not path.is_dir():
        return []
    for folder in (path / layout.ROOT, path):
        if folder.is_dir():
            found = [child for child in _folders(folder) if (child / layout.QUESTIONS).is_dir()]
            if found:
                return found
    return []


def _folders(path: Path) -> list[Path]:
    return sorted(child for child in path.iterdir() if child.is_dir())


def question_files(path: Path) -> list[Path]:
    """All files of questions, sorted by dataset; the path itself where it is one."""
    if path.is_file():
        return [path]
    return [file for dataset in datasets(path) for file in _lines_of(dataset)]


def _lines_of(dataset: Path) -> list[Path]:
    found: list[Path] = []
    for folder, below, names in os.walk(dataset / layout.QUESTIONS):
        below.sort()
        found += [Path(folder, name) for name in sorted(names) if name.endswith(".jsonl")]
    return sorted(found)


def examine(path: Path) -> Found:
    """Raises OSError for a folder that may not be read."""
    found = Found("task")
    single = path.is_file()
    files = question_files(path)
    if not files:
        there = "no SPAR tree: no spar/<dataset>/qa_jsonl with .jsonl files" if path.exists() else "not there"
        found.problems.append(f"{path}: {there}")
        return found
    check = _Check(path.parent if single else path, found)
    for file in files:
        check.file(file)
    if not single:
        for base in dict.fromkeys(dataset.parent.parent for dataset in datasets(path)):
            check.indexes(base)
    return found


class _Check:
    """One look at a tree. What it names is relative to where the look began."""

    def __init__(self, begin: Path, found: Found) -> None:
        self.begin, self.found = begin, found
        self.lines: dict[Path, int] = {}
        """Of each file that was read."""
        self.colored: dict[Path, bool] = {}
        """Whether there are color images at all, by folder of images."""
        self._problem_of = lru_cache(PATHS_KEPT)(_image_problem)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.begin).as_posix() if path.is_relative_to(self.begin) else str(path)

    def file(self, file: Path) -> None:
        self._tell(file, self._problems(file))

    def _problems(self, file: Path) -> Iterator[str]:
        self.found.files += 1
        if not file.is_file():
            yield "not a file that can be read"
            return
        parts = file.parts
        place = len(parts) - 1 - parts[::-1].index(layout.QUESTIONS) if layout.QUESTIONS in parts else None
        below = parts[place + 1 :] if place is not None else parts[-3:]
        if (place is not None and len(below) != 4) or len(below) < 3:
            yield "does not stand in <split>/<task>/<format>"
            return
        folder, form = below[-3], below[-2]
        images = None if place is None else Path(*parts[:place]) / layout.IMAGES
        if form not in FORMATS:
            yield f"folder {shown(form)} is none of {', '.join(FORMATS)}"
        wrong = layout.tasks().get(folder)
        if wrong is not None and wrong.folder != folder:
            yield f"the folder of {folder} is {wrong.folder}"
        task = layout.task(layout.types().get(folder, folder))
        if task.published and form in FORMATS and form not in task.formats:
            yield f"{task.type} has no {form}; it has {', '.join(task.formats)}"
        try:
            with file.open("rb") as opened:
                yield from self._records(opened, file, task, form, images)
        except OSError as error:
            yield f"cannot be read: {error.strerror}"

    def _records(
        self, opened: BinaryIO, file: Path, task: layout.TaskLayout, form: str, images: Path | None
    ) -> Iterator[str]:
        ids: dict[bytes, int] = {}
        count = 0
        for number, (record, problem) in enumerate(_records(opened), 1):
            count = number
            if problem is not None:
                yield f"line {number}: {problem}"
                continue
            for what in problems(record, task, form, lambda image: self._image(images, image)):
                yield f"line {number}: {what}"
            name = record.get("id") if isinstance(record, Mapping) else None
            if isinstance(name, str):
                digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).digest()
                first = ids.setdefault(digest, number)
                if first != number:
                    yield f"line {number}: id {shown(name)} is that of line {first}"
        self.lines[file.resolve()] = count
        self.found.records += count
        self.found.kinds[task.type] += count
        if count == 0:
            yield "has no line"
        named = FILE.fullmatch(file.name)
        if named is None or named[1] != form:
            yield f"is not named {form}_<lines>.jsonl"
        elif int(named[2]) != count:
            yield f"its name says {int(named[2])} lines, and it has {count}"

    def _image(self, folder: Path | None, image: str) -> str | None:
        if folder is None:
            return None
        if folder not in self.colored:
            self.colored[folder] = _has_colors(folder)
            if not self.colored[folder]:
                self.found.notes.append(
                    f"{self._name(folder)}: holds no color images, so none was looked for"
                )
        # A tree of questions alone is how SPAR-7M is published now; its depth images may be there all the same.
        if not self.colored[folder] and not (_is_depth(image) and folder.is_dir()):
            return None
        return self._problem_of(folder, image)

    def indexes(self, base: Path) -> None:
        folder = base / layout.INDEX
        files = sorted(folder.glob("*.json")) if folder.is_dir() else []
        for file in files:
            self._tell(file, self._index_problems(file, base))

    def _tell(self, file: Path, problems_of: Iterator[str]) -> None:
        told = 0
        for told, problem in enumerate(problems_of, 1):
            if told <= TOLD:
                self.found.problems.append(f"{self._name(file)}: {problem}")
        if told > TOLD:
            self.found.problems.append(f"{self._name(file)}: and {plural(told - TOLD, 'more problem')}")

    def _index_problems(self, file: Path, base: Path) -> Iterator[str]:
        try:
            if not file.is_file() or file.stat().st_size > LARGEST_INDEX:
                yield f"not a file of at most {LARGEST_INDEX} bytes"
                return
            text = file.read_text(encoding="utf-8")
            index = json.loads(text)
        except OSError as error:
            yield f"cannot be read: {error.strerror}"
            return
        except (ValueError, RecursionError) as error:
            yield f"not JSON: {str(error).splitlines()[0][:200]}"
            return
        if not isinstance(index, dict):
            yield "not an object of entries"
            return
        at, line = 0, 1
        for key, entry in index.items():
            found = text.find(json.dumps(key, ensure_ascii=False), at)
            if found > at:
                line += text.count("\n", at, found)
                at = found
            for problem in self._entry_problems(key, entry, base):
                yield f"line {line}: {shown(key)}: {problem}"

    def _entry_problems(self, key: str, entry: Any, base: Path) -> Iterator[str]:
        if not isinstance(entry, dict):
            yield "not an object"
            return
        missing = [name for name in ("root", "annotation", "repeat_time", "length") if name not in entry]
        if missing:
            yield f"has no {', '.join(missing)}"
            return
        if not (isinstance(entry["root"], str) and isinstance(entry["annotation"], str)):
            yield "root and annotation are not both paths"
            return
        times = entry["repeat_time"]
        if type(times) not in (int, float) or not 0 < times < float("inf"):
            yield f"repeat_time is not a number above 0: {shown(times)}"
        elif times > 1 and type(times) is not int:
            yield f"repeat_time is above 1 and no integer, which the loader does not take: {shown(times)}"
        if type(entry["length"]) is not int:
            yield f"length is not an integer: {shown(entry['length'])}"
            return
        problem = astray(entry["annotation"], "the tree")
        if problem:
            yield f"annotation {problem}: {shown(entry['annotation'])}"
            return
        file = base / entry["annotation"]
        parts = PurePosixPath(entry["annotation"]).parts
        if len(parts) == 7 and (parts[0], parts[2]) == (layout.ROOT, layout.QUESTIONS):
            wanted = f"{parts[1]}_{parts[4]}_{parts[5]}"
            if key != wanted:
                yield f"is not {wanted}, as its file stands"
            if entry["root"] != f"{layout.ROOT}/{parts[1]}/{layout.IMAGES}":
                yield f"root is not {layout.ROOT}/{parts[1]}/{layout.IMAGES}: {shown(entry['root'])}"
        try:
            there = file.is_file()
        except OSError:
            there = False
        if not there:
            yield f"annotation is not there: {shown(entry['annotation'])}"
            return
        lines = self.lines.get(file.resolve())
        if lines is None and file.resolve().is_relative_to(base.resolve()):
            with file.open("rb") as opened:
                lines = sum(1 for _ in _raw(opened))
        if lines is not None and lines != entry["length"]:
            yield f"length is {entry['length']}, and {shown(entry['annotation'])} has {plural(lines, 'line')}"


def _has_colors(folder: Path) -> bool:
    kinds = [f"{layout.STILL}_color", f"{layout.VIDEO}_color", layout.MARKED]
    return folder.is_dir() and any((scene / kind).is_dir() for scene in folder.iterdir() for kind in kinds)


def _is_depth(image: str) -> bool:
    return any(
        part in (f"{layout.STILL}_depth", f"{layout.VIDEO}_depth") for part in PurePosixPath(image).parts
    )


def _image_problem(folder: Path, image: str) -> str | None:
    path = folder / image
    try:
        if not path.exists():
            return "leads nowhere" if path.is_symlink() else "not there"
        if not path.is_file() or path.stat().st_size == 0:
            return "is empty or no file"
    except OSError:
        return "cannot be looked at"
    return None


def _raw(opened: BinaryIO) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long to be taken."""
    while line := opened.readline(LONGEST + 1):
        if len(line) > LONGEST and not line.endswith(b"\n"):
            while rest := opened.readline(LONGEST):
                if rest.endswith(b"\n"):
                    break
            yield None
        else:
            yield line.rstrip(b"\r\n")


def _records(opened: BinaryIO) -> Iterator[tuple[Any, str | None]]:
    """Each line's record, or what is wrong with the line."""
    for line in _raw(opened):
        if line is None:
            yield None, f"longer than {LONGEST:,} bytes"
        elif not line.strip():
            yield None, "empty"
        else:
            yield _parsed(line)


def _parsed(line: bytes) -> tuple[Any, str | None]:
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_no_number), None
    except UnicodeDecodeError:
        return None, "not UTF-8 text"
    except (ValueError, RecursionError) as error:
        return None, f"not JSON: {str(error).splitlines()[0][:200]}"


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON's")
