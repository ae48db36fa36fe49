"""Kernels compiled ahead: what is listed exists, is compiled once by whichever process, and found by the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import Future

import pytest

from spatial_assets.engine import compiling
from spatial_assets.lineage.code_versions import closure
from tests.support import kernel_types

MODULE = "spatial_assets.tasks.core.draws"
TWICE = f"""
import json
import numpy as np
from spatial_assets.engine.compiling import compile_for, compiled_ahead, lacking
from spatial_assets.lineage.code_versions import closure
from spatial_assets.tasks.core import draws

said, more = [], []
if __name__ == "__main__":
    group = closure(("{MODULE}",))
    before = lacking([group])
    with compiled_ahead(2, "{MODULE}"):
        compile_for(2, "{MODULE}", say=said.append)
        after = lacking([group])
    compile_for(2, "{MODULE}", say=more.append)
    draws._shuffle(np.uint64(1), np.uint64(2), 3)
    print(json.dumps([before, after, said, more, sum(draws._shuffle.stats.cache_misses.values())]))
"""


def test_what_is_listed_is_a_kernel_and_types():
    assert compiling._listed()
    for name, listed in compiling._listed().items():
        kernel = compiling._kernel(name)
        assert kernel is not None, name
        for written in listed:
            assert [compiling._written(one) for one in compiling._read_all(written)] == written, name
            assert len(written) == kernel.py_func.__code__.co_argcount, name


def test_what_has_no_name_is_not_written():
    from numba import types

    assert compiling._written(types.Omitted(1)) is None
    assert compiling._written(types.Tuple((types.int64, types.Omitted(1)))) is None


@pytest.mark.prove
def test_kernels_are_compiled_once_each_callees_first(tmp_path):
    script = tmp_path / "twice.py"
    script.write_text(TWICE)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    done = subprocess.run(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    before, after, said, more, misses = json.loads(done.stdout)
    mine = {name for name in compiling._listed() if name.startswith(f"{MODULE}.")}
    assert mine <= {name for name, _ in before}
    order = [name for name, _ in before]
    assert order.index(f"{MODULE}.mix_pair") < order.index(f"{MODULE}._mix_columns")
    assert after == more == []
    assert said == [f"compiling kernels: {number} of {len(before)}" for number in range(len(before))]
    assert misses == 0


def test_groups_come_one_after_another_and_all_others_last(monkeypatch):
    monkeypatch.setattr(compiling.KernelCache, "is_kept", lambda *_: False)
    first = ("spatial_assets.tasks.core.quota", "spatial_assets.tasks.core.draws")
    order = [name.rpartition(".")[0] in first for name, _ in compiling.lacking([first, None])]
    assert order == sorted(order, reverse=True)
    assert len(order) == sum(map(len, compiling._listed().values()))
    assert sum(order) == len(compiling.lacking([first])) > 1


def test_kernels_that_are_not_needed_any_more_are_not_waited_for(monkeypatch):
    waiting = Future()
    monkeypatch.setattr(compiling, "_given", {("kernel", 0): waiting})
    monkeypatch.setattr(compiling, "_give", lambda *_: [])
    with compiling.compiled_ahead(2):
        assert not waiting.cancelled()
    assert waiting.cancelled()


def test_a_list_that_does_not_fit_the_sources_stops_nothing(monkeypatch, caplog):
    def failing(*_):
        raise AttributeError("no kernel of that name")

    monkeypatch.setattr(compiling, "lacking", failing)
    monkeypatch.setattr(compiling, "_complete", set())
    compiling.compile_for(2, MODULE)
    assert "no kernel of that name" in caplog.text


@pytest.mark.prove
def test_the_list_is_what_scenes_and_stages_call():
    assert kernel_types.text(kernel_types.in_a_fresh_process()) == kernel_types.LIST.read_text()


def test_a_process_that_has_the_modules_asks_no_other(monkeypatch):
    """A small build on a machine where everything is compiled starts no processes for that."""
    monkeypatch.setattr(compiling, "in_processes", None)
    monkeypatch.setattr(compiling.KernelCache, "is_kept", lambda *_: True)
    assert compiling._lacking(2, [closure((MODULE,))], ()) == []
    monkeypatch.setattr(compiling.KernelCache, "is_kept", lambda *_: False)
    lacks = compiling._lacking(2, [closure((MODULE,))], ())
    assert lacks and compiling._lacking(2, [closure((MODULE,))], (MODULE,)) != lacks
