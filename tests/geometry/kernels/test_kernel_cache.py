"""Compiled kernels on disk: never stale, shared by processes; whatever happens to the files costs only compiling."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from spatial_assets.geometry.kernels import cache
from spatial_assets.geometry.kernels.cache import KernelCache, kernel

CALLER = """
import numpy as np
from spatial_assets.geometry.kernels.cache import kernel
import kernel_constants
from kernel_constants import *

@kernel
def f(x):
    return {expression}
"""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes the kernel `f` of a module as a new process would, with the cache in a folder of the test's own."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cache, "FOLDER", tmp_path / "cache")
    monkeypatch.setattr(KernelCache.__init__, "__defaults__", (tmp_path / "cache",))

    def module(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, made)
        # Not by the loader, whose bytecode cache does not see two edits within one second.
        exec(compile(path.read_text(), str(path), "exec"), made.__dict__)
        return made

    def run(constants="", expression="x + 1"):
        module("kernel_constants", constants)
        return module("kernel_caller", CALLER.format(expression=expression)).f

    run.folder = tmp_path / "cache"
    return run


def hits(function) -> tuple[int, int]:
    """Signatures found on disk, and compiled."""
    stats = function.stats
    return sum(stats.cache_hits.values()), sum(stats.cache_misses.values())


def test_what_is_compiled_once_is_found(make):
    first = make()
    assert (first(1), hits(first)) == (2, (0, 1))
    second = make()
    assert (second(1), hits(second)) == (2, (1, 0))
    assert (second(1.5), hits(second)) == (2.5, (1, 1))
    third = make()
    assert (third(1.5), third(1), hits(third)) == (2.5, 2, (2, 0))
    assert sorted(path.suffix for path in make.folder.iterdir()) == ["", ".kernel", ".kernel"]


ENUM = "from enum import IntEnum\nclass Code(IntEnum):\n    SEEN = {}\n"
HELPER = (
    "from spatial_assets.geometry.kernels.cache import kernel\n@kernel\ndef helper(x):\n    return x + {}\n"
)


@pytest.mark.parametrize(
    ("constants", "expression"),
    [
        pytest.param("STEP = {}", "x + STEP", id="number"),
        pytest.param("STEP = {}", "x + kernel_constants.STEP", id="through its module"),
        pytest.param("STEPS = (0, ({}, 3))", "x + STEPS[1][0]", id="tuple"),
        pytest.param("import numpy as np\nSTEPS = np.array([0, {}])", "x + STEPS[1]", id="array"),
        pytest.param("import numpy as np\nSTEP = np.int64({})", "x + STEP", id="numpy number"),
        pytest.param(ENUM, "x + Code.SEEN", id="enumeration"),
        pytest.param(HELPER, "helper(x)", id="kernel of another file"),
        pytest.param(HELPER, "kernel_constants.helper(x)", id="kernel of another file through its module"),
        pytest.param("STEP = {}\n" + HELPER.format("STEP"), "helper(x)", id="constant of that kernel"),
        pytest.param("STEP = {}", "sum([STEP for _ in range(1)]) + x", id="within a comprehension"),
    ],
)
def test_an_edit_in_another_file_is_seen(make, constants, expression):
    """Of a file that numba's own check does not look at."""
    assert make(constants.format(10), expression)(1) == 11
    edited = make(constants.format(20), expression)
    assert edited(1) == 21
    again = make(constants.format(10), expression)
    assert (again(1), hits(again)) == (11, (1, 0))


MAKER = """
from spatial_assets.geometry.kernels.cache import kernel

def made(k):
    @kernel
    def g(x):
        return x + k
    return g
"""


def test_a_closure_is_told_from_another(make):
    for _ in range(2):
        make(MAKER, "x")
        made = sys.modules["kernel_constants"].made
        assert (made(10)(1), made(20)(1)) == (11, 21)


