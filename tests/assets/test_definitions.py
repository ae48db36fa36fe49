"""What Dagster is given as a whole: compared with the snapshot, and loaded by Dagster's own project tool."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
import tomllib

import definitions_snapshot
import pytest
import yaml

from spatial_assets import definitions
from spatial_assets.assets import shell

CHECKOUT = definitions_snapshot.SNAPSHOT.parents[2]


def test_definitions_are_those_that_were_agreed_on(monkeypatch, tmp_path):
    # How many shards a run takes follows from the workers of a home, and this one has none.
    monkeypatch.delenv(shell.SHARDS_VARIABLE, raising=False)
    monkeypatch.setenv("SPATIAL_ASSETS_HOME", str(tmp_path))
    shell.shards_per_backfill_run.cache_clear()
    held, now = definitions_snapshot.SNAPSHOT.read_text(encoding="utf-8"), definitions_snapshot.text()
    lines = difflib.unified_diff(held.splitlines(), now.splitlines(), "agreed", "now", lineterm="")
    assert held == now, "\n".join(
        [*lines, f"if that is meant: {definitions_snapshot.COMMAND}, and commit what it writes"]
    )


def test_dg_and_the_workspace_file_load_the_same_module():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"][
        "project"
    ]
    workspace = yaml.safe_load((CHECKOUT / "workspace.yaml").read_text(encoding="utf-8"))
    ((named,),) = [entry.values() for entry in workspace["load_from"]]
    assert project["code_location_target_module"] == named["module_name"] == definitions.__name__
    assert project["code_location_name"] == named["location_name"]


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [("check", "defs"), pytest.param(("list", "defs", "--json"), marks=pytest.mark.prove)],
    ids=" ".join,
)
def test_dg_loads_the_definitions(words, tmp_path):
    pytest.importorskip("dagster_dg_cli", reason="dagster-dg-cli is not installed; run make setup")
    command = [sys.executable, "-c", "from dagster_dg_cli.cli import main; main()", *words]
    environment = {**os.environ, "SPATIAL_ASSETS_HOME": str(tmp_path), "DAGSTER_HOME": ""}
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if "list" in words:
        assert '"spar/depth_prediction_oc"' in done.stdout
