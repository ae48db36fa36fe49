"""Damage and odd variants of files, drawn by hypothesis: bytes, numbers in text, values in JSON, kinds of images."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image

NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
WORDS = (
    "nan",
    "inf",
    "-inf",
    "-1.#IND00",
    "x",
    "",
    "1e30",
    "-1",
    "0",
    "1e-30",
    str(2**31),
    str(2**70),
    "1e400",
    "½",
)
FACTORS = (-1.0, 1000.0, 0.001, 1.001, 2.0)
VALUES: tuple[Any, ...] = (
    None, "", "7a", [], {}, True, -1, -2, 0, 1.5, 2**31, 2**63, 2**70, 1e30, float("nan"), float("inf"),
    [[1]], ["a", "b"],
)  # fmt: skip
Draw = Callable[[st.SearchStrategy[Any]], Any]


def place(draw: Draw, length: int) -> int:
    return draw(st.integers(0, max(0, length - 1)))


def of_bytes(draw: Draw, data: bytes) -> bytes:
    """Truncated, flipped, overwritten, shortened, lengthened, or nothing but zeros."""
    kind = draw(
        st.sampled_from(("cut", "flip", "flip", "noise", "remove", "append", "empty", "zeros", "zero_tail"))
    )
    at = place(draw, len(data))
    if kind == "cut":
        return data[:at]
    if kind == "flip" and data:
        return data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
    if kind == "noise":
        return data[:at] + draw(st.binary(min_size=1, max_size=16)) + data[at + 16 :]
    if kind == "remove":
        return data[:at] + data[at + draw(st.integers(1, 64)) :]
    if kind == "append":
        return data + draw(st.binary(min_size=1, max_size=64))
    if kind == "zeros":
        return bytes(len(data))
    return data[:at] + bytes(len(data) - at) if kind == "zero_tail" else b""


def of_numbers(draw: Draw, data: bytes) -> bytes:
    """One number of a text (of a header, where binary data follow) in another form, range or unit."""
    head, end, tail = data.partition(b"end_header")
    found = list(NUMBER.finditer(head))
    if not found:
        return of_bytes(draw, data)
    match = found[place(draw, len(found))]
    if draw(st.booleans()):
        new = draw(st.sampled_from(WORDS)).encode()
    else:
        new = repr(float(match[0]) * draw(st.sampled_from(FACTORS))).encode()
    return head[: match.start()] + new + head[match.end() :] + end + tail


def of_json(draw: Draw, data: bytes) -> bytes:
    """One value somewhere in the tree replaced, taken away or doubled."""
    try:
        tree = json.loads(data)
    except ValueError:
        return of_numbers(draw, data)
    holder: Any = tree
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return of_numbers(draw, data)
        key = keys[place(draw, len(keys))]
        inner = holder[key]
        if not isinstance(inner, dict | list) or draw(st.integers(0, 3)) == 0:
            break
        holder = inner
    kind = draw(st.sampled_from(("replace", "replace", "scale", "remove", "double")))
    if kind == "remove":
        del holder[key]
    elif kind == "double" and isinstance(holder, list):
        holder.append(inner)
    elif kind == "scale" and type(inner) in (int, float):
        holder[key] = inner * draw(st.sampled_from(FACTORS))
    else:
        holder[key] = draw(st.sampled_from(VALUES))
    return json.dumps(tree).encode()


def of_image(draw: Draw, data: bytes) -> bytes:
    """The picture turned, resized, of another kind of pixels or format, or with a tag to turn it."""
    with Image.open(io.BytesIO(data)) as opened:
        image, form = opened.copy(), opened.format or "PNG"
    kind = draw(
        st.sampled_from(("turn", "half", "gray", "color", "words", "floats", "tag", "bytes", "bytes"))
    )
    out = io.BytesIO()
    if kind == "bytes":
        return of_bytes(draw, data)
    if kind == "tag":
        exif = Image.Exif()
        exif[0x0112] = draw(st.integers(1, 8))
        image.save(out, form, exif=exif)
    elif kind == "floats":
        Image.fromarray(np.asarray(image.convert("F")) / 1000).save(out, "TIFF")
    elif kind == "words":
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 7).save(out, "PNG")
    else:
        changed = {
            "turn": lambda: image.transpose(Image.Transpose.ROTATE_90),
            "half": lambda: image.resize((image.width // 2, image.height // 2)),
            "gray": lambda: image.convert("L"),
            "color": lambda: image.convert("RGB"),
        }[kind]()
        changed.save(out, form)
    return out.getvalue()


KINDS: dict[str, tuple[Callable[[Draw, bytes], bytes], ...]] = {
    ".json": (of_json, of_json, of_bytes),
    ".txt": (of_numbers, of_numbers, of_bytes),
    ".house": (of_numbers, of_numbers, of_bytes),
    ".conf": (of_numbers, of_numbers, of_bytes),
    ".traj": (of_numbers, of_numbers, of_bytes),
    ".pincam": (of_numbers, of_numbers, of_bytes),
    ".csv": (of_numbers, of_numbers, of_bytes),
    ".tsv": (of_numbers, of_numbers, of_bytes),
    ".jsonl": (of_numbers, of_numbers, of_bytes),
    ".ply": (of_numbers, of_bytes, of_bytes),
    ".jpg": (of_image,),
    ".png": (of_image,),
    ".pgm": (of_image,),
}
"""What is done to files by their ending; to others, `of_bytes`."""


def mutated(draw: Draw, ending: str, data: bytes) -> bytes:
    change = draw(st.sampled_from(KINDS.get(ending.lower(), (of_bytes,))))
    return change(draw, data)
