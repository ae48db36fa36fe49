"""Files that a release's quoted questions are from: their hashes, and how many questions each has about its scenes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl

from spatial_assets.readers.question_files import ROLE
from spatial_assets.releases.spaces import Member
from spatial_assets.scene.optional_tables import QUOTED_QUESTIONS
from spatial_assets.scene.tables import SOURCES
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.registry import tasks


def quotes(task: str) -> bool:
    """Whether a task's questions are quoted from files."""
    found = tasks().get(task)
    return found is not None and QUOTED_QUESTIONS in found.reads


def files_of(lake: Lake, members: Iterable[Member]) -> list[dict[str, Any]]:
    """Each file once, by dataset, release, path and hash; one that holds answers alone has no questions."""
    by_shard: dict[str, set[str]] = {}
    of_shard: dict[str, tuple[str, str]] = {}
    for member in members:
        by_shard.setdefault(member.shard, set()).add(member.scene)
        of_shard[member.shard] = member.dataset, member.release
    found: Counter[tuple[str, str, str, str]] = Counter()
    for shard, scenes in sorted(by_shard.items()):
        held = pl.col("scene").is_in(sorted(scenes))
        files = lake.read(SOURCES, shard).filter(held, pl.col("role") == ROLE)
        asked = Counter(lake.read(QUOTED_QUESTIONS, shard).filter(held)["path"].to_list())
        for path, sha256 in sorted(set(files.select("path", "sha256").iter_rows())):
            found[*of_shard[shard], path, sha256] += asked[path]
    names = ("dataset", "release", "path", "sha256")
    return [
        {**dict(zip(names, key, strict=True)), "questions": count} for key, count in sorted(found.items())
    ]
