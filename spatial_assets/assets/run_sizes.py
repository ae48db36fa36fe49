"""How many shards a run takes, so that all who are at work come to their end at about the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from spatial_assets.scene.refs import Shard
from spatial_assets.storage.heartbeats import Watch

PLACES = "places"
"""What a worker's sign of life says: how many runs it executes at once."""
RUNS_PER_PLACE = 4
"""Runs for each place, about: the last to end is then at most a fourth of a place's share behind the others."""
RUN_SECONDS = 60.0
"""Of work that a run has at least, where every place then still has one: Dagster's own part is four to five of them."""
SCENE_SECONDS = 5.0
"""Of a scene where nothing is recorded: one of ScanNet's size, with all assets, on one core."""

READ_AT_MOST = 40_000
"""Files of records, which takes some ten seconds; in a larger home shards count by their scenes."""

Sized = tuple[str, str, float]
"""A run's first and last shard, and its seconds."""


def places(home: Path) -> int:
    """How many runs the workers of a home execute at once; 1 where there are none, and all is done here."""
    return max(1, sum(int(sign.about.get(PLACES, 0)) for sign in Watch(home).signs()))


def seconds_of(home: Path, shards: Iterable[Shard]) -> dict[str, float]:
    """Seconds that each shard takes, as recorded; of scenes that have never been made, as many as others took.

    Without records all scenes are taken to last as long as one of ScanNet's.
    """
    wanted = list(shards)
    files = [
        path for folder in sorted((home / "records").glob("*")) for path in sorted(folder.glob("*.parquet"))
    ]
    spent: dict[str, float] = {}
    made: dict[str, int] = {}
    if 0 < len(files) <= READ_AT_MOST:
        frame = pl.scan_parquet(files, hive_partitioning=False, glob=False).group_by("shard")
        summed = frame.agg(pl.col("seconds").sum(), pl.col("scene").n_unique()).collect()
        spent = dict(zip(summed["shard"], summed["seconds"], strict=True))
        made = dict(zip(summed["shard"], summed["scene"], strict=True))
    mean = sum(spent.values()) / sum(made.values()) if sum(spent.values()) > 0 else SCENE_SECONDS
    return {
        shard.key: spent.get(shard.key, 0.0) + mean * max(0, len(shard.scenes) - made.get(shard.key, 0))
        for shard in wanted
    }


def share_of(seconds: float, at_once: int) -> float:
    """Seconds that a run takes at most, of so much work for so many places."""
    own = seconds / at_once
    return max(own / RUNS_PER_PLACE, min(own, RUN_SECONDS))


def sized(ordered: Sequence[str], seconds: Mapping[str, float], at_once: int, most: int) -> list[Sized]:
    """Ranges over the shards that have seconds, contiguous in `ordered`, none of more than `most`.

    For one place each is as long as it may be, in that order. For several none takes longer than a share of the
    whole, but for a single shard that does; the longest come first.
    """
    share = share_of(sum(seconds.values()), at_once) if at_once > 1 else float("inf")
    found: list[Sized] = []
    current: list[str] = []
    spent = 0.0
    for key in [*ordered, None]:
        own = seconds.get(key) if key is not None else None
        if current and (own is None or len(current) == most or spent + own > share):
            found.append((current[0], current[-1], spent))
            current, spent = [], 0.0
        if own is not None and key is not None:
            current.append(key)
            spent += own
    return found if at_once == 1 else sorted(found, key=lambda item: -item[2])
