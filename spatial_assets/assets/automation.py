"""What runs by name, by itself, or on a timetable: jobs, sensors, the rebuild schedule.

- `arrivals` takes scenes that have appeared under a registered root, opens shards and requests their runs.
- `after_shards` makes the summaries once no shard run is queued or at work.
- `rebuild` requests runs for exactly the shards in which something is stale; off until switched on. Of a home that
  one tick has no time to look at, `rebuild_rest` looks at the rest.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from pydantic import Field

from spatial_assets.assets import nights, partitions, run_sizes
from spatial_assets.assets.datasets import open_shards, register
from spatial_assets.assets.keys import KEYS
from spatial_assets.assets.releases import NAME as RELEASES
from spatial_assets.assets.shell import SHARDS_PER_RUN
from spatial_assets.assets.summaries import ASSETS as SUMMARY_ASSETS
from spatial_assets.assets.workspace import Workspace
from spatial_assets.engine import arrivals
from spatial_assets.readers.registry import READERS
from spatial_assets.scene.model import InputError
from spatial_assets.storage.mirrors import root_of
from spatial_assets.storage.shards import SCENES_PER_SHARD

BUILD, CHECKS, SUMMARIES, REGISTER = "build_shards", "checks", "summaries", "register_dataset"
LOOK_SECONDS = 30
"""Between two looks at the registered roots; a scene is taken after two that agree."""
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
RETRY_TAG = {"dagster/max_retries": "1"}
"""A run that fails is tried once more, then reported; it never keeps others from running."""
ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

RECENT = 100
"""Runs that are looked at for those of shards; of the others a few come between."""

build_job = dg.define_asset_job(
    BUILD,
    selection=dg.AssetSelection.assets(*KEYS).without_checks(),
    description="Every partitioned asset, for the shards that are chosen.",
)
checks_job = dg.define_asset_job(
    CHECKS,
    selection=dg.AssetSelection.checks_for_assets(*KEYS, RELEASES, *(asset.key for asset in SUMMARY_ASSETS)),
    description="Every check, over all shards.",
)
summaries_job = dg.define_asset_job(
    SUMMARIES,
    selection=dg.AssetSelection.assets(*(asset.key for asset in SUMMARY_ASSETS))
    | dg.AssetSelection.checks_for_assets(*KEYS, RELEASES),
    description="The unpartitioned assets and every check, over all shards.",
)


class Registration(dg.Config):
    """What `spatial-assets register` takes."""

    dataset: str = Field(description=f"The on-disk format: {', '.join(READERS)}.")
    root: str = Field(description="Folder that holds the scenes, or s3:// or gs:// address.")
    release: str = Field(default="", description="Name of the dataset's release; empty for the reader's own.")
    license: str = Field(default="", description="Terms of the data; empty for what the root or reader says.")
    scenes_per_shard: int = Field(default=SCENES_PER_SHARD, description="Scenes in a partition, at most.")


@dg.op(description="Find the scenes under a root and open shards for those that are new.")
def register_scenes(context: dg.OpExecutionContext, config: Registration, workspace: Workspace) -> None:
    done = register(
        context.instance,
        workspace.path,
        config.dataset,
        root_of(workspace.path, config.root),
        config.release or None,
        config.license or None,
        config.scenes_per_shard,
    )
    context.log.info(f"{done.new_scenes} new scenes in {len(done.new_shards)} new shards: {done.new_shards}")


@dg.job(name=REGISTER, description="Does from the Launchpad what `spatial-assets register` does.")
def register_dataset() -> None:
    register_scenes()


def shard_runs(
    instance: dg.DagsterInstance, home: Path, seconds: Mapping[str, float], why: str
) -> list[dg.RunRequest]:
    """Requests that cover the shards in ranges, each of at most as many as a run takes."""
    return [
        dg.RunRequest(
            run_key=f"{why}:{first}:{last}",
            job_name=BUILD,
            tags={RANGE_START: first, RANGE_END: last, **RETRY_TAG},
        )
        for first, last, _ in ranges_of(instance, home, seconds)
    ]


def ranges_of(
    instance: dg.DagsterInstance, home: Path, seconds: Mapping[str, float]
) -> list[run_sizes.Sized]:
    """The shards in ranges, sized by how many runs the home's workers execute at once."""
    assert partitions.scene_shard.name is not None
    ordered = instance.get_dynamic_partitions(partitions.scene_shard.name)
    return run_sizes.sized(ordered, seconds, run_sizes.places(home), SHARDS_PER_RUN)


