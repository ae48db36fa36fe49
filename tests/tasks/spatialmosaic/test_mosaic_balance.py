"""Letters, yes and no, and counts over thousands of questions of many scenes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import lakes
import pytest
from scipy.stats import chisquare

from spatial_assets.stages.questions import SUITES
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.registry import tasks

CHOICES = sorted(name for name in SUITES["spatialmosaic"] if SELECT in tasks()[name].needs)
SCENES, MANY = 36, 2000
FEW = {
    "obj_attribute_occ_lr": 1000,
    "obj_attribute_occ_ab": 100,
    "obj_attribute_occ_fb": 50,
    "obj_count_occ": 100,
}
"""Types of which a scene has few questions, and how many there must be: few things lie alone on a side where
others might, names tell heights, from most places the same thing is the closest, and few scenes have four counts of
equal standing."""
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets")


@pytest.mark.prove
def test_letters_and_counts_over_many_scenes(tmp_path: Path) -> None:
    write_scenes(tmp_path / "source", "scannet", SCENES, seed=17, faces=20_000, frames=40, size=(240, 180))
    lakes.register(tmp_path / "home", "scannet", tmp_path / "source")
    lakes.build(tmp_path / "home", 2, [*UPSTREAM, *SUITES["spatialmosaic"]])
    for task in CHOICES:
        rows = lakes.rows(tmp_path / "home", f"questions/{task}")
        options = int(rows["options"].list.len().max())
        letters = Counter(rows["answer"])
        found = chisquare([letters[letter] for letter in "ABCD"[:options]]).pvalue
        print(f"{task:24} {len(rows):6,} rows, letters {dict(sorted(letters.items()))}, p = {found:.3f}")
        assert len(rows) >= FEW.get(task, MANY), task
        assert found > 1e-3, task
    counts = Counter(lakes.rows(tmp_path / "home", "questions/obj_count_occ_na")["answer"])
    print("counts", dict(sorted(counts.items(), key=lambda item: int(item[0]))))
    assert counts.total() >= MANY and len(counts) >= 6
    assert max(counts.values()) < 0.5 * counts.total()
