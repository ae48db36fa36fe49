"""Whatever is killed, damaged or met by another build on the way: the next build finishes it with the same bytes."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from incremental_homes import STAGES, build
from lakes import digest, done, register

from spatial_assets.assets import partitions
from spatial_assets.engine import pending, scene_calls
from spatial_assets.engine.pending import Pending
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import StageRun
from spatial_assets.lineage import records
from spatial_assets.scene.outputs import SceneOutputs
from spatial_assets.stages import pipeline


class Killed(BaseException):
    """Stands for kill -9: nothing may catch it."""


MOMENTS = {
    (Pending, "put"): 3,
    (Pending, "drop"): 6,
    (scene_calls, "packed"): 33,
    (pending, "_read"): 3,
    (StageRun, "_merge_table"): 11,
    (StageRun, "_place_file"): 9,
    (StageRun, "summarize"): 1,
    (StageRun, "commit"): 3,
    (records, "save"): 1,
}
"""How often the stage `scenes` comes there, with three scenes."""
READ = ["sources", "scenes"]
"""As far as what is interrupted reaches; what reads its tables is the same where they are."""


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    """What stands in a lake whose scenes were read without an interruption."""
    home = tmp_path_factory.mktemp("undisturbed")
    register(home, "scannet", source)
    build(home, stages=READ)
    return digest(home)


@pytest.mark.parametrize(
    ("owner", "moment", "after"),
    [
        pytest.param(owner, moment, after, id=f"{moment}-{after}")
        for (owner, moment), times in MOMENTS.items()
        for after in sorted({0, 1, 4, times - 1})
        if after < times
    ],
)
def test_whatever_is_interrupted_is_taken_up(
    source, undisturbed, tmp_path, monkeypatch, owner, moment, after
):
    register(tmp_path, "scannet", source)
    build(tmp_path, stages=["sources"])
    real = getattr(owner, moment)
    calls = []

    def dying(*args):
        calls.append(args)
        if len(calls) > after:
            raise Killed
        return real(*args)

    monkeypatch.setattr(owner, moment, dying)
    with pytest.raises(Killed):
        build(tmp_path, stages=["scenes"])
    for path in (tmp_path / "lake").rglob("data.parquet"):
        assert path.read_bytes()[-4:] == b"PAR1"
    monkeypatch.undo()
    build(tmp_path, stages=READ)
    assert digest(tmp_path) == undisturbed
    assert not (tmp_path / "pending").exists()


def test_every_moment_comes_as_often_as_is_said(source, tmp_path, monkeypatch):
    register(tmp_path, "scannet", source)
    build(tmp_path, stages=["sources"])
    calls = Counter()
    for owner, moment in MOMENTS:
        real = getattr(owner, moment)

        def counted(*args, owner=owner, moment=moment, real=real):
            calls[owner, moment] += 1
            return real(*args)

        monkeypatch.setattr(owner, moment, counted)
    build(tmp_path, stages=["scenes"])
    assert calls == MOMENTS


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_pending_scene_cut_short_is_not_taken_for_finished(source, built, tmp_path, monkeypatch, share):
    """No kill does that, as it comes by one rename; a machine that loses its power may."""
    register(tmp_path, "scannet", source)
    build(tmp_path, stages=["sources"])
    monkeypatch.setattr(StageRun, "compact", lambda self: (_ for _ in ()).throw(Killed))
    build_until_killed(tmp_path, "scenes")
    monkeypatch.undo()
    path = tmp_path / "pending/scenes/scannet-v2-0000/scene0001_00.scene"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    reports = build(tmp_path)
    assert reports["scenes"][0].adopted == ["scene0000_00", "scene0002_00"]
    assert reports["scenes"][0].done == ["scene0001_00"]
    assert digest(tmp_path) == digest(built)


def test_finished_scenes_are_adopted_not_computed_again(source, built, tmp_path, monkeypatch):
    register(tmp_path, "scannet", source)
    monkeypatch.setattr(StageRun, "compact", lambda self: (_ for _ in ()).throw(Killed))
    build_until_killed(tmp_path, "sources")
    monkeypatch.undo()
    reports = build(tmp_path)
    assert reports["sources"][0].adopted == [f"scene{i:04d}_00" for i in range(3)]
    assert reports["sources"][0].done == []
    assert digest(tmp_path) == digest(built)


def build_until_killed(home, stage):
    with pytest.raises(Killed):
        build(home, stages=[stage])


def test_stale_or_damaged_pending_is_thrown_away(source, built, tmp_path):
    register(tmp_path, "scannet", source)
    folder = tmp_path / "pending/sources/scannet-v2-0000"
    (folder / "scene0000_00").mkdir(parents=True)
    (folder / "scene0000_00/record.json").write_text("{")
    (folder / "scene0001_00.scene").write_text('{"record": {"asset": "sources"}, "parts": {}}\n')
    (folder / "scene0002_00.scene").write_text("half a li")
    (folder / ".scene0002_00.scene.77").write_text("")
    held = records.load(built, "sources", "scannet-v2-0000")["scene0000_00"]
    (folder / "another.scene").write_bytes(records.to_line(held, loading=None, parts={}))
    build(tmp_path)
    assert digest(tmp_path) == digest(built)
    assert not (tmp_path / "pending").exists()


def test_leftovers_of_a_killed_writer_are_removed(copy):
    _, home = copy
    before = digest(home)
    (home / "lake/scenes/shard=scannet-v2-0000/.data.parquet.4711").write_bytes(b"half")
    (home / "lake/meshes/shard=scannet-v2-0000/.scene0000_00.ply.4711").write_bytes(b"half")
    build(home)
    assert digest(home) == before


def test_two_builds_of_one_shard_wait_for_each_other(source, built, tmp_path):
    register(tmp_path, "scannet", source)
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(build(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for stage in STAGES:
        assert sum(len(report[stage][0].done) for report in reports) == 3
    assert digest(tmp_path) == digest(built)


def test_an_error_of_ours_leaves_what_stood_and_is_tried_again(copy, monkeypatch):
    root, home = copy
    before = digest(home)
    stage = pipeline.STAGES["overlap"]
    broken = replace(stage, compute=lambda inputs, parameters: 1 / 0)
    runner = Runner(home, {**pipeline.STAGES, "overlap": broken})
    shard = partitions.registry(home).shard("scannet-v2-0000")
    next((root / "scene0000_00").glob("*.txt")).write_text("colorWidth = 96\ncolorHeight = 72\n")
    build(home, stages=["sources", "scenes", "keyframes", "visibility"])
    report = runner.run(broken, shard, stage.parameters("scannet"))
    assert list(report.errors) == ["scene0000_00"]
    assert "ZeroDivisionError" in report.errors["scene0000_00"]
    overlap = "overlap/shard=scannet-v2-0000/data.parquet"
    assert digest(home)[overlap] == before[overlap]
    assert done(build(home))["overlap"] == ["scene0000_00"]


def test_rows_that_break_their_schema_are_an_error_of_ours(copy):
    _, home = copy
    stage = pipeline.STAGES["overlap"]
    broken = replace(
        stage,
        modules=lambda dataset: ("spatial_assets.scene.model",),
        compute=lambda inputs, parameters: SceneOutputs({"overlap": [{"scene": "x"}]}),
    )
    runner = Runner(home, {**pipeline.STAGES, "overlap": broken})
    report = runner.run(
        broken, partitions.registry(home).shard("scannet-v2-0000"), stage.parameters("scannet")
    )
    assert len(report.errors) == 3
    assert "columns missing" in report.errors["scene0000_00"]


def test_rows_that_a_killed_call_merged_are_not_taken_for_those_of_the_record(
    source, built, tmp_path, monkeypatch
):
    """It dies between its tables and its records; the next call wants what the records say is there."""
    register(tmp_path, "scannet", source)
    build(tmp_path, stages=["sources", "scenes", "keyframes"])
    before = digest(tmp_path)
    (shard,) = partitions.registry(tmp_path).shards()
    stage = pipeline.STAGES["keyframes"]

    def dying(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(records, "save", dying)
        other = pipeline.parameters(
            tmp_path, stage, shard.dataset, {"translation": 1000.0, "rotation": 179.0}
        )
        with pytest.raises(Killed):
            Runner(tmp_path, pipeline.STAGES).run(stage, shard, other)
    assert digest(tmp_path) != before
    build(tmp_path, stages=["keyframes"])
    assert digest(tmp_path) == before
