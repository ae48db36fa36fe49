"""Which of four further views would settle what the views shown leave open: it alone shows the object asked about.

The four are drawn among the views that could stand in the set beside those shown, whatever they show, and all four show
clearly some object that no other image of the question shows. One of the four is drawn, and of it such an object: so
given the images, each is as likely as the others to be right until one reads what is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from spatial_assets.scene.tables import OVERLAP
from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task, TaskParameters
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.measured import turns
from spatial_assets.tasks.spatialmosaic.referents import (
    MosaicReferents,
    alone,
    clear,
    seen_somewhere,
    shown_somewhere,
)
from spatial_assets.tasks.spatialmosaic.sets import (
    POSED,
    READS,
    SET,
    diagnostics,
    frame_roles,
    view_sets,
)

NAME, SUITE = "settling_view", "views"
QUAD = "quad"
"""Among the values of candidates, (N, 4): the further views' places among the frames, the right one first."""
PIXELS = "px"
UNSEEN = "unseen"
SETTLING_REASONS: Mapping[str, str] = {
    "large_set": "with the further views there would be too many images",
    "few_views": "fewer than four further views overlap with those shown as views of a set do",
    "repeated": "the same further views were drawn twice",
    "no_reference": "the views shown show nothing clearly that its name alone tells",
    "nothing_new": "not every further view shows clearly an object that no other image shows",
}


class SettlingParameters(TaskParameters):
    referents: MosaicReferents = MosaicReferents()
    most_shown: int = Field(
        3, ge=2, description="views of the set that is shown, at most: with four more they are seven images"
    )
    draws: int = Field(
        16,
        ge=1,
        description="fours of further views drawn for each set, of which few show something new in each view",
    )
    max_overlap: float = Field(
        0.3, gt=0, le=1, description="of a further view with each one shown, as views of a set have"
    )
    min_overlap: float = Field(
        0.01, ge=0, lt=1, description="of a further view with one at least of those shown, so that it ties in"
    )
    min_distance: float = Field(
        0.3, ge=0, description="meters between the object asked about and the one that it is compared with"
    )
    min_rise: float = Field(
        0.3, gt=0, description="meters between two centers of which it is asked which is higher up"
    )


def find(facts: SceneFacts, parameters: SettlingParameters) -> Candidates:
    """Fours of further views for every set, with the object that one of them is to be looked for in."""
    sets, objects = facts.once(view_sets), facts.objects
    size = sets.sizes
    rows = np.flatnonzero(size <= parameters.most_shown)
    fit = _joinable(facts, parameters, sets.frames[rows])
    enough = fit.sum(axis=1) >= OPTIONS
    quads, drawn = _drawn(facts, parameters, rows[enough], fit[enough])
    found = Candidates(
        np.zeros((len(quads), 0), np.int64), np.zeros((len(quads), 0), np.int64), {SET: drawn, QUAD: quads}
    )
    found.count_out("large_set", len(size) - len(rows))
    found.count_out("few_views", int((~enough).sum()))
    keys = np.concatenate([drawn[:, None], np.sort(quads, axis=1)], axis=1)
    same = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    found.reject("repeated", turns(same, np.arange(len(same)).astype(np.uint64)) > 0)
    if len(objects) == 0:
        found.reject("no_reference", np.ones(len(found), np.bool_))
    found = found.settle()
    rows, quads = found.values[SET], found.values[QUAD]
    states = mix_columns(
        draw_key(facts.which, parameters.seed, NAME, "drawn"),
        sets.identities[rows],
        np.sort(facts.frames.identities[quads], axis=1),
    )
    named = (
        facts.once(alone)[rows] & ~facts.namesakes[quads].any(axis=1) & ~objects.structure
        if len(rows)
        else np.zeros((0, len(objects)), np.bool_)
    )
    reference = _picked(
        named & facts.once(shown_somewhere, parameters.referents.shown)[rows], states, objects.identities
    )
    found.reject("no_reference", reference == NOTHING)
    visible = facts.observed.visible[quads]
    new = facts.once(clear, parameters.referents.shown)[quads] & (visible.sum(axis=1) == 1)[:, None]
    far = objects.center_distances[reference] >= parameters.min_distance
    new &= (named & ~facts.once(seen_somewhere)[rows] & far)[:, None]
    found.reject("nothing_new", ~new.any(axis=2).all(axis=1))
    right = (states >> np.uint64(33)).astype(np.int64) % OPTIONS
    line = np.arange(len(rows))
    target = _picked(new[line, right], mix_columns(1, states), objects.identities)
    order = (right[:, None] + np.arange(OPTIONS)) % OPTIONS
    found.values[QUAD] = np.take_along_axis(quads, order, axis=1)
    found.objects = np.stack([target, reference], axis=1)
    found.strata = Strata.of_numbers(size[rows])
    found.identities = np.stack([states, mix_columns(2, states)], axis=1)
    return found


