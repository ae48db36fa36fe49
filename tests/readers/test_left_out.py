"""What stands under a root and cannot be a scene is said, and keeps no neighbor away."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
from small_scenes import LAYOUTS, READ_AS, write_small
from tiny import write_scannet

from spatial_assets.readers import posed_rgbd, scannet, vsibench
from spatial_assets.readers.registry import left_out, reader
from spatial_assets.scene.model import InputError

CIRCLES = ("zz", "zz.jpg", "zz.png", "zz.txt", "zz.ply", "train.txt")
"""Names that readers look at."""


def test_damaged_files_and_keys_of_vsibench_keep_no_neighbor_away(tmp_path):
    scene = {"room_size": 9, "object_bbox": {}}
    (tmp_path / "a_meta_info_val.json").write_text('{"cut')
    (tmp_path / "b_meta_info_val.json").write_text("[1]")
    (tmp_path / "c_meta_info_val.json").write_text(
        json.dumps({"good": scene, "version": "1.0", "": scene, "x\ny": scene})
    )
    (tmp_path / "d_meta_info_val.json").write_text('{"twice": {}, "twice": {}}')
    (tmp_path / "e_meta_info_val.json").symlink_to("nowhere")
    assert [ref.name for ref in vsibench.find_scenes(tmp_path)] == ["good"]
    lines = sorted(str(line) for line in vsibench.left_out(tmp_path))
    for line, told in zip(
        lines,
        ["a_.*not JSON", r"b_.*\[1\], not an object of scenes", "c_.*'' is no name", "c_.*'version' is '1.0'",
         "c_.*control character", "d_.*'twice' twice", "e_.*missing"],
        strict=True,
    ):  # fmt: skip
        assert re.search(told, line), line


def test_folders_that_cannot_be_scenes_are_named(tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    (base / "poses.txt").write_text("")
    root = tmp_path / "root"
    root.mkdir()
    for name in ("good", "x" * 201, "\u0431" * 40, ".cache", "line\nbreak"):
        shutil.copytree(base, root / name)
    (root / os.fsdecode(b"\xb3\xf8")).mkdir()
    (root / os.fsdecode(b"\xb3\xf8") / "poses.txt").write_text("")
    (root / "gone").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "notes.txt").write_text("")
    for place in ("kitchen", "bedroom"):
        shutil.copytree(base, tmp_path / "store" / place / "export")
        (root / place).symlink_to(tmp_path / "store" / place / "export")
    assert [ref.name for ref in posed_rgbd.find_scenes(root)] == ["bedroom", "good", "kitchen"]
    lines = [str(line) for line in posed_rgbd.left_out(root)]
    assert len(lines) == 7
    for told in ("gone: missing", "loop: cannot be read", ".cache: begins with a dot", "control character",
                 "takes 201 bytes", "takes 240 bytes", "not UTF-8"):  # fmt: skip
        assert sum(told in line for line in lines) == 1, told
    assert all(line.isprintable() for line in lines)


def test_a_folder_that_cannot_be_listed_is_that_scenes_own_error(tmp_path, monkeypatch):
    for name in ("scene0000_00", "scene0001_00"):
        write_scannet(tmp_path, name, frames=2)
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("scene0000_00/color"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    first, second = scannet.find_scenes(tmp_path)
    with pytest.raises(InputError, match=r"^scene0000_00/color: cannot be read: Permission denied"):
        scannet.source_files(tmp_path, first)
    assert scannet.source_files(tmp_path, second)


def test_a_scene_folder_found_twice_is_left_out_and_its_neighbors_stay(tmp_path):
    for place in ("scans/scene0000_00", "scene0000_00", "scene0001_00"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "scene0002_00").symlink_to("nowhere")
    assert [ref.name for ref in scannet.find_scenes(tmp_path)] == ["scene0001_00"]
    lines = [str(line) for line in scannet.left_out(tmp_path)]
    assert [line.split(":")[0] for line in lines] == ["scene0002_00", "scans/scene0000_00", "scene0000_00"]


@pytest.fixture(scope="module", params=LAYOUTS)
def small(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    write_small(root, request.param)
    return root, READ_AS.get(request.param, request.param)


def listed(root, name):
    """Files of the scenes under a root, and the lines of what is wrong with some of them."""
    said = left_out(name, root)
    found = []
    for ref in reader(name).find_scenes(root):
        try:
            found += reader(name).source_files(root, ref)
        except InputError as error:
            said.append(error)
    return [file.path for file in found], [str(error) for error in said]


@pytest.mark.every(3)
def test_folders_that_may_not_be_entered_are_one_line_each(small, monkeypatch):
    root, name = small
    whole, _ = listed(root, name)
    stat = os.stat
    for folder in sorted({str((root / path).parent) for path in whole} - {str(root)}):

        def refusing(path, *more, folder=folder, **named):
            if os.fspath(path).startswith(f"{folder}/"):
                raise PermissionError(13, "Permission denied")
            return stat(path, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(os, "stat", refusing)
            _, said = listed(root, name)
        inside = os.path.relpath(folder, root)
        assert any(
            line.startswith(inside) and line.endswith("cannot be read: Permission denied") for line in said
        )


def test_links_that_lead_in_a_circle_are_one_line_each_at_most(small, tmp_path):
    source, name = small
    root = tmp_path / "root"
    shutil.copytree(source, root)
    whole, before = listed(root, name)
    for folder in [root, *(path for path in sorted(root.rglob("*")) if path.is_dir())]:
        for circle in CIRCLES:
            (folder / circle).symlink_to(circle)
    found, said = listed(root, name)
    assert found == whole or said != before
    for line in said:
        assert line in before or line.partition(":")[0].rpartition("/")[2] in CIRCLES, line
