"""What the package knows of Structured3D's rooms is what the toolkit's own files say."""

from __future__ import annotations

from pathlib import Path

import pytest

from spatial_assets.readers.structured3d_rooms import known
from spatial_assets.scene import nyu40


def lines(fixtures: Path, name: str) -> list[str]:
    path = fixtures / "scenes/labels/structured3d" / name
    if not path.is_file():
        pytest.skip(f"no {name} among the real data")
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def test_errata(fixtures: Path) -> None:
    named = {line for line in lines(fixtures, "errata.txt") if not line.startswith("#")}
    rooms = [name for names in known()["invalid_rooms"].values() for name in names]
    assert set(known()["invalid_scenes"]) | set(rooms) == named
    assert len(known()["invalid_scenes"]) + len(rooms) == len(named) == 96


def test_words_for_rooms(fixtures: Path) -> None:
    assert known()["rooms"] == lines(fixtures, "room_types.txt")
    assert set(known()["outdoors"]) <= set(known()["rooms"])


def test_labels(fixtures: Path) -> None:
    said = dict(line.split(None, 1) for line in lines(fixtures, "labelids.txt"))
    assert {int(number): name.strip() for number, name in said.items()} == nyu40.names()
