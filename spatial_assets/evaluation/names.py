"""How benchmarks and their tasks are called and grouped for readers; no score depends on it."""

from __future__ import annotations

from collections.abc import Collection

from spatial_assets.scoring.registry import benchmark, find_profile
from spatial_assets.scoring.row_levels import level_order


def key_of(benchmark: str, profile: str, model: str) -> str:
    """What a run of a model is called, `<benchmark>.<profile>.<model>`."""
    return f"{benchmark}.{profile}.{model}"


def members(name: str, task: str) -> tuple[str, ...]:
    """The question types that a task of a benchmark's summary is made of: most tasks are their own only one."""
    return tuple(benchmark(name).MERGED.get(task, (task,)))


def grouped(name: str, tasks: Collection[str]) -> list[tuple[str, list[str]]]:
    """The tasks by level, alphabetically in each; one group without a name where there are no levels."""
    groups = []
    left = set(tasks)
    for level, of_level in benchmark(name).LEVELS.items():
        present = sorted(left & set(of_level))
        left -= set(present)
        if present:
            groups.append((level, present))
    return [*groups, ("", sorted(left))] if left else groups


def ordered_row_levels(name: str, profile: str, levels: Collection[str]) -> list[str]:
    """Levels of rows, as in `occ_level: low`: by field, the easiest first; those that are not known last."""
    found: list[str] = []
    for field, known in find_profile(name, profile).row_levels.items():
        own = [level.removeprefix(f"{field}: ") for level in levels if level.startswith(f"{field}: ")]
        found += [f"{field}: {level}" for level in level_order(known, own)]
    return [*found, *sorted(set(levels) - set(found))]
