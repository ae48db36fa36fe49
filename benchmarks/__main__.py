"""Runs the benchmarks: python -m benchmarks [NAME ...] [--json FILE]."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import (
    boxes,
    keyframes,
    memory,
    object_storage,
    rasterize,
    scene,
    scoring,
    structure,
    suites,
    tasks,
    view_sets,
)

BENCHMARKS = {
    "rasterize": rasterize,
    "keyframes": keyframes,
    "scene": scene,
    "memory": memory,
    "boxes": boxes,
    "scoring": scoring,
    "tasks": tasks,
    "suites": suites,
    "view_sets": view_sets,
    "structure": structure,
    "object_storage": object_storage,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed and size, side by side with named alternatives measured in the same run.",
        epilog="example: python -m benchmarks rasterize scene --json bench.json",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark named {name!r}; there are: {', '.join(BENCHMARKS)}")
    figures = {}
    for name in arguments.names or BENCHMARKS:
        print(f"\n{name}", flush=True)
        figures[name] = BENCHMARKS[name].run()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
