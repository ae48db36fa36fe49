"""The printed questions and answers of the suite: whole sentences, American spelling, every template used."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from asked_homes import FORMS, Asked
from whole_text import check_whole

from spatial_assets.tasks.core.generate import wording_of
from spatial_assets.tasks.registry import tasks

BRITISH = re.compile(r"\b(\w*met" "res?|cent" "red?s?|colo" "urs?|gre" r"y)\b", re.IGNORECASE)
ENOUGH = 7
"""Rows of a format for each of its stems."""


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
