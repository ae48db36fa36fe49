"""How stages are called in Dagster: the key of each one's asset, the step that makes it, and who answers for it.

A task's key has its suite before it, `spar/depth_prediction_oc`, and the suite's tasks share one step of that name; so
do the verdicts on what they ask, `vsi/object_counting_budgets`, in `vsi_budgets`. Every other stage is an asset and a
step of its own name. In the lake and the records each has its bare name.
"""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from spatial_assets.stages.budgets import SUFFIX
from spatial_assets.stages.budgets import TASKS as JUDGED
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.tasks.registry import suite_of

OWNERS = ("team:spatial-assets",)
"""Of every asset; a deployment with several teams puts its own here."""


def key_of(stage: str) -> dg.AssetKey:
    if stage in TASKS:
        return dg.AssetKey([suite_of(stage), stage])
    return dg.AssetKey([suite_of(JUDGED[stage]), stage] if stage in JUDGED else stage)


def step_of(stage: str) -> str:
    """The step that makes a stage's asset."""
    if stage in TASKS:
        return suite_of(stage)
    return f"{suite_of(JUDGED[stage])}{SUFFIX}" if stage in JUDGED else stage


def stage_of(key: dg.AssetKey) -> str:
    """The stage of an asset that has one."""
    return key.path[-1]


def keys_of(stages: Iterable[str]) -> list[dg.AssetKey]:
    return [key_of(name) for name in stages]


KEYS = keys_of(STAGES)
"""Of all assets over shards of scenes."""
