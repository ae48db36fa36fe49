"""What distributing costs: the same scenes by one process, and by two workers on the same two cores."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.bars import Bar
from benchmarks.builds import digest, register
from spatial_assets.studio.write import write_scenes

SUPPORT = Path(__file__).parents[1] / "tests" / "support"
SCENES, PER_SHARD, WORKERS = 24, 2, 2
SMALL = {"faces": 8_000, "frames": 20, "size": (160, 120)}
OVERHEAD = 1.15
BUILD_SECONDS = 1800


def overhead() -> Iterable[Bar]:
    """Both builds begin from nothing, with kernels compiled; workers are there when the second begins."""
    # Servers and workers are the tests' own.
    sys.path.insert(0, str(SUPPORT))
    from cluster_hosts import cluster, wait_until, why_no_servers

    reason = why_no_servers()
    if reason is not None:
        yield Bar("two workers against one process", f"at most {OVERHEAD} times", reason, False)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scenes(folder / "source", "scannet", SCENES, seed=3, **SMALL)
        for home in ("warm", "alone", "cluster"):
            register(folder / home, folder / "source", PER_SHARD)
        command = [sys.executable, "-m", "spatial_assets", "build", "--workers", "2"]
        warm = [*command, "--home", str(folder / "warm"), "--scene", first_scene(folder / "source")]
        subprocess.run(warm, check=True, capture_output=True)
        begun = time.perf_counter()
        subprocess.run([*command, "--home", str(folder / "alone")], check=True, capture_output=True)
        alone = time.perf_counter() - begun
        with cluster(folder / "cluster", folder / "logs") as made:
            for _ in range(WORKERS):
                made.add_worker()
            logs = [folder / "logs" / f"worker-{i}.log" for i in range(WORKERS)]
            wait_until(lambda: all("ready" in path.read_text() for path in logs), 120, "workers are ready")
            begun = time.perf_counter()
            status = made.build().wait(BUILD_SECONDS)
            spread = time.perf_counter() - begun
        same = digest(folder / "alone") == digest(folder / "cluster")
    yield Bar(
        f"{SCENES} scenes in {SCENES // PER_SHARD} shards by two workers against one process, {os.cpu_count()} cores",
        f"at most {OVERHEAD} times, same bytes",
        f"{spread:.0f} s against {alone:.0f} s: {spread / alone:.2f} times; bytes {'equal' if same else 'DIFFER'}",
        status == 0 and same and spread <= OVERHEAD * alone,
    )


def first_scene(root: Path) -> str:
    return min(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("_"))


MEASURES = {"several machines": overhead}
