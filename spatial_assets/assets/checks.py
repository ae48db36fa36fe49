"""One check per asset, over all shards: a query from `sql/checks` that finds what cannot be right.

Checks are not part of shard runs, whose cost they would make grow with the square of the shards; the
job `checks` runs them after a build.
"""

from __future__ import annotations

import dagster as dg

from spatial_assets.assets.workspace import Problem, Workspace
from spatial_assets.lineage.database import connect
from spatial_assets.pipeline import STAGES
from spatial_assets.shipped import sql
from spatial_assets.stages.questions import STAGES as TASKS

LISTED = 20
NAME = "quality"
COLUMNS = ("severity", "shard", "scene", "problem")


def find_problems(workspace: Workspace, asset: str) -> list[Problem]:
    """Rows of (severity, shard, scene, problem), those of severity ERROR first."""
    con = connect(workspace.path)
    if asset in TASKS:
        rows = con.execute(sql("checks/questions"), {"task": asset}).fetchall()
    else:
        rows = con.execute(sql(f"checks/{asset}")).fetchall()
    return sorted(rows)


def _check(asset: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset, name=NAME, description=f"Looks for what cannot be right in {asset}, over all shards."
    )
    def check(workspace: Workspace) -> dg.AssetCheckResult:
        problems = find_problems(workspace, asset)
        workspace.checked(asset, problems)
        errors = [row for row in problems if row[0] == "ERROR"]
        metadata: dict[str, object] = {"errors": len(errors), "warnings": len(problems) - len(errors)}
        if problems:
            metadata["shards"] = ", ".join(sorted({row[1] for row in problems})[:LISTED])
            metadata["problems"] = dg.MetadataValue.table(
                [dg.TableRecord(dict(zip(COLUMNS, row, strict=True))) for row in problems[:LISTED]]
            )
        return dg.AssetCheckResult(
            passed=not problems,
            severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
            metadata=metadata,
        )

    return check


CHECKS = [_check(name) for name in STAGES]
