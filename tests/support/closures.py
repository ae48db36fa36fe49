"""What every asset is computed from, as lines that show in review when a change widens it.

Run as a script it writes the snapshot anew: python tests/support/closures.py
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from spatial_assets.audit import shortcuts
from spatial_assets.evaluation import page, results
from spatial_assets.lineage.code_versions import parts, stage_parts
from spatial_assets.readers.registry import READERS
from spatial_assets.scoring.registry import BENCHMARKS
from spatial_assets.stages.pipeline import STAGES

SNAPSHOT = Path(__file__).parents[1] / "lineage" / "closures.txt"
HEAD = """What the code version of each asset covers: modules by folder, data files, columns of tables.
An asset that depends on the dataset's reader, or on a benchmark, stands once for each.
Written by: python tests/support/closures.py
"""


@cache
def of_stages() -> dict[str, list[str]]:
    """Parts of each stage's version: under its name, or by dataset where these differ."""
    found: dict[str, list[str]] = {}
    for stage in STAGES.values():
        of_datasets = {dataset: list(stage_parts(stage, dataset)) for dataset in READERS}
        if len({tuple(parts) for parts in of_datasets.values()}) == 1:
            found[stage.name] = next(iter(of_datasets.values()))
        else:
            found.update({f"{stage.name} of {dataset}": parts for dataset, parts in of_datasets.items()})
    return found


@cache
def of_judgments() -> dict[str, list[str]]:
    """The same of the assets that judge answers and questions, `scores` by benchmark."""
    return {
        **{f"scores of {name}": list(parts(results.scorer_modules(name))) for name in BENCHMARKS},
        "model_comparison": list(parts(page.PAGE_MODULES, page.PAGE_FILES)),
        "shortcuts": list(parts(shortcuts.MODULES, shortcuts.DATA)),
    }


def text() -> str:
    """The snapshot."""
    found = {**of_stages(), **of_judgments()}
    return HEAD + "".join(f"\n{name}\n{''.join(_lines(covered))}" for name, covered in found.items())


def _lines(covered: list[str]) -> Iterator[str]:
    folders: dict[str, list[str]] = {}
    for part in covered:
        folder, _, name = part.rpartition("/")
        if "#" in part:
            folders.setdefault("columns of", []).append(part.split("#")[1])
        else:
            folders.setdefault(folder, []).append(name.removesuffix(".py"))
    for folder, names in folders.items():
        yield f"  {folder:<16} {' '.join(names)}\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(text(), encoding="utf-8")
