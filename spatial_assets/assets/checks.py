"""One check per asset, over all shards: whether `quality` finds anything that cannot be right.

The summaries and releases have a check of their own: whether they are newer than the shards. Their age says nothing,
as they are made when shards change and not by the clock; so it is no freshness policy of Dagster's.

A check looks only at the shards that changed since it last looked, so it may run with every shard run,
as Dagster's backfills make it, without making a rebuild's cost grow with the square of the shards. The
job `checks` runs them all.

The checks of a group of assets share a step, which can be asked for some of them. They have no partitions, although
Dagster 1.13 takes `partitions_def` on a check. What it then does is held in `tests/assets/test_check_partitions.py`,
which fails when that changes:

- In a run over a range of shards, as `multi_run` makes them, an `AssetCheckResult` counts for no shard: it is kept
  without a partition, and what was planned for each shard of the range stays planned for good.
- A check may give one `AssetCheckEvaluation` a shard itself, which is kept right. That is an event more for each
  check and shard (15 ms here, where an asset's own take 25), and what looks at everything after a build, in a run
  without a partition, could no longer do so: it would have to name all shards, in the end the square of them.
- A step that fails takes the checks of all its assets with it, also of those that were made. A suite's checks
  then run with the next run of the job, which needs no shard to be named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from spatial_assets.assets import releases
from spatial_assets.assets.keys import key_of, step_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.engine.lake_quality import Problem, find_problems
from spatial_assets.lineage import records
from spatial_assets.lineage.cache import cache_path
from spatial_assets.report.gallery import gallery_path
from spatial_assets.stages.budgets import SUITES as BUDGETS
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import SUITES
from spatial_assets.storage import release_manifest as manifest

LISTED = 20
NAME, FRESHNESS = "quality", "freshness"
COLUMNS = ("severity", "shard", "scene", "problem")


def _checks(group: str, assets: Sequence[str]) -> dg.AssetChecksDefinition:
    """The checks of some assets in one step: a step costs Dagster more than most checks do."""
    names = {key_of(asset): asset for asset in assets}

    @dg.multi_asset_check(
        name=f"{group}_{NAME}",
        specs=[
            dg.AssetCheckSpec(
                NAME, asset=key, description=f"Looks for what cannot be right in {asset}, over all shards."
            )
            for key, asset in names.items()
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        chosen = [asset for key, asset in names.items() if key in selected]
        found = find_problems(workspace.path, chosen)
        for asset in chosen:
            workspace.checked(asset, found[asset])
            yield _result(key_of(asset), found[asset])

    return check


def _result(key: dg.AssetKey, problems: list[Problem]) -> dg.AssetCheckResult:
    errors = [row for row in problems if row[0] == "ERROR"]
    metadata: dict[str, Any] = {"errors": len(errors), "warnings": len(problems) - len(errors)}
    if problems:
        metadata["shards"] = ", ".join(sorted({row[1] for row in problems})[:LISTED])
        metadata["problems"] = dg.MetadataValue.table(
            [dg.TableRecord(dict(zip(COLUMNS, row, strict=True))) for row in problems[:LISTED]]
        )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NAME,
        passed=not problems,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def _freshness(made: Mapping[str, Callable[[Path], Path]]) -> dg.AssetChecksDefinition:
    """Of what is made of all shards: by asset, the file whose age tells."""

    @dg.multi_asset_check(
        name=FRESHNESS,
        specs=[
            dg.AssetCheckSpec(
                FRESHNESS, asset=asset, description=f"Whether {asset} was made after the last shard was."
            )
            for asset in made
        ],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
        selected = {key.asset_key for key in context.selected_asset_check_keys}
        for asset, path in made.items():
            if dg.AssetKey(asset) not in selected:
                continue
            newer = records.written_since(workspace.path, path(workspace.path))
            yield dg.AssetCheckResult(
                asset_key=dg.AssetKey(asset),
                check_name=FRESHNESS,
                passed=not newer,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"newer_shards": len(newer), "shards": ", ".join(newer[:LISTED])},
            )

    return check


CHECKS = [
    _checks("scenes", [name for name in STAGES if step_of(name) == name]),
    *(_checks(suite, [*tasks, *BUDGETS.get(suite, ())]) for suite, tasks in SUITES.items()),
]
FRESHNESS_CHECKS = [
    _freshness({"lineage_database": cache_path, "gallery": gallery_path, releases.NAME: manifest.newest})
]
