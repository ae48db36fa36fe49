"""ScanNet's own map of labels is read whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from spatial_assets.readers import label_map
from spatial_assets.scene import nyu40


def test_the_official_map(fixtures: Path) -> None:
    folder = fixtures / "scenes/labels/scannet"
    if label_map.place(folder) is None:
        pytest.skip("no map of labels among the real data")
    found = label_map.read(folder, label_map.NAME)
    assert len(found) == 607 and set(found.values()) <= set(nyu40.numbers())
    # All forty but for those that ScanNet has none of are used; words that the file spells in its own way too.
    assert len(set(found.values())) >= 38
    assert found["office chair"] == "chair" and found["couch"] == "sofa" and found["books"] == "books"
    assert found["nightstand"] == "nightstand" and found["refrigerator"] == "refrigerator"
