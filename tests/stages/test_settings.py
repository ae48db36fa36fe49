"""Settings of a home that are meant for one dataset reach that one alone."""

from __future__ import annotations

import pytest

from spatial_assets.scene.model import InputError
from spatial_assets.stages.pipeline import SETTINGS, STAGES, parameters


def test_a_table_named_after_a_dataset_is_for_that_one(tmp_path):
    (tmp_path / SETTINGS).write_text(
        "[scenes.posed_rgbd]\ndepth_unit = 0.0002\n[scenes.scannet]\nmesh_unit = 0.001\n"
    )
    held = {
        name: parameters(tmp_path, STAGES["scenes"], name) for name in ("posed_rgbd", "scannet", "vsibench")
    }
    assert held["posed_rgbd"].depth_unit == 0.0002
    assert held["scannet"].mesh_unit == 0.001
    assert held["vsibench"] == STAGES["scenes"].parameters("vsibench")


@pytest.mark.parametrize(("text", "told"), [
    ("[scenes.scannet]\ndepth_unit = 1\n", "depth_unit: Extra"),
    ('[scenes.scannet]\npose_convention = "upwards"\n', "pose_convention: Input should be 'as_documented'"),
    ("[scenes.scannet]\npose_unit = 0\n", "pose_unit: Input should be greater than 0"),
])  # fmt: skip
def test_what_the_reader_does_not_know_is_rejected_by_name(tmp_path, text, told):
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(InputError, match=rf"{SETTINGS}: \[scenes\] {told}"):
        parameters(tmp_path, STAGES["scenes"], "scannet")
