"""The audit as an asset: every question of the lake, or of a release, attacked without its images; a check a task.

It stands beside the summaries and not among them: it takes minutes, and needs scikit-learn, an optional extra.
"""

# Annotations are not postponed here: Dagster reads an asset's context and configuration classes off them.
import base64
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from spatial_assets.assets.columns import column_schema
from spatial_assets.assets.keys import OWNERS, keys_of
from spatial_assets.assets.page_pictures import PICTURE_BYTES
from spatial_assets.assets.workspace import Workspace
from spatial_assets.audit.rows import SAMPLE
from spatial_assets.audit.shortcuts import DATA, MODULES, audit
from spatial_assets.lineage.code_versions import code_version
from spatial_assets.report.shortcuts import markdown, picture, points
from spatial_assets.scene.model import InputError
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.shortcut_table import FAILS, PASSES, SHORTCUTS, TOO_FEW, Line, judged, lines

NAME = "shortcuts"
AUDIT = "audit"
CODE_DIGITS = 16
NO_ROWS = "no questions with options"


class AuditConfig(dg.Config):
    """What `spatial-assets audit` takes."""

    release: str = Field(default="", description="Name of a release; empty for the lake.")
    sample: int = Field(default=SAMPLE, ge=100, description="Rows of each task and format, at most.")


@dg.asset(
    name=NAME,
    deps=keys_of(TASKS),
    group_name="summaries",
    owners=list(OWNERS),
    kinds={"parquet"},
    pool=NAME,
    check_specs=[
        dg.AssetCheckSpec(
            task,
            asset=NAME,
            description=f"Whether {task} can be answered by letters, options or words alone.",
        )
        for task in TASKS
    ],
    code_version=code_version(MODULES, DATA)[:CODE_DIGITS],
    metadata={"dagster/column_schema": column_schema(SHORTCUTS)},
    description="What questions give away without their images: by task and format, what the most frequent letter, the "
    "options, the best guess, words, and marks get of the answers. A task fails by a barred attack that is more than "
    "three points above the most frequent letter.",
)
def shortcuts(
    context: dg.AssetExecutionContext, config: AuditConfig, workspace: Workspace
) -> dg.MaterializeResult:
    release = config.release or None
    try:
        table = audit(workspace.path, release, sample=config.sample)
    except (InputError, ValueError) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    found, path = lines(table), shortcut_table.path(workspace.path, release)
    metadata: dict[str, Any] = {
        "path": dg.MetadataValue.path(str(path)),
        "rows_of": release or "the lake",
        "dagster/row_count": len(table),
        "shortcuts": dg.MetadataValue.md(markdown(found)),
    }
    drawn = picture(found)
    if judged(found) and len(drawn) <= PICTURE_BYTES:
        text = base64.b64encode(drawn).decode("ascii")
        metadata["picture"] = dg.MetadataValue.md(f"![shortcuts](data:image/png;base64,{text})")
    return dg.MaterializeResult(
        metadata=metadata,
        check_results=[check_result(task, [line for line in found if line.task == task]) for task in TASKS],
        data_version=dg.DataVersion(hash_file(path)),
    )


def check_result(task: str, found: Sequence[Line]) -> dg.AssetCheckResult:
    """A task passes if each of its formats does; of too few rows it is said that they are too few."""
    shown = judged(found)
    verdicts = {line.verdict for line in shown}
    worst = next((name for name in (FAILS, TOO_FEW, PASSES) if name in verdicts), NO_ROWS)
    told = [
        f"{line.format}: {line.verdict}, {row['attack']} {points(row['over'])} points over"
        for line in shown
        for row in [line.strongest]
    ]
    return dg.AssetCheckResult(
        check_name=task,
        passed=worst in (PASSES, NO_ROWS),
        severity=dg.AssetCheckSeverity.ERROR if worst == FAILS else dg.AssetCheckSeverity.WARN,
        description="; ".join(told) or NO_ROWS,
        metadata={"verdict": worst, "shortcuts": dg.MetadataValue.md(markdown(shown))}
        if shown
        else {"verdict": worst},
    )


ASSETS = [shortcuts]
JOBS = [
    dg.define_asset_job(
        AUDIT,
        selection=dg.AssetSelection.assets(NAME),
        description="The audit of shortcuts, over the lake or a release.",
    )
]
