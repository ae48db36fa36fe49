"""What readers know of data sets beside code: maps of labels stand in JSON files that say where they come from."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from spatial_assets.readers import matterport_house
from spatial_assets.readers.matterport_house import kinds

ROOT = Path(matterport_house.__file__).parent
MODULES = sorted(ROOT.glob("*.py"))
FEWEST = 8
"""Words of a map of labels; what names a data set's files or fields has fewer."""
WORD = re.compile(r"[A-Za-z]{3,}( [A-Za-z]+)*")


def maps_of_words(tree: ast.Module) -> Iterator[int]:
    """The lines of literals that give words to many keys."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            texts = [value.value for value in node.values if isinstance(value, ast.Constant)]
            if sum(isinstance(text, str) and WORD.fullmatch(text) is not None for text in texts) >= FEWEST:
                yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=[path.name for path in MODULES])
def test_no_map_of_labels_stands_in_code(path: Path) -> None:
    assert list(maps_of_words(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_a_map_of_labels_in_code_is_found() -> None:
    rooms = ("bathroom", "bedroom", "closet", "dining room", "entryway", "family room", "garage", "hallway")
    source = f"KINDS = {dict(zip(string.ascii_lowercase, rooms, strict=False))!r}"
    assert list(maps_of_words(ast.parse(source))) == [1]


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.json")), ids=lambda path: path.name)
def test_data_beside_a_reader_name_their_source(path: Path) -> None:
    held = json.loads(path.read_text(encoding="utf-8"))
    told = json.dumps([held.get(name, "") for name in ("about", "source", "sources")])
    assert re.search(r"\b[\w-]+/[\w-]+", told), f"{path.name} names no repository"


def test_matterport_labels_regions_by_letters() -> None:
    """Of the small letters all but q, five capitals, and a dash for no label."""
    assert set(kinds()) == {*string.ascii_lowercase, *"BCDSZ", "-"} - {"q"}
    assert len(set(kinds().values())) == len(kinds())
    assert (kinds()["a"], kinds()["B"], kinds()[matterport_house.NOTHING]) == ("bathroom", "bar", "unlabeled")
