"""What registering says of things under a root that cannot be scenes."""

from __future__ import annotations

import json
import shutil

import numpy as np
from click.testing import CliRunner
from room_views import walk, write_posed_rgbd

from spatial_assets.cli import main


def run(*words):
    return CliRunner().invoke(main, list(map(str, words)))


def test_what_is_left_out_is_said_and_its_neighbors_are_registered(tmp_path):
    root = tmp_path / "root"
    poses = walk(2)
    folder = write_posed_rgbd(root, poses, poses)
    shutil.copytree(folder, root / ".cache")
    shutil.copytree(folder, root / ("long" * 60))
    told = run("register", "posed_rgbd", root, "--home", tmp_path / "home")
    assert told.exit_code == 0, told.output
    assert "registered 1 new scene" in told.stdout
    lines = told.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["left out", "left out"]
    assert "begins with a dot" in told.stderr and "takes 240 bytes" in told.stderr


def test_a_broken_file_of_boxes_keeps_no_scene_away(tmp_path):
    box = {"centroid": [0, 0, 0], "axesLengths": [1, 1, 1], "normalizedAxes": np.eye(3).ravel().tolist()}
    scene = {"room_size": 20.0, "object_counts": {}, "object_bbox": {"chair": [box]}}
    (tmp_path / "a_meta_info_val.json").write_text('{"cut off')
    (tmp_path / "b_meta_info_val.json").write_text(json.dumps({"good": scene, "version": "1.0"}))
    told = run("register", "vsibench", tmp_path, "--home", tmp_path / "home")
    assert told.exit_code == 0 and "registered 1 new scene" in told.stdout
    assert "a_meta_info_val.json: not JSON" in told.stderr and "'version' is '1.0'" in told.stderr
