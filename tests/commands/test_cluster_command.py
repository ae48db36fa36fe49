"""`worker` and `build --on cluster` say in one line what is missing; one machine alone never loads their packages."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from importlib import metadata

import pytest
from click.testing import CliRunner

from spatial_assets.assets.instance import BROKER_VARIABLE, POSTGRES_VARIABLE, instance_of
from spatial_assets.cli import main
from spatial_assets.cluster import worker as working
from spatial_assets.cluster.launcher import Launcher
from spatial_assets.scene.model import InputError
from spatial_assets.storage.shipped import shipped

pytestmark = pytest.mark.usefixtures("own_environment")
ALONE = """
import sys
import spatial_assets.cli, spatial_assets.definitions, spatial_assets.assets.build
extra = {"celery", "kombu", "redis", "dagster_celery", "dagster_postgres", "psycopg2"}
print(sorted(extra & set(sys.modules)), [name for name in sys.modules if name.startswith("spatial_assets.cluster")])
"""
NOWHERE = "127.0.0.1:1"


def invoke(*words, **variables):
    return CliRunner().invoke(
        main, list(words), env={POSTGRES_VARIABLE: "", BROKER_VARIABLE: "", **variables}
    )


def one_line(done):
    assert done.exit_code == 1, done.output
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture
def home(tmp_path):
    """A home with a dataset registered, of no machine yet."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def registered(home, small_scannet):
    done = invoke("register", "scannet", str(small_scannet), "--home", str(home))
    assert done.exit_code == 0, done.output


@pytest.fixture
def small_scannet(tmp_path):
    from tiny import write_scannet

    write_scannet(tmp_path / "source", frames=2)
    return tmp_path / "source"


def test_help_has_an_example():
    for words in (("worker",), ("build",), ("ui",)):
        done = invoke(*words, "--help")
        assert done.exit_code == 0
        assert "Example: spatial-assets" in done.output
    assert "--on [here|cluster]" in invoke("build", "--help").output
    assert "127.0.0.1" in invoke("ui", "--help").output


def test_what_one_machine_does_loads_none_of_it():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[] []"


def test_a_worker_without_a_broker_says_which_variable(home):
    assert f"set {BROKER_VARIABLE}" in one_line(invoke("worker", "--home", str(home)))


def test_a_worker_whose_broker_does_not_answer_names_it_without_its_password(home):
    line = one_line(
        invoke("worker", "--home", str(home), **{BROKER_VARIABLE: f"redis://:hidden@{NOWHERE}/0"})
    )
    assert NOWHERE in line
    assert "hidden" not in line


def test_a_worker_whose_broker_takes_the_connection_and_says_nothing_gives_up(home, monkeypatch):
    monkeypatch.setattr(working, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis://:hidden@127.0.0.1:{silent.getsockname()[1]}/0"
        line = one_line(invoke("worker", "--home", str(home), **{BROKER_VARIABLE: address}))
    assert "does not answer" in line


@pytest.mark.parametrize("password", ["s3c@ret", "s3c/ret", "12/s3c#ret", "s3c#ret", "12?s3cret"])
def test_a_password_that_is_not_encoded_is_told_of_without_any_part_of_it(home, password):
    address = f"redis://:{password}@{NOWHERE}/0"
    line = one_line(invoke("worker", "--home", str(home), **{BROKER_VARIABLE: address}))
    assert line.startswith(f"error: {BROKER_VARIABLE}: is not an address as redis://")
    assert "percent-encode the password" in line
    assert "s3c" not in line
    with pytest.raises(InputError) as raised:
        Launcher(address)
    assert "s3c" not in str(raised.value)


def test_a_password_that_is_encoded_is_read(home):
    address = f"redis://:s3c%2Fre%40t@{NOWHERE}/0"
    line = one_line(invoke("worker", "--home", str(home), **{BROKER_VARIABLE: address}))
    assert f"the broker at redis://{NOWHERE}/0 does not answer" in line


def test_a_size_of_memory_that_is_none(home):
    assert "'8Q' is no size of memory" in one_line(invoke("worker", "--home", str(home), "--memory", "8Q"))


def test_a_home_of_one_machine_is_not_built_by_workers(home, small_scannet):
    registered(home, small_scannet)
    line = one_line(invoke("build", "--on", "cluster", "--home", str(home)))
    assert "dagster.yaml: is of one machine" in line
    assert "deploy/dagster.yaml" in line


def test_a_home_of_several_machines_says_which_variable_is_missing(home, small_scannet):
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text(shipped("deploy/dagster.yaml").read_text())
    line = one_line(invoke("register", "scannet", str(small_scannet), "--home", str(home)))
    assert f"dagster.yaml: is of several machines: set {POSTGRES_VARIABLE}" in line


def test_a_home_of_several_machines_may_have_its_addresses_in_its_file(home, small_scannet):
    (home / "dagster").mkdir()
    text = shipped("deploy/dagster.yaml").read_text()
    for name, address in ((POSTGRES_VARIABLE, "postgresql://a:hidden@"), (BROKER_VARIABLE, "redis://")):
        text = re.sub(rf":\s*env: {name}", f": {address}{NOWHERE}/c", text)
    assert "env:" not in text
    (home / "dagster" / "dagster.yaml").write_text(text)
    line = one_line(invoke("register", "scannet", str(small_scannet), "--home", str(home)))
    assert NOWHERE in line
    assert "set SPATIAL" not in line
    assert "hidden" not in line


def test_a_home_of_several_machines_says_what_to_install(home, monkeypatch, small_scannet):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    addresses = {POSTGRES_VARIABLE: f"postgresql://a:b@{NOWHERE}/c", BROKER_VARIABLE: f"redis://{NOWHERE}"}
    (home / "dagster").mkdir()
    (home / "dagster" / "dagster.yaml").write_text(shipped("deploy/dagster.yaml").read_text())
    for words in (
        ("register", "scannet", str(small_scannet)),
        ("worker",),
        ("build", "--on", "cluster"),
    ):
        line = one_line(invoke(*words, "--home", str(home), **addresses))
        assert "pip install 'spatial-assets[cluster]'" in line, words


def test_a_new_home_is_of_several_machines_where_their_history_is_named(home, monkeypatch):
    monkeypatch.setenv(POSTGRES_VARIABLE, f"postgresql://a:hidden@{NOWHERE}/c")
    monkeypatch.setenv(BROKER_VARIABLE, f"redis://{NOWHERE}")
    monkeypatch.setattr(
        "spatial_assets.assets.instance.dg.DagsterInstance.from_config", lambda folder: folder
    )
    instance_of(home)
    assert (home / "dagster" / "dagster.yaml").read_text() == shipped("deploy/dagster.yaml").read_text()


@pytest.mark.parametrize(
    ("part", "module"), [("both", "dagster"), ("web", "dagster_webserver"), ("daemon", "dagster._daemon")]
)
def test_web_server_and_daemon_may_run_apart(home, monkeypatch, part, module):
    ran = []
    monkeypatch.setattr("spatial_assets.cli.os.execv", lambda _, words: ran.append(words))
    done = invoke("ui", "--part", part, "--home", str(home))
    assert done.exit_code == 0, done.output
    (words,) = ran
    assert words[1:3] == ["-m", module]
    assert "spatial_assets.definitions" in words
    assert ("127.0.0.1" in words) == (part != "daemon")
    assert (home / "dagster" / "dagster.yaml").exists(), "written before anybody opens it"
