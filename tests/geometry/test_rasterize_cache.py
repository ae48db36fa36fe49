"""Kernels are compiled once per machine, and never served stale."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from spatial_assets import geometry
from spatial_assets.geometry import prepare_mesh
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.kernels.cache import PACKAGE, KernelCache
from spatial_assets.geometry.kernels.folder import kernel_sources
from spatial_assets.geometry.keyframes import keyframe_indices
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.visibility import frame_visibility, image_visibility

SOURCES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in kernel_sources(PACKAGE)
]
"""Modules that may hold kernels."""
USED = ("clusters", "instances", "keyframes", "overlap")
RASTERIZER = [name for name in SOURCES if ".kernels." in name or name.rpartition(".")[2] in USED]
USE = """
import importlib, json, sys
import numpy as np
from numba.core.registry import CPUDispatcher
from spatial_assets.geometry.instances import prepare_instances
from spatial_assets.geometry.keyframes import keyframe_indices
from spatial_assets.geometry.overlap import overlap_matrices
from spatial_assets.geometry.rasterize import prepare_mesh, rasterize
from spatial_assets.geometry.visibility import frame_visibility, image_visibility
mesh = prepare_mesh(np.eye(3) + [0, 0, 2], [[0, 1, 2]])
k = np.array([[9.0, 0, 8], [0, 9, 8], [0, 0, 1]])
seen = frame_visibility(mesh, prepare_instances(mesh, np.array([1], np.int32)), k, np.eye(4), 16, 16)
face_id, depth = rasterize(mesh, k, np.eye(4), 16, 16)
overlap_matrices([seen.visible_faces], np.ones(1), np.zeros(1, np.int32))
image_visibility(seen.instance_image, depth)
keyframe_indices(np.eye(4)[None], 0.2, 12.0)
compiled = []
for name in sys.argv[1:]:
    for value in vars(importlib.import_module(name)).values():
        if isinstance(value, CPUDispatcher) and value.stats.cache_misses:
            compiled.append(value.py_func.__name__)
print(json.dumps([int((face_id >= 0).sum()), sorted(compiled)]))
"""


@pytest.mark.prove
def test_a_second_process_compiles_nothing():
    def run():
        done = subprocess.run(
            [sys.executable, "-c", USE, *RASTERIZER], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run()
    pixels, compiled = ast.literal_eval(run())
    assert pixels > 0
    assert compiled == []


TOUCH = """
import numpy as np
from spatial_assets.geometry import boxes
from spatial_assets.scene.model import Box
near, far = (Box(np.full(3, at), np.ones(3), np.eye(3)) for at in (0.0, 4.0))
print(boxes.boxes_overlap(near, far), sum(boxes._boxes_overlap.stats.cache_hits.values()))
"""
PLACE = """
import numpy as np
from spatial_assets.geometry.kernels import culling
rectangle = np.zeros(4, np.int32)
culling.box_on_screen(np.eye(4)[:3], np.array([0, 0, 9.0]), np.ones(3), 0.1, 16, 16, rectangle)
print(rectangle[0], sum(culling.box_on_screen.stats.cache_hits.values()))
"""
RANK = """
from spatial_assets.tasks.core.ranking import rank
print(rank(1), sum(rank.stats.cache_hits.values()))
"""
RANKING = """
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.draws import {names}

@kernel
def rank(x):
    return {value}
