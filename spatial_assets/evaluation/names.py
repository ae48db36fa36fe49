"""How benchmarks and their tasks are called and grouped for readers; no score depends on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from spatial_assets.scoring import sparbench, spatialmosaic, vsibench

TITLES: Mapping[str, str] = {
    "sparbench": "SPAR-Bench",
    "vsibench": "VSI-Bench",
    "spatialmosaic": "SpatialMosaic",
}
LEVELS: Mapping[str, Mapping[str, Sequence[str]]] = {"sparbench": sparbench.LEVELS}
"""Tasks by level, in the order in which a benchmark presents its levels."""
MERGED: Mapping[str, Mapping[str, Sequence[str]]] = {
    "vsibench": {vsibench.DIRECTION: vsibench.DIRECTION_LEVELS},
    "spatialmosaic": spatialmosaic.GROUPS,
}
"""Question types that a summary may show as one task."""


def members(benchmark: str, task: str) -> tuple[str, ...]:
    """The question types that a task of a summary is made of: most tasks are their own only one."""
    return tuple(MERGED.get(benchmark, {}).get(task, (task,)))


def grouped(benchmark: str, tasks: Collection[str]) -> list[tuple[str, list[str]]]:
    """The tasks by level, alphabetically in each; one group without a name where there are no levels."""
    groups = []
    left = set(tasks)
    for level, of_level in LEVELS.get(benchmark, {}).items():
        present = sorted(left & set(of_level))
        left -= set(present)
        if present:
            groups.append((level, present))
    return [*groups, ("", sorted(left))] if left else groups
