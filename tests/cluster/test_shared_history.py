"""The history in PostgreSQL: what is said of an address that does not do, and what one process keeps open."""

from __future__ import annotations

import builtins
import importlib
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from spatial_assets.cluster import postgres
from spatial_assets.cluster.postgres import SharedHistory, once_more, with_driver, without_password
from spatial_assets.scene.model import InputError

pgserver = pytest.importorskip("pgserver")


@pytest.mark.parametrize("address", ["", "here", "mysql://user@host/database"])
def test_what_is_no_address_is_named(address):
    with pytest.raises(InputError, match=r"^SPATIAL_ASSETS_POSTGRES: is not an address as postgresql://"):
        SharedHistory(address)


@pytest.mark.parametrize(
    "password", ["s3c@ret", "s3c/ret", "12/s3c#ret", "s3c?ret", "s3c#ret", "[s3c]ret", "12?s3cret"]
)
def test_an_address_that_can_be_read_in_two_ways_is_told_of_without_any_part_of_it(password):
    for server in ("h.invalid:5432", "h.invalid"):
        with pytest.raises(InputError) as raised:
            SharedHistory(f"postgresql://user:{password}@{server}/db")
        assert "percent-encode the password" in str(raised.value)
        for part in ("s3c", "ret@", "user:1", server):
            assert part not in str(raised.value)


def test_a_port_that_is_no_number_is_told_of():
    with pytest.raises(InputError, match="the port as a number"):
        SharedHistory("postgresql://user:secret@host:54x32/db")


def test_a_password_among_the_options_is_not_shown():
    shown = without_password("postgresql://u@/db?host=/tmp/socket&password=secret&sslpassword=other")
    assert "/tmp/socket" in shown.replace("%2F", "/")
    assert "secret" not in shown
    assert "other" not in shown


def test_a_server_that_does_not_answer_is_named_without_its_password(monkeypatch):
    monkeypatch.setattr(postgres, "retry_pg_connection_fn", lambda function, *_: function())
    with pytest.raises(InputError) as raised:
        SharedHistory("postgresql://user:secret@127.0.0.1:1/history")
    assert "user:***@127.0.0.1:1/history: the history's database cannot be opened" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_server_that_takes_a_connection_and_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(postgres, "retry_pg_connection_fn", lambda function, *_: function())
    monkeypatch.setitem(postgres.LIMITS, "connect_timeout", "2")  # the least that libpq takes
    told = pytest.raises(InputError, match=r"cannot be opened \(.*timeout expired")
    with socket.create_server(("127.0.0.1", 0)) as silent, told:
        SharedHistory(f"postgresql://user:secret@127.0.0.1:{silent.getsockname()[1]}/history")


def asked_for(address):
    """What the driver is told when a connection is opened."""
    engine = postgres.kept_open(postgres.completed(address))
    told = {}

    @event.listens_for(engine, "do_connect")
    def connecting(dialect, record, arguments, named):
        told.update(named)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        engine.connect()
    return told


def test_connections_have_limits_and_an_address_may_say_others():
    told = asked_for("postgresql://user:a%2Fb%40@10.0.0.1/history?sslmode=require")
    assert postgres.LIMITS.items() <= told.items()
    assert (told["password"], told["sslmode"]) == ("a/b@", "require")
    assert told["options"] == "-c synchronous_commit=off"
    address = "postgres://user@host/history?connect_timeout=30&options=-c%20synchronous_commit%3Don"
    told = asked_for(address)
    assert told["connect_timeout"] == "30"
    assert told["tcp_user_timeout"] == postgres.LIMITS["tcp_user_timeout"]
    assert told["options"] == "-c synchronous_commit=off -c synchronous_commit=on", "the last goes"


def test_addresses_name_the_driver_that_is_there():
    assert with_driver("postgresql://a@b/c") == "postgresql+psycopg2://a@b/c"
    assert with_driver("postgres://a@b/c") == "postgresql+psycopg2://a@b/c"
    assert with_driver("postgresql+psycopg://a@b/c") == "postgresql+psycopg://a@b/c"


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("dagster_postgres"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, postgres.__name__)
    with pytest.raises(InputError, match=r"run: pip install 'spatial-assets\[cluster\]'"):
        importlib.import_module(postgres.__name__)


@pytest.mark.prove
def test_a_process_keeps_its_connections_and_outlives_a_restart(own_environment, tmp_path, monkeypatch):
    import dagster as dg
    from first_starts import SHARED, one
    from pgserver._commands import pg_ctl
    from sqlalchemy import text

    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    server = pgserver.get_server(folder / "data")
    monkeypatch.setenv("SPATIAL_ASSETS_POSTGRES", server.get_uri())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(SHARED)
    try:
        with dg.DagsterInstance.get() as instance:
            runs = instance.run_storage
            assert isinstance(runs, postgres.Runs)
            assert dg.materialize([one], instance=instance).success

            def connections() -> set[int]:
                with runs._engine.connect() as connection:
                    wanted = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    return {row[0] for row in connection.execute(text(wanted))}

            held = connections()
            assert len(held) <= postgres.CONNECTIONS
            assert dg.materialize([one], instance=instance).success
            assert connections() == held
            pg_ctl(["-w", "-m", "fast", "restart"], pgdata=server.pgdata, user=server.system_user)
            assert dg.materialize([one], instance=instance).success
            assert connections().isdisjoint(held)
            assert len(instance.get_runs()) == 3
        assert runs._engine.pool.checkedin() == 0
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def test_what_lost_its_connection_is_done_once_more():
    def done(error):
        calls.append(error)
        if len(calls) == 1:
            raise error
        return len(calls)

    lost = DBAPIError("INSERT", {}, Exception("server closed the connection"), connection_invalidated=True)
    wrong = DBAPIError("INSERT", {}, Exception("no such table"))
    calls = []
    assert once_more(done)(lost) == 2
    calls = []
    with pytest.raises(DBAPIError, match="no such table"):
        once_more(done)(wrong)
    assert len(calls) == 1
