"""What benchmarks are cut from: a release's rows, and which of its splits holds the scenes that are held out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.scene.model import InputError

TEST = "test"
"""The split that questions are taken from, and the one that a benchmark has."""
FULL = "full"
"""The size of all of a benchmark."""


class Released(Protocol):
    """A release's rows."""

    @property
    def home(self) -> Path: ...

    @property
    def name(self) -> str: ...

    @property
    def narrowed(self) -> bool: ...

    @property
    def splits(self) -> Mapping[str, int]: ...

    def columns(self, split: str, task: str, names: Sequence[str]) -> Iterator[pa.Table]: ...

    def named(self, split: str, task: str, ids: Collection[str]) -> dict[str, Question]: ...

    def truth(self, row: Mapping[str, Any]) -> SceneTruth: ...


def held_out(source: Released, shares: str = "train:0.9,test:0.1", trained_on: Collection[str] = ()) -> str:
    """The split that questions are taken from: `test`, or the one that was asked for.

    `shares` is what a release that has neither should be made with, `trained_on` names splits that are none of scenes
    held out. Raises InputError for such a release, and where such a split was asked for.
    """
    splits = list(source.splits)
    if source.narrowed and len(splits) == 1:
        if splits[0] in trained_on:
            raise InputError(
                source.name,
                f"its split {splits[0]!r} is for training, and a benchmark asks about held-out scenes: make a "
                f"release with --split {shares}",
                "no_split",
            )
        return splits[0]
    if TEST in splits:
        return TEST
    others = [split for split in splits if split not in trained_on]
    raise InputError(
        source.name,
        f"a benchmark asks about held-out scenes, and the release has no split {TEST!r}: make one with "
        f"--split {shares}"
        + (f", or name one of its own with --split: {', '.join(others)}" if others else ""),
        "no_split",
    )
