"""What is told of SpatialMosaic-Bench beside its rows: how cells are filled, why no more, and what guessing scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spatial_assets.exports.core.base import Options
from spatial_assets.exports.core.bench_tables import aligned, markdown
from spatial_assets.exports.spatialmosaic.bench_chance import ALWAYS, PROFILE, Chance
from spatial_assets.exports.spatialmosaic.bench_cut import CELL_FIELDS, LEFT_OUT, Cut, TypeCut
from spatial_assets.scene.english import plural

FORMAT = 1
GUESSES = ("random", "most_frequent", "blind")
HEAD = (
    "type", "held out", "left out", "wanted", "rows", "cells short", "letters equal",
    "random", "most frequent", "blind",
)  # fmt: skip
BLIND_HEAD = ("type", "blind", "learned on", "by")
RULE = (
    "Every cell of a type is to have the same number of rows. What a cell lacks goes evenly to those that have more "
    "than their share; what does not go even, to cells in the order of a hash with the seed. Letters, and yes and no, "
    "are right equally often in each type: where a letter is rarer, the others have no more of it, and the type has "
    "fewer rows. Within a cell rows are drawn by hash, evenly over answers, then scenes, then what letters stand for, "
    "then objects."
)


def report(
    made: Cut,
    chances: Mapping[str, Chance],
    spaces: Mapping[str, int],
    release: str,
    release_id: str,
    options: Options,
) -> dict[str, Any]:
    """Counts by type and cell, chance levels in percent under the official scorer; JSON's types alone."""
    types = [_type(own, made.each, chances.get(own.task)) for own in made.types]
    return {
        "format": FORMAT,
        "release": release,
        "release_id": release_id,
        "split": made.split,
        "spaces": dict(spaces),
        "size": made.size,
        "seed": options.seed,
        "rows": sum(own["rows"] for own in types),
        "rule": RULE,
        "cells": list(CELL_FIELDS),
        "types": types,
        "chance": {name: _overall(types, name) for name in GUESSES},
    }


def _type(own: TypeCut, each: int, found: Chance | None) -> dict[str, Any]:
    return {
        "type": own.task,
        "held_out": own.held_out,
        "left_out": {name: own.left_out[name] for name in LEFT_OUT if own.left_out[name]},
        "wanted": each,
        "rows": len(own.ids),
        "letters_equal": own.balanced,
        "cells": [
            {"levels": list(cell.cell), "share": cell.share, "there": cell.there, "rows": cell.rows}
            for cell in own.cells
        ],
        "chance": None
        if found is None
        else {
            "random": _percent(found.random),
            "most_frequent": _percent(found.frequent),
            "most_frequent_answer": found.frequent_answer,
            "blind": _percent(found.blind),
            "blind_by": found.blind_by,
            "learned_on": found.learned_on,
            "attacks": {name: _percent(score) for name, score in sorted(found.attacks.items())},
        },
    }


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _overall(types: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """As the evaluator sums up, in percent."""
    means = {own["type"]: own["chance"][name] for own in types if own["chance"]}
    names = sorted(means)
    if not names:
        return None
    values = np.array([means[one] for one in names])
    return round(float(PROFILE.aggregate(values, np.arange(len(names)), names)["overall"]), 2)


def table(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each type and one for all, under HEAD."""
    rows = [_line(own, own["type"]) for own in told["types"]]
    counts = ("held_out", "wanted", "rows")
    total = {name: sum(own[name] for own in told["types"]) for name in counts}
    left = sum(sum(own["left_out"].values()) for own in told["types"])
    short = sum(_short(own) for own in told["types"])
    cells = (total["held_out"], left, total["wanted"], total["rows"], short)
    return [
        *rows,
        ("all", *(f"{count:,}" for count in cells), "", *(_text(told["chance"][name]) for name in GUESSES)),
    ]


def _line(own: Mapping[str, Any], name: str) -> tuple[str, ...]:
    counts = (own["held_out"], sum(own["left_out"].values()), own["wanted"], own["rows"], _short(own))
    equal = {None: "-", True: "yes", False: "no"}[own["letters_equal"]]
    found = own["chance"] or {}
    return (name, *(f"{count:,}" for count in counts), equal, *(_text(found.get(guess)) for guess in GUESSES))


def _short(own: Mapping[str, Any]) -> int:
    """Cells that have fewer rows than their share."""
    return sum(cell["rows"] < cell["share"] for cell in own["cells"])


def _text(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.2f}"


def lines(told: Mapping[str, Any]) -> list[str]:
    """For the screen."""
    return [*aligned(HEAD, table(told)), *remarks(told)]


def remarks(told: Mapping[str, Any]) -> list[str]:
    """In sentences: places, what was left out, and types that have less than was wanted."""
    spaces = ", ".join(f"{name} {count:,}" for name, count in told["spaces"].items())
    found = [f"places of the release: {spaces}"]
    for name, why in LEFT_OUT.items():
        count = sum(own["left_out"].get(name, 0) for own in told["types"])
        if count:
            found.append(f"left out {plural(count, 'question')}: {why}")
    none = [own["type"] for own in told["types"] if not own["rows"]]
    if none:
        found.append(f"no question of {', '.join(none)}")
    uneven = [own["type"] for own in told["types"] if own["letters_equal"] is False]
    if uneven:
        found.append(f"letters are as they come, since one is never right, of {', '.join(uneven)}")
    blank = sum(bool(own["chance"]) and not own["chance"]["learned_on"] for own in told["types"])
    if blank:
        found.append(
            f"nothing was learned of {plural(blank, 'type')}, of which the other splits have too little: blind is the "
            "most frequent answer there"
        )
    return found


def head(told: Mapping[str, Any]) -> list[str]:
    """How the data card begins."""
    return [
        "# SpatialMosaic-Bench",
        "",
        f"{plural(told['rows'], 'question')} about held-out places: size {told['size']} of release {told['release']} "
        f"({told['release_id'][:12]}), split {told['split']}, seed {told['seed']}.",
        "",
    ]


def sections(told: Mapping[str, Any]) -> list[str]:
    """What the data card has beside what that of any export of these layouts has."""
    return [
        "## Benchmark",
        "",
        *markdown(HEAD, table(told)),
        "",
        "Chance levels are percentages under the official scorer. Random: one of the type's distinct answers. Blind: "
        "the best of the attacks below, which read the text alone and were learned on the release's other splits; of "
        "few questions the best of several is a little better by luck.",
        "",
        *(f"- {line}" for line in remarks(told)),
        "",
        "## Cells",
        "",
        RULE,
        "",
        *markdown((*CELL_FIELDS, *(own["type"] for own in told["types"])), _cells(told)),
        "",
        "## Blind answers",
        "",
        *markdown(BLIND_HEAD, _blind(told)),
        "",
    ]


def _cells(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each cell: how many rows each type has of it, out of how many there were."""
    by_type = [own["cells"] for own in told["types"]]
    return [
        (*own[0]["levels"], *(f"{cell['rows']:,} of {cell['there']:,}" for cell in own))
        for own in zip(*by_type, strict=True)
    ]


def _blind(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for own in told["types"]:
        if own["chance"]:
            attacks = "; ".join(f"{name} {score:.2f}" for name, score in own["chance"]["attacks"].items())
            score, learned = own["chance"]["blind"], own["chance"]["learned_on"]
            found.append((own["type"], f"{score:.2f}", plural(learned, "row"), attacks or ALWAYS))
    return found
