"""All of Dagster's definitions as plain data, to be compared with what was agreed on.

    python tests/support/definitions_snapshot.py

writes `tests/assets/definitions.json` anew; whoever changes a key, a dependency, a pool, a field of the configuration
or a job on purpose commits it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

from spatial_assets.definitions import build_defs

SNAPSHOT = Path(__file__).resolve().parents[1] / "assets" / "definitions.json"
COMMAND = "python tests/support/definitions_snapshot.py"


def snapshot() -> dict[str, Any]:
    defs = build_defs()
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    return {
        "assets": {key.to_user_string(): asset(graph, key) for key in sorted(graph.get_all_asset_keys())},
        "checks": {
            f"{key.asset_key.to_user_string()}:{key.name}": check(graph.get(key))
            for key in sorted(graph.asset_check_keys)
        },
        "steps": {name: step for name, op in steps(graph, repository) if any((step := step_of(op)).values())},
        "jobs": {
            job.name: {"steps": sorted(job.graph.node_dict), "partitions": partitions(job.partitions_def)}
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "sensors": {
            sensor.name: {
                "jobs": sorted(target.job_name for target in sensor.targets),
                "seconds": sensor.minimum_interval_seconds,
                "by default": sensor.default_status.value,
            }
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
        "schedules": {
            schedule.name: {
                "job": schedule.job_name,
                "cron": schedule.cron_schedule,
                "by default": schedule.default_status.value,
            }
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "resources": sorted(defs.resources or {}),
    }


def asset(graph: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = graph.get(key)
    policy = node.backfill_policy
    return {
        "group": node.group_name,
        "kinds": sorted(node.kinds),
        "owners": sorted(node.owners),
        "partitions": partitions(node.partitions_def),
        "partitions a run": None if policy is None else policy.max_partitions_per_run,
        "step": graph.assets_def_for_key(key).op.name if node.is_executable else None,
        "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
    }


def steps(graph: Any, repository: Any) -> list[tuple[str, dg.OpDefinition]]:
    """What makes the assets, and what else the jobs run."""
    found = {
        op.name: op
        for key in graph.get_all_asset_keys()
        if graph.get(key).is_executable
        for op in (graph.assets_def_for_key(key).op,)
    }
    for job in repository.get_all_jobs():
        found |= {name: node.definition for name, node in job.graph.node_dict.items()}
    return sorted(found.items())


def step_of(op: dg.OpDefinition) -> dict[str, Any]:
    """Of a step, the pools that limit how many are at work, and what its runs can be told."""
    told = fields(op.config_schema.config_type)
    groups = {name: by_name(group) for name, group in told.items() if is_group(group)}
    plain = " ".join(name for name in told if name not in groups)
    return {"pools": sorted(op.pools), "config": plain, **groups}


def fields(kind: Any) -> dict[str, Any]:
    """Types of what a shape holds, by name; nothing of what is no shape."""
    return {name: field.config_type for name, field in getattr(kind, "fields", {}).items()}


def is_group(kind: Any) -> bool:
    return hasattr(kind, "fields")


def by_name(group: Any) -> Any:
    """Names of a group's fields in one line, by task or dataset where it is made of theirs.

    What the groups of a task hold in turn, its limits of what is seen among them, stands in `docs/tasks.md`.
    """
    inner = fields(group)
    if inner and all(map(is_group, inner.values())):
        return {name: " ".join(fields(own)) for name, own in inner.items()}
    return " ".join(inner)


def check(node: Any) -> dict[str, Any]:
    return {"blocking": node.blocking, "partitions": partitions(node.partitions_def)}


def partitions(definition: dg.PartitionsDefinition | None) -> str | None:
    return None if definition is None else str(getattr(definition, "name", definition))


def text() -> str:
    return json.dumps(snapshot(), indent=1) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(text(), encoding="utf-8")
