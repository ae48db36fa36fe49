"""Dagster's daemon in a process of its own, backfills for it, and waiting until it is done."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager

from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionStatus,
    PartitionBackfill,
)

from benchmarks import process_groups
from spatial_assets.assets.keys import keys_of
from spatial_assets.definitions import build_defs

PATIENCE = 420
"""Seconds: the daemon's own ticks come every half minute, and a scene is taken after two of them."""


def backfill(instance, name, stages, keys):
    """Ask for the assets of the keys, as the UI's backfill button does."""
    instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            backfill_id=name,
            asset_graph=build_defs().resolve_asset_graph(),
            partition_names=keys,
            asset_selection=keys_of(stages),
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )


@contextmanager
def daemon_at_work(home):
    """The daemon with the home's sensors on; its log lies beside the home."""
    environment = {**os.environ, "DAGSTER_HOME": str(home / "dagster"), "SPATIAL_ASSETS_HOME": str(home)}
    log_path = home.with_name(f"{home.name}-daemon.log")
    with log_path.open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-m", "spatial_assets.definitions"],
            env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        except AssertionError as error:
            error.add_note(log_path.read_text(encoding="utf-8")[-3000:])
            raise
        finally:
            process_groups.interrupt(daemon)


def wait_until_all_is_done(instance):
    """Until the backfills and all runs have ended, none of them with a failure."""
    wait_for(lambda: all(item.status in BULK_ACTION_TERMINAL_STATUSES for item in instance.get_backfills()))
    assert {item.status for item in instance.get_backfills()} == {BulkActionStatus.COMPLETED_SUCCESS}
    wait_for(lambda: all(run.is_finished for run in instance.get_runs()))
    assert [run.job_name for run in instance.get_runs() if not run.is_success] == []


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(1)
