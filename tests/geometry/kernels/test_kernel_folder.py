"""The folder of compiled kernels: what its name depends on, and when it is removed."""

from __future__ import annotations

import ast
import os
import shutil
import time
from functools import cache as once
from pathlib import Path

import pytest

from spatial_assets.geometry.kernels import cache
from spatial_assets.geometry.kernels.folder import (
    MARKER,
    PREFIX,
    UNUSED_DAYS,
    kernel_folder,
    kernel_sources,
    mark_used,
)

PACKAGE = cache.PACKAGE
DECORATORS = {
    "kernel",
    "numpy_kernel",
    "inlined",
    "intrinsic",
    "njit",
    "jit",
    "vectorize",
    "guvectorize",
    "overload",
}
SOURCE = "from spatial_assets.geometry.kernels.cache import kernel\n\n@kernel\ndef f(x):\n    return x\n"


@once
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def decorated(tree: ast.Module) -> set[str]:
    """Names of the decorators in a module, arguments and modules before them aside."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for found in node.decorator_list:
                called = found.func if isinstance(found, ast.Call) else found
                names.add(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return names


@pytest.mark.prove
def test_every_module_with_a_kernel_is_a_source():
    sources = set(kernel_sources(PACKAGE))
    with_kernels = {path for path in sorted(PACKAGE.rglob("*.py")) if decorated(tree_of(path)) & DECORATORS}
    assert PACKAGE / "geometry/kernels/table.py" in with_kernels
    assert PACKAGE / "studio/light.py" in with_kernels
    assert with_kernels <= sources
    # What has no kernel is not in it, or an edit of any line would compile everything again.
    assert PACKAGE / "geometry/cameras.py" not in sources
    assert PACKAGE / "scene/model.py" not in sources


def test_no_module_makes_kernels_past_the_decorators():
    """numba's own cache would serve them stale."""
    makers = ("njit", "jit", "vectorize", "guvectorize", "stencil", "cfunc")
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("numba"):
                assert not {alias.name for alias in node.names} & set(makers), path
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "numba":
                assert node.attr not in makers or path.name == "cache.py", path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package with a kernel, a module of the kernels' folder and one of neither."""
    root = tmp_path / "checkout" / "package"
    for name, text in {
        "geometry/boxes.py": SOURCE,
        "geometry/kernels/keys.py": "BITS = 26\n",
        "geometry/cameras.py": "import numpy as np\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def name_of(package: Path, *versions: str) -> str:
    return kernel_folder(Path("parent"), package, versions).name


@pytest.mark.parametrize("edited", ["geometry/boxes.py", "geometry/kernels/keys.py"])
def test_an_edit_of_any_source_changes_the_name(package, edited):
    before = name_of(package)
    text = (package / edited).read_text()
    (package / edited).write_text(text + "# another line\n")
    assert name_of(package) != before
    (package / edited).write_text(text)
    assert name_of(package) == before


@pytest.mark.parametrize(
    "line",
    [
        "from spatial_assets.geometry.kernels.cache import kernel",
        "from spatial_assets.geometry.kernels import cache",
        "from spatial_assets.geometry.kernels import (\n    cache,\n)",
        "import spatial_assets.geometry.kernels.cache",
        "from numba import njit",
        "import numba as nb",
        "from numba.extending import intrinsic",
        "if True:\n    from numba import njit",
    ],
)
def test_a_new_module_with_kernels_is_seen_without_being_listed(package, line):
    before = name_of(package)
    new = package / "tasks" / "core" / "enumerators.py"
    new.parent.mkdir(parents=True)
    new.write_text(line + "\n")
    assert name_of(package) != before
    assert new in kernel_sources(package)


def test_the_name_depends_on_nothing_else(package, tmp_path):
    before = name_of(package)
    (package / "geometry/cameras.py").write_text("import numpy as np\n\n# numba is not imported here\n")
    (package / "geometry/boxes.txt").write_text(SOURCE)
    assert name_of(package) == before
    shutil.copytree(package, tmp_path / "elsewhere")
    assert name_of(tmp_path / "elsewhere") == before
    assert name_of(package, "1.0") != before
    assert name_of(package, "1.0") != name_of(package, "1.1")
    (package / "geometry/boxes.py").rename(package / "geometry/solids.py")
    assert name_of(package) != before


def aged(folder: Path, days: float, marked: bool = True) -> Path:
    """A folder with a kernel in it, last used so many days ago."""
    folder.mkdir(parents=True)
    (folder / "a.kernel").write_bytes(b"code")
    then = time.time() - days * 86400
    if marked:
        (folder / MARKER).touch()
        os.utime(folder / MARKER, (then, then))
    os.utime(folder, (then, then))
    return folder


def test_what_was_not_used_for_two_weeks_is_removed(tmp_path):
    old = aged(tmp_path / f"{PREFIX}old", UNUSED_DAYS + 1)
    unmarked = aged(tmp_path / f"{PREFIX}unmarked", UNUSED_DAYS + 1, marked=False)
    recent = aged(tmp_path / f"{PREFIX}recent", UNUSED_DAYS - 1)
    fresh = aged(tmp_path / f"{PREFIX}fresh", 0, marked=False)
    others = aged(tmp_path / "librosa_0123", UNUSED_DAYS + 1)
    mine = tmp_path / f"{PREFIX}mine"
    mark_used(mine)
    assert (mine / MARKER).is_file()
    assert not old.exists()
    assert not unmarked.exists()
    assert (recent / "a.kernel").exists()
    assert (fresh / "a.kernel").exists()
    assert (others / "a.kernel").exists()


def test_a_folder_that_is_used_again_stays(tmp_path):
    mine = aged(tmp_path / f"{PREFIX}mine", UNUSED_DAYS + 1)
    mark_used(mine)
    mark_used(tmp_path / f"{PREFIX}another")
    assert (mine / "a.kernel").exists()


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    mark_used(tmp_path / "file" / f"{PREFIX}mine")
    assert (tmp_path / "file").is_file()


def test_a_folder_that_another_process_removes_meanwhile_is_no_error(tmp_path, monkeypatch):
    old = aged(tmp_path / f"{PREFIX}old", UNUSED_DAYS + 1)
    later = aged(tmp_path / f"{PREFIX}older", UNUSED_DAYS + 1)
    remove = shutil.rmtree

    def both(path, **options):
        for folder in (old, later):
            remove(folder, ignore_errors=True)
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", both)
    mark_used(tmp_path / f"{PREFIX}mine")
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}mine"]


def test_no_kernel_sets_a_slice_to_an_array():
    """Numba compiles a message about shapes with it, which takes a second of each process; a loop takes none."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if not decorated(tree_of(path)) & DECORATORS:
            continue
        for kernel in ast.walk(tree_of(path)):
            names = [getattr(one, "id", "") for one in getattr(kernel, "decorator_list", ())]
            if DECORATORS & set(names):
                found += [
                    f"{path.name}: {ast.unparse(node)}" for node in ast.walk(kernel) if _sets_arrays(node)
                ]
    assert found == []


def _sets_arrays(node: ast.AST) -> bool:
    """Whether it assigns to a slice what is no number written down."""
    if not isinstance(node, ast.Assign):
        return False
    pairs = [(target, node.value) for target in node.targets]
    for target, value in list(pairs):
        if isinstance(target, ast.Tuple):
            values = value.elts if isinstance(value, ast.Tuple) else [value] * len(target.elts)
            pairs += zip(target.elts, values, strict=True)
    return any(
        isinstance(target, ast.Subscript)
        and any(isinstance(part, ast.Slice) for part in ast.walk(target.slice))
        and not isinstance(value, ast.Constant)
        for target, value in pairs
    )
