"""Matterport3D's `.house` files: levels, regions, panoramas, objects with oriented boxes, segments, categories.

A text of lines that begin with a letter for their kind, with as many fields as the kind has; the line H counts the
lines of each kind. Fields that hold names have `#` for blanks and `-` for nothing. Radii of boxes are half lengths.
A line of a portal begins with P as a panorama's does, or with R as a region's, and is told by its length.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from spatial_assets.readers import cameras, files, labels
from spatial_assets.readers.connectivity import NAME
from spatial_assets.readers.consistency import LARGEST_SCENE
from spatial_assets.scene.model import NO_INSTANCE, Box, Float, InputError
from spatial_assets.storage.instance_images import GREATEST_ID

DATA = Path(__file__).with_suffix(".json")
VERSION = "ASCII 1.1"
FEWEST_FIELDS = {"H": 29, "L": 13, "R": 16, "P": 8, "S": 17, "V": 10, "I": 36, "C": 6, "O": 16, "E": 14}
"""Of a line of each kind, its letter included; what stands behind is always 0."""
COUNTED = {"I": 3, "P": 4, "V": 5, "S": 6, "E": 7, "O": 8, "C": 9, "R": 10, "L": 12}
"""By kind, the field of the line H that counts its lines."""
PORTALS, PORTAL_FIELDS = 11, 15
"""The field of H that counts portals, and how many fields a portal's line has: a panorama's has 13, a region's 20."""
NOTHING = "-"
AXES_TOLERANCE = 0.01
"""How far a box's two axes may be from orthonormal; six digits stay below 1e-5."""
GREATEST_NUMBER = 1 << 62
WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
LETTER = re.compile(r"[!-~]{1,16}", re.ASCII)
"""What labels a region: a letter that has a kind, or whatever else a table can show."""


@cache
def kinds() -> Mapping[str, str]:
    """By the letter that labels a region, what kind of room it is."""
    held: Mapping[str, str] = json.loads(DATA.read_text(encoding="utf-8"))["kinds"]
    return held


@dataclass(frozen=True)
class HouseCategory:
    index: int
    """Its `index` in category_mapping.tsv; below 0 for none."""
    name: str
    coarse: str
    """Its name among the 40 classes, mpcat40."""


@dataclass(frozen=True)
class HouseRegion:
    level: int | None
    label: str
    low: Float | None
    """(3,); None for a region without extent."""
    high: Float | None
    outline: Float
    """(N, 2); empty where none is given."""


@dataclass(frozen=True)
class HouseObject:
    region: int | None
    category: int | None
    box: Box | None
    """None for an object without extent, which the annotators deleted."""


@dataclass(frozen=True)
class Panorama:
    name: str
    region: int | None
    position: Float


@dataclass(frozen=True)
class House:
    """What a house file says; objects, regions and categories by their place in it."""

    path: str
    levels: int
    regions: tuple[HouseRegion, ...]
    panoramas: tuple[Panorama, ...]
    categories: tuple[HouseCategory, ...]
    objects: tuple[HouseObject, ...]
    segments: dict[int, int] = field(default_factory=dict)
    """Object by the id of a segment, NO_INSTANCE for one of no object."""


def read_house(root: Path, path: str) -> House:
    """Raises InputError for a file that is cut off, contradicts its own counts or has what no house can."""
    lines = files.read_text(root, path).splitlines()
    if not lines or lines[0].strip() != VERSION:
        told = labels.shown(lines[0].strip()) if lines else "nothing"
        raise InputError(path, f"begins with {told}, not with {VERSION}", "malformed_file")
    return _House(path, lines).read()