"""


@pytest.fixture
def copy(tmp_path):
    """A copy of what the kernels need of the package, to be edited."""
    package = Path(geometry.__file__).parent.parent
    root = tmp_path / "spatial_assets"
    root.mkdir()
    shutil.copy(package / "__init__.py", root / "__init__.py")
    for name in ("geometry", "scene"):
        shutil.copytree(package / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def run(copy, code):
    """What a process prints that imports the copy, with a cache of its own, and how many kernels it found there."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy.parent),
        "NUMBA_CACHE_DIR": str(copy.parent / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=copy.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    printed, hits = done.stdout.split()
    return printed, int(hits)


@pytest.mark.slow
@pytest.mark.prove
def test_an_edited_kernel_is_never_served_from_the_old_cache(copy):
    """The edit is to a kernel that the called one calls."""
    assert run(copy, TOUCH) == ("False", 0)
    assert run(copy, TOUCH) == ("False", 1)
    source = copy / "geometry/boxes.py"
    text = source.read_text()
    head, body = text.split("def _contact_slack", 1)
    assert body.count("return ") > 1
    source.write_text(f"{head}def _contact_slack{body.replace('return ', 'return 9 + ', 1)}")
    assert run(copy, TOUCH) == ("True", 0)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("    return int(np.ceil(max(", "    return 1 + int(np.ceil(max(", id="kernel"),
        pytest.param("BOUND_SLACK = 1.0 / (1 << 16)", "BOUND_SLACK = -1.0", id="constant"),
    ],
)
def test_an_edit_in_another_file_is_never_served_from_the_old_cache(copy, old, new):
    """Which numba by itself would not notice."""
    assert run(copy, PLACE) == ("0", 0)
    assert run(copy, PLACE) == ("0", 1)
    source = copy / "geometry/kernels/faces.py"
    text = source.read_text()
    assert text.count(old) == 1
    source.write_text(text.replace(old, new))
    assert run(copy, PLACE) == ("1", 0)
    # Both are kept, each under its own name.
    source.write_text(text)
    assert run(copy, PLACE) == ("0", 1)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("names", "value", "before", "after"),
    [
        pytest.param(
            "draw",
            "draw(x)",
            "from spatial_assets.geometry.kernels.cache import kernel\n@kernel\ndef draw(x):\n    return 10\n",
            "from spatial_assets.geometry.kernels.cache import kernel\n@kernel\ndef draw(x):\n    return 20\n",
            id="kernel",
        ),
        pytest.param("STEP", "STEP", "STEP = 10\n", "STEP = 20\n", id="constant of a module without kernels"),
    ],
)
def test_kernels_elsewhere_in_the_package_are_covered(copy, names, value, before, after):
    """In folders that no list names."""
    core = copy / "tasks" / "core"
    core.mkdir(parents=True)
    for folder in (core.parent, core):
        (folder / "__init__.py").touch()
    (core / "ranking.py").write_text(RANKING.format(names=names, value=value))
    (core / "draws.py").write_text(before)
    assert run(copy, RANK) == ("10", 0)
    assert run(copy, RANK) == ("10", 1)
    (core / "draws.py").write_text(after)
    assert run(copy, RANK) == ("20", 0)


VANISH = """
import shutil
import numpy as np
from spatial_assets.geometry.kernels.cache import FOLDER
from spatial_assets.geometry.kernels.faces import first_center, last_center
print(first_center(0.5))
assert FOLDER.is_dir()
shutil.rmtree(FOLDER)
print(last_center(9.5, 16), sum(k.stats.cache_hits[s] for k in (first_center, last_center) for s in k.signatures))
"""


@pytest.mark.prove
@pytest.mark.slow
def test_a_folder_that_vanishes_while_in_use_costs_a_compile(copy):
    code = "import builtins\nlines = []\nprint = lambda *a: lines.extend(a)\n" + VANISH
    code += "builtins.print(','.join(map(str, lines[:2])), lines[2])\n"
    assert run(copy, code) == ("1,9", 0)
    # The second kernel was kept: the folder came back. The first is compiled anew.
    assert run(copy, code) == ("1,9", 0)
    (folder,) = (copy.parent / "cache").iterdir()
    assert len(list(folder.glob("*last_center*"))) == 1
    assert not list(folder.glob("*first_center*"))


def kernels(module):
    return {n: v for n, v in vars(module).items() if isinstance(v, CPUDispatcher)}


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
    image_visibility(np.zeros((2, 2), int))
    keyframe_indices(np.eye(4)[None], 0.2, 12.0)
    every = [kernel for name in SOURCES for kernel in kernels(importlib.import_module(name)).values()]
    assert len(every) > 100
    for kernel in every:
        assert kernel.targetoptions.get("nogil") is True
        assert not kernel.targetoptions.get("parallel")
        assert not kernel.targetoptions.get("fastmath")
        assert isinstance(kernel._cache, KernelCache)
