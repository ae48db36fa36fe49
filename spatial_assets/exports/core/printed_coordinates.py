"""Image coordinates in a reader's convention: places in pixels as it prints them, back again, and texts that hold them.

A row keeps where each place is in its image, unrounded, and where in which text it stands; a profile says how a model
or a trainer prints places. What a question says of its coordinates is said otherwise with them, and instructions keep
asking for what is the answer. What is no image coordinate, such as positions on a map from above, is no slot and stays.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any

WORDS = Path(__file__).with_suffix(".json")
THOUSANDTH, PIXEL, SHARE = "thousandth", "pixel", "share"
OWN = "own"
"""The unit of texts that leave open which it is."""
UNITS = {THOUSANDTH: 1000.0, SHARE: 1.0}
"""What the whole width, and the whole height, count."""
SHARE_DECIMALS = 3
NUMBER = re.compile(r"\d+(?:\.\d+)?")
EXAMPLE = re.compile(r"(?<=[\[(])\d+(?:, ?\d+)+(?=[\])])")
"""Coordinates in an instruction's example."""
HALVES = 1e-9
"""What lies halfway goes up, also where dividing left it a hair below."""
MOST_ASPECT = 200
"""Beyond it Qwen's resizing refuses an image."""
MIN_PIXELS, MAX_PIXELS = 4 * 28 * 28, 16384 * 28 * 28
"""Of qwen-vl-utils. https://github.com/QwenLM/Qwen2.5-VL"""


@dataclass(frozen=True)
class Profile:
    """How places are printed."""

    name: str
    unit: str = ""
    """Empty: as the rows have them."""
    factor: int = 0
    """Pixels are those of the image resized so that its sides are multiples of this; 0: of the image as it is."""
    min_pixels: int = MIN_PIXELS
    max_pixels: int = MAX_PIXELS

    def size(self, width: int, height: int) -> tuple[float, float]:
        """What an image's whole width and height count."""
        if self.unit in UNITS:
            return UNITS[self.unit], UNITS[self.unit]
        return resized(width, height, self) if self.factor else (width, height)

    @property
    def step(self) -> float:
        """The least difference that is printed."""
        return float(10**-SHARE_DECIMALS) if self.unit == SHARE else 1.0


AS_PRINTED = Profile("as-printed")
PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        AS_PRINTED,
        Profile("0-1000", THOUSANDTH),
        Profile("pixels", PIXEL),
        Profile("qwen2.5", PIXEL, factor=28),
        Profile("0-1", SHARE),
    )
}
ALIASES = {"qwen3": "0-1000", "internvl": "0-1000", "spar": "0-1000", "spatialmosaic": "pixels"}
NAMES = (*PROFILES, *ALIASES)


def profile(name: str, min_pixels: int | None = None, max_pixels: int | None = None) -> Profile:
    """Raises ValueError for an unknown one, and for limits that it does not take."""
    found = PROFILES.get(ALIASES.get(name, name))
    if found is None:
        raise ValueError(f"no way to print coordinates {name!r}; there are: {', '.join(NAMES)}")
    if (min_pixels is not None or max_pixels is not None) and not found.factor:
        raise ValueError(f"{name} resizes no image, and takes no least or most pixels")
    least = found.min_pixels if min_pixels is None else min_pixels
    most = found.max_pixels if max_pixels is None else max_pixels
    if not 0 < least <= most:
        raise ValueError(f"no image has at least {least} and at most {most} pixels")
    return replace(found, min_pixels=least, max_pixels=most)


def resized(width: int, height: int, how: Profile) -> tuple[int, int]:
    """The width and height to which Qwen2.5-VL's processor brings an image (`smart_resize` of qwen-vl-utils).

    Raises ValueError for an image that it refuses.
    """
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise ValueError(f"an image of {width} x {height} is longer than {MOST_ASPECT} times its other side")
    factor = how.factor
    across, down = (max(factor, round(side / factor) * factor) for side in (width, height))
    if across * down > how.max_pixels:
        scale = math.sqrt(width * height / how.max_pixels)
        across, down = (max(factor, math.floor(side / scale / factor) * factor) for side in (width, height))
    elif across * down < how.min_pixels:
        scale = math.sqrt(how.min_pixels / (width * height))
        across, down = (math.ceil(side * scale / factor) * factor for side in (width, height))
    return across, down