class _Fields:
    """The fields of one line, each checked where it is taken."""

    def __init__(self, path: str, number: int, words: Sequence[str]) -> None:
        self.path, self.words = path, words
        self.where = f"line {number} ({words[0]})"

    def whole(self, at: int, what: str, count: int | None = None, or_none: bool = False) -> int | None:
        """A number from 0, below `count` where one is given; None for -1 where that is allowed."""
        value = int(self.words[at]) if WHOLE.fullmatch(self.words[at]) else GREATEST_NUMBER
        if or_none and value == -1:
            return None
        if not 0 <= value < (GREATEST_NUMBER if count is None else count):
            told = "a whole number" if count is None else f"one of the {count} there are"
            raise self.error(f"its {what} is {labels.shown(self.words[at])}, not {told}")
        return value

    def sure(self, at: int, what: str, count: int | None = None) -> int:
        value = self.whole(at, what, count)
        assert value is not None
        return value

    def numbers(self, at: int, count: int, what: str) -> Float:
        return cameras.parse_numbers(
            self.path, " ".join(self.words[at : at + count]), count, f"{self.where}, {what}"
        )

    def near(self, at: int, count: int, what: str) -> Float:
        """Coordinates that a place in a house can have."""
        found = self.numbers(at, count, what)
        if not (np.abs(found) <= cameras.FARTHEST).all():
            worst = found[~(np.abs(found) <= cameras.FARTHEST)][0]
            raise self.error(f"{what} has {worst:g}, not a number up to {cameras.FARTHEST:g}")
        return found

    def word(self, at: int) -> str:
        return self.words[at].replace("#", " ")

    def error(self, what: str, reason: str = "malformed_file") -> InputError:
        return InputError(self.path, f"{self.where}: {what}", reason)


