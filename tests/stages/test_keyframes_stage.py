"""The frame sets of a scene: what each dataset's defaults keep, and that a hand-held video loses nine in ten."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lakes import build, register, rows
from pydantic import ValidationError
from tiny import write_scannet

from benchmarks.keyframes import SHARE, long_walk
from spatial_assets.assets import partitions
from spatial_assets.geometry.keyframes import keyframe_indices
from spatial_assets.lineage import records
from spatial_assets.readers import scannet
from spatial_assets.readers.registry import READERS, keyframes_of
from spatial_assets.stages import keyframes, pipeline
from spatial_assets.storage.lake import Lake


@pytest.fixture
def home(tmp_path):
    write_scannet(tmp_path / "source", "scene0000_00", seed=1, frames=12)
    register(tmp_path / "home", "scannet", tmp_path / "source")
    build(tmp_path / "home", stages=["sources", "scenes"])
    return tmp_path / "home"


def chosen(home, **parameters):
    build(home, stages=["keyframes"], keyframes=parameters)
    found = rows(home, "keyframes").sort("set", "position")
    return {name: frames["frame"].to_list() for (name,), frames in found.group_by("set", maintain_order=True)}


def test_a_filter_turned_off_keeps_every_frame(home):
    whole = [str(number) for number in range(12)]
    assert chosen(home, filter=False)["keyframes"] == whole
    assert chosen(home, translation=1e-6, rotation=1e-6)["keyframes"] == whole
    few = chosen(home, translation=100.0, rotation=179.0)["keyframes"]
    assert few == ["0"]
    rejected = rows(home, "rejects/keyframes").filter(reason="redundant")["count"].to_list()
    assert rejected == [11]


def test_the_defaults_are_recorded(home):
    chosen(home)
    shard = partitions.registry(home).shards()[0]
    held = records.load(home, "keyframes", shard.key)["scene0000_00"]
    assert json.loads(held.parameters) == keyframes.Parameters().model_dump()
    assert Lake(home).shards("keyframes") == [shard.key]


def test_what_a_reader_says_of_keyframes_holds_for_its_scenes_alone():
    """A rendered or posed view stands for no other; a name that is no parameter is refused."""
    keep_all = {name for name in READERS if not pipeline.STAGES["keyframes"].parameters(name).filter}
    assert keep_all == {"structured3d", "hypersim", "matterport3d"}
    for name in READERS:
        said = keyframes_of(name)
        assert pipeline.STAGES["keyframes"].parameters(name) == keyframes.Parameters(**said)


def test_what_a_reader_says_of_no_parameter_is_refused(monkeypatch):
    monkeypatch.setattr(scannet, "KEYFRAMES", {"filters": False}, raising=False)
    with pytest.raises(ValidationError, match="filters"):
        keyframes.defaults("scannet")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nine_in_ten_frames_of_a_hand_held_video_go(seed):
    values = keyframes.defaults("scannet")
    poses = long_walk(3000, seed)
    dropped = 1 - len(keyframe_indices(poses, values.translation, values.rotation)) / len(poses)
    assert SHARE[0] <= dropped <= SHARE[1]
    assert np.isfinite(poses).all()
