"""Opens fresh homes, one after the other, at the same moment as others do; run as a script by several processes.

python first_starts.py WHO: each line of standard input names a home, and where its history is in PostgreSQL the
database's address; `good` or what went wrong is printed. FIRST_STARTS_WITHOUT_DOOR shows what would happen without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from dagster._core.instance import DagsterInstance

from spatial_assets.assets import history, instance

SHARED = """
telemetry: {enabled: false}
storage:
  custom:
    module: spatial_assets.cluster.postgres
    class: SharedHistory
    config: {postgres_url: {env: SPATIAL_ASSETS_POSTGRES}}
"""


@dg.asset
def one() -> int:
    return 1


def as_web_server(_: Path) -> None:
    with DagsterInstance.get() as opened:
        opened.optimize_for_webserver(statement_timeout=15_000, pool_recycle=3600, max_overflow=20)
        opened.get_runs(limit=5)
        opened.all_asset_keys()
        opened.all_instigator_state()


def as_daemon(_: Path) -> None:
    from dagster._daemon.types import DaemonHeartbeat

    with DagsterInstance.get() as opened:
        opened.add_daemon_heartbeat(DaemonHeartbeat(1.0, "SENSOR", "here", []))
        opened.all_instigator_state()
        opened.get_runs(limit=5)
        assert "SENSOR" in opened.get_daemon_heartbeats()


def as_command(home: Path) -> None:
    with instance.instance_of(home) as opened:
        assert dg.materialize([one], instance=opened).success
        assert opened.get_latest_materialization_event(one.key) is not None


WHO: dict[str, Callable[[Path], None]] = {
    "web server": as_web_server,
    "daemon": as_daemon,
    "command": as_command,
    "another command": as_command,
}


def main(who: str) -> None:
    print("ready", flush=True)
    for line in sys.stdin:
        home, address = (*line.rstrip("\n").split(" "), "")[:2]
        os.environ["DAGSTER_HOME"] = f"{home}/dagster"
        os.environ["SPATIAL_ASSETS_POSTGRES"] = address
        try:
            WHO[who](Path(home))
            print("good", flush=True)
        except Exception as error:
            print(" ".join(f"{type(error).__name__}: {error}".split()), flush=True)


if __name__ == "__main__":
    if os.environ.get("FIRST_STARTS_WITHOUT_DOOR"):
        from contextlib import nullcontext

        history.Door.passing = lambda _: nullcontext()
    main(sys.argv[1])
