"""Three views of a scene: which are shown together, and in which of them an object is marked.

The first image is the main view, from which everything is seen that a question asks about the observer. All tasks with
equal limits show the same triples. An object is marked in the one of the images that shows the most of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Fact, Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.candidates import (
    TIER,
    Bools,
    Candidates,
    Indices,
    draw_key,
    view_triples,
)
from spatial_assets.tasks.core.draws import mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import OVERLAP_REASONS, ReferentLimits, referents, shared_counts, shown
from spatial_assets.tasks.core.marks import GRID, Mark, box_mark, markers, points
from spatial_assets.tasks.core.task import MarkedParameters, Roles

NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY, Fact.OVERLAP})
"""Without overlap, nobody can say whether the images show how they belong together."""
ROLES = ("main", "second", "third")
"""Of the images, in the order in which they are shown."""
ALL_VIEWS, OTHER_VIEWS = (0, 1, 2), (1, 2)
VIEWS = "views"
"""Among the values of candidates, (N, b): the view that each object is marked in, as a place among the three."""
NONE_FIT = -1
APART, ALSO_IN_ONE, IN_ONE = 0, 1, 2
"""Tiers of pairs: no image shows both well, which is what three are for; an image does, and they are marked in two all
the same; they can be marked in one image alone."""
VIEW_REASONS: Mapping[str, str] = {
    "few_views": "fewer than two other views are linked with the main view",
    "high_overlap": OVERLAP_REASONS["high_overlap"],
    "same_views": "the same three images were drawn before",
    "unfit": "none of the images that it could be marked in shows an object well enough",
}


class ViewLimits(Parameters):
    """Which views are shown together."""

    min_overlap: float = Field(
        0.1, ge=0, le=1, description="share of the surface seen in both images; less shows no link"
    )
    max_overlap: float = Field(0.9, ge=0, le=1, description="more, and the images are nearly the same")
    draws: int = Field(
        1,
        ge=1,
        description="triples per main view: a scene of 50 keyframes then has a thousand pairs of objects to ask about",
    )
    shared: ReferentLimits = Field(
        ReferentLimits(), description="what both of two views must show of one object to be linked"
    )


class ViewsParameters(MarkedParameters):
    """What tasks about objects marked with points in three views have."""

    views: ViewLimits = ViewLimits()


class ShowsViews(Protocol):
    """Parameters of any task that shows three views."""

    @property
    def views(self) -> ViewLimits: ...

    @property
    def seed(self) -> int: ...


class HasReferents(ShowsViews, Protocol):
    """Those of a task about objects in them, however they are marked."""

    @property
    def limits(self) -> ReferentLimits: ...


def triples(facts: SceneFacts, parameters: ShowsViews) -> Candidates:
    """Three views each, the main one first; the same for all tasks. Not to be changed."""
    return facts.once(_triples, parameters.views, parameters.seed)


def linked(facts: SceneFacts, limits: ViewLimits) -> Bools:
    """(F, F): views that share some of what they see, and an object that both show well."""
    fit = (facts.once(referents, limits.shared) == 0) & shown(facts)
    found: Bools = (
        (facts.overlap >= limits.min_overlap)
        & (facts.overlap <= limits.max_overlap)
        & (shared_counts(fit) > 0)
    )
    return found


def _triples(facts: SceneFacts, limits: ViewLimits, seed: int) -> Candidates:
    frames = facts.frames
    key = draw_key(facts.which, seed, "views")
    found = view_triples(
        facts.once(linked, limits), frames.keyframes, frames.identities, key, limits.draws, "few_views"
    )
    main, second, third = found.frames.T
    found.reject("high_overlap", facts.overlap[second, third] > limits.max_overlap)
    # Where few views are linked, another draw may give the same three. Their order is their own, not the draw's, so
    # that they are the same question whichever draw goes.
    begun = frames.identities[main]
    turned = np.flatnonzero(
        mix_columns(key, begun, frames.identities[second]) > mix_columns(key, begun, frames.identities[third])
    )
    found.frames[turned, 1:] = found.frames[turned, :0:-1]
    codes = (found.frames * [len(frames) ** 2, len(frames), 1]).sum(axis=1)
    repeated = np.ones(len(found), np.bool_)
    repeated[np.unique(codes, return_index=True)[1]] = False
    found.reject("same_views", repeated)
    return found.settle()


def shares(facts: SceneFacts, limits: ReferentLimits) -> Float:
    """(F, O): the share of an image that an object fills where it is fit to be asked about, else 0."""
    fit = (facts.once(referents, limits) == 0) & shown(facts)
    found: Float = np.where(fit, facts.observed.visible_px / facts.frames.pixels[:, None], 0.0)
    return found


@kernel
def _best_views(frames: Indices, filled: Float, among: Indices) -> Indices:
    out = np.full((len(frames), filled.shape[1]), NONE_FIT, np.int64)
    for row in range(len(frames)):
        for thing in range(filled.shape[1]):
            most = 0.0
            for view in among:
                if filled[frames[row, view], thing] > most:
                    most, out[row, thing] = filled[frames[row, view], thing], view
    return out


def marked_in(
    facts: SceneFacts, frames: Indices, limits: ReferentLimits, among: Sequence[int] = ALL_VIEWS
) -> Indices:
    """Where each object is marked in each three views.

    Parameters
    ----------
    frames : (N, 3). among : the views that it may be marked in.

    Returns
    -------
    (N, O), the place of the view that shows the most of an object among those where it is fit; NONE_FIT without.
    """
    return _best_views(frames, facts.once(shares, limits), np.array(among, np.int64))


def seen_in_views(facts: SceneFacts, frames: Indices, among: Sequence[int] = ALL_VIEWS) -> Bools:
    """(N, O): objects that one of the views shows at all."""
    visible = shown(facts)
    found: Bools = np.any([visible[frames[:, view]] for view in among], axis=0)
    return found


def objects_in_views(
    facts: SceneFacts, parameters: HasReferents, among: Sequence[int] = ALL_VIEWS
) -> Candidates:
    """Each object with each of the triples that show it well; the others that they show at all are counted out.

    Values: VIEWS, (N, 1).
    """
    found = triples(facts, parameters)
    views = marked_in(facts, found.frames, parameters.limits, among)
    row, thing = np.nonzero(views != NONE_FIT)
    objects = Candidates(
        found.frames[row],
        thing[:, None],
        {VIEWS: views[row, thing][:, None]},
        rejected=found.rejected.copy(),
    )
    objects.count_out("unfit", int(seen_in_views(facts, found.frames, among).sum()) - len(row))
    return objects


@kernel
def _pairs(frames: Indices, filled: Float, ordered: bool) -> Indices:
    """(N, 6): the triple's row, the two objects, the view of each, and the tier."""
    count = filled.shape[1]
    places = np.empty((len(frames), count), np.int64)
    sizes = np.zeros(len(frames), np.int64)
    for row in range(len(frames)):
        for thing in range(count):
            if max(
                filled[frames[row, 0], thing], filled[frames[row, 1], thing], filled[frames[row, 2], thing]
            ):
                places[row, sizes[row]] = thing
                sizes[row] += 1
    total = (sizes * (sizes - 1)).sum()
    out = np.empty((total if ordered else total // 2, 6), np.int64)
    at = 0
    for row in range(len(frames)):
        for i in range(sizes[row]):
            for j in range(0 if ordered else i + 1, sizes[row]):
                if i == j:
                    continue
                first, second = places[row, i], places[row, j]
                # In two images, so that the smaller of what shows of them is as large as can be; else in one.
                one, other, apart = 0, 0, 0.0
                same, together = 0, 0.0
                for view in range(3):
                    shows = filled[frames[row, view], first]
                    if shows == 0:
                        continue
                    for next_view in range(3):
                        least = min(shows, filled[frames[row, next_view], second])
                        if view == next_view:
                            if least > together:
                                same, together = view, least
                        elif least > apart:
                            one, other, apart = view, next_view, least
                tier = IN_ONE if apart == 0 else ALSO_IN_ONE if together > 0 else APART
                if tier == IN_ONE:
                    one, other = same, same
                out[at, 0], out[at, 1], out[at, 2] = row, first, second
                out[at, 3], out[at, 4], out[at, 5] = one, other, tier
                at += 1
    return out


def pairs_in_views(facts: SceneFacts, parameters: HasReferents, ordered: bool = False) -> Candidates:
    """Each two objects with each of the triples that show both well, in both orders where these differ.

    The two are marked in different images wherever that can be. Values: VIEWS, (N, 2), and TIER.
    """
    found = facts.once(_pairs_in_views, parameters.views, parameters.seed, parameters.limits, ordered)
    return found.fresh()


def _pairs_in_views(
    facts: SceneFacts, views: ViewLimits, seed: int, limits: ReferentLimits, ordered: bool
) -> Candidates:
    found = facts.once(_triples, views, seed)
    row, first, second, one, other, tier = _pairs(found.frames, facts.once(shares, limits), ordered).T
    pairs = Candidates(
        found.frames[row],
        np.stack([first, second], axis=1),
        {VIEWS: np.stack([one, other], axis=1), TIER: tier},
        rejected=found.rejected.copy(),
    )
    counts = seen_in_views(facts, found.frames, ALL_VIEWS).sum(axis=1)
    all_pairs = int((counts * (counts - 1)).sum())
    pairs.count_out("unfit", (all_pairs if ordered else all_pairs // 2) - len(row))
    return pairs


@kernel
def _pairs_with_main(frames: Indices, filled: Float, best: Indices) -> Indices:
    """(N, 5): the triple's row, the object in the main view, the other one and its view, and the tier."""
    total = 0
    for row in range(len(frames)):
        for first in range(best.shape[1]):
            if filled[frames[row, 0], first] > 0:
                total += (best[row] >= 0).sum() - (best[row, first] >= 0)
    out = np.empty((total, 5), np.int64)
    at = 0
    for row in range(len(frames)):
        others = np.flatnonzero(best[row] >= 0)
        for first in range(best.shape[1]):
            if filled[frames[row, 0], first] == 0:
                continue
            for second in others:
                if second != first:
                    out[at, 0], out[at, 1], out[at, 2], out[at, 3] = row, first, second, best[row, second]
                    out[at, 4] = APART if filled[frames[row, 0], second] == 0 else ALSO_IN_ONE
                    at += 1
    return out


def pairs_with_main(facts: SceneFacts, parameters: ViewsParameters) -> Candidates:
    """Each object that a main view shows well with each that one of its triple's other views does.

    Those that the main view does not show well are of the first tier. Values: VIEWS, (N, 2), and TIER.
    """
    return facts.once(_in_main, parameters.views, parameters.seed, parameters.limits).fresh()


def _in_main(facts: SceneFacts, views: ViewLimits, seed: int, limits: ReferentLimits) -> Candidates:
    found = facts.once(_triples, views, seed)
    best = marked_in(facts, found.frames, limits, OTHER_VIEWS)
    row, first, second, view, tier = _pairs_with_main(found.frames, facts.once(shares, limits), best).T
    pairs = Candidates(
        found.frames[row],
        np.stack([first, second], axis=1),
        {VIEWS: np.stack([np.zeros_like(view), view], axis=1), TIER: tier},
        rejected=found.rejected.copy(),
    )
    main, others = (seen_in_views(facts, found.frames, among) for among in ((0,), OTHER_VIEWS))
    counts = main.sum(axis=1) * others.sum(axis=1) - (main & others).sum(axis=1)
    pairs.count_out("unfit", int(counts.sum()) - len(row))
    return pairs


@kernel
def _marks_touch(
    frames: Indices, objects: Indices, views: Indices, spots: Float, aspects: Float, least: float
) -> Bools:
    out = np.zeros(len(frames), np.bool_)
    for row in range(len(frames)):
        for first in range(objects.shape[1]):
            for second in range(first):
                if views[row, first] != views[row, second]:
                    continue
                frame = frames[row, views[row, first]]
                one, other = objects[row, first], objects[row, second]
                across = spots[frame, one, 0] - spots[frame, other, 0]
                down = (spots[frame, one, 1] - spots[frame, other, 1]) * aspects[frame]
                out[row] = out[row] or not np.hypot(across, down) / GRID >= least
    return out


def marks_touch(facts: SceneFacts, found: Candidates, least: float) -> Bools:
    """(N,): whether two of a candidate's points are in one image and nearer there than so many of its widths."""
    aspects = facts.frames.heights / facts.frames.widths
    return _marks_touch(found.frames, found.objects, found.values[VIEWS], facts.once(markers), aspects, least)


def shown_views(frames: Sequence[int]) -> Roles:
    """A candidate's images with their roles."""
    return list(zip(ROLES, frames, strict=True))


def points_in(facts: SceneFacts, frames: Sequence[int], roles: Roles, views: Sequence[int]) -> list[Mark]:
    """A point on each object, of the color that its role names, in the view that it is marked in."""
    return [points(frames[view], [role])[0] for role, view in zip(roles, views, strict=True)]


def boxes_in(facts: SceneFacts, frames: Sequence[int], roles: Roles, views: Sequence[int]) -> list[Mark]:
    """The box of what shows of each object, likewise."""
    return [box_mark(frames[view], role, thing) for (role, thing), view in zip(roles, views, strict=True)]
