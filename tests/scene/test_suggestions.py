from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.scene.suggestions import LISTED, NOTHING, instead

MANY = [f"number {place}" for place in range(LISTED + 1)]


@pytest.mark.parametrize(
    ("name", "there", "otherwise", "said"),
    [
        ("room_sise", ["room_size", "bev_layout"], "", "there is room_size"),
        ("v3", ["v1", "v2"], "", "there are v1, v2"),
        ("cooking", ["scannet"], "", "there is scannet"),
        ("cooking", ["scannet", "hypersim"], "", "there are scannet, hypersim"),
        ("cooking", [], "", NOTHING),
        ("cooking", MANY, "see the list", "see the list"),
        ("cooking", MANY, "", f"there are {len(MANY)}, as {', '.join(MANY[:LISTED])}"),
    ],
)
def test_what_is_said(name, there, otherwise, said):
    assert instead(name, there, otherwise) == said


@given(st.text(), st.lists(st.text(max_size=20), max_size=40))
def test_every_name_has_an_answer_of_names_that_are_there(name, there):
    said = instead(name, iter(there), "see the list")
    assert said in (NOTHING, "see the list") or any(own in said for own in there)
