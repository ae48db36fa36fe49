"""Lists of splits: where they lie, what they may be called, and what of them cannot be; every reader's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_scenes import write_small

from spatial_assets.readers import matterport3d, scannet, scannetpp
from spatial_assets.readers.registry import reader
from spatial_assets.readers.splits import Lists
from spatial_assets.scene.model import InputError

HOUSE = "17DRP5sb8fy"
PHONE = "0123456789"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize(
    ("lists", "scene", "path", "split"),
    [
        (scannet.SPLITS, "scene0191_00", "scannetv2_train.txt", "train"),
        (scannet.SPLITS, "scene0707_00", "Tasks/Benchmark/scannetv2_test.txt", "test"),
        (matterport3d.SPLITS, HOUSE, "metadata/scenes_val.txt", "val"),
        (scannetpp.SPLITS, PHONE, "splits/nvs_sem_train.txt", "train"),
        (scannetpp.SPLITS, PHONE, "splits/nvs_sem_val.txt", "val"),
        (scannetpp.SPLITS, PHONE, "splits/sem_test.txt", "test"),
        (scannetpp.SPLITS, PHONE, "splits/nvs_test_small.txt", "test"),
        (scannetpp.SPLITS, PHONE, "splits/test.txt", "test"),
    ],
)
def test_what_lists_are_called(tmp_path: Path, lists: Lists, scene: str, path: str, split: str) -> None:
    write(tmp_path, path, f"\ufeff{scene}\r\n\n# more\n  {scene}  # again")
    assert [file.path for file in lists.files(tmp_path)] == [path]
    assert lists.split_of(tmp_path, scene) == split
    assert lists.split_of(tmp_path, scene[:-1] + "8") is None


@pytest.mark.parametrize(
    "path", ["scannetv1_train.txt", "scannetv2_trainval.txt", "scannetv2_train.txt.bak", "a.txt"]
)
def test_other_files_are_no_lists(tmp_path: Path, path: str) -> None:
    write(tmp_path, path, "scene0191_00\n")
    assert scannet.SPLITS.files(tmp_path) == [] and scannet.SPLITS.split_of(tmp_path, "scene0191_00") is None


def test_lists_of_one_split_may_share_scenes(tmp_path: Path) -> None:
    for name in ("nvs_test", "sem_test"):
        write(tmp_path, f"splits/{name}.txt", f"{PHONE}\n")
    assert scannetpp.SPLITS.split_of(tmp_path, PHONE) == "test"


def test_lists_that_contradict_each_other(tmp_path: Path) -> None:
    for name in ("nvs_sem_train", "sem_test"):
        write(tmp_path, f"splits/{name}.txt", f"{PHONE}\n")
    with pytest.raises(InputError, match=f"sem_test.txt: puts {PHONE} into test, and splits/nvs_sem_train"):
        scannetpp.SPLITS.split_of(tmp_path, PHONE)
    assert scannetpp.SPLITS.split_of(tmp_path, "f" * 10) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"scene0191_00\n../scene\n", "line 2 is '../scene', not a scene's name"),
        (b"scene0191_00,scene0191_01\n", "line 1 is 'scene0191_00,scene0191_01', not a scene's name"),
        (b"<html>\n", "line 1 is '<html>'"),
        (b"\xff\xfe\x00\xd8\n", "scannetv2_val.txt"),
    ],
)
def test_lists_that_cannot_be(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "scannetv2_val.txt").write_bytes(data)
    with pytest.raises(InputError, match=said) as error:
        scannet.SPLITS.split_of(tmp_path, "scene0191_00")
    assert error.value.file == "scannetv2_val.txt"


@pytest.mark.parametrize(
    ("dataset", "path"),
    [
        ("scannet", "scannetv2_{}.txt"),
        ("scannetpp", "splits/nvs_sem_{}.txt"),
        ("matterport3d", "scenes_{}.txt"),
    ],
)
def test_scenes_say_their_split(tmp_path: Path, dataset: str, path: str) -> None:
    write_small(tmp_path, dataset)
    read = reader(dataset)
    (ref,) = read.find_scenes(tmp_path)
    for split in (None, "val"):
        if split is not None:
            write(tmp_path, path.format(split), f"{ref.name}\n")
        scene = read.read_scene(tmp_path, ref, "v1", "terms", read.Parameters())
        listed = [file.path for file in read.source_files(tmp_path, ref) if file.role == "splits"]
        assert scene.split == split and listed == ([path.format(split)] if split else [])


def test_a_list_from_the_studio(tmp_path: Path) -> None:
    write_small(tmp_path, "scannetpp_fisheye")
    (ref,) = scannetpp.find_scenes(tmp_path)
    assert scannetpp.SPLITS.split_of(tmp_path, ref.name) == "train"
