"""Jobs: what can be launched by name from the UI, the command line or a schedule."""

from __future__ import annotations

import dagster as dg

from spatial_assets.pipeline import STAGES

BUILD, CHECKS = "build_shards", "checks"

JOBS = [
    dg.define_asset_job(
        BUILD,
        selection=dg.AssetSelection.assets(*STAGES).without_checks(),
        description="Every partitioned asset, for the shards that are chosen.",
    ),
    dg.define_asset_job(
        CHECKS,
        selection=dg.AssetSelection.checks_for_assets(*STAGES),
        description="Every check, over all shards.",
    ),
]
