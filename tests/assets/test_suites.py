"""A suite's step in Dagster: each task its own asset, an error that of its task alone, and what a run may be told."""

from __future__ import annotations

import json
import shutil
from functools import cache

import dagster as dg
import pytest
from dagster._config import validate_config
from lakes import build as build_plainly
from lakes import digest
from lakes import register as register_plainly
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets import questions as suite_assets
from spatial_assets.assets.automation import BUILD
from spatial_assets.assets.build import QUIET, RANGE_END, RANGE_START, build
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import key_of, keys_of, step_of
from spatial_assets.assets.run_config import overrides, schema_of
from spatial_assets.assets.shell import step as suite_step
from spatial_assets.assets.workspace import Workspace
from spatial_assets.definitions import build_defs
from spatial_assets.engine.lake_quality import find_problems
from spatial_assets.lineage import records
from spatial_assets.readers.registry import READERS
from spatial_assets.stages import pipeline, questions
from spatial_assets.stages.pipeline import TOGETHER

pytestmark = pytest.mark.usefixtures("own_environment")

UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap")
TASKS = ("depth_prediction_oc", "view_change_infer")
SHARDS = [f"scannet-v2-{number:04d}" for number in range(3)]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """Three shards of a scene each, built as far as the suites."""
    folder = tmp_path_factory.mktemp("upstream")
    for number in range(3):
        write_scannet(folder / "source", f"scene{number:04d}_00", seed=number, frames=6)
    register_plainly(folder / "home", "scannet", folder / "source", per_shard=1)
    build_plainly(folder / "home", stages=UPSTREAM)
    return folder / "home"


@pytest.fixture
def opened(upstream, tmp_path):

    home = tmp_path / "home"
    shutil.copytree(upstream, home)
    with instance_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        yield home, instance


def materialize(home, instance, names, config=None, **options):
    defs = build_defs(workspace=Workspace(home=str(home), workers=1))
    ops = {step_of(name): {"config": config or {}} for name in names}
    return dg.materialize(
        defs.assets,
        instance=instance,
        resources=defs.resources,
        selection=dg.AssetSelection.assets(*keys_of(names)),
        run_config={**QUIET, "ops": ops},
        raise_on_error=False,
        **options,
    )


ALL_SHARDS = {RANGE_START: SHARDS[0], RANGE_END: SHARDS[-1]}


def fail(monkeypatch, task, scene):
    """Let a task fail on a scene, until the block ends."""
    real = questions.generate

    def failing(chosen, facts, *others):
        if chosen.name == task and facts.which["scene"] == scene:
            raise ZeroDivisionError("on purpose")
        return real(chosen, facts, *others)

    monkeypatch.setattr(questions, "generate", failing)


def test_one_step_makes_the_chosen_tasks_and_loads_a_scene_once(opened, monkeypatch):
    home, instance = opened
    run = materialize(home, instance, TASKS, partition_key=SHARDS[0])
    assert run.success
    (step,) = [event for event in run.all_events if event.is_step_success]
    assert step.step_key == "spar"
    made = [event.asset_key for event in run.get_asset_materialization_events()]
    assert made == keys_of(TASKS)
    assert list(records.load(home, "spar/facts", SHARDS[0])) == ["scene0000_00"]
    assert records.load(home, "position_matching", SHARDS[0]) == {}


@pytest.mark.prove
def test_an_error_of_one_task_fails_its_asset_alone(opened, monkeypatch):
    home, instance = opened
    names = [*TASKS, "object_counting"]
    with monkeypatch.context() as context:
        fail(context, "view_change_infer", "scene0001_00")
        run = materialize(home, instance, names, tags=ALL_SHARDS)
    assert not run.success
    (failure,) = [event.step_failure_data for event in run.all_events if event.is_step_failure]
    assert failure.user_failure_data.description == "view_change_infer failed on 1 scene"
    assert "ZeroDivisionError: on purpose" in failure.user_failure_data.metadata["errors"].value
    for name in ("depth_prediction_oc", "object_counting"):
        assert instance.get_materialized_partitions(key_of(name)) == set(SHARDS)
    good = {SHARDS[0], SHARDS[2]}
    assert instance.get_materialized_partitions(key_of("view_change_infer")) == good
    event = instance.get_latest_materialization_event(key_of("view_change_infer")).asset_materialization
    held = event.metadata
    assert event.partition in good
    assert held["scenes_done"].value == 1
    assert event.tags["dagster/data_version"] == held["output_hash"].value
    assert "dagster/column_lineage" in held
    ((severity, shard, scene, problem),) = find_problems(home, ["view_change_infer"])["view_change_infer"]
    assert (severity, shard, scene) == ("ERROR", SHARDS[1], "scene0001_00")
    assert "on purpose" in problem
    assert materialize(home, instance, names, tags=ALL_SHARDS).success
    assert instance.get_materialized_partitions(key_of("view_change_infer")) == set(SHARDS)
    build_plainly(home, stages=names)
    assert {len(records.load(home, name, shard)) for name in names for shard in SHARDS} == {1}