def test_a_function_edited_while_the_process_runs_is_kept_apart(make):
    """Where a module is loaded again after an edit, what is compiled belongs to the new text."""
    assert make(expression="x + 10")(1) == 11
    edited = make(expression="x + 20")
    assert (edited(1), hits(edited)) == (21, (0, 1))
    again = make(expression="x + 10")
    assert (again(1), hits(again)) == (11, (1, 0))


def test_kernels_given_as_arguments_are_not_kept(make):
    """Another process would take one for another."""
    apply = make(expression="x(3)")

    @kernel
    def one(x):
        return x + 1

    @kernel
    def two(x):
        return x + 2

    assert (apply(one), apply(two)) == (4, 5)
    assert not [path for path in make.folder.iterdir() if "kernel_caller" in path.name]


def test_a_kernel_without_a_file_works():
    space = {"kernel": kernel}
    exec("@kernel\ndef f(x):\n    return x + 1", space)
    assert space["f"](1) == 2
    assert hits(space["f"]) == (0, 1)


def test_a_kernel_that_calls_one_without_a_file_works(make):
    f = make("import numba\nexec('@numba.njit\\ndef g(x):\\n    return x + 1')", "g(x)")
    assert f(1) == 2
    assert not [path for path in make.folder.iterdir() if "kernel_caller" in path.name]


def between(monkeypatch, owner, name, action):
    """Has the action happen right before a method runs, each time; returns how often it did."""
    method, times = getattr(owner, name), []

    def instead(*args, **options):
        times.append(1)
        action()
        return method(*args, **options)

    monkeypatch.setattr(owner, name, instead)
    return times


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(KernelCache, "load_overload", id="before it is looked for"),
        pytest.param(Path, "read_bytes", id="while it is looked for"),
        pytest.param(KernelCache, "save_overload", id="between load and save"),
        pytest.param(Path, "write_bytes", id="once it is made for saving"),
        pytest.param(Path, "replace", id="before what is written gets its name"),
    ],
)
def test_a_folder_that_vanishes_costs_a_compile(make, monkeypatch, owner, name):
    make()(1)
    with monkeypatch.context() as patched:
        times = between(patched, owner, name, lambda: shutil.rmtree(make.folder, ignore_errors=True))
        f = make()
        assert (f(1), f(1.5)) == (2, 2.5)
        assert times
    after = make()
    assert (after(1), after(1.5)) == (2, 2.5)
    last = make()
    assert (last(1), last(1.5), hits(last)) == (2, 2.5, (2, 0))


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_damaged_file_costs_a_compile(make, kept):
    make()(1)
    (path,) = make.folder.glob("*.kernel")
    path.write_bytes(path.read_bytes()[:kept])
    f = make()
    assert (f(1), hits(f)) == (2, (0, 1))
    repaired = make()
    assert (repaired(1), hits(repaired)) == (2, (1, 0))


@pytest.mark.parametrize("place", [0, 15, 16, 200, 2000, -1])
def test_a_bit_that_is_not_what_it_was_costs_a_compile(make, place):
    make()(1)
    (path,) = make.folder.glob("*.kernel")
    held = bytearray(path.read_bytes())
    held[place] ^= 4
    path.write_bytes(held)
    f = make()
    assert (f(1), hits(f)) == (2, (0, 1))


def test_a_folder_that_cannot_be_made_costs_a_compile_and_is_told_once(make, caplog):
    make.folder.touch()
    with caplog.at_level(logging.WARNING, cache.__name__):
        f = make()
        assert (f(1), f(1.5)) == (2, 2.5)
    assert len(caplog.records) == 1
    assert "NUMBA_CACHE_DIR" in caplog.text
    assert make.folder.is_file()


def test_a_full_disk_leaves_nothing_half_written_and_is_told_once(make, monkeypatch, caplog):
    def full(path, data):
        path.touch()
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING, cache.__name__):
        patched.setattr(Path, "write_bytes", full)
        f = make()
        assert (f(1), f(1.5)) == (2, 2.5)
    assert [path.name for path in make.folder.iterdir()] == ["used"]
    assert len(caplog.records) == 1