class _House:
    def __init__(self, path: str, lines: Sequence[str]) -> None:
        self.path, self.lines = path, lines
        self.found: dict[str, list[_Fields]] = {kind: [] for kind in FEWEST_FIELDS}
        self.portals = 0

    def read(self) -> House:
        self._sort()
        self._check_counts()
        self._check_order()
        regions = len(self.found["R"])
        objects = tuple(self._objects())
        return House(
            self.path,
            len(self.found["L"]),
            tuple(self._regions()),
            tuple(
                Panorama(_name(line), line.whole(3, "region", regions, True), line.near(5, 3, "the position"))
                for line in self.found["P"]
            ),
            tuple(self._categories()),
            objects,
            self._segments(len(objects)),
        )

    def _sort(self) -> None:
        """Lines by kind. Raises InputError for one of no known kind, and for one that is cut off."""
        for number, line in enumerate(self.lines[1:], 2):
            words = line.split()
            if not words:
                continue
            fields, kind = _Fields(self.path, number, words), words[0]
            # Documented under P; the toolkit's own program writes them under R.
            if kind in ("P", "R") and len(words) == PORTAL_FIELDS:
                self.portals += 1
                continue
            if kind not in FEWEST_FIELDS:
                raise InputError(
                    self.path,
                    f"line {number} begins with {labels.shown(kind)}, no kind of line",
                    "malformed_file",
                )
            if len(words) < FEWEST_FIELDS[kind]:
                raise fields.error(f"{len(words)} fields, fewer than {FEWEST_FIELDS[kind]}")
            self.found[kind].append(fields)

    def _check_counts(self) -> None:
        heads = self.found["H"]
        if len(heads) != 1:
            raise InputError(self.path, f"{len(heads)} lines H, not one", "malformed_file")
        for kind, at in COUNTED.items():
            stated = heads[0].sure(at, f"count of {kind}")
            there = len(self.found[kind])
            if stated != there:
                raise InputError(
                    self.path, f"line H counts {stated} lines {kind} and there are {there}", "contradiction"
                )
        if heads[0].sure(PORTALS, "count of portals") != self.portals:
            raise InputError(
                self.path,
                f"line H counts {heads[0].words[PORTALS]} portals, not {self.portals}",
                "contradiction",
            )

    def _check_order(self) -> None:
        """Raises InputError where lines that others refer to by their number do not stand in its order."""
        for kind in "LRSCO":
            for place, line in enumerate(self.found[kind]):
                if line.sure(1, "own number") != place:
                    raise line.error(f"numbered {line.words[1]} in place {place}", "contradiction")
        names = Counter(line.words[1] for line in self.found["P"])
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None:
            raise InputError(self.path, f"two panoramas are named {labels.shown(twice)}", "contradiction")

    def _regions(self) -> Iterator[HouseRegion]:
        corners: dict[int, list[Float]] = {}
        for line in self.found["V"]:
            surface = line.whole(2, "surface", len(self.found["S"]), True)
            if surface is not None:
                corners.setdefault(surface, []).append(line.near(4, 2, "the position"))
        outlines: dict[int, list[list[Float]]] = {}
        for place, line in enumerate(self.found["S"]):
            region = line.whole(2, "region", len(self.found["R"]), True)
            if region is not None:
                outlines.setdefault(region, []).append(corners.get(place, []))
        for place, line in enumerate(self.found["R"]):
            low, high = line.numbers(9, 6, "the extent").reshape(2, 3)
            # What an empty box of the toolkit looks like, whatever its numbers are.
            is_empty = bool((low > high).all())
            if not is_empty:
                line.near(9, 6, "the extent")
                if (low > high).any() or (high - low).max() > LARGEST_SCENE:
                    raise line.error("its extent ends before it begins, or is larger than a house", "bad_box")
            # Of several surfaces, none is the outline.
            own = outlines.get(place, [])
            outline = np.array(own[0]) if len(own) == 1 and own[0] else np.zeros((0, 2))
            yield HouseRegion(
                line.whole(2, "level", len(self.found["L"]), True),
                _letter(line),
                None if is_empty else low,
                None if is_empty else high,
                outline,
            )

    def _categories(self) -> Iterator[HouseCategory]:
        for line in self.found["C"]:
            index = line.whole(2, "category_mapping index", None, True)
            yield HouseCategory(-1 if index is None else index, line.word(3), line.word(5))

    def _objects(self) -> Iterator[HouseObject]:
        if len(self.found["O"]) > GREATEST_ID:
            raise InputError(
                self.path, f"{len(self.found['O'])} objects, more than {GREATEST_ID}", "instance_id"
            )
        for line in self.found["O"]:
            yield HouseObject(
                line.whole(2, "region", len(self.found["R"]), True),
                line.whole(3, "category", len(self.found["C"]), True),
                _box(line),
            )

    def _segments(self, objects: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for line in self.found["E"]:
            given = line.whole(2, "object", objects, True)
            owner, segment = NO_INSTANCE if given is None else given, line.sure(3, "id")
            if found.setdefault(segment, owner) != owner:
                raise line.error(
                    f"segment {segment} is of object {owner} and of {found[segment]}", "contradiction"
                )
        return found


def _name(line: _Fields) -> str:
    """A panorama's, which is a viewpoint's."""
    if not NAME.fullmatch(line.words[1]):
        raise line.error(f"{labels.shown(line.words[1])} is no name of a panorama")
    return line.words[1]


def _letter(line: _Fields) -> str:
    """What labels a region."""
    if not LETTER.fullmatch(line.words[5]):
        raise line.error(f"its label is {labels.shown(line.words[5])}, not a letter")
    return line.words[5]


def _box(line: _Fields) -> Box | None:
    numbers = line.numbers(4, 12, "the box")
    radii = numbers[9:]
    if (radii < 0).all() or not radii.any():
        return None
    center, first, second = line.near(4, 12, "the box")[:9].reshape(3, 3)
    if (radii < 0).any():
        raise line.error(f"a radius of {radii.min():g}", "bad_box")
    if radii.max() > LARGEST_SCENE / 2:
        raise line.error(f"a box of {2 * radii.max():g} m, larger than a house", "bad_box")
    axes = np.array([first, second, np.cross(first, second)])
    if np.abs(axes @ axes.T - np.eye(3)).max() > AXES_TOLERANCE:
        raise line.error("the axes of the box are not orthonormal", "bad_box")
    left, _, right = np.linalg.svd(axes)
    return Box(center, 2 * radii, (left @ right).T)
