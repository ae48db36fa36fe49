"""The audit's table as people read it: a line a task and format, a small plot, a page, and a part of the gallery.

The table is read where it stands; nothing is attacked here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from spatial_assets.report.html import TEMPLATES, asset, render
from spatial_assets.report.plots import (
    ACCENT,
    BORDER,
    FAINT,
    INK,
    MUTED,
    SECOND,
    SMALL_SIZE,
    TITLE_HEIGHT,
    canvas,
    font,
    png,
    shortened,
    title,
)
from spatial_assets.storage.shortcut_table import FAILS, VERDICTS, Line, judged, lines, residue

WIDTH, ROW, NAME_WIDTH, VALUE_WIDTH = 460, 16, 200, 34
"""Of the plot, in pixels."""


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def points(over: float | None) -> str:
    """Percentage points, with a sign."""
    return "-" if over is None else f"{100 * over:+.1f}"


def interval(row: dict[str, Any]) -> str:
    return "-" if row["low"] is None else f"{percent(row['low'])} to {percent(row['high'])}"


def markdown(found: Sequence[Line]) -> str:
    """A Markdown table of what decides each task that can fail."""
    heads = (
        "task",
        "format",
        "verdict",
        "strongest attack",
        "right %",
        "95 %",
        "chance %",
        "frequency %",
        "over",
        "rows",
    )
    table = [heads, ("---",) * len(heads)]
    table += [
        (
            line.task,
            line.format,
            line.verdict,
            row["attack"],
            percent(row["accuracy"]),
            interval(row),
            percent(row["chance"]),
            percent(row["frequency"]),
            points(row["over"]),
            f"{row['rows']:,}",
        )
        for line in judged(found)
        for row in [line.strongest]
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def picture(found: Sequence[Line], name: str = "answered without looking") -> bytes:
    """A PNG of a few kilobytes: each barred attack on each task that can fail, with its interval, beside chance."""
    shown = judged(found)
    image, draw = canvas(WIDTH, TITLE_HEIGHT + ROW * max(len(shown), 1) + ROW + BORDER)
    title(draw, name, WIDTH)
    left, right = BORDER + NAME_WIDTH, WIDTH - BORDER - VALUE_WIDTH
    bottom = TITLE_HEIGHT + ROW * len(shown)

    def across(share: float) -> float:
        return left + (right - left) * min(max(share, 0.0), 1.0)

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((across(tick), TITLE_HEIGHT, across(tick), bottom), FAINT)
        label = f"{100 * tick:.0f}"
        half = draw.textlength(label, font(SMALL_SIZE)) / 2
        draw.text((across(tick) - half, bottom + 3), label, MUTED, font(SMALL_SIZE))
    for index, line in enumerate(shown):
        top = TITLE_HEIGHT + index * ROW
        middle = top + ROW // 2
        text = shortened(f"{line.task}, {line.format}", NAME_WIDTH - 8, SMALL_SIZE)
        draw.text((BORDER, top + 2), text, INK, font(SMALL_SIZE))
        for level in (line.strongest["chance"], line.strongest["frequency"]):
            if level is not None:
                draw.line((across(level), top + 3, across(level), top + ROW - 4), MUTED)
        for row in line.attacks:
            if row["barred"] and row["accuracy"] is not None:
                color = SECOND if row["verdict"] == FAILS else ACCENT
                x = across(row["accuracy"])
                draw.line((across(row["low"]), middle, across(row["high"]), middle), color)
                draw.ellipse((x - 2, middle - 2, x + 2, middle + 2), fill=color)
        worst = percent(line.strongest["accuracy"])
        draw.text((right + 8, top + 2), worst, SECOND if line.verdict == FAILS else INK, font(SMALL_SIZE))
    return png(image)


def page(table: pl.DataFrame, what: str) -> str:
    """One HTML page that needs nothing from elsewhere; `what` says which rows were attacked."""
    return render(
        TEMPLATES,
        "shortcut_page.html.jinja",
        style=asset(TEMPLATES, "gallery.css"),
        what=what,
        shortcuts=view(table),
    )


@dataclass(frozen=True)
class View:
    """What the templates print of the table."""

    lines: Sequence[Line]
    verdicts: Sequence[tuple[str, int]]
    residue: Sequence[dict[str, Any]]


def view(table: pl.DataFrame) -> View:
    found = lines(table)
    counts = [(name, sum(line.verdict == name for line in found)) for name in VERDICTS]
    return View(found, [(name, count) for name, count in counts if count], residue(found))
