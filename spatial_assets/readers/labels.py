"""Ids, lists of ids and labels as annotation files in JSON hold them, each within what a scene can hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float, InputError
from spatial_assets.storage.instance_images import GREATEST_ID

NO_LABEL = "unannotated"
"""The label of what has none: it is there, and never asked about."""
NO_WORDS = frozenset({"none", "null", "nan", "undefined", "n/a", "na"})
"""What programs write for the want of a label."""
SHOWN = 40
"""Characters of a value that a message shows."""


def entry(path: str, value: Any, where: str) -> dict[str, Any]:
    """The value itself. Raises InputError for what is no object."""
    if not isinstance(value, dict):
        raise InputError(path, f"{where} is {shown(value)}, not an object", "malformed_file")
    return value


def shown(value: Any) -> str:
    """A value as a message can show it."""
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def instance_id(path: str, value: Any, what: str) -> int:
    """An object's id. Raises InputError for one that instance images cannot hold."""
    if type(value) is not int or not 0 <= value <= GREATEST_ID:
        raise InputError(
            path, f"{what} is {shown(value)}, not a number from 0 to {GREATEST_ID}", "instance_id"
        )
    return value


def integers(path: str, value: Any, what: str) -> NDArray[np.int64]:
    """A flat list of whole numbers of 64 bits (N,)."""
    if isinstance(value, list):
        if not value:
            return np.zeros(0, np.int64)
        try:
            found = np.asarray(value)
        except (ValueError, OverflowError, TypeError):
            found = np.zeros(0)
        if found.ndim == 1 and found.dtype == np.int64:
            return found
        for number, item in enumerate(value):
            if type(item) is not int or abs(item) >= 1 << 63:
                told = f"{what}[{number}] is {shown(item)}"
                raise InputError(path, f"{told}, not a whole number", "malformed_file")
    raise InputError(path, f"{what} is {shown(value)}, not a list of whole numbers", "malformed_file")


def number(path: str, value: Any, what: str, most: float) -> float:
    """A finite number whose size is at most `most`."""
    if type(value) not in (int, float) or not abs(value) <= most:
        raise InputError(path, f"{what} is {shown(value)}, not a number up to {most:g}", "malformed_file")
    return float(value)


def numbers(path: str, value: Any, count: int, what: str, most: float) -> Float:
    """A list of `count` finite numbers (count,), flat or nested, of sizes up to `most`."""
    flat = value
    if isinstance(value, list) and value and all(isinstance(part, list) for part in value):
        flat = [item for part in value for item in part]
    if not isinstance(flat, list) or len(flat) != count:
        raise InputError(path, f"{what} is {shown(value)}, not a list of {count} numbers", "malformed_file")
    return np.array([number(path, item, f"{what}[{place}]", most) for place, item in enumerate(flat)])


def word(value: Any) -> str:
    """An object's label, or NO_LABEL for what is no word."""
    if not isinstance(value, str):
        return NO_LABEL
    text = " ".join(value.split())
    if text.lower() in NO_WORDS or not any(letter.isalpha() for letter in text) or not text.isprintable():
        return NO_LABEL
    return value if value.isprintable() else text
