"""How long the demo takes where nothing is compiled yet: what a newcomer waits for after the set-up.

python -m benchmarks.demo
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bars import Bar

WANTED_SECONDS = {"draft": 75.0, "full": 90.0}
"""On two cores, set-up aside, by the quality of the pictures; the demo's own is the latter."""


def run() -> dict:
    """Measures and prints; returns the same as plain data."""
    found = {}
    for quality in WANTED_SECONDS:
        with tempfile.TemporaryDirectory() as folder:
            # numba's cache is empty, as on a fresh machine.
            environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(folder) / "numba")}
            home = str(Path(folder) / "home")
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "spatial_assets", "demo", "--home", home, "--quality", quality],
                env=environment, capture_output=True, text=True, check=True,
            )  # fmt: skip
            seconds = time.perf_counter() - begun
        last = done.stdout.strip().splitlines()[-1]
        print(f"demo, {quality} pictures, kernels not compiled: {seconds:.0f} s; last line: {last}")
        found[quality] = {"seconds": seconds, "last_line": last}
    return found


def bars() -> Iterator[Bar]:
    for quality, found in run().items():
        wanted = WANTED_SECONDS[quality]
        yield Bar(
            f"the demo on a fresh checkout, {quality} pictures, set-up aside, kernels not compiled yet",
            f"<= {wanted:g} s",
            f"{found['seconds']:.0f} s",
            found["seconds"] <= wanted,
        )


if __name__ == "__main__":
    run()