def numbers(xy: Sequence[float], size: Sequence[int], how: Profile) -> list[float]:
    """A place in pixels of an image, width and height, as a profile has it: whole steps within the image.

    A point in pixels is the pixel that it lies in, all else goes to the nearest step; so a box's corners keep their
    order, and one that reaches an edge of the image reaches it again.
    """
    whole = how.size(*size)
    found: list[float] = []
    for number, value in enumerate(xy):
        side, most = size[number % 2], whole[number % 2]
        scaled = value * most / side
        if how.unit == PIXEL and len(xy) == 2:
            found.append(min(max(math.floor(scaled + HALVES), 0), most - 1))
        else:
            steps = math.floor(scaled / how.step + 0.5 + HALVES)
            found.append(min(max(steps, 0), round(most / how.step)) * how.step)
    return found


def pixels(printed: Sequence[float], size: Sequence[int], how: Profile) -> list[float]:
    """Where what is printed lies in its image, pixels: at most a step from where it was; a pixel's middle."""
    whole = how.size(*size)
    middle = 0.5 if how.unit == PIXEL and len(printed) == 2 else 0.0
    return [(value + middle) * size[number % 2] / whole[number % 2] for number, value in enumerate(printed)]


def text_of(value: float, how: Profile) -> str:
    return f"{value:.{SHARE_DECIMALS}f}" if how.unit == SHARE else str(round(value))


def rendered(row: Mapping[str, Any], how: Profile) -> dict[str, Any]:
    """The row's question, stem, instruction, answer and options with its places printed by a profile.

    The row's own where it prints none. The stem still is the question's beginning, and the instruction its end.
    """
    names = ("question", "stem", "instruction", "answer", "options")
    slots = row.get("coordinates")
    if not slots or not how.unit:
        return {name: row[name] for name in names}
    by_text: dict[str, list[Mapping[str, Any]]] = {}
    for slot in slots:
        by_text.setdefault(slot["text"], []).append(slot)

    def printed(text: str, name: str, end: int | None = None) -> str:
        own = [slot for slot in by_text.get(name, ()) if end is None or slot["end"] <= end]
        return _printed(text, own, row["sizes"], how)

    stem, question, instruction = row["stem"], row["question"], row["instruction"]
    options = row["options"]
    new_stem = said(printed(stem, "question", len(stem)), how.unit)
    new_question = said(printed(question, "question"), how.unit)
    old_start = said(printed(question[: len(stem)], "question", len(stem)), how.unit)
    rest = new_question[len(old_start) :]
    if how.unit == SHARE and instruction:
        shares = _shares(instruction)
        rest, instruction = rest.removesuffix(instruction) + shares, shares
    return {
        "question": new_stem + rest,
        "stem": new_stem,
        "instruction": instruction,
        "answer": printed(row["answer"], "answer"),
        "options": options
        if options is None
        else [printed(text, letter) for letter, text in zip(ascii_uppercase, options, strict=False)],
    }


def _printed(
    text: str, slots: Sequence[Mapping[str, Any]], sizes: Sequence[Sequence[int]], how: Profile
) -> str:
    pieces, at = [], 0
    for slot in sorted(slots, key=lambda slot: int(slot["begin"])):
        values = iter(numbers(slot["xy"], sizes[slot["image"]], how))
        span = text[slot["begin"] : slot["end"]]
        pieces += [
            text[at : slot["begin"]],
            NUMBER.sub(lambda _, values=values: text_of(next(values), how), span),  # type: ignore[misc]
        ]
        at = slot["end"]
    return "".join(pieces) + text[at:]


@cache
def _words() -> Mapping[str, Any]:
    held: Mapping[str, Any] = json.loads(WORDS.read_text(encoding="utf-8"))
    return held


def said(stem: str, unit: str) -> str:
    """A stem with what it says of coordinates as it is said of a unit; said in any case."""
    for sentences in _words()["said"]:
        for other, sentence in sentences.items():
            if sentence in stem:
                return stem if other == unit else stem.replace(sentence, sentences[unit])
    more = _words()["unsaid"].get(unit)
    return f"{stem} {more}" if more else stem


def unit_told(text: str) -> str:
    """The unit that a text says of its coordinates; empty where it says none."""
    told = (unit for sentences in _words()["said"] for unit, said in sentences.items() if said in text)
    return next(told, "")


def _shares(instruction: str) -> str:
    for words, instead in _words()["fractions"].items():
        if words != "about":
            instruction = instruction.replace(words, instead)

    def shared(example: re.Match[str]) -> str:
        return NUMBER.sub(lambda found: f"{int(found.group()) / 1000:.{SHARE_DECIMALS}f}", example.group())

    return EXAMPLE.sub(shared, instruction)
