"""The printed questions and answers of the suite: whole sentences, American spelling, every template used."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from asked_homes import FORMS, Asked
from whole_text import check_whole

from spatial_assets.scene.categories import canonical
from spatial_assets.studio import catalog
from spatial_assets.tasks.core import wording
from spatial_assets.tasks.core.generate import wording_of
from spatial_assets.tasks.registry import tasks

BRITISH = re.compile(r"\b(\w*met" "res?|cent" "red?s?|colo" "urs?|gre" r"y)\b", re.IGNORECASE)
ENOUGH = 7
"""Rows of a format for each of its stems."""


@pytest.mark.every(3)
@pytest.mark.parametrize("name", FORMS)
def test_printed_text(asked: Asked, name: str) -> None:
    used: Counter[tuple[str, str]] = Counter()
    rows = asked.rows(name)
    for row in rows:
        check_whole(row)
        for text in (row["question"], row["answer"]):
            assert not BRITISH.search(text) and not re.search(r"[{}]|  |\s$|^\s|\.\.", text)
            assert "None" not in text and "nan" not in text.lower().split()
        assert row["question"][0].isupper() and row["question"].endswith((".", "?"))
        if row["format"] == "sentence":
            assert row["answer"][0].isupper() and row["answer"].endswith(".")
        used[row["format"], row["template"].split("/")[0]] += 1
    own = wording_of(tasks()[name])
    for form in FORMS[name]:
        stems, drawn = own.formats[form].stems, {stem for of, stem in used if of == form}
        count = sum(number for (of, _), number in used.items() if of == form)
        assert drawn <= set(stems)
        # Of twelve stems and so many rows one is never drawn by a chance of less than a hundredth.
        assert count < ENOUGH * len(stems) or drawn == set(stems)
    assert len({row["qa_id"] for row in rows}) == len(rows)


def texts_of(name: str) -> dict[str, str]:
    """A task's own stems, options, instructions and answers by where they stand; notes and phrases left out."""
    found: dict[str, str] = {}

    def walk(held: Any, path: str) -> None:
        if isinstance(held, dict):
            for key, value in held.items():
                walk(value, f"{path}/{key}")
        elif isinstance(held, str):
            found[path] = held

    held = json.loads(wording.file_of("spar", name).read_text(encoding="utf-8"))
    walk({key: held[key] for key in ("stems", "formats")}, name)
    return found


def said(pattern: str, names: list[str]) -> dict[str, str]:
    """Texts of these tasks in which a whole word is said, slots left out."""
    word = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    return {
        path: text
        for name in names
        for path, text in texts_of(name).items()
        if word.search(re.sub(r"\{\w+\}", "", text))
    }


OF_OBJECTS = [name for name in FORMS if name not in ("camera_motion_infer", "nav_video", "room_size")]


def test_no_text_uses_a_name_that_an_object_may_bear() -> None:
    """ "Closer to where the picture was taken" is read in two ways where a picture hangs there."""
    # Boxes and points are marks; the floor is never asked about.
    labels = filter(None, map(catalog.label, catalog.kinds()))
    names = {name for name in map(canonical, labels) if " " not in name} - {"box", "floor"}
    assert {"picture", "lamp", "mirror"} <= names
    assert said("|".join(f"{name}s?" for name in sorted(names)), OF_OBJECTS) == {}


def test_distances_in_space_are_not_read_off_a_plan() -> None:
    """On a plan, what hangs from the ceiling is closer than it is."""
    assert said("maps?|plans?|floor", [name for name in FORMS if "distance" in name]) == {}
    assert said("maps?", list(FORMS)), "the pattern finds what there is"


def test_no_text_says_how_many_rooms_are_shown() -> None:
    """A scene may have several; the areas of all are what the size of a room is."""
    others = [name for name in FORMS if name != "room_size"]
    assert said("(?:one|a|the|this|that|same|filmed) room", others) == {}
    assert said("the room", ["room_size"]), "the pattern finds what there is"


def test_no_answer_speaks_of_what_no_question_named() -> None:
    answers = {path for path in said("anchor|former", list(FORMS)) if "/answers/" in path}
    assert answers == set()
