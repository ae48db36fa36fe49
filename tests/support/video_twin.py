"""What a video shows, by loops over the tables' rows: the twin of the package's arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import polars as pl

from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure, may_mean
from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.facts import SceneFacts

LIMITS = {"area": 0.002, "occlusion": 0.6, "truncation": 0.7, "vertices": 0.1}


class Twin:
    """A scene's objects by their places, and what each frame of the video shows of them."""

    def __init__(self, facts: SceneFacts) -> None:
        place = {instance: index for index, instance in enumerate(facts.objects.instances.tolist())}
        words = dict(facts.read(tables.OBJECTS).select("instance", "category").iter_rows())
        self.categories: list[str] = [words[instance] for instance in place]
        video = facts.read(tables.KEYFRAMES).filter(pl.col("set") == "video32").sort("position")
        sizes = {
            row["frame"]: row["width"] * row["height"]
            for row in facts.read(tables.FRAMES).iter_rows(named=True)
        }
        self.pixels = [sizes[frame] for frame in video["frame"]]
        self.frames: list[dict[int, dict[str, Any]]] = [{} for _ in self.pixels]
        position = {frame: index for index, frame in enumerate(video["frame"])}
        for row in facts.read(tables.VISIBILITY).iter_rows(named=True):
            if row["frame"] in position and row["center_distance"] is not None:
                self.frames[position[row["frame"]]][place[row["instance"]]] = row
        groups: dict[str, list[int]] = {}
        for thing, word in enumerate(self.categories):
            if not is_structure(word):
                groups.setdefault(word, []).append(thing)
        self.groups = dict(sorted(groups.items()))

    def observations(self, thing: int) -> Iterator[tuple[int, float, dict[str, Any]]]:
        """Position, share of the image and row of each frame that has one of the object."""
        for position, (shown, pixels) in enumerate(zip(self.frames, self.pixels, strict=True)):
            if thing in shown:
                yield position, shown[thing]["visible_px"] / pixels, shown[thing]

    def verdict(self, thing: int) -> str | None:
        glimpsed = False
        for _, share, row in self.observations(thing):
            if share > 0:
                glimpsed = True
                if (
                    row["occlusion"] is not None
                    and row["truncation"] is not None
                    and share >= LIMITS["area"]
                    and row["occlusion"] <= LIMITS["occlusion"]
                    and row["truncation"] <= LIMITS["truncation"]
                    and (row["visible_vertex_fraction"] or 0.0) >= LIMITS["vertices"]
                ):
                    return None
        return "half_seen" if glimpsed else "unseen"

    def word(self, word: str) -> str | None:
        """Why not all that a word stands for can be asked about."""
        if any(other != word and may_mean(word, other) for other in self.categories):
            return "ambiguous_name"
        verdicts = {self.verdict(thing) for thing in self.groups[word]}
        return next((reason for reason in ("unseen", "half_seen") if reason in verdicts), None)

    def words(self) -> dict[str, str | None]:
        return {word: self.word(word) for word in self.groups}

    def referents(self) -> dict[str, str | None]:
        """Why a word cannot stand for the one object that it names."""
        return {
            word: "several" if reason is None and len(self.groups[word]) > 1 else reason
            for word, reason in self.words().items()
        }


def first_reasons(verdicts: Mapping[str, str | None], size: int) -> Counter[str]:
    """Of all sets of so many words, by the reason of the first word that has one."""
    found: Counter[str] = Counter()
    for chosen in combinations(verdicts, size):
        reason = next((verdicts[word] for word in chosen if verdicts[word] is not None), None)
        if reason is not None:
            found[reason] += 1
    return found


def strata_of(found: Candidates) -> list[int]:
    """The identity of each candidate's stratum."""
    assert found.strata is not None
    return found.strata.identities[found.strata.codes].tolist()
