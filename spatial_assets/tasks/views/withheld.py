"""View sets of which some views are withheld, so that what a question needs is in none of those left, or in some.

Of a question that can be answered from a set, the views that show anything of what it needs are withheld, or by lot as
many others instead. So both kinds ask about the same things in the same words, of as many views; the first cannot be
answered, since no view shows what is needed, and the second can, from what the others left show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.scene.tables import VIEW_SET_OBJECTS
from spatial_assets.tasks.core.arrays import places_of
from spatial_assets.tasks.core.candidates import (
    GROUP,
    NOTHING,
    Bools,
    Candidates,
    Chosen,
    Indices,
    Strata,
    draw_key,
)
from spatial_assets.tasks.core.draws import Draw, below_each, mix, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.task import Roles, TaskParameters
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.measured import NO_HASHES, turns
from spatial_assets.tasks.spatialmosaic.pairs import share_by
from spatial_assets.tasks.spatialmosaic.sets import FULL, PARTIAL, SET, numbered, view_sets

SUITE = "views"
UNDETERMINED = "undetermined"
"""Among the values of candidates, (N,): whether the views left show nothing of what is needed. And what a row's
diagnostics then say that the answer is."""
ELSEWHERE = "hidden"
"""What they say of an answer that the asked view does not show and another does, as for the published types."""
SHOWN = "shown"
TWELFTHS = 12
PIXELS = "px"
WITHHELD_REASONS: Mapping[str, str] = {
    "few_views": "fewer than two views would be left, or fewer that show nothing of it than show something",
    "unwanted": "whether a question can be answered is set to be the other way in all of them",
}


class UndeterminedParameters(TaskParameters):
    """What tasks have that offer "It cannot be determined"."""

    undetermined_of_twelve: int = Field(
        3,
        ge=0,
        le=TWELFTHS,
        description="of twelve questions, those that cannot be answered: three, so that of four options this one is "
        "right as often as any other",
    )


class Left(NamedTuple):
    """What is shown of a set."""

    row: int
    """Of the set."""
    frames: list[int]
    views: list[int]
    """Their places in the whole set."""
    undetermined: bool

    def roles(self, asked: int | None = None) -> Roles:
        return [
            (f"{'asked' if frame == asked else 'frame'}-{place + 1}", frame)
            for place, frame in enumerate(self.frames)
        ]

    def name(self, frame: int) -> str:
        """What the text calls a frame."""
        return numbered(self.frames.index(frame))


def showing(facts: SceneFacts, rows: Indices, objects: Indices) -> Bools:
    """(N, LARGEST): which views of the sets, (N,), show anything of any of the objects, (N, k)."""
    frames = facts.once(view_sets).frames[rows]
    found = np.zeros(frames.shape, np.bool_)
    for column in objects.T:
        found |= (
            facts.observed.visible[frames, column[:, None]]
            & (frames != NOTHING)
            & (column != NOTHING)[:, None]
        )
    return found


def reject_few_views(facts: SceneFacts, found: Candidates, needed: Bools, one_asked: bool) -> None:
    """Reject those of whose set as many other views as show what is needed, (N, LARGEST), cannot be withheld; the asked
    one, where there is one, is none of these and stays."""
    sizes = facts.once(view_sets).sizes[found.values[SET]]
    showing = needed.sum(axis=1)
    others = sizes - showing
    found.reject("few_views", (others < 2) | (others - one_asked < showing) | (showing == 0))


def settle_evenly(
    facts: SceneFacts,
    parameters: UndeterminedParameters,
    task: str,
    found: Candidates,
    answers: Indices,
    count: int,
    even: bool,
) -> Candidates:
    """What asks of a frame what no other set asks of it; where set so, as much of
    each answer as of any other.

    What a view does not show is mostly lower than what it shows, or closer: else the question would tell.

    answers : (N,), places among all answers, of which `count` each, one after another, exclude each other.
    """
    ranks = found.ranks(draw_key(facts.which, parameters.seed, task, "evenly"), *NO_HASHES)
    same = found.frames[:, 0]
    for column in found.objects.T:
        same = same * len(facts.objects) + column
    found.reject("repeated", turns(same, ranks) > 0)
    found.values |= {"rank": ranks, "answer": answers}
    found = found.settle()
    ranks, answers = found.values.pop("rank"), found.values.pop("answer")
    if not even:
        return found
    groups = int(answers.max(initial=0)) // count + 1
    least = np.bincount(answers, minlength=groups * count).reshape(groups, count).min(axis=1)
    found.reject("uneven", turns(answers, ranks) >= least[answers // count])
    return found.settle()


def lots(facts: SceneFacts, parameters: UndeterminedParameters, task: str, found: Candidates) -> None:
    """Give all UNDETERMINED, by lot."""
    assert found.identities is not None
    states = mix_columns(draw_key(facts.which, parameters.seed, task, UNDETERMINED), found.identities)
    lot = below_each(states, TWELFTHS)
    found.values[UNDETERMINED] = lot < parameters.undetermined_of_twelve


def share_out(
    facts: SceneFacts, parameters: UndeterminedParameters, task: str, found: Candidates, own: Strata
) -> None:
    """Fill the quota so that so many of twelve cannot be answered, and evenly by strata besides."""
    lots(facts, parameters, task, found)
    wanted = parameters.undetermined_of_twelve
    share_by(facts, parameters.seed, task, found, found.values[UNDETERMINED], wanted, own, TWELFTHS)
    # Two sets that ask the same of the same frame repeat each other.
    if found.frames.shape[1]:
        places = np.concatenate([found.frames, found.objects], axis=1)
        base = max(len(facts.frames), len(facts.objects)) + 2
        found.values[GROUP] = (places + 1) @ (base ** np.arange(places.shape[1], dtype=np.int64))


def left_of(
    facts: SceneFacts, candidate: Chosen, needed: Sequence[int], draw: Draw, asked: int | None = None
) -> Left:
    """Which views of a candidate's set are shown; `needed` are places of the objects that it is about."""
    row, undetermined = candidate.values[SET], candidate.values[UNDETERMINED]
    sets, visible = facts.once(view_sets), facts.once(_visible)
    frames = sets.frames[row, : sets.sizes[row]].tolist()
    showing = [frame for frame in frames if any(visible[frame][thing] for thing in needed)]
    if undetermined:
        gone = set(showing)
    else:
        state, identities = draw.rank("withheld"), facts.once(_identities)
        free = [frame for frame in frames if frame not in showing and frame != asked]
        free.sort(key=lambda frame: mix(state, identities[frame]))
        gone = set(free[: len(showing)])
    views = [view for view, frame in enumerate(frames) if frame not in gone]
    return Left(row, [frames[view] for view in views], views, undetermined)


