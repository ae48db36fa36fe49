"""Checks a release's mix: its rows against what the manifest says was kept, and that against the recipe it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from spatial_assets.releases.mix import kept_of
from spatial_assets.releases.recipe import Cell, Mix, Recipe, suite_of


def wrong_mix(found: Mapping[Cell, int], held: dict[str, Any]) -> list[str]:
    """What is wrong, a line each, where `found` are the release's rows by split, task, dataset and format."""
    told = held.get("mix")
    if told is None:
        return []
    said = {_cell(part): part["kept"] for part in told["kept"]}
    problems = [
        f"{'/'.join(cell)}: has {found.get(cell, 0)} rows, but its mix says {said.get(cell, 0)}"
        for cell in sorted(found.keys() | said.keys())
        if found.get(cell, 0) != said.get(cell, 0)
    ]
    # Releases of earlier versions say shares of formats alone.
    return problems + (list(_against_recipe(told)) if "recipe" in told else [])


def _cell(part: Mapping[str, Any]) -> Cell:
    return Cell(*(part[name] for name in Cell._fields))


def _against_recipe(told: Mapping[str, Any]) -> Iterator[str]:
    try:
        recipe = Recipe.model_validate(told["recipe"])
    except ValidationError as error:
        yield f"its mix's recipe cannot be read: {error.errors()[0]['msg']}"
        return
    if Mix(told["name"], recipe).sha256 != told["sha256"]:
        yield "its mix's recipe is not the one whose hash it gives"
    entries = dict(zip(recipe.names(), recipe.entries, strict=True))
    sums: Counter[tuple[str, str | None]] = Counter()
    for part in told["kept"]:
        cell, name = _cell(part), part["entry"]
        place = recipe.place_of(cell)
        if suite_of(cell.task) and (place is None or recipe.names()[place] != name):
            yield f"{'/'.join(cell)}: is not what {name} of its mix selects"
        rate = entries[name].rate if name in entries else None
        if rate is not None and part["kept"] != kept_of(part["before"], rate):
            yield f"{'/'.join(cell)}: {part['kept']} of {part['before']} rows are not a share of {rate:g}"
        sums[name, None] += part["kept"]
        sums[name, cell.task] += part["kept"]
    for line in told["wanted"]:
        name, task, wanted, there, kept = (line[key] for key in ("entry", "task", "wanted", "there", "kept"))
        where = f"{name} of its mix{f', {task}' if task else ''}"
        if sums[name, task] != kept:
            yield f"{where}: keeps {sums[name, task]} rows, but says {kept}"
        if wanted is None:
            continue
        if kept != min(wanted, there):
            yield f"{where}: of {there} rows {wanted} are wanted, and {kept} kept"
        if kept < wanted and not (told["fewer"] or (name in entries and entries[name].fewer)):
            yield f"{where}: {wanted} rows are wanted, {kept} kept, and nothing allows fewer"
        count = entries[name].count if name in entries else None
        if count is None or wanted != kept_of(count, told["scale"]):
            yield f"{where}: {wanted} rows are not the recipe's number, scaled by {told['scale']:g}"
