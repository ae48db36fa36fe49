"""ScanNet's own map of labels: the benchmark's class, one of the forty of NYUv2, of each word that annotators used.

`scannetv2-labels.combined.tsv`, a table with a head. Its `raw_category` is the word, `nyu40id` the class; its
`category` is not used, since it puts groups into the singular, `books` among others, and a shelf of them is no book.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from spatial_assets.readers import files, labels
from spatial_assets.scene import nyu40
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError

NAME = "scannetv2-labels.combined.tsv"
PLACES = (NAME, f"metadata/{NAME}", f"scans/{NAME}")
COLUMNS = ("raw_category", "nyu40id")
NO_CLASS = frozenset({"", "0"})
ROLE = "labels"
TOLD = 3
"""Words that the map does not know and that are told; of more, how many."""


def place(root: Path) -> str | None:
    """Where the map lies, if it does."""
    return next((path for path in PLACES if files.is_file(root, path)), None)


def read(root: Path, path: str) -> dict[str, str | None]:
    """Class by word; None for a word that the map knows and gives none.

    Raises InputError for what is no such table, and for a word with two classes.
    """
    lines = files.read_text(root, path).removeprefix("\ufeff").splitlines()
    head = lines[0].split("\t") if lines else []
    missing = next((name for name in COLUMNS if name not in head), None)
    if missing is not None:
        raise InputError(path, f"its first line names no column {missing}", "malformed_file")
    word_at, class_at = (head.index(name) for name in COLUMNS)
    found: dict[str, str | None] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) <= max(word_at, class_at):
            raise InputError(
                path, f"line {number} has {len(fields)} columns of {len(head)}", "malformed_file"
            )
        word, said = _key(fields[word_at]), fields[class_at].strip()
        kind = None if said in NO_CLASS else nyu40.names().get(int(said)) if is_number(said) else None
        if kind is None and said not in NO_CLASS:
            raise InputError(
                path,
                f"nyu40id of line {number} is {labels.shown(said)}, not a number from 0 to 40",
                "malformed_file",
            )
        if found.setdefault(word, kind) != kind:
            raise InputError(
                path, f"line {number} gives {labels.shown(word)} a second class", "contradiction"
            )
    if not found:
        raise InputError(path, "maps no word", "malformed_file")
    return found


def is_number(text: str) -> bool:
    """Whether it may be a class."""
    return text.isascii() and text.isdigit() and len(text) <= 2


def _key(word: str) -> str:
    return " ".join(word.split())


def class_of(classes: Mapping[str, str | None], label: str) -> str | None:
    return classes.get(_key(label))


def note(path: str | None, classes: Mapping[str, str | None], used: Iterable[str]) -> str:
    """Which labels of a scene's objects the map does not know, in words."""
    if path is None:
        return f"no {NAME} in the root"
    words = [label for label in used if label != labels.NO_LABEL]
    unknown = Counter(label for label in words if _key(label) not in classes)
    if not unknown:
        return f"{path} knows all {len(words)} labels"
    told = [labels.shown(word) for word in sorted(unknown)]
    more = f" and {plural(len(told) - TOLD, 'other word')}" if len(told) > TOLD else ""
    return f"{path} does not know {unknown.total()} of {len(words)} labels: {', '.join(told[:TOLD])}{more}"
