"""Kernels are compiled once per machine, and never served stale."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from spatial_assets.geometry import frame_visibility, overlap_matrices, prepare_instances, prepare_mesh

MODULES = ["clusters", "instances", "overlap", "points", "raster_kernels"]
USE = """
import importlib, json, sys
import numpy as np
from numba.core.registry import CPUDispatcher
from spatial_assets.geometry import *
mesh = prepare_mesh(np.eye(3) + [0, 0, 2], [[0, 1, 2]])
k = np.array([[9.0, 0, 8], [0, 9, 8], [0, 0, 1]])
seen = frame_visibility(mesh, prepare_instances(mesh, np.array([1], np.int32)), k, np.eye(4), 16, 16)
face_id, depth = rasterize(mesh, k, np.eye(4), 16, 16)
overlap_matrices([seen.visible_faces], np.ones(1), np.zeros(1, np.int32))
point_visibility(np.eye(3), depth, k, np.eye(4), 0.1)
compiled = []
for name in sys.argv[1:]:
    for value in vars(importlib.import_module("spatial_assets.geometry." + name)).values():
        if isinstance(value, CPUDispatcher) and value.stats.cache_misses:
            compiled.append(value.py_func.__name__)
print(json.dumps([int((face_id >= 0).sum()), sorted(compiled)]))
"""


@pytest.mark.slow
def test_a_second_process_compiles_nothing():
    def run():
        done = subprocess.run(
            [sys.executable, "-c", USE, *MODULES], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run()
    pixels, compiled = ast.literal_eval(run())
    assert pixels > 0
    assert compiled == []


def kernels(module):
    return {n: v for n, v in vars(module).items() if isinstance(v, CPUDispatcher)}


@pytest.mark.parametrize("name", MODULES)
def test_kernels_use_nothing_from_another_file(name):
    """numba's cache looks at a kernel's own file only: another's kernel or constant would be used as it was."""
    module = importlib.import_module(f"spatial_assets.geometry.{name}")
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spatial_assets")
        for alias in node.names
    }
    found = kernels(module)
    assert found
    for kernel in found.values():
        assert kernel.py_func.__module__ == module.__name__
        assert not imported & set(kernel.py_func.__code__.co_names)


def test_kernels_release_the_lock_and_are_cached():
    mesh = prepare_mesh(np.eye(3) + np.array([0, 0, 2]), [[0, 1, 2]])
    frame_visibility(
        mesh,
        prepare_instances(mesh, np.array([1])),
        np.array([[9.0, 0, 8], [0, 9, 8], [0, 0, 1]]),
        np.eye(4),
        16,
        16,
    )
    overlap_matrices([], np.ones(1), np.zeros(1, np.int32))
    for name in MODULES:
        for kernel in kernels(importlib.import_module(f"spatial_assets.geometry.{name}")).values():
            assert kernel.targetoptions.get("nogil") is True
            assert not kernel.targetoptions.get("parallel")
            assert not kernel.targetoptions.get("fastmath")
            assert type(kernel._cache).__name__ == "FunctionCache"
