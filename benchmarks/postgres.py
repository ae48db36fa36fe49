"""A PostgreSQL server for the time of a measurement, from Debian's package or pgserver's, as a user that may run it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sysconfig import get_path

import spatial_assets

NEEDED = "PostgreSQL's programs: apt-get install postgresql, or pip install pgserver"
USERS = ("postgres", "nobody")
"""Of whom one runs the server where this is root, as whom PostgreSQL refuses to."""
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "max_wal_size": "'2GB'",
    "synchronous_commit": "off",
}
"""All else as PostgreSQL ships it, and as docs/scale.md says: a commit of the history waits for no disk. A server that
loses power may lose its last half second, on which nothing rests that was computed."""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest of Debian's first; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    inside = Path(get_path("platlib")) / "pgserver" / "pginstall" / "bin"
    return inside if (inside / "initdb").exists() else None


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty database, gone afterwards."""
    bin_folder = programs()
    if bin_folder is None:
        raise FileNotFoundError(NEEDED)
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        data = Path(folder) / "data"
        as_user: list[str] = []
        if os.getuid() == 0:
            user = _user()
            shutil.chown(folder, user)
            as_user = ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"]
        subprocess.run(
            [*as_user, str(bin_folder / "initdb"), "-D", str(data), "-U", "dagster", "-A", "trust", "-E", "UTF8"],
            check=True, capture_output=True,
        )  # fmt: skip
        with (data / "postgresql.auto.conf").open("a") as file:
            settings = {**SETTINGS, "port": port, "unix_socket_directories": f"'{folder}'"}
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        control = [*as_user, str(bin_folder / "pg_ctl"), "-D", str(data), "-w"]
        subprocess.run([*control, "-l", str(data / "log"), "start"], check=True, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql+psycopg2://dagster@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL)


def _user() -> str:
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in USERS if name in known)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


OURS = Path(spatial_assets.__file__).parent / "cluster" / "postgres.py"
"""The project's own way of keeping the history there."""
YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
storage:
"""
SHIPPED = """\
  postgres:
    postgres_url: "{address}"
"""
CUSTOM = """\
  custom:
    module: spatial_assets.cluster.postgres
    class: SharedHistory
    config:
      postgres_url: "{address}"
"""


def write_yaml(home: Path, address: str) -> None:
    """A home's `dagster.yaml` that keeps the history in a database."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(
        YAML + (CUSTOM if OURS.exists() else SHIPPED).format(address=address)
    )
