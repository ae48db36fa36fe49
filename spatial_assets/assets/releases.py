"""Releases as an asset: made from the Launchpad or the command line, each told to Dagster with its content's hash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from spatial_assets.assets import partitions
from spatial_assets.assets.keys import OWNERS, keys_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.releases.create import Request, create
from spatial_assets.releases.recipe import parse_mix, settled
from spatial_assets.stages.budgets import STAGES as BUDGETS
from spatial_assets.stages.questions import STAGES as TASKS
from spatial_assets.storage import release_manifest as manifest

NAME = "releases"


class ReleaseConfig(dg.Config):
    """What `spatial-assets release create` takes."""

    name: str = Field(description="Of the new release; one that is there already does not change.")
    splits: str = Field(
        default="",
        description="Shares by physical place, as train:0.9,val:0.1, or official, or spatialmosaic; empty for the "
        "mix's own, or all in one.",
    )
    seed: int | None = Field(
        default=None, description="Of the splits, the balance and the mix; without, the mix's own, or 0."
    )
    balance: bool = Field(default=False, description="As many rows of every letter, and of yes and no.")
    mix: str = Field(
        default="",
        description="A recipe's name or file, or shares of answer formats, as spar or sentence:1,select:0.1; empty for "
        "all.",
    )
    scale: float = Field(default=1.0, description="Multiplies the mix's counts.")
    fewer: bool = Field(
        default=False, description="Take what there is where it is fewer than the mix's counts."
    )
    budget: str = Field(
        default="",
        description="A set of frames for which answers must hold, as space_aware_16; empty for all.",
    )
    controls: bool = Field(default=False, description="Controls over frames without evidence, at a budget.")
    datasets: list[str] = Field(default=[], description="Only these; all where none is named.")
    tasks: list[str] = Field(default=[], description="Only these; all where none is named.")
    allow_leaks: bool = Field(default=False, description="Keep scenes that known benchmarks ask about.")
    names_only: bool = Field(
        default=False, description="Tell places apart by the scenes' names alone, not by what stands in them."
    )

    def request(self) -> Request:
        asked = parse_mix(self.mix) if self.mix else None
        shares, seed = settled(self.splits, self.seed, asked)
        return Request(
            shares,
            seed,
            self.balance,
            self.allow_leaks,
            tuple(self.datasets),
            tuple(self.tasks),
            self.names_only,
            asked,
            self.scale,
            self.fewer,
            self.budget,
            self.controls,
        )


@dg.asset(
    name=NAME,
    deps=keys_of([*TASKS, *BUDGETS]),
    group_name=NAME,
    owners=list(OWNERS),
    kinds={"parquet"},
    pool=NAME,
    description="Immutable snapshots of the questions, split by physical place, without the scenes of known "
    "benchmarks. Materialize one with its name and splits in the Launchpad.",
)
def releases(
    context: dg.AssetExecutionContext, config: ReleaseConfig, workspace: Workspace
) -> dg.MaterializeResult:
    held = create(workspace.path, config.name, config.request())
    partitions.open_releases(context.instance, workspace.path)
    return dg.MaterializeResult(metadata=facts(workspace.path, held), data_version=dg.DataVersion(held["id"]))


def report(instance: dg.DagsterInstance, home: Path, held: Mapping[str, Any]) -> None:
    """Tell Dagster of a release that was made without it, and that it can be exported."""
    partitions.open_releases(instance, home)
    instance.report_runless_asset_event(
        dg.AssetMaterialization(NAME, metadata=facts(home, held), tags={"dagster/data_version": held["id"]})
    )


def facts(home: Path, held: Mapping[str, Any]) -> dict[str, Any]:
    """What the asset's page shows of a release, by its manifest."""
    folder = manifest.folder(home, held["name"])
    return {
        "release": held["name"],
        "path": dg.MetadataValue.path(str(folder)),
        "dagster/row_count": held["rows"],
        "scenes": held["scenes"],
        "splits": ", ".join(f"{name}: {split['rows']:,} rows" for name, split in held["splits"].items()),
        "card": dg.MetadataValue.md((folder / manifest.CARD).read_text(encoding="utf-8")),
    }


ASSETS = [releases]
