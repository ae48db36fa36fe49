"""What a SPAR tree mixes in of another dataset: an exact number of its lines, drawn with a seed, and its entry.

SPAR-mix is two fifths of SPAR-7M and three fifths of general data (section 4 of the paper). Lines are drawn one by
one, each with the chance that leaves the count exact, so that none is kept in memory.
"""

from __future__ import annotations

import json
import os
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

from spatial_assets.exports.core.base import Options, Source
from spatial_assets.exports.spar import layout
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming

NAME = "general"
LONGEST = 64_000_000
"""Bytes of a line; general data has texts of some length, and a file of another kind may have no lines at all."""
DIGITS = 8
"""Bytes of a hash that a draw takes."""


def lines_wanted(ours: int, share: float) -> int:
    """Lines that make up `share` of a mix with so many of ours, to the nearest."""
    wanted = Fraction(str(share))
    return round(ours * wanted / (1 - wanted))


def general_part(source: Source, out: Path, options: Options) -> dict[str, Any]:
    """Write the lines below `out` and return their entry of the index.

    Raises ValueError where the options do not go together, InputError for a file that is no JSON lines or has too few.
    """
    file = options.general
    assert file is not None
    if options.shards > 1:
        raise ValueError("general data is mixed into a tree of one part; leave --shards out")
    if not 0 < options.general_share < 1:
        raise ValueError(f"the share of general data lies between 0 and 1, not at {options.general_share}")
    ours = sum(n for split, n in source.splits.items() if layout.split_folder(split) == layout.TRAIN)
    wanted = lines_wanted(ours, options.general_share)
    there = _count(file)
    if there < wanted:
        raise InputError(
            file,
            f"has {there:,} lines, and a share of {options.general_share} beside {ours:,} of the release takes "
            f"{wanted:,}; take fewer rows (--limit) or a smaller share",
        )
    annotation = f"{NAME}/{NAME}_{wanted}.jsonl"
    _draw(file, out / annotation, wanted, there, options.seed)
    root = os.path.relpath(file.parent.resolve(), out.parent.resolve() / "out")
    return {NAME: layout.entry(root, annotation, wanted)}


def _count(file: Path) -> int:
    """Lines that hold something; each must be an object with conversations."""
    count = 0
    try:
        with file.open("rb") as opened:
            number = 0
            while line := opened.readline(LONGEST + 1):
                number += 1
                if line.strip():
                    _check(file, number, line)
                    count += 1
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}", "unreadable_file") from None
    return count


def _check(file: Path, number: int, line: bytes) -> None:
    try:
        if len(line) > LONGEST:
            raise ValueError
        if not isinstance(json.loads(line)["conversations"], list):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            file, f"line {number} is no JSON object with conversations", "malformed_file"
        ) from None


def _draw(file: Path, target: Path, wanted: int, there: int, seed: int) -> None:
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as opened, target.open("wb") as drawn:
            number = 0
            for line in opened:
                if not line.strip():
                    continue
                digest = blake2b(f"{seed}\x1f{number}".encode(), digest_size=DIGITS).digest()
                # Of the lines that are left, as many as are still wanted: the last ones are taken if they must be.
                if int.from_bytes(digest) * (there - number) < wanted << 8 * DIGITS:
                    drawn.write(line.rstrip(b"\r\n") + b"\n")
                    wanted -= 1
                number += 1
