"""A scene's view sets as arrays, and what every question about one has: its frames, its wording, its diagnostics."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
from pydantic import Field

from spatial_assets.geometry.view_sets import LARGEST
from spatial_assets.scene.model import Fact, Float
from spatial_assets.scene.tables import DIAGNOSTICS, VIEW_SET_OBJECTS, VIEW_SETS
from spatial_assets.tasks.core.arrays import places_of
from spatial_assets.tasks.core.candidates import NOTHING, Indices
from spatial_assets.tasks.core.draws import Draw, Hashes, hash_name
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.task import Question, Roles, TaskParameters
from spatial_assets.tasks.core.wording import SUITES, phrases, stem_ids

SUITE = "spatialmosaic"
PUBLISHED: Literal["official"] = "official"
"""The id of a type's published stem."""
READS = (VIEW_SETS, VIEW_SET_OBJECTS)
NEEDS = frozenset({Fact.IMAGES, Fact.OBJECTS, Fact.VISIBILITY, Fact.AMODAL, Fact.OVERLAP})
"""Overlap is what sets are made by. Without amodal pixels nobody can say how much of an object is hidden, and so
whether a view shows it well."""
POSED = NEEDS | {Fact.POSES}
OFFICIAL = f"tasks/{SUITE}/official.json"
"""The published wording of all types, relative to the package."""
SET, ASKED, HIDDEN = "set", "asked", "hidden"
"""Among the values of candidates, (N,): which set is shown, which of its frames is asked about, counted from 0, and
whether that frame shows nothing of the object that is the answer or is asked for."""
FEWEST = 2
"""Views of a set at least."""
FULL, PARTIAL = "full", "partial"
COLUMNS = [field.name for field in DIAGNOSTICS]
"""What stands beside a question about a set, in order."""
ANSWER_HIDDEN, ANSWER_SHOWN = "hidden", "shown"


class MosaicParameters(TaskParameters):
    """What all tasks of the suite have."""

    wording: Literal["ours", "official", "both"] = Field(
        "ours",
        description="ours, which is grammatical; official: SpatialMosaic's, word for word, where a type's was "
        "published; both, half each",
    )
    frame_names: Literal["position", "name"] = Field(
        "position",
        description="what the text calls a frame: `Frame 2` by its place in the set, as the published figures do, or "
        "its own name, as the published rows do",
    )


@dataclass(frozen=True)
class ViewSets:
    """The sets of a scene, in the order of their ids."""

    ids: tuple[str, ...]
    frames: Indices
    """(S, LARGEST), places among the scene's frames, NOTHING behind them."""
    sizes: Indices
    """(S,)."""
    identities: Hashes
    """(S,), of their ids."""
    overlap_avg: list[float]
    overlap_pairs: list[list[float]]
    """Percent, both."""
    coverage: list[list[float]]
    """(S, O), share of each object's surface that the set's views together show; NaN where it has none."""

    def __len__(self) -> int:
        return len(self.ids)


def view_sets(facts: SceneFacts) -> ViewSets:
    """A scene's sets; by `facts.once`."""
    rows = facts.read(VIEW_SETS).sort("view_set")
    ids = tuple(rows["view_set"].to_list())
    names = {name: place for place, name in enumerate(facts.frames.names)}
    frames = np.full((len(ids), LARGEST), NOTHING, np.int64)
    sizes = np.zeros(len(ids), np.int64)
    for row, members in enumerate(rows["frames"].to_list()):
        sizes[row] = len(members)
        frames[row, : len(members)] = [names[name] for name in members]
    return ViewSets(
        ids,
        frames,
        sizes,
        np.array([hash_name("view_set", name) for name in ids], np.uint64),
        rows["overlap_avg"].to_list(),
        rows["overlap_pairs"].to_list(),
        _coverage(facts, ids).tolist(),
    )


def _coverage(facts: SceneFacts, ids: Sequence[str]) -> Float:
    shares = np.full((len(ids), len(facts.objects)), np.nan)
    rows = facts.read(VIEW_SET_OBJECTS)
    if shares.size and len(rows):
        thing = facts.objects.places(rows["instance"].to_numpy())
        values = rows["shown_union"].to_numpy()
        shares[places_of(rows["view_set"], ids), thing] = values
    return shares


def frame_roles(sets: ViewSets, row: int, asked: int | None = None) -> Roles:
    """The frames of a set by role: `frame-1`, ..., and `asked-2` for the one that is asked about."""
    places = sets.frames[row, : sets.sizes[row]].tolist()
    return [
        (f"{'asked' if index == asked else 'frame'}-{index + 1}", place) for index, place in enumerate(places)
    ]


