"""The official lists of splits, as long as they are and without a scene in two of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spatial_assets.readers import matterport3d, scannet, three_rscan
from spatial_assets.readers.splits import Lists
from spatial_assets.releases.spaces import space_of

SIZES = {
    "scannet": {"train": 1201, "val": 312, "test": 100},
    "matterport3d": {"train": 61, "val": 11, "test": 18},
    "3rscan": {"train": 385, "val": 47, "test": 46},
}
"""As the datasets' papers and benchmarks have them; of 3RScan, places."""


@pytest.mark.parametrize(
    ("dataset", "lists"),
    [("scannet", scannet.SPLITS), ("matterport3d", matterport3d.SPLITS), ("3rscan", three_rscan.SPLITS)],
)
def test_every_scene_is_of_the_split_that_names_it(
    fixtures: Path, tmp_path: Path, dataset: str, lists: Lists
) -> None:
    folder = fixtures / "scenes/labels" / dataset
    there = lists.there(folder) if folder.is_dir() else {}
    if not there:
        pytest.skip(f"no lists of {dataset} among the real data")
    by_split = {split: (folder / path).read_text().split() for path, split in there.items()}
    assert {split: len(names) for split, names in by_split.items()} == SIZES[dataset]
    for split, names in by_split.items():
        assert {lists.split_of(folder, name) for name in (names[0], names[-1])} == {split}
    # Scans of one place are in one split, or the lists could not be released by.
    places = {split: {space_of(dataset, "v1", name) for name in names} for split, names in by_split.items()}
    assert sum(map(len, places.values())) == len(set.union(*places.values()))
    # Another dataset's reader passes over them.
    for path in there:
        shutil.copyfile(folder / path, tmp_path / path)
    other = matterport3d.SPLITS if dataset == "scannet" else scannet.SPLITS
    assert other.files(tmp_path) == []