def test_a_suite_of_one_task_is_a_suite(opened, monkeypatch):
    """It is told by its task's name, and an error on a scene fails it: a task more changes neither."""
    home, instance = opened
    (name, _) = TASKS
    one = suite_step("spar", "spar", [suite_assets._member(name)], suite=True)
    assert one.can_subset
    resources = build_defs(workspace=Workspace(home=str(home), workers=1)).resources

    def ran(parameters):
        ops = {"spar": {"config": {"parameters": parameters}}}
        return dg.materialize(
            [one], instance=instance, resources=resources, run_config={**QUIET, "ops": ops},
            partition_key=SHARDS[0], raise_on_error=False,
        )  # fmt: skip

    assert ran({name: {"quota": 3}}).success
    (record,) = records.load(home, name, SHARDS[0]).values()
    assert json.loads(record.parameters)["quota"] == 3
    fail(monkeypatch, name, "scene0000_00")
    run = ran({name: {"quota": 4}})
    (failure,) = [event.step_failure_data for event in run.all_events if event.is_step_failure]
    assert failure.user_failure_data.description == f"{name} failed on 1 scene"
    assert not list(run.get_asset_materialization_events())


def test_the_build_goes_on_and_says_which_task_failed(opened, monkeypatch):
    home, _ = opened
    fail(monkeypatch, "depth_prediction_oc", "scene0002_00")
    outcome = build(build_defs, home, tasks=[*TASKS, "object_counting"])
    assert list(outcome.errors) == [("depth_prediction_oc", SHARDS[2], "scene0002_00")]
    assert outcome.failed_runs == ["spar: depth_prediction_oc failed on 1 scene"]
    assert outcome.done == 8
    assert outcome.rows["questions/view_change_infer"] > 0


def test_a_setting_of_one_task_that_does_not_fit_leaves_that_task_alone(opened):
    home, instance = opened
    (home / "parameters.toml").write_text("[view_change_infer]\nquota = -1\n")
    run = materialize(home, instance, TASKS, partition_key=SHARDS[0])
    assert not run.success
    assert instance.get_materialized_partitions(key_of("depth_prediction_oc")) == {SHARDS[0]}
    assert instance.get_materialized_partitions(key_of("view_change_infer")) == set()
    (failure,) = [event.step_failure_data for event in run.all_events if event.is_step_failure]
    assert "[view_change_infer] quota" in failure.user_failure_data.description


def test_through_dagster_as_plainly(opened, tmp_path):
    home, instance = opened
    assert materialize(home, instance, TASKS, tags=ALL_SHARDS).success
    through = digest(home)
    build_plainly(home, stages=TASKS, depth_prediction_oc={"seed": 1})
    build_plainly(home, stages=TASKS)
    assert digest(home) == through


def test_only_given_values_replace_what_the_home_has_settled(opened):

    home, instance = opened
    (home / "parameters.toml").write_text(
        "[depth_prediction_oc]\nquota = 7\nmin_mark_gap = 0.05\n[depth_prediction_oc.limits]\nmax_depth = 6.0\n"
    )
    given = {"parameters": {"depth_prediction_oc": {"quota": 3, "limits": {"min_area": 0.003}}}}
    assert materialize(home, instance, TASKS, given, partition_key=SHARDS[0]).success
    (record,) = records.load(home, "depth_prediction_oc", SHARDS[0]).values()
    held = json.loads(record.parameters)
    assert (held["quota"], held["min_mark_gap"], held["seed"]) == (3, 0.05, 0)
    assert (held["limits"]["min_area"], held["limits"]["max_depth"]) == (0.003, 6.0)
    (record,) = records.load(home, "view_change_infer", SHARDS[0]).values()
    assert json.loads(record.parameters)["quota"] == 100


