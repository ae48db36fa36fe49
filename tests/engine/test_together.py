"""Tasks of a suite run together: a scene is loaded once, and each task is computed, committed and reported alone."""

from __future__ import annotations

import errno
import gc
import shutil
import threading
import weakref
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from incremental_homes import build
from lakes import digest, register

from spatial_assets.assets import partitions
from spatial_assets.engine import runner
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.stage_run import StageRun
from spatial_assets.engine.workers import in_processes
from spatial_assets.lineage import records
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.stages import pipeline
from spatial_assets.stages.questions import SUITES
from spatial_assets.stages.stage import Shared
from spatial_assets.storage.atomic import fenced
from spatial_assets.storage.leases import LeaseLost

SHARD = "scannet-v2-0000"
SCENES = [f"scene{number:04d}_00" for number in range(3)]
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap")
TASKS = ("depth_prediction_oc", "distance_prediction_oc", "view_change_infer")
SUITE = [SUITES["spar"][name] for name in TASKS]


@pytest.fixture(scope="module")
def apart(source, tmp_path_factory):
    """What the tasks give when each is run by itself."""

    home = tmp_path_factory.mktemp("apart")
    register(home, "scannet", source)
    build(home, stages=UPSTREAM)
    build(home, stages=TASKS)
    return digest(home)