def _identities(facts: SceneFacts) -> list[int]:
    found: list[int] = facts.frames.identities.tolist()
    return found


def _visible(facts: SceneFacts) -> list[list[bool]]:
    found: list[list[bool]] = facts.observed.visible.tolist()
    return found


def _occlusion(facts: SceneFacts) -> list[list[float]]:
    found: list[list[float]] = facts.observed.column("occlusion").tolist()
    return found


def diagnostics(
    facts: SceneFacts, left: Left, objects: Sequence[int], asked: int | None, answer_is: str
) -> tuple[Any, ...]:
    """What stands beside a question about what is left of a set, in the order of the table's column: of the views left
    alone."""
    sets, visible, occlusion = facts.once(view_sets), facts.once(_visible), facts.once(_occlusion)
    values = sets.overlap_pairs[left.row]
    overlaps = [values[place] for place in _pairs_among(int(sets.sizes[left.row]), tuple(left.views))]
    shown = [(frame, thing) for thing in objects for frame in left.frames if visible[frame][thing]]
    hidden = [occlusion[frame][thing] for frame, thing in shown]
    shares = [share for share in (coverage(facts, left, thing) for thing in objects) if share is not None]
    return (
        sets.ids[left.row],
        None if asked is None else left.frames.index(asked) + 1,
        UNDETERMINED if left.undetermined else answer_is,
        sum(overlaps) / len(overlaps),
        overlaps,
        sum(hidden) / len(hidden) if hidden else None,
        FULL if len(shown) == len(left.frames) * len(objects) else PARTIAL,
        sum(shares) / len(shares) if shares else None,
        None,
        None,
    )


@cache
def _pairs_among(size: int, views: tuple[int, ...]) -> list[int]:
    """Places of the pairs of these views among all pairs of so many."""
    return [place for place, pair in enumerate(combinations(range(size), 2)) if set(pair) <= set(views)]


class _Lists:
    """A column of lists of numbers, of which a few are looked at: as slices of one array."""

    def __init__(self, column: pl.Series) -> None:
        held = column.to_arrow()
        self._bounds = held.offsets.to_numpy()
        self._values: Float = held.values.to_numpy(zero_copy_only=False)

    def __getitem__(self, place: int) -> list[float]:
        """Unknown numbers are NaN, and of an unknown list there are none."""
        begin, end = self._bounds[place : place + 2].tolist()
        found: list[float] = self._values[begin:end].tolist()
        return found


class Surfaces(NamedTuple):
    """What views of sets show of objects' surfaces."""

    places: Indices
    """(S, O), rows of the columns; NOTHING where a set has none of an object."""
    shown: _Lists
    parts: _Lists
    """As in the table."""


def _surfaces(facts: SceneFacts) -> Surfaces:
    sets, things = facts.once(view_sets), facts.objects
    rows = facts.read(VIEW_SET_OBJECTS)
    places = np.full((len(sets), len(things)), NOTHING, np.int64)
    if places.size and len(rows):
        thing = things.places(rows["instance"].to_numpy())
        places[places_of(rows["view_set"], sets.ids), thing] = np.arange(len(rows))
    return Surfaces(places, _Lists(rows["shown"]), _Lists(rows["shown_parts"]))


def coverage(facts: SceneFacts, left: Left, thing: int) -> float | None:
    """Share of an object's surface that the views left show together; None where it has none."""
    surfaces = facts.once(_surfaces)
    at = int(surfaces.places[left.row, thing])
    shown = [] if at == NOTHING else surfaces.shown[at]
    if not shown or any(share != share for share in shown):
        return None
    parts = surfaces.parts[at]
    if not parts:
        # One view at most shows any of it.
        return max([shown[view] for view in left.views])
    own = sum([1 << view for view in left.views])
    return min(1.0, math.fsum([part for number, part in enumerate(parts, 1) if number & own]))


def option(task: str) -> str:
    """The option that no answer can be had."""
    return phrases(SUITE, task)["undetermined"]