def frame_name(facts: SceneFacts, parameters: MosaicParameters, sets: ViewSets, row: int, view: int) -> str:
    """What the text calls a frame of a set."""
    if parameters.frame_names == "position":
        return numbered(view)
    return phrases(SUITE, "sets")["name"].format(name=facts.frames.names[sets.frames[row, view]])


def numbered(view: int) -> str:
    """What the text calls a frame by its place in the set, from 0."""
    return phrases(SUITE, "sets")["position"].format(number=view + 1)


def stems(parameters: MosaicParameters, task: str, draw: Draw) -> tuple[str, ...]:
    """Ids of the stems to draw from: ours where nothing was published."""
    chosen = parameters.wording
    if chosen == "both":
        chosen = PUBLISHED if draw.below("wording", 2) == 0 else "ours"
    published = stem_ids(SUITE, task, published=True) if chosen == PUBLISHED else ()
    return published or stem_ids(SUITE, task, published=False)


def is_official(chosen: Sequence[str]) -> bool:
    """Whether the stems to draw from are published ones, which published options go with."""
    return list(chosen) == [PUBLISHED]


@cache
def official() -> Mapping[str, Any]:
    """What of the published wording is no stem."""
    held: Mapping[str, Any] = json.loads((SUITES / SUITE / "official.json").read_text(encoding="utf-8"))
    return held


@dataclass(frozen=True)
class _Lists:
    """Python's numbers, which are taken out one by one at a tenth of the cost."""

    visible: list[list[bool]]
    occlusion: list[list[float]]


def _lists(facts: SceneFacts) -> _Lists:
    return _Lists(facts.observed.visible.tolist(), facts.observed.column("occlusion").tolist())


def diagnostics(
    facts: SceneFacts,
    row: int,
    objects: Sequence[int],
    asked: int | None = None,
    hidden: bool | None = None,
    answer_is: str | None = None,
    box: Sequence[float] | None = None,
) -> tuple[Any, ...]:
    """What stands beside a question about a set, for levels of difficulty, in the order of the table's column.

    Without `answer_is`, whether the asked frame shows the object that is the answer; `box` is what it shows of it.
    """
    if answer_is is None and hidden is not None:
        answer_is = ANSWER_HIDDEN if hidden else ANSWER_SHOWN
    sets, lists = facts.once(view_sets), facts.once(_lists)
    frames = sets.frames[row, : sets.sizes[row]].tolist()
    shown = [(frame, thing) for thing in objects for frame in frames if lists.visible[frame][thing]]
    occlusion = [lists.occlusion[frame][thing] for frame, thing in shown]
    shares = [share for share in (sets.coverage[row][thing] for thing in objects) if share == share]
    return (
        sets.ids[row],
        None if asked is None else asked + 1,
        answer_is,
        sets.overlap_avg[row],
        sets.overlap_pairs[row],
        sum(occlusion) / len(occlusion) if occlusion else None,
        FULL if len(shown) == len(frames) * len(objects) else PARTIAL,
        sum(shares) / len(shares) if shares else None,
        box,
        None if box is None else math.dist(box[:2], box[2:]),
    )


def without_a_view(facts: SceneFacts, parameters: MosaicParameters, question: Question) -> Question | None:
    """The same about a view fewer: of those in which no pixel shows what is asked about, the one that comes first by
    its frame's identity. None where all are needed, or fewer than two would be left.

    What stands beside the question is that of the views left; their set stays the one that they are of.
    """
    things = [thing for _, thing in question.objects]
    frames = np.array([place for _, place in question.frames], np.int64)
    idle = np.flatnonzero(~facts.observed.visible[frames][:, things].any(axis=1))
    if len(idle) == 0 or len(frames) <= FEWEST or question.diagnostics is None:
        return None
    gone = int(idle[np.argmin(facts.frames.identities[frames[idle]])])
    left = [place for index, (_, place) in enumerate(question.frames) if index != gone]
    visible = facts.once(_lists).visible
    shown = sum(visible[frame][thing] for thing in things for frame in left)
    held = dict(zip(COLUMNS, question.diagnostics, strict=True))
    pairs = combinations(range(len(frames)), 2)
    overlaps = [
        overlap for pair, overlap in zip(pairs, held["overlap_pairs"], strict=True) if gone not in pair
    ]
    held |= {
        "overlap_pairs": overlaps,
        "overlap_avg": sum(overlaps) / len(overlaps),
        "visibility": FULL if shown == len(left) * len(things) else PARTIAL,
    }
    return question._replace(
        frames=[(f"frame-{index + 1}", place) for index, place in enumerate(left)],
        diagnostics=tuple(held.values()),
    )
