"""Runs the benchmarks: python -m benchmarks [--json FILE]."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import rasterize


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed side by side with named alternatives, in one run; times in milliseconds per frame.",
        epilog="example: python -m benchmarks --json bench.json",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    figures = rasterize.run()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