WRONG = {
    "no such task": ("spar", {"parameters": {"cooking": {}}}, False),
    "a task of the other suite": ("spar", {"parameters": {"object_counting": {}}}, False),
    "a misspelled name": ("spar", {"parameters": {"depth_prediction_oc": {"qouta": 3}}}, False),
    "a misspelled limit": ("spar", {"parameters": {"depth_prediction_oc": {"limits": {"area": 1.0}}}}, False),
    "another task's parameter": ("vsi", {"parameters": {"object_counting": {"max_turns": 3}}}, False),
    "a text for a number": ("spar", {"parameters": {"depth_prediction_oc": {"quota": "many"}}}, False),
    "a fraction for a whole number": ("spar", {"parameters": {"depth_prediction_oc": {"quota": 2.5}}}, False),
    "a value below its range": ("spar", {"parameters": {"depth_prediction_oc": {"quota": -1}}}, True),
    "a value above its range": ("spar", {"parameters": {"view_change_infer": {"max_overlap": 1.5}}}, True),
    "a limit out of range": (
        "vsi", {"parameters": {"object_counting": {"limits": {"min_area": 2.0}}}}, True,
    ),
    "none of the choices": ("vsi", {"parameters": {"object_counting": {"wording": "mine"}}}, False),
    "a step between the steps": ("spar", {"parameters": {"view_change_infer": {"move_step": 0.25}}}, True),
    "a name of nothing": ("spar", {"parameters": {"obj_count": {"names": "nickname"}}}, False),
    "scenes that are no list": ("spar", {"scenes": "scene0000_00"}, False),
    "a misspelled field": ("spar", {"scene": ["scene0000_00"]}, False),
    "of a stage, a misspelled name": ("keyframes", {"parameters": {"translatoin": 0.3}}, False),
    "of a stage, out of range": ("keyframes", {"parameters": {"translation": 0.0}}, True),
    "of no reader": ("scenes", {"parameters": {"voxel": 0.02}}, False),
    "of another reader": ("scenes", {"parameters": {"scannet": {"voxel": 0.02}}}, False),
    "of a reader, out of range": ("scenes", {"parameters": {"posed_rgbd": {"voxel": 0.0}}}, True),
    "of a stage without any": ("overlap", {"parameters": {"speed": 1}}, False),
}  # fmt: skip
"""A step, a configuration that does not fit it, and whether only its value is wrong, not its shape."""


@cache
def build_job():
    """The job of all builds, resolved once: nothing here changes it."""
    return build_defs().resolve_job_def(BUILD)


def config_type(step):
    return build_job().graph.node_named(step).definition.config_schema.config_type


@pytest.mark.every(3)
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_configuration_is_rejected_before_a_run_is_made(case):
    step, config, only_its_value = WRONG[case]
    # This is what the Launchpad marks while one types; it knows shapes and types.
    assert validate_config(config_type(step), config).success == only_its_value
    # And this is asked when one launches, before there is a run.
    job = build_job()
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job, {"ops": {step: {"config": config}}})


def stages_of(step):
    return list(TOGETHER[step].values()) if step in TOGETHER else [pipeline.STAGES[step]]


@pytest.mark.every(3)
@pytest.mark.parametrize("step", [*TOGETHER, *(name for name in pipeline.STAGES if step_of(name) == name)])
def test_every_default_is_a_value_that_the_launchpad_takes(step):
    job = build_job()
    stages = stages_of(step)
    for dataset in READERS:
        config = {}
        for stage in stages:
            values = stage.parameters(dataset).model_dump(mode="json")
            for part in [stage.name] * (step in TOGETHER) + [dataset] * (step == "scenes"):
                values = {part: values}
            config |= values
        config = {"scenes": ["scene0000_00"], "rehash": True, "parameters": config}
        dg.validate_run_config(job, {"ops": {step: {"config": config}}})
        for stage in stages:
            given = overrides(config, stage, dataset, step in TOGETHER)
            assert type(stage.parameters(dataset)).model_validate(given) == stage.parameters(dataset)
    dg.validate_run_config(job, {"ops": {step: {"config": {}}}})


def test_the_launchpad_tells_what_each_parameter_means_and_its_default():
    fields = schema_of(stages_of("spar"), suite=True)["parameters"].config_type.fields
    quota = fields["depth_prediction_oc"].config_type.fields["quota"]
    assert quota.description.startswith("questions per scene, task and format")
    assert quota.description.endswith("(default 100)")
    assert quota.config_type.description == "at least 0"
    assert not quota.is_required
    assert not quota.default_provided