@pytest.fixture
def home(source, tmp_path, upstream):

    shutil.copytree(upstream, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def upstream(source, tmp_path_factory):

    home = tmp_path_factory.mktemp("upstream")
    register(home, "scannet", source)
    build(home, stages=UPSTREAM)
    return home


def run(home, stages=SUITE, workers=1, scenes=None, progress=None, **parameters):
    stages = list(stages)
    runner = Runner(
        home, {**pipeline.STAGES, **{stage.name: stage for stage in stages}}, workers, progress=progress
    )
    given = {
        stage.name: pipeline.parameters(home, stage, "scannet", parameters.get(stage.name))
        for stage in stages
    }
    shard = partitions.registry(home).shard(SHARD)
    return runner.run_together(stages, shard, given, None if scenes is None else frozenset(scenes))


class Counted:
    """Loads as a suite does, and says which scenes it loaded."""

    def __init__(self):
        self.scenes = []
        self.alive = []

    def load(self, inputs):
        gc.collect()
        assert not any(item() is not None for item in self.alive), "a scene stays in memory after its turn"
        self.scenes.append(inputs.ref.name)
        loaded = SUITE[0].shared.load(inputs)
        self.alive.append(weakref.ref(loaded))
        return loaded

    def suite(self):
        shared = Shared("spar/facts", self.load)
        return [replace(stage, shared=shared) for stage in SUITE]


@pytest.mark.parametrize("workers", [1, 2])
def test_together_they_write_the_same_bytes_as_apart(home, apart, workers):
    reports = run(home, workers=workers)
    assert {name: report.done for name, report in reports.items()} == dict.fromkeys(TASKS, SCENES)
    assert digest(home) == apart
    assert not (home / "pending").exists()
    again = run(home, workers=workers)
    assert {name: report.skipped for name, report in again.items()} == dict.fromkeys(TASKS, SCENES)
    assert [again[name].output_hash for name in TASKS] == [reports[name].output_hash for name in TASKS]


@pytest.mark.parametrize("suite", SUITES)
def test_scenes_of_every_suite_are_spread_over_processes(home, monkeypatch, suite):
    """One call a stale scene, whatever number of tasks; none where there is one worker, or nothing to do."""
    build(home, stages=["view_sets"])
    given = []

    def spread(workers, function, calls):
        given.append(len(calls))
        return in_processes(workers, function, calls)

    monkeypatch.setattr(runner, "in_processes", spread)
    stages = list(SUITES[suite].values())[:2]
    run(home, stages, workers=2, scenes=SCENES[:2])
    assert given == [1, 1]
    run(home, stages, workers=2, scenes=SCENES[:2])
    assert given == [1, 1]
    shutil.rmtree(home / "lake" / "questions")
    run(home, stages, scenes=SCENES[:2])
    assert given == [1, 1]


def test_a_scene_is_loaded_once_and_only_where_a_task_is_stale(home):
    counted = Counted()
    run(home, counted.suite(), scenes=SCENES[:2])
    assert counted.scenes == SCENES[:2]
    run(home, counted.suite())
    assert counted.scenes == SCENES
    reports = run(home, counted.suite(), view_change_infer={"quota": 2})
    assert counted.scenes == SCENES * 2
    assert {name: report.done for name, report in reports.items() if report.done} == {
        "view_change_infer": SCENES
    }
    run(home, counted.suite(), view_change_infer={"quota": 2})
    assert counted.scenes == SCENES * 2


def test_loading_stands_in_the_records_beside_each_tasks_own_seconds(home):
    run(home, scenes=SCENES[:1])
    run(home, scenes=SCENES[1:2])
    assert list(records.load(home, "spar/facts", SHARD)) == SCENES[:2]
    (path,) = (home / "records").rglob("facts/shard=*.parquet")
    rows = pq.read_table(path, partitioning=None).to_pylist()
    assert [(row["asset"], row["shard"], row["scene"]) for row in rows] == [
        ("spar/facts", SHARD, scene) for scene in SCENES[:2]
    ]
    assert all(row["seconds"] > 0 for row in rows)
    for name in TASKS:
        assert all(record.seconds > 0 for record in records.load(home, name, SHARD).values())


def test_loading_is_recorded_though_the_build_was_killed(home, apart, monkeypatch):
    monkeypatch.setattr(StageRun, "compact", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(home, scenes=SCENES[:2])
    monkeypatch.undo()
    reports = run(home)
    assert all(report.adopted == SCENES[:2] and report.done == SCENES[2:] for report in reports.values())
    assert list(records.load(home, "spar/facts", SHARD)) == SCENES
    assert digest(home) == apart


def test_killed_between_two_tasks_the_first_ones_scene_is_not_lost(home, apart, monkeypatch):
    real, calls = StageRun.commit, []

    def dying(self, *others):
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(self.stage.name)
        real(self, *others)

    monkeypatch.setattr(StageRun, "commit", dying)
    with pytest.raises(KeyboardInterrupt):
        run(home)
    monkeypatch.undo()
    assert calls == [*TASKS, TASKS[0]]
    reports = run(home)
    assert {name: report.adopted for name, report in reports.items()} == {
        TASKS[0]: SCENES[:2], TASKS[1]: SCENES[:1], TASKS[2]: SCENES[:1],
    }  # fmt: skip
    assert digest(home) == apart


def fails(loaded, parameters):
    raise ZeroDivisionError(f"at {loaded.which['scene']}")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_one_task_is_its_own(home, apart, workers):
    broken = [replace(stage, compute=fails) if stage.name == TASKS[1] else stage for stage in SUITE]
    reports = run(home, broken, workers)
    assert list(reports[TASKS[1]].errors) == SCENES
    assert "ZeroDivisionError: at scene0001_00" in reports[TASKS[1]].errors["scene0001_00"]
    for name in (TASKS[0], TASKS[2]):
        assert reports[name].done == SCENES
        assert reports[name].errors == {}
        assert records.load(home, name, SHARD).keys() == set(SCENES)
    assert records.load(home, TASKS[1], SHARD) == {}
    assert run(home)[TASKS[1]].done == SCENES
    assert digest(home) == apart


def failing_load(inputs):
    if inputs.ref.name == SCENES[0]:
        raise InputError("mesh.ply", "cut short")
    if inputs.ref.name == SCENES[1]:
        raise ZeroDivisionError
    return SUITE[0].shared.load(inputs)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_scene_that_cannot_be_loaded_fails_all_tasks_and_no_other_scene(home, workers):
    shared = Shared("spar/facts", failing_load)
    reports = run(home, [replace(stage, shared=shared) for stage in SUITE], workers)
    for report in reports.values():
        assert report.done == SCENES[2:]
        assert list(report.errors) == [SCENES[1]]
        assert report.rejected == {SCENES[0]: "mesh.ply: cut short"}
    assert list(records.load(home, "spar/facts", SHARD)) == SCENES[2:]


def test_a_task_whose_table_is_damaged_is_asked_again_and_the_others_stand(home, apart):
    run(home, scenes=SCENES[:1])
    path = home / "lake/questions" / TASKS[1] / f"shard={SHARD}/data.parquet"
    path.write_bytes(b"not Parquet")
    reports = run(home)
    assert reports[TASKS[1]].done == SCENES and not reports[TASKS[1]].errors
    assert reports[TASKS[0]].done == reports[TASKS[2]].done == SCENES[1:]
    aside = path.with_name(f"{path.name}.damaged")
    assert aside.read_bytes() == b"not Parquet"
    aside.unlink()
    assert digest(home) == apart


@pytest.mark.parametrize("workers", [1, 2])
def test_where_one_task_cannot_rewrite_its_tables_the_others_do(home, apart, monkeypatch, workers):
    real = StageRun.compact

    def failing(self):
        if self.stage.name == TASKS[1]:
            raise ZeroDivisionError
        real(self)

    monkeypatch.setattr(StageRun, "compact", failing)
    reports = run(home, workers=workers)
    monkeypatch.undo()
    assert [reports[name].done for name in TASKS] == [SCENES, [], SCENES]
    assert "ZeroDivisionError" in reports[TASKS[1]].errors[SCENES[0]]
    assert list(reports[TASKS[1]].errors) == SCENES
    assert run(home)[TASKS[1]].adopted == SCENES
    assert digest(home) == apart


@pytest.mark.parametrize("workers", [1, 2])
def test_whoever_lost_the_lease_rewrites_no_table(home, apart, monkeypatch, workers):
    real, begun = StageRun.compact, []

    def check():
        if begun:
            raise LeaseLost("somebody took over")

    monkeypatch.setattr(StageRun, "compact", lambda self: (begun.append(1), real(self)))
    with fenced(check), pytest.raises(LeaseLost, match="somebody took over"):
        run(home, workers=workers)
    monkeypatch.undo()
    assert not list((home / "lake/questions").rglob("data.parquet"))
    reports = run(home)
    assert {name: report.adopted for name, report in reports.items()} == dict.fromkeys(TASKS, SCENES)
    assert digest(home) == apart


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_while_tables_are_rewritten_ends_the_call_and_loses_nothing(
    home, apart, monkeypatch, workers
):
    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device", "data.parquet")

    monkeypatch.setattr(StageRun, "compact", full)
    with pytest.raises(OSError, match=r"data\.parquet"):
        run(home, workers=workers)
    monkeypatch.undo()
    reports = run(home, workers=workers)
    assert {name: report.adopted for name, report in reports.items()} == dict.fromkeys(TASKS, SCENES)
    assert digest(home) == apart


def test_a_damaged_table_of_which_nothing_is_needed_is_replaced(home, apart):
    path = home / "lake/questions" / TASKS[1] / f"shard={SHARD}/data.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not Parquet")
    assert run(home)[TASKS[1]].done == SCENES
    path.with_name(f"{path.name}.damaged").unlink(missing_ok=True)
    assert digest(home) == apart


def test_calls_that_share_some_tasks_wait_for_each_other(home, apart):
    reports = []
    chosen = [SUITE[:2], SUITE[1:], SUITE[::-1], SUITE[::2]]
    threads = [threading.Thread(target=lambda part=part: reports.append(run(home, part))) for part in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    for name in TASKS:
        assert sum(len(report[name].done) for report in reports if name in report) == 3
    assert list(records.load(home, "spar/facts", SHARD)) == SCENES
    assert digest(home) == apart


def test_progress_is_told_of_each_task_and_scene(home):
    told = []
    run(home, scenes=SCENES[:2], progress=lambda *words: told.append(words))
    assert told == [(name, SHARD, scene, "done") for scene in SCENES[:2] for name in TASKS]


@pytest.mark.parametrize(
    "stages",
    [
        [*SUITE, SUITES["vsi"]["object_counting"]],
        [pipeline.STAGES["keyframes"], pipeline.STAGES["overlap"]],
        [SUITE[0], replace(SUITE[1], shared=Shared("spar/facts", SceneInputs.table))],
    ],
    ids=["two suites", "nothing shared", "loaded otherwise"],
)
def test_stages_that_do_not_load_the_same_are_not_run_together(home, stages):
    with pytest.raises(ValueError, match="do not load the same"):
        run(home, stages)


def test_a_stage_is_not_run_together_with_what_it_reads(home):
    shared = Shared("all", lambda inputs: inputs)
    both = [replace(pipeline.STAGES[name], shared=shared) for name in ("visibility", "overlap")]
    with pytest.raises(ValueError, match="reads what another writes"):
        run(home, both)
