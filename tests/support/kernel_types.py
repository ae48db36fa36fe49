"""The kernels of the package and the types that they are called with, as `engine/compiling.json` lists them.

Run as a script it writes the list anew, from studio scenes made and built in one process where nothing is compiled
yet; takes two minutes: python tests/support/kernel_types.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LIST = Path(__file__).parents[2] / "spatial_assets" / "engine" / "compiling.json"
PACKAGE = "spatial_assets"
LAYOUT, FACES, FRAMES, SIZE = "scannet", 20_000, 40, (320, 240)
Listed = dict[str, list[list[Any]]]


def called() -> Listed:
    """What the package's kernels were called with in this process: by kernel, sorted."""
    from numba.core.dispatcher import Dispatcher

    from spatial_assets.engine.compiling import called_types
    from spatial_assets.geometry.kernels.cache import KernelCache

    kernels = {
        f"{value.py_func.__module__}.{value.py_func.__qualname__}": value
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] == PACKAGE
        for value in vars(module).values()
        if isinstance(value, Dispatcher) and isinstance(value._cache, KernelCache)
    }
    found = {name: sorted(called_types(kernels[name]), key=json.dumps) for name in sorted(kernels)}
    return {name: listed for name, listed in found.items() if listed}


def of_all_stages(home: Path) -> Listed:
    """What making scenes and every stage call, in this process."""
    from spatial_assets.assets.build import build
    from spatial_assets.assets.datasets import register
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.definitions import build_defs
    from spatial_assets.studio.picture_quality import QUALITIES
    from spatial_assets.studio.write import write_scenes

    for seed, quality in enumerate(QUALITIES):
        write_scenes(home / quality, LAYOUT, 1, seed, FACES, FRAMES, SIZE, lambda _: None, quality=quality)
        with instance_of(home) as instance:
            register(instance, home, LAYOUT, home / quality, quality)
    outcome = build(build_defs, home, workers=1)
    if outcome.errors or outcome.failed_runs:
        raise RuntimeError(f"{outcome.errors or outcome.failed_runs}")
    return called()


def in_a_fresh_process() -> Listed:
    """`of_all_stages` where nothing is compiled yet."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, f"{folder}/home"],
            env={**os.environ, "NUMBA_CACHE_DIR": f"{folder}/numba"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def text(listed: Listed) -> str:
    """A line for each way in which a kernel is called."""
    entries = (
        f"  {json.dumps(name)}: [\n" + ",\n".join(f"    {json.dumps(one)}" for one in ways) + "\n  ]"
        for name, ways in listed.items()
    )
    return "{\n" + ",\n".join(entries) + "\n}\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(of_all_stages(Path(sys.argv[1]).resolve())))
    else:
        LIST.write_text(text(in_a_fresh_process()), encoding="utf-8")