def _joinable(facts: SceneFacts, parameters: SettlingParameters, frames: Indices) -> Bools:
    """(S, F): which keyframes could stand in each set."""
    found = np.zeros((len(frames), len(facts.frames)), np.bool_)
    found[:, facts.frames.keyframes] = True
    tied = np.zeros_like(found)
    for view in frames.T:
        shared, there = facts.overlap[view], (view != NOTHING)[:, None]
        found &= ~there | (shared <= parameters.max_overlap)
        tied |= there & (shared >= parameters.min_overlap)
        rows = np.flatnonzero(there)
        found[rows, view[rows]] = False
    return found & tied


def _drawn(
    facts: SceneFacts, parameters: SettlingParameters, rows: Indices, fit: Bools
) -> tuple[Indices, Indices]:
    """(N, 4) views and (N,) their sets: of each set some fours, each of the greatest hashes."""
    draws, count = parameters.draws, len(facts.frames)
    line = np.repeat(np.arange(len(rows)), draws)
    states = mix_columns(
        draw_key(facts.which, parameters.seed, NAME, "fours"),
        facts.once(view_sets).identities[rows[line]],
        np.tile(np.arange(draws, dtype=np.uint64), len(rows)),
    )
    ranks = mix_columns(np.repeat(states, count), np.tile(facts.frames.identities, len(line)))
    ranks = np.where(fit[line], ranks.reshape(len(line), count), 0)
    if not len(line):
        return np.zeros((0, OPTIONS), np.int64), np.zeros(0, np.int64)
    best = np.argpartition(ranks, count - OPTIONS, axis=1)[:, count - OPTIONS :]
    # In an order of its own, which says nothing of the frames' places.
    order = np.argsort(np.take_along_axis(ranks, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1).astype(np.int64), rows[line]


def _picked(chosen: Bools, states: Hashes, identities: Hashes) -> Indices:
    """(N,), of those chosen, (N, O), the one of the greatest hash; NOTHING where there is none."""
    if not chosen.size:
        return np.full(len(chosen), NOTHING, np.int64)
    ranks = mix_columns(np.repeat(states, chosen.shape[1]), np.tile(identities, len(chosen)))
    # Odd, so that no rank is 0.
    ranks = np.where(chosen, ranks.reshape(chosen.shape) | np.uint64(1), 0)
    found: NDArray[np.int64] = ranks.argmax(axis=1)
    return np.where(chosen.any(axis=1), found, NOTHING)


def ask(facts: SceneFacts, parameters: SettlingParameters, candidate: Chosen, draw: Draw) -> Question:
    """What is left open is drawn: a distance, a size, or which is higher up where that is clear."""
    (target, reference), row = candidate.objects, candidate.values[SET]
    right, *_ = quad = candidate.values[QUAD].tolist()
    roles = [("target", target), ("reference", reference)]
    words = facts.objects.named(roles)
    rise = abs(float(facts.objects.centers[target, 2] - facts.objects.centers[reference, 2]))
    kinds = ["distance", "size", *(["height"] if rise >= parameters.min_rise else [])]
    pieces = phrases(SUITE, NAME)
    opened = pieces[kinds[draw.below("open", len(kinds))]].format_map(words)
    views = draw.shuffled("candidates", quad)
    names = [pieces["candidate"].format(number=place + 1) for place in range(OPTIONS)]
    others = [name for name, view in zip(names, views, strict=True) if view != right]
    pixels = float(facts.observed.visible_px[right, target])
    return Question(
        Choice(names[views.index(right)], others, [pixels], pixels, PIXELS),
        frames=[
            *frame_roles(facts.once(view_sets), row),
            *((f"candidate-{place + 1}", view) for place, view in enumerate(views)),
        ],
        objects=roles,
        slots={"open": opened},
        diagnostics=diagnostics(facts, row, (reference,), answer_is=UNSEEN),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=7,
        summary="Which of four further views would settle what two or three views leave open",
        needs={SELECT: POSED},
        kind=Choice.kind,
        parameters=SettlingParameters,
        find=find,
        ask=ask,
        reasons=SETTLING_REASONS,
        reads=(*READS, OVERLAP),
    ),
)
