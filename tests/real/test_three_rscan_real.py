"""3RScan's published lists: scans are named as the reader takes them, and its words are words."""

from __future__ import annotations

import pytest

from spatial_assets.readers.labels import word
from spatial_assets.readers.three_rscan import SCAN_NAME
from spatial_assets.releases.spaces import space_of


@pytest.fixture(scope="module")
def lists(fixtures):
    folder = fixtures / "scenes/labels/3rscan"
    if not folder.is_dir():
        pytest.skip("no lists of 3RScan among the real data")
    return folder


def test_every_published_scan_is_a_place_of_its_own(lists):
    """The splits name reference scans alone."""
    names = [
        name for split in ("train", "val", "test") for name in (lists / f"{split}.txt").read_text().split()
    ]
    assert len(names) == len(set(names)) == 478
    assert all(SCAN_NAME.match(name) for name in names)
    assert len({space_of("three_rscan", "v2", name) for name in names}) == 478


def test_every_published_word_is_taken_as_it_is(lists):
    rows = [line.split("\t") for line in (lists / "mapping_7classes.txt").read_text().splitlines()[1:]]
    words = [row[0] for row in rows if row[0]]
    assert len(words) > 80 and all(word(text) == text for text in words)
