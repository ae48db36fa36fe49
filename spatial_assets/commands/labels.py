"""`spatial-assets labels`: the words that a home's sources use for objects, and those the vocabulary does not know."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_table, word_table
from spatial_assets.scene.categories import is_mapped, is_structure, meanings
from spatial_assets.scene.tables import OBJECTS
from spatial_assets.storage.lake import Lake


@click.command(epilog="Example: spatial-assets labels --unmapped")
@HOME
@click.option(
    "--dataset", "datasets", multiple=True, help="Only of this dataset; may be given several times."
)
@click.option("--unmapped", is_flag=True, help="Only words that the vocabulary does not know.")
@AS_JSON
@plainly
def labels(home: Path, datasets: tuple[str, ...], unmapped: bool, as_json: bool) -> None:
    """Print the sources' words for objects: how many, what each is called in questions, and what else it counts as.

    A word that the vocabulary does not know is asked about as the source has it.
    """
    found = [row for row in _rows(home, datasets) if not (unmapped and row["mapped"])]
    if as_json:
        print_json(found)
        return
    heads = ("dataset", "label", "objects", "scenes", "category", "also")
    print_table(word_table((tuple(str(row[head]) for head in heads) for row in found), heads))
    objects = sum(int(str(row["objects"])) for row in found if not row["mapped"])
    words = len({row["category"] for row in found if not row["mapped"]})
    click.echo(f"{words} words of {objects} objects are not in the vocabulary")


def _rows(home: Path, datasets: tuple[str, ...]) -> list[dict[str, object]]:
    """One of every dataset's word, the most frequent first."""
    lake = Lake(home)
    objects: Counter[tuple[str, str, str]] = Counter()
    scenes: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for shard in lake.shards(OBJECTS):
        rows = lake.read(OBJECTS, shard).select("dataset", "label", "category", "scene")
        for dataset, label, category, scene in rows.iter_rows():
            if not datasets or dataset in datasets:
                objects[dataset, label, category] += 1
                scenes[dataset, label, category].add(f"{shard}/{scene}")
    return [
        {
            "dataset": dataset,
            "label": label,
            "objects": count,
            "scenes": len(scenes[dataset, label, category]),
            "category": category,
            "also": _also(category),
            "mapped": is_mapped(category),
        }
        for (dataset, label, category), count in sorted(objects.items(), key=lambda item: (-item[1], item[0]))
    ]


def _also(category: str) -> str:
    """The wider words that name it too, or why it is none to ask about."""
    if is_structure(category):
        return "(never asked about)"
    if not is_mapped(category):
        return "(not in the vocabulary)"
    return ", ".join(sorted(meanings(category) - {category}))
