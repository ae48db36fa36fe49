"""Calls for one scene: each stage gets what is its own."""

from __future__ import annotations

import subprocess
import sys

from spatial_assets.engine.scene_calls import Call, Declared, attempt_all
from spatial_assets.scene.model import InputError
from spatial_assets.scene.parameters import Parameters
from spatial_assets.stages.stage import Shared

NAMES = ("a", "b", "c", "d", "e")


def test_results_stand_in_the_order_of_the_calls():
    def failing(name):
        def compute(loaded, parameters):
            raise InputError(f"{name}.txt", loaded, "unreadable")

        return compute

    calls = [
        Call(failing(name), Parameters(), Declared(name, (), f"rejects/{name}", f"quality/{name}", ()))
        for name in NAMES
    ]
    attempts = attempt_all(Shared("words", lambda inputs: "is cut short"), calls, None)
    assert [str(attempt.outcome) for attempt in attempts] == [f"{name}.txt: is cut short" for name in NAMES]


AT_THE_END = """
import duckdb
from spatial_assets.engine import scene_calls

duckdb.connect().execute("select {'a': [1, 2]} as x").fetchall()
list(scene_calls.attempts(None, [], None))
"""


def test_what_was_set_aside_is_taken_apart_at_the_end() -> None:
    """Else DuckDB's bindings list on stderr what they find alive when the interpreter ends."""
    done = subprocess.run([sys.executable, "-c", AT_THE_END], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
