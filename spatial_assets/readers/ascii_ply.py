"""PLY files in ASCII read as whole arrays, several times faster than line by line.

Only files of the common form are: vertices of plain numbers, then faces that each begin with a list of three corners,
a line each. Of any other nothing is said here, and whoever reads them line by line says what is wrong.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
"""PLY's names of types, as numpy has them."""
CORNERS = 3


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    fields: list[tuple[str, str]]
    """Names and types of its numbers, in a line's order, without the list."""
    corners: tuple[str, str] | None = None
    """Name and type of the list of three that each line begins with, where it does."""

    @property
    def width(self) -> int:
        return len(self.fields) + (0 if self.corners is None else 1 + CORNERS)


def is_ascii(header: list[str]) -> bool:
    return any(line.split()[:2] == ["format", "ascii"] for line in header)


def parse(header: list[str], file: Path, body: int) -> dict[str, NDArray[Any]] | None:
    """Structured arrays (N,) by element, of a header's lines and where the body begins; None for a file of another
    form.
    """
    elements = _elements(header)
    if elements is None:
        return None
    with file.open("rb") as stream:
        stream.seek(body)
        lines = stream.read().splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) != sum(element.count for element in elements):
        return None
    found, begin = {}, 0
    for element in elements:
        rows = _rows(lines[begin : begin + element.count], element)
        if rows is None:
            return None
        found[element.name] = rows
        begin += element.count
    return found


def _elements(header: list[str]) -> list[_Element] | None:
    """Vertices and faces, or None where there is anything else."""
    found: list[_Element] = []
    for line in header:
        words = line.split()
        if words[0] == "element":
            found.append(_Element(words[1], int(words[2]), []))
        elif words[0] == "property":
            if not found or any(word not in TYPES for word in words[1:-1] if word != "list"):
                return None
            own = found[-1]
            if words[1] != "list":
                own.fields.append((words[2], TYPES[words[1]]))
            elif len(words) == 5 and own.width == 0:
                found[-1] = _Element(own.name, own.count, [], (words[4], TYPES[words[3]]))
            else:
                return None
    forms = [(element.name, element.corners is not None, element.count > 0) for element in found]
    return found if forms == [("vertex", False, True), ("face", True, True)] else None


def _rows(lines: list[bytes], element: _Element) -> NDArray[Any] | None:
    """Lines of numbers as rows of an element; None where one is ragged, no number, or out of its type's range."""
    # Counted line by line: a number more here and one fewer there would shift all between.
    if any(len(line.split()) != element.width for line in lines):
        return None
    with warnings.catch_warnings():
        # What is no number is only warned of, and then what follows is missing.
        warnings.simplefilter("ignore", DeprecationWarning)
        flat = np.fromstring(b" ".join(lines), np.float64, sep=" ")
    if len(flat) != element.width * len(lines):
        return None
    values = flat.reshape(-1, element.width)
    shape: list[Any] = list(element.fields)
    begin = 0
    if element.corners is not None:
        if not (values[:, 0] == CORNERS).all():
            return None
        name, kind = element.corners
        shape.insert(0, (name, kind, (CORNERS,)))
        begin = 1
    try:
        rows = np.empty(len(lines), shape)
    except ValueError:  # two of one name
        return None
    for name in rows.dtype.names or ():
        own = rows[name]
        width = 1 if own.ndim == 1 else CORNERS
        part = values[:, begin : begin + width]
        if not _fits(part, own.dtype):
            return None
        own[...] = part.reshape(own.shape)
        begin += width
    return rows


def _fits(values: NDArray[np.float64], kind: np.dtype[Any]) -> bool:
    if kind.kind == "f":
        return True
    limits = np.iinfo(kind)
    whole = bool(np.isfinite(values).all()) and bool((values == np.floor(values)).all())
    return whole and float(values.min()) >= limits.min and float(values.max()) <= limits.max
