"""What a run says when somebody else has taken over what it was at."""

from __future__ import annotations

from lakes import register
from tiny import write_scannet

from spatial_assets.assets.build import build
from spatial_assets.definitions import build_defs
from spatial_assets.engine.runner import Runner
from spatial_assets.storage.leases import LeaseLost


def test_a_run_that_lost_its_lease_fails_with_one_line(tmp_path, monkeypatch, own_environment):
    home = tmp_path / "home"
    write_scannet(tmp_path / "source", "scene0000_00", seed=1, frames=2)
    register(home, "scannet", tmp_path / "source")
    tried = []

    def losing(self, stages, shard, parameters, scenes=None):
        tried.extend(stage.name for stage in stages)
        raise LeaseLost(f"{shard.key}: process 7 on far took over")

    monkeypatch.setattr(Runner, "run_together", losing)
    outcome = build(build_defs, home)
    assert outcome.failed_runs == ["sources: scannet-v2-0000: process 7 on far took over"]
    assert tried == ["sources"]
    assert not (home / "locks" / "processes").exists() or not list((home / "locks" / "processes").iterdir())
