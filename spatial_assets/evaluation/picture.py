"""A run's small plot, for the event log: every score with its interval, beside chance."""

from __future__ import annotations

import polars as pl

from spatial_assets.evaluation.names import grouped
from spatial_assets.evaluation.scored import LEVEL, TASK
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.report.plots import (
    ACCENT,
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

WIDTH, ROW, BORDER = 420, 16, 12
NAME_WIDTH, VALUE_WIDTH = 160, 34
LIGHTENED = 0.65
"""How far an interval's color is moved from that of its score toward white."""


def run_picture(result: Result) -> bytes:
    """A PNG of a few kilobytes: overall, levels and tasks on an axis from 0 to 100 %."""
    tasks = set(result.scores.filter(pl.col("kind") == TASK)["name"].to_list())
    levels = sorted(result.scores.filter(pl.col("kind") == LEVEL)["name"].to_list())
    benchmark = result.run["benchmark"]
    rows = [("overall", result.overall())]
    for kind, names in (
        (LEVEL, levels),
        (TASK, [name for _, group in grouped(benchmark, tasks) for name in group]),
    ):
        for name in names:
            row = result.score(kind, name)
            if row is not None:
                rows.append((name, row))
    image, draw = canvas(WIDTH, TITLE_HEIGHT + ROW * len(rows) + ROW + BORDER)
    title(draw, f"{result.run['model']}: {benchmark}, {result.run['profile']}", WIDTH)
    left, right = BORDER + NAME_WIDTH, WIDTH - BORDER - VALUE_WIDTH
    bottom = TITLE_HEIGHT + ROW * len(rows)

    def across(share: float) -> float:
        return left + (right - left) * min(max(share, 0.0), 1.0)

    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.line((across(tick), TITLE_HEIGHT, across(tick), bottom), FAINT)
        label = f"{100 * tick:.0f}"
        draw.text(
            (across(tick) - draw.textlength(label, font(SMALL_SIZE)) / 2, bottom + 3),
            label,
            MUTED,
            font(SMALL_SIZE),
        )
    for index, (name, row) in enumerate(rows):
        top = TITLE_HEIGHT + index * ROW
        middle = top + ROW // 2
        draw.text((BORDER, top + 2), shortened(name, NAME_WIDTH - 8, SMALL_SIZE), INK, font(SMALL_SIZE))
        for level in ("random", "most_frequent"):
            if row[level] is not None:
                # Random is a whole stroke, the most frequent answer a half one.
                height = ROW // 2 if level == "random" else ROW // 4
                draw.line(
                    (across(row[level]), middle - height, across(row[level]), middle + height - 1), MUTED
                )
        score = row["score"]
        if score is None:
            draw.text((right + 8, top + 2), "-", MUTED, font(SMALL_SIZE))
            continue
        color = SECOND if row["random"] is not None and score < row["random"] else ACCENT
        if row["low"] is not None:
            light = (
                round(color[0] + (255 - color[0]) * LIGHTENED),
                round(color[1] + (255 - color[1]) * LIGHTENED),
                round(color[2] + (255 - color[2]) * LIGHTENED),
            )
            draw.rectangle((across(row["low"]), middle - 2, across(row["high"]), middle + 2), fill=light)
        x = across(score)
        draw.ellipse((x - 3, middle - 3, x + 3, middle + 3), fill=color)
        draw.text((right + 8, top + 2), f"{100 * score:.1f}", INK, font(SMALL_SIZE))
    return png(image)
