"""Files as all formats have them: folders listed in one order, text, JSON; whatever goes wrong names its file."""

from __future__ import annotations

import codecs
import errno
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef, SourceFile

LARGEST_TEXT = 1 << 30
"""Bytes of a text file; the segments of the largest scans take a hundredth of it."""
LONGEST_NAME = 200
"""Bytes of a scene's name as the lake writes it; file systems take 255, and the lake adds endings."""
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""What editors put before a text, and the encoding that it tells."""
ZEROS = "holds zero bytes where text was expected"
TEXT_ENDINGS = frozenset({".txt"})
NUMBERS = re.compile(r"([0-9]+)")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that no line of a message or a table can show."""
NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
"""What the system says of a name that leads nowhere, links that lead in a circle among them. Whatever else it says
leaves open what stands there."""


@dataclass(frozen=True)
class Found:
    """What stands under a root."""

    scenes: list[SceneRef]
    left_out: list[InputError]
    """A line for each that looks like a scene and cannot be one."""


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns whatever a library raises while a file is read into an error of that file."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(path, "missing", "missing_file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror or error}", "unreadable_file") from None
    except MemoryError:
        raise InputError(path, "takes more memory than there is", "malformed_file") from None
    except Exception as error:
        raise InputError(path, f"cannot be read: {type(error).__name__}, {error}", "malformed_file") from None


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sorts by numbers wherever they stand in names, and equals (`1`, `01`) by the names themselves."""
    # Parts alternate between text and number, so that like is compared with like.
    parts = NUMBERS.split(name)
    return tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), name


def entries(root: Path, folder: str, hidden: bool = False) -> list[os.DirEntry[str]]:
    """What stands in a folder, in natural order, hidden or not; nothing where there is no such folder."""
    with reading(folder or "."):
        try:
            with os.scandir(root / folder) as listed:
                found = [entry for entry in listed if hidden or not entry.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            return []
    return sorted(found, key=lambda entry: natural_key(entry.name))


def by_stem(root: Path, folder: str, endings: Collection[str]) -> dict[str, str]:
    """Paths of a folder's files with these endings, in whatever case, by the name before it, in natural order.

    Raises InputError for two files of one such name, and for what has the ending and is no file.
    """
    found: dict[str, str] = {}
    for entry in entries(root, folder):
        stem, dot, ending = entry.name.rpartition(".")
        if dot + ending.lower() not in endings:
            continue
        path = f"{folder}/{entry.name}"
        if CONTROL.search(entry.name):
            raise InputError(path, "the file's name has a control character", "unreadable_file")
        if not is_file(root, path):
            raise InputError(path, no_file(root, path), "unreadable_file")
        if stem in found:
            raise InputError(path, f"{found[stem]} has the same name but for its ending", "contradiction")
        found[stem] = path
    return dict(sorted(found.items(), key=lambda item: natural_key(item[0])))


def no_file(root: Path, path: str) -> str:
    """What stands where a file should, in words."""
    mode = _mode(root, path)
    if mode:
        return "a folder, not a file" if stat.S_ISDIR(mode) else "no regular file"
    with suppress(OSError):
        if (root / path).is_symlink():
            return "a link to nothing"
    return "missing"


def is_file(root: Path, path: str) -> bool:
    """Whether there is such a file. Raises InputError where that cannot be told."""
    return stat.S_ISREG(_mode(root, path))


def is_folder(root: Path, path: str) -> bool:
    """Whether there is such a folder. Raises InputError where that cannot be told."""
    return stat.S_ISDIR(_mode(root, path))


def _mode(root: Path, path: str) -> int:
    """What stands there, behind links, in the system's own bits; none where nothing does."""
    try:
        return (root / path).stat().st_mode
    except OSError as error:
        if error.errno in NOTHING_THERE:
            return 0
        raise InputError(path, f"cannot be read: {error.strerror}", "unreadable_file") from None


def scene_folders(root: Path, parents: Iterable[str], name: re.Pattern[str]) -> Found:
    """The folders below a root's `parents` whose names match, by name.

    A name that stands twice is left out both times: nothing says which of the two is meant.
    """
    refs, left_out = [], []
    for parent in parents:
        try:
            listed = entries(root, parent)
        except InputError as error:
            if not parent:
                raise
            left_out.append(error)
            continue
        for entry in listed:
            path = f"{parent}/{entry.name}".lstrip("/")
            if not name.match(entry.name):
                continue
            try:
                if is_folder(root, path):
                    refs.append(SceneRef(entry.name, path))
                elif entry.is_symlink():
                    left_out.append(InputError(path, no_file(root, path), "missing_file"))
            except InputError as error:
                left_out.append(error)
    return told_apart(refs, left_out)


def told_apart(refs: Iterable[SceneRef], left_out: Iterable[InputError]) -> Found:
    """Scenes by name, without those that share one or whose name cannot be kept."""
    ordered = sorted(refs, key=lambda ref: (ref.name, ref.path))
    counts = Counter(ref.name for ref in ordered)
    scenes, others = [], list(left_out)
    for ref in ordered:
        problem = name_problem(ref.name)
        if counts[ref.name] > 1:
            twin = next(other.path for other in ordered if other.name == ref.name and other != ref)
            problem = f"the scene stands in {twin} too, and both would be called {ref.name}"
        if problem:
            others.append(InputError(ref.path, problem, "scene_name"))
        else:
            scenes.append(ref)
    return Found(scenes, others)


def name_problem(name: str) -> str:
    """Why a scene cannot be called so; empty if it can."""
    try:
        length = len(quote(name, safe=""))
    except UnicodeEncodeError:
        return "the scene's name is not UTF-8"
    if name in ("", ".", ".."):
        return f"{name!r} is no name of a scene"
    if CONTROL.search(name):
        return "the scene's name has a control character"
    if length > LONGEST_NAME:
        return f"the scene's name takes {length} bytes as a file name, more than {LONGEST_NAME}"
    return ""


def all_there(root: Path, listing: list[SourceFile]) -> list[SourceFile]:
    """The listing itself. Raises InputError for the first file that is missing."""
    for file in listing:
        if not is_file(root, file.path):
            raise InputError(file.path, no_file(root, file.path), "missing_file")
    return listing


def read_text(root: Path, path: str) -> str:
    """A text in UTF-8, or in what its byte order mark says; the mark itself is not part of it."""
    with reading(path):
        with (root / path).open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > LARGEST_TEXT:
                raise InputError(path, f"more than {LARGEST_TEXT} bytes of text", "malformed_file")
            data = stream.read()
        return decoded(path, data)


def decoded(path: str, data: bytes, where: str = "") -> str:
    """The text that a file's bytes are, or a part of them, which `where` names: it begins what is said of errors."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            path, f"{where}not a text file in UTF-8: byte {error.start} is no part of it", "unreadable_file"
        ) from None
    if "\0" in text:
        raise InputError(path, f"{where}no text: zero bytes are in it" if where else ZEROS, "unreadable_file")
    return text


def read_json(root: Path, path: str) -> Any:
    """Raises InputError for what is no JSON, and for an object that has a key twice."""
    text = read_text(root, path)
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        told = error.msg.removesuffix(" at")
        raise InputError(path, f"not JSON: {told} at line {error.lineno}", "unreadable_file") from None
    except KeyError as error:
        raise InputError(path, f"an object has the key {error} twice", "contradiction") from None
    except (ValueError, RecursionError, MemoryError):
        # A number of thousands of digits, or brackets without end.
        raise InputError(path, "JSON beyond all bounds", "unreadable_file") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise KeyError(next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1))
    return found
