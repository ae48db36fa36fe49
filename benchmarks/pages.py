"""Dagster's pages over a home of 2,000 shards and all assets: seconds until they answer, and what ticks take there.

    python -m benchmarks.pages [--shards N] [--postgres] [--home DIR]

The history is written by `benchmarks.histories`: real runs over up to twenty shards, one after the other copied with
other shards' names. What the pages ask for is asked of a real web server over GraphQL, and the pages themselves are
opened in Debian's chromium, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks import browser, devtools, histories, postgres
from benchmarks.bars import Bar
from benchmarks.copied_runs import template, write_run
from spatial_assets.assets import automation, partitions
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.keys import keys_of
from spatial_assets.assets.shell import SHARDS_PER_RUN
from spatial_assets.assets.workspace import Workspace
from spatial_assets.definitions import build_defs
from spatial_assets.stages.pipeline import STAGES

SHARDS = 2_000
ANSWER, TICK = 5.0, 5.0
"""Seconds that a page, once the server has loaded the definitions, and a tick may take."""
SHOWN = "visibility"
"""The asset whose pages are opened."""
SHOWN_SECONDS = 60.0
"""Within which a page must show what it is there for."""
BACKFILL = "benchmark"
QUERIES = {
    "global asset graph": "{ assetNodes { id assetKey { path } dependencyKeys { path } groupName kinds opNames } }",
    "states of ten assets": "{ assetNodes(assetKeys: [%s]) { assetKey { path } partitionStats { numMaterialized "
    "numPartitions numFailed numMaterializing } assetMaterializations(limit: 1) { timestamp runId } } }",
    "an asset's partitions": "{ assetNodeOrError(assetKey: {path: %s}) { ... on AssetNode { partitionStats { "
    "numMaterialized } partitionKeysByDimension { name partitionKeys } assetPartitionStatuses { __typename "
    "... on DefaultPartitionStatuses { materializedPartitions failedPartitions materializingPartitions } } } } }",
    "an asset's events": "{ assetOrError(assetKey: {path: %s}) { ... on Asset { assetMaterializations(limit: 100) { "
    "runId partition timestamp metadataEntries { label __typename } } } } }",
    "a partition's event": "{ assetNodeOrError(assetKey: {path: %s}) { ... on AssetNode { "
    "latestMaterializationByPartition(partitions: [\"%s\"]) { runId metadataEntries { label __typename "
    "... on MarkdownMetadataEntry { mdStr } } } } } }",
    "backfills": "{ partitionBackfillsOrError(limit: 25) { __typename ... on PartitionBackfills { results { id status "
    "numPartitions assetSelection { path } partitionNames } } } }",
    "backfill": "{ partitionBackfillOrError(backfillId: \"%s\") { __typename ... on PartitionBackfill { id status "
    "numPartitions assetBackfillData { assetBackfillStatuses { __typename "
    "... on AssetPartitionsStatusCounts { assetKey { path } numPartitionsTargeted "
    "numPartitionsMaterialized } } } } } }",
    "runs": "{ runsOrError(limit: 25) { ... on Runs { results { id status jobName startTime endTime tags { key value } "
    "assetSelection { path } } } } }",
}  # fmt: skip


def write(home: Path, shards: int) -> float:
    """Register shards and write the history of a build of all of them; seconds that it took."""
    if not (home / "registry").exists():
        histories.register(home, shards)
    begun = time.perf_counter()
    with instance_of(home) as instance, histories.made_definitions(home) as defs:
        partitions.open_partitions(instance, partitions.registry(home))
        keys = [shard.key for shard in partitions.registry(home).shards()]
        if not instance.get_runs(limit=1):
            each = min(SHARDS_PER_RUN, len(keys))
            first = histories.run(instance, defs, keys[:each])
            made = template(instance, first.run_id, keys[:each])
            for start in range(each, len(keys) - each + 1, each):
                write_run(instance, made, keys[start : start + each])
        if instance.get_backfill(BACKFILL) is None:
            _backfill(instance, keys)
    return time.perf_counter() - begun


def _backfill(instance: dg.DagsterInstance, keys: list[str]) -> None:
    from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

    asked = PartitionBackfill.from_asset_partitions(
        backfill_id=BACKFILL, asset_graph=build_defs().resolve_asset_graph(), partition_names=keys,
        asset_selection=keys_of(STAGES), backfill_timestamp=time.time(), tags={}, dynamic_partitions_store=instance,
        all_partitions=False, title=None, description=None, run_config=None,
    )  # fmt: skip
    # Ended, so that the daemon of the server takes up nothing while pages are looked at.
    instance.add_backfill(asked.with_status(BulkActionStatus.CANCELED))


def ask(address: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{address}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        found: dict[str, Any] = json.load(answer)
    if found.get("errors"):
        raise RuntimeError(found["errors"][0]["message"])
    return found


def asked(home: Path, address: str) -> dict[str, float]:
    """Seconds of each query, the second time it is asked; the first loads what the server keeps."""
    key = partitions.registry(home).shards()[-1].key
    (asset,) = keys_of([SHOWN])
    path = json.dumps(list(asset.path))
    fill = {2: (path, key)}
    found = {}
    for name, query in QUERIES.items():
        wanted = query.count("%s")
        given: tuple[str, ...] = fill.get(wanted, (path,))
        if name == "states of ten assets":  # the graph asks for those in sight, ten at a time
            shown = list(STAGES)[-10:]
            given = (", ".join(f"{{path: {json.dumps(list(own.path))}}}" for own in keys_of(shown)),)
        elif name == "backfill":
            given = (BACKFILL,)
        text = query % given[:wanted] if wanted else query
        ask(address, text)
        begun = time.perf_counter()
        ask(address, text)
        found[name] = time.perf_counter() - begun
        print(f"  {name}: {found[name]:.2f} s", file=sys.stderr, flush=True)
    return found


def opened(home: Path, address: str) -> dict[str, float]:
    """Seconds until each page shows what it is there for, in a browser that has just been started."""
    (asset,) = keys_of([SHOWN])
    place = "/".join(asset.path)
    key = partitions.registry(home).shards()[-1].key
    pages = {
        # With so many assets it shows groups, which open on a click.
        "global asset graph": ("asset-groups", "spatialmosaic"),
        "an asset's lineage": (f"assets/{place}?view=lineage&lineageScope=upstream", "keyframes"),
        "an asset's page": (f"assets/{place}", "Row count"),
        "an asset's partitions": (f"assets/{place}?view=partitions&partition={key}", "output_hash"),
        "backfill page": (f"runs/b/{BACKFILL}", "Canceled"),
        "runs page": ("runs", "Success"),
    }
    found = {}
    with devtools.page() as page:
        page.size(*browser.WINDOW, mobile=False)
        for name, (path, word) in pages.items():
            begun = time.perf_counter()
            page.open(f"{address}/{path}")
            until = begun + SHOWN_SECONDS
            shown = f"document.body.innerText.toLowerCase().includes({json.dumps(word.lower())})"
            while not page.ask(shown) and time.perf_counter() < until:
                time.sleep(0.1)
            found[name] = time.perf_counter() - begun
            print(f"  page {name}: {found[name]:.2f} s", file=sys.stderr, flush=True)
    return found


def ticks(home: Path) -> dict[str, float]:
    """Seconds of each sensor's and schedule's evaluation, the second time: a server has read the registry by then."""
    workspace = Workspace(home=str(home), workers=1)

    def night(instance: dg.DagsterInstance) -> Any:
        when = dg.build_schedule_context(instance=instance, scheduled_execution_time=_two_o_clock())
        return automation.rebuild_schedule(when, workspace=workspace)

    def sensor(which: Callable[..., Any], **given: Any) -> Callable[[dg.DagsterInstance], Any]:
        return lambda instance: which(dg.build_sensor_context(instance=instance), **given)

    evaluations = {
        "arrivals": sensor(automation.arrivals_sensor, workspace=workspace),
        "after_shards": sensor(automation.after_shards),
        "rebuild": night,
        "rebuild_rest": sensor(automation.rebuild_rest, workspace=workspace),
    }
    found = {}
    with instance_of(home) as instance:
        for name, evaluate in evaluations.items():
            evaluate(instance)
            begun = time.perf_counter()
            evaluate(instance)
            found[name] = time.perf_counter() - begun
    return found


def _two_o_clock() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 1, 2, 2, tzinfo=UTC)


def measured(home: Path, shards: int, in_postgres: bool) -> tuple[dict[str, float], ...]:
    with ExitStack() as stack:
        if in_postgres:
            postgres.write_yaml(home, stack.enter_context(postgres.server()))
        print(f"history of {shards:,} shards: {write(home, shards):.0f} s", file=sys.stderr, flush=True)
        of_ticks = ticks(home)
        address = stack.enter_context(browser.served(home))
        answers = asked(home, address)
        shown = opened(home, address) if shutil.which("chromium") else {}
    return answers, shown, of_ticks


def bars(shards: int = SHARDS) -> Iterator[Bar]:
    for name, in_postgres in (("SQLite", False), ("PostgreSQL", True)):
        with tempfile.TemporaryDirectory(prefix="pages-") as folder:
            answers, shown, of_ticks = measured(Path(folder) / "home", shards, in_postgres)
        for what, found, most in (
            ("GraphQL answers", answers, ANSWER),
            ("pages in chromium", shown, 2 * ANSWER),
            ("ticks", of_ticks, TICK),
        ):
            yield Bar(
                f"{what} over {shards:,} shards x {len(STAGES)} assets, {name}",
                f"< {most:g} s each",
                ", ".join(f"{key} {seconds:.2f} s" for key, seconds in found.items())
                or "chromium is not installed",
                bool(found) and max(found.values()) < most,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=SHARDS)
    parser.add_argument("--postgres", action="store_true", help="Keep the history in PostgreSQL.")
    parser.add_argument("--home", type=Path, help="Write the history here, or use what is there (SQLite).")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        answers, shown, of_ticks = measured(given.home or Path(folder) / "home", given.shards, given.postgres)
    for what, found in (("answers", answers), ("pages", shown), ("ticks", of_ticks)):
        for name, seconds in found.items():
            print(f"{what:<8} {name:<28} {seconds:>7.2f} s")


if __name__ == "__main__":
    main()
