"""The vocabulary knows nearly all that annotators of real scenes named."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from spatial_assets.scene.categories import canonical, is_mapped

LEAST = 0.975
"""Of annotated objects. The rest are misspelled, or things like "horizonal bar for exercise?"."""


@pytest.mark.parametrize(
    "name", ["scannet/scannetv2-labels.combined.tsv", "matterport3d/category_mapping.tsv"]
)
def test_few_objects_have_a_name_that_nothing_maps(fixtures: Path, name: str) -> None:
    path = fixtures / "scenes/labels" / name
    if not path.is_file():
        pytest.skip(f"no {name} among the real data")
    with path.open(encoding="utf-8", newline="") as file:
        counts = {row["raw_category"]: int(row["count"] or 0) for row in csv.DictReader(file, delimiter="\t")}
    mapped = sum(count for label, count in counts.items() if is_mapped(canonical(label)))
    assert len(counts) > 500 and mapped >= LEAST * sum(counts.values())
