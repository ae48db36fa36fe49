"""What a data card says of a mix: what was asked for, what there was and what is kept, and of which part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from spatial_assets.releases.markdown import table
from spatial_assets.releases.recipe import Recipe
from spatial_assets.scene.english import plural


def told(manifest: dict[str, Any]) -> list[str]:
    """Paragraphs and tables; nothing of a release without a mix."""
    held = manifest.get("mix")
    if held is None:
        return []
    recipe = Recipe.model_validate(held["recipe"])
    parts = [
        "## Mix",
        f"The mix `{held['name']}`, drawn with the seed {manifest['seed']}. {recipe.about}".strip(),
    ]
    if recipe.source:
        parts.append(f"Where its figures come from: {recipe.source}")
    lines = [_line(line) for line in held["wanted"]]
    parts.append(table(("entry", "task", "wanted", "there", "kept"), lines))
    parts += _notes(held)
    names = ("entry", "suite", "task", "dataset", "format", "split", "before", "kept")
    parts += ["Of each part:", table(names, [tuple(part[name] for name in names) for part in held["kept"]])]
    return parts


def _line(line: dict[str, Any]) -> tuple[Any, ...]:
    wanted = f"{line['rate']:g} of each part" if line["wanted"] is None else line["wanted"]
    return line["entry"], line["task"] or "all", wanted, line["there"], line["kept"]


def _notes(held: dict[str, Any]) -> Iterator[str]:
    if held["scale"] != 1:
        yield f"Numbers of the recipe were multiplied by {held['scale']:g} and rounded down."
    short = [line for line in held["wanted"] if line["wanted"] is not None and line["kept"] < line["wanted"]]
    for line in short:
        of = f" ({line['task']})" if line["task"] else ""
        yield (
            f"{line['entry']}{of}: {line['wanted'] - line['kept']:,} fewer than wanted, which "
            f"{'was asked for' if held['fewer'] else 'the recipe allows'}: the lake had no more."
        )
    if held["unselected"]:
        yield f"{plural(held['unselected'], 'question')} that no entry selects: left out."