@dg.sensor(
    name="arrivals",
    jobs=[build_job],
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes scenes that have appeared under a registered root, once two looks find them unchanged.",
)
def arrivals_sensor(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.SensorResult:
    before: arrivals.Look = json.loads(context.cursor) if context.cursor else {}
    try:
        found, seen, errors = arrivals.look(workspace.registry(), before)
    except InputError as error:  # of the registry itself: the next look may find it mended
        return dg.SensorResult(skip_reason=str(error), cursor=context.cursor)
    opened: list[str] = []
    for item in found:
        try:
            done = open_shards(
                context.instance,
                workspace.path,
                item.dataset,
                item.root,
                item.release,
                item.license,
                item.scenes,
                item.scenes_per_shard,
            )
        except (InputError, ValueError, OSError) as error:
            errors.append(str(error))
            continue
        opened += done.new_shards
    for line in errors:
        context.log.warning(line)
    cursor = json.dumps(seen, sort_keys=True)
    if not opened:
        waiting = f"; {len(seen)} seen for the first time or still changing" if seen else ""
        return dg.SensorResult(skip_reason=f"no scene has arrived{waiting}", cursor=cursor)
    scenes = {shard.key: float(len(shard.scenes)) for shard in workspace.registry().shards()}
    seconds = {key: scenes[key] for key in opened}  # nothing is recorded of them
    requests = shard_runs(context.instance, workspace.path, seconds, "arrival")
    return dg.SensorResult(run_requests=requests, cursor=cursor)


@dg.sensor(
    name="after_shards",
    job=summaries_job,
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes the summaries when shard runs have ended and none is queued or at work.",
)
def after_shards(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    recent = context.instance.get_run_records(limit=RECENT)
    shard_records = [record for record in recent if _is_shard_run(record.dagster_run)]
    if not shard_records:
        return dg.SkipReason("no shard has been run")
    # Asked for apart: of runs that were requested together, the heavy ones stand first and may end last.
    active = context.instance.get_runs(filters=dg.RunsFilter(statuses=ACTIVE), limit=RECENT)
    if any(_is_shard_run(run) for run in active):
        return dg.SkipReason("shard runs are queued or at work")
    newest = shard_records[0].dagster_run.run_id
    if context.cursor == newest:
        return dg.SkipReason("the summaries are newer than every shard run")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=newest)], cursor=newest)


def _is_shard_run(run: dg.DagsterRun) -> bool:
    selected = run.asset_selection or frozenset()
    return run.job_name == BUILD or not selected.isdisjoint(KEYS)


@dg.schedule(
    name="rebuild",
    job=build_job,
    cron_schedule="0 2 * * *",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every night at two: runs for exactly the shards in which something is stale, heavy ones first.",
)
def rebuild_schedule(
    context: dg.ScheduleEvaluationContext, workspace: Workspace
) -> list[dg.RunRequest] | dg.SkipReason:
    partitions.open_partitions(context.instance, workspace.registry())
    part = nights.begin(workspace.path, context.scheduled_execution_time.strftime("%Y-%m-%d"))
    for line in part.absent:
        context.log.warning(line)
    if not part.stale:
        return dg.SkipReason("nothing is stale" if part.next is None else "nothing is stale so far")
    return _requests(context.instance, workspace, part)


@dg.sensor(
    name="rebuild_rest",
    jobs=[build_job],
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Goes on with what `rebuild` had no time to look at, part by part.",
)
def rebuild_rest(
    context: dg.SensorEvaluationContext, workspace: Workspace
) -> dg.SensorResult | dg.SkipReason:
    part = nights.go_on(workspace.path, context.cursor)
    if part is None:
        return dg.SkipReason("no night's look is going on")
    for line in part.absent:
        context.log.warning(line)
    if not part.stale:
        return dg.SensorResult(skip_reason="nothing is stale in this part", cursor=part.cursor())
    return dg.SensorResult(run_requests=_requests(context.instance, workspace, part), cursor=part.cursor())


def _requests(instance: dg.DagsterInstance, workspace: Workspace, part: nights.Part) -> list[dg.RunRequest]:
    """The slowest run of the last wave decides when the night is over, so the heavy ones go first."""
    requests = shard_runs(instance, workspace.path, part.stale, f"rebuild:{part.night}")
    return sorted(requests, key=lambda request: (-_weight(request, part.stale), request.run_key or ""))


def _weight(request: dg.RunRequest, seconds: dict[str, float]) -> float:
    first, last = request.tags[RANGE_START], request.tags[RANGE_END]
    return sum(value for key, value in seconds.items() if first <= key <= last)


JOBS = [build_job, checks_job, summaries_job, register_dataset]
SENSORS = [arrivals_sensor, after_shards, rebuild_rest]
SCHEDULES = [rebuild_schedule]
