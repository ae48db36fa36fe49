"""What a bar is: something required, what was measured, and whether that suffices; and the table of them."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

HEADINGS = ("bar", "required", "measured", "")


@dataclass(frozen=True)
class Bar:
    name: str
    required: str
    measured: str
    holds: bool


Measure = Callable[[], Iterable[Bar]]


def measure_all(measures: dict[str, Measure]) -> list[Bar]:
    """Run every measure; one that fails becomes a bar that does not hold, and the others go on."""
    bars: list[Bar] = []
    for name, measure in measures.items():
        begun = time.perf_counter()
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        try:
            bars += measure()
        except Exception as error:
            traceback.print_exc()
            bars.append(Bar(name, "runs to its end", f"{type(error).__name__}: {error}", False))
        print(f"  {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return bars


def table(bars: list[Bar]) -> Iterator[str]:
    """Lines of a Markdown table."""
    rows = [
        HEADINGS,
        *((bar.name, bar.required, bar.measured, "ok" if bar.holds else "FAILS") for bar in bars),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for number, row in enumerate(rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
