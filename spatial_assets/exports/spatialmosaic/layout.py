"""Names, prompts and levels of SpatialMosaic's two published layouts, and where files and images stand in its tree.

    <out>/spatial_mosaic_vqa/test/<split>.json        flat rows, as its evaluator reads them
    <out>/spatial_mosaic_vqa/train/<split>.json       conversations, as its trainer reads them
    <out>/<dataset>/<scene>/images/<frame>.jpg        what `frames` leads both to

Published levels have names, of which few are known, and no borders. Borders here are fixed, so that a row has the same
level in every release that it is in.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from spatial_assets.scoring import spatialmosaic as scoring
from spatial_assets.tasks.core.options import LETTERS

PUBLISHED = Path(__file__).with_name("layout.json")
TRAIN, WHOLE = "train", "all"
"""A release that is not split has one split, which is for either purpose."""
FRAME = "frame_"
"""What a frame's name begins with, here as in the published rows and in the questions' texts."""
IMAGES = "images"
CARD, LEVELS = "README.md", "levels.json"
SUFFIX = ".jpg"
"""The only ending that the published evaluator and trainer look for."""
UNSAFE = re.compile(r"[%/\\\x00-\x1f]|^\.")
"""What a file's name cannot hold or should not begin with."""
CHOICES = frozenset(scoring.CHOICES)
NUMBERS = frozenset(scoring.UNITS)
POINT = scoring.LOCALIZATION
TYPES = (*sorted(CHOICES), *sorted(NUMBERS), POINT)
YES_NO = frozenset(scoring.MERGED["obj_existence_occ"])
"""Types with two options; the other choices have four."""
OPTION = re.compile(r"([A-Z])\. (.*)", re.DOTALL)
"""An option as it is written: `A. 4`."""


@cache
def published() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return held


def prompt(name: str) -> str:
    text: str = published()["prompts"][name]
    return text


@dataclass(frozen=True)
class Level:
    """A field of levels: whose values they are, and which."""

    field: str
    of: str
    """What of a question's diagnostics it tells."""
    names: tuple[str, ...]
    """In the order of the values."""
    borders: tuple[float, ...]
    """One less than names; a value on a border has the level above."""
    words: tuple[str, ...] = ()
    """Where values are words: those of the diagnostics, one for each name."""
    published: tuple[str, ...] = ()
    """Names that are published; the others are named here."""
    means: str = ""

    def name(self, value: Any) -> str | None:
        """None where the value is not known."""
        if value is None:
            return None
        place = self.words.index(value) if self.words else bisect_right(self.borders, value)
        return self.names[place]


@cache
def levels() -> Mapping[str, Level]:
    found = {}
    for field, held in published()["levels"].items():
        names = held["names"]
        words = tuple(names) if isinstance(names, Mapping) else ()
        found[field] = Level(
            field,
            held["of"],
            tuple(names.values()) if isinstance(names, Mapping) else tuple(names),
            tuple(held.get("borders", ())),
            words,
            tuple(held["published"]),
            held["means"],
        )
    return found


def schemas(split: str) -> tuple[str, ...]:
    """In which layouts a split is written."""
    if split == WHOLE:
        return ("test", "train")
    return ("train",) if split == TRAIN else ("test",)


def annotation_folder(schema: str) -> str:
    """The folder of a layout's files, below the tree."""
    return f"{published()['folder']}/{published()[schema]['folder']}"


def safe(name: str) -> str:
    """A name that can stand in a path as one part of it; no two names give the same."""
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name)


def token(frame: str) -> str:
    """What `frames` and, where frames go by their names, the text call a frame."""
    return f"{FRAME}{safe(frame)}"


def image_path(dataset: str, scene: str, frame: str) -> str:
    """Below the tree; `frame` as `frames` has it."""
    return f"{safe(dataset)}/{safe(scene)}/{IMAGES}/{frame}{SUFFIX}"


def lettered(options: list[str]) -> list[str]:
    return [f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=False)]
