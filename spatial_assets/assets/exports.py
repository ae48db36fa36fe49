"""Exports as assets: one for each format, partitioned by release, below `<home>/exports/<format>/<release>`.

A materialization replaces what stood there once it is whole, and fails if what it wrote is not valid.
https://docs.dagster.io/guides/build/partitions-and-backfills/partitioning-assets
"""

# Annotations are not postponed here: Dagster reads an asset's context and configuration classes off them.
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from pydantic import Field

from spatial_assets.assets.keys import OWNERS
from spatial_assets.assets.partitions import release
from spatial_assets.assets.releases import NAME as RELEASES
from spatial_assets.assets.workspace import Workspace
from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options, Unreviewed
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.kept import image_store, renew
from spatial_assets.exports.run import InvalidExport

GROUP = "exports"


class ExportConfig(dg.Config):
    """What `spatial-assets export` takes."""

    images: ImageMode | None = Field(
        default=None,
        description="Links to the source's images, copies, copies with the marks drawn, or none. Where nothing is "
        "chosen links, or copies in a format that holds its images.",
    )
    image_format: ImageFormat = Field(
        default=ImageFormat.JPEG,
        description="Of images that are made: with marks drawn, out of videos, turned; where the format takes another.",
    )
    tasks: list[str] = Field(default=[], description="Only these; all where none is named.")
    splits: list[str] = Field(default=[], description="Only these; all where none is named.")
    limit: int = Field(default=0, ge=0, description="At most so many rows, drawn by their ids; 0 for all.")
    shards: int = Field(default=1, ge=1, description="Files of each split.")
    rgbd: bool = Field(
        default=False, description="Depth images, poses and intrinsics too, where the format has them."
    )
    seed: int = Field(default=0, description="Of the questions that a benchmark takes.")
    size: str = Field(default="", description="Of a benchmark: full or tiny; empty for full.")
    unreviewed: Unreviewed = Field(
        default=Unreviewed.KEEP,
        description="What becomes of a benchmark's questions that no one has accepted or rejected.",
    )

    def options(self, form: str, home: Path) -> Options:
        return Options(
            registry.default_images(form) if self.images is None else self.images,
            self.shards,
            self.rgbd,
            seed=self.seed,
            size=self.size,
            unreviewed=self.unreviewed,
            image_format=self.image_format,
            image_store=image_store(home),
        )


def asset_key(form: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, registry.module_name(form)])


def fenced(lines: Sequence[str]) -> str:
    """Lines as Markdown that keeps their columns."""
    return "\n".join(("```", *lines, "```"))


def _export_asset(form: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=asset_key(form),
        deps=[RELEASES],
        group_name=GROUP,
        owners=list(OWNERS),
        kinds={"file"},
        partitions_def=release,
        description=f"{registry.summary(form)}\n\nThe same as `spatial-assets export {form} RELEASE OUT`.",
    )
    def materialize(
        context: dg.AssetExecutionContext, config: ExportConfig, workspace: Workspace
    ) -> dg.MaterializeResult:
        source = ReleaseRows(
            workspace.path, context.partition_key, config.tasks, config.splits, config.limit or None
        )
        try:
            kept = renew(form, source, config.options(form, workspace.path))
        except InvalidExport as error:
            raise dg.Failure(str(error), metadata={"errors": len(error.errors)}) from None
        made = kept.made
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(kept.path)),
                "dagster/row_count": made.rows,
                "splits": ", ".join(f"{split}: {count:,} rows" for split, count in made.splits.items()),
                "revoked_rows": made.revoked,
                "files": kept.files,
                **({"told": dg.MetadataValue.md(fenced(made.told))} if made.told else {}),
            },
            data_version=dg.DataVersion(kept.version),
        )

    return materialize


ASSETS = [_export_asset(form) for form in registry.FORMATS]