def test_the_folder_is_marked_once_a_process(make, monkeypatch):
    marked = []
    monkeypatch.setattr(cache, "mark_used", marked.append)
    f = make()
    assert (f(1), f(1.5), make()(1)) == (2, 2.5, 2)
    assert marked == [make.folder]


def test_recompiling_forgets_what_was_kept(make):
    f = make()
    f(1)
    f.recompile()
    assert f(1) == 2
    assert len(list(make.folder.glob("*.kernel"))) == 1


SHARED = """
import sys, time
import numpy as np
from pathlib import Path
sys.path.insert(0, {folder!r})
from shared_kernels import outer
Path({folder!r}, "ready-" + sys.argv[1]).touch()
while not Path({folder!r}, "go").exists():
    time.sleep(0.001)
kinds = [np.float64, np.int64, np.float32, np.int32]
first = int(sys.argv[1])
for kind in kinds[first:] + kinds[:first]:
    assert outer(np.arange(4, dtype=kind)) == 12, kind
print(sum(outer.stats.cache_misses.values()))
"""
SHARED_KERNELS = """
from spatial_assets.geometry.kernels.cache import kernel

@kernel
def inner(x):
    return 2 * x

@kernel
def outer(values):
    total = 0.0
    for value in values:
        total += inner(value)
    return total
"""


def python(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env={**os.environ, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def answer(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.strip()


@pytest.mark.prove
def test_processes_that_compile_at_once_all_find_everything_afterwards(tmp_path):
    (tmp_path / "shared_kernels.py").write_text(SHARED_KERNELS)
    code, where = SHARED.format(folder=str(tmp_path)), {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    running = [python(code, str(i), **where) for i in range(4)]
    while len(list(tmp_path.glob("ready-*"))) < 4 and all(process.poll() is None for process in running):
        pass
    (tmp_path / "go").touch()
    for process in running:
        answer(process)
    assert answer(python(code, "0", **where)) == "0"
    (folder,) = (tmp_path / "cache").iterdir()
    assert not [path for path in folder.iterdir() if path.suffix not in ("", ".kernel")]


WHERE = """
import numba
from spatial_assets.geometry.kernels.cache import FOLDER
print(FOLDER)
print(numba.config.CACHE_DIR)
"""


@pytest.mark.slow
def test_a_folder_that_the_user_chose_stays_the_parent(tmp_path):
    chosen = python(WHERE, NUMBA_CACHE_DIR=str(tmp_path / "chosen"), XDG_CACHE_HOME=str(tmp_path / "home"))
    usual = python(WHERE, NUMBA_CACHE_DIR="", XDG_CACHE_HOME=str(tmp_path / "home"))
    folder, numbas = map(Path, answer(chosen).splitlines())
    assert folder.parent == tmp_path / "chosen"
    # Other packages' kernels stay where they were.
    assert numbas == tmp_path / "chosen"
    found = Path(answer(usual).splitlines()[0])
    assert found.name == folder.name
    if sys.platform == "linux":
        assert found.parent == tmp_path / "home" / "numba"


def test_options():
    assert numba.config.DISABLE_JIT == 0

    @cache.numpy_kernel
    def divided(x):
        return 1.0 / x

    @kernel
    def checked(x):
        return 1.0 / x

    assert divided(0.0) == np.inf
    with pytest.raises(ZeroDivisionError):
        checked(0.0)


def test_literals_make_no_versions_of_their_own(make):
    module = make("", "g(x, 0) + g(x, 1) + g(x, np.int64(2))")
    module.py_func.__globals__["g"] = added = kernel(_added)
    assert module(5) == 18
    assert [signature.args for signature in added.nopython_signatures] == [(numba.int64, numba.int64)]


def _added(one, other):
    return one + other
