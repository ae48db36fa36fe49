"""What tasks about spatial relations of marked objects share: which are told apart, their options and statements.

Left, right, above and below are along the camera's own axes, as published, and all distances are from the camera.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Relation, Relations
from spatial_assets.tasks.core.candidates import TIER, Candidates, Chosen, Indices, draw_key
from spatial_assets.tasks.core.draws import Draw, units
from spatial_assets.tasks.core.even import EVEN_REASONS, Cells, named_cells, others_of, widened_cells
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.spar.relations import (
    BETWEEN,
    SIGNS,
    TO_VIEWER,
    RelationLimits,
    Slots,
    answer_of,
    between_and_to_viewer,
    code_of,
    codes_of,
    seen_from_camera,
    signs_of,
    signs_of_one,
    swapped,
)
from spatial_assets.tasks.spar.views import VIEWS

RELATION, SLOT = "relation", "slot"
"""Values of candidates: (N, k), of each slot the difference in meters, and (N,), the slot that a statement is about."""
RELATION_REASONS: Mapping[str, str] = {
    **EVEN_REASONS,
    "in_doubt": "a word of the relation is too near to where it changes",
    "tilted": "the camera is tilted so that what is above in the image is below in the room",
    "same_place": "no two words tell the objects apart, or the object from the viewer",
}
NO_VIEWS = np.zeros(0, np.int64)


def relate(
    facts: SceneFacts, limits: RelationLimits, found: Candidates, cameras: Indices, slots: Slots
) -> None:
    """Give RELATION to candidates about one object or two, seen from cameras (N,), and reject what is not clear."""
    points = [seen_from_camera(facts.camera_points[cameras, thing]) for thing in found.objects.T]
    heights = facts.objects.centers[found.objects, 2]
    if slots == TO_VIEWER:
        values = points[0]
        rise = heights[:, 0] - facts.frames.camera_to_world[cameras, 2, 3]
    else:
        values = between_and_to_viewer(*points)[:, : len(slots)]
        rise = heights[:, 0] - heights[:, 1]
    signs = limits.signs(values)
    found.reject("in_doubt", limits.doubtful(values))
    found.reject("tilted", limits.signs(rise) * signs[:, 1] < 0)
    found.reject("same_place", ~signs[:, : len(BETWEEN)].any(axis=1))
    found.values[RELATION] = values


def answer_cells(
    facts: SceneFacts, limits: RelationLimits, seed: int, task: str, found: Candidates
) -> tuple[Cells, Indices]:
    """Candidates that print the same names, by what is true of them; (N,), how few of the names others had to share.

    Where two names have too few answers, one has, or none, and all options say the same of above and below.
    """
    key = draw_key(facts.which, seed, task, "answers")
    signs = limits.signs(found.values[RELATION])
    named = [found.objects[:, :count] for count in range(found.objects.shape[1], -1, -1)]
    return widened_cells(facts, key, found, named, signs[:, 1] + 1, codes_of(signs))


def with_options(
    facts: SceneFacts, limits: RelationLimits, seed: int, task: str, found: Candidates
) -> Candidates:
    """Wrong options are what is so of things of the same names in other images. Tiers of images are asked evenly."""
    offered = found.fresh()
    cells, offered.values[TIER] = answer_cells(facts, limits, seed, task, offered)
    offered.strata = cells.strata
    cells.keep_one_of_each(offered)
    return offered


def with_statements(
    facts: SceneFacts, limits: RelationLimits, seed: int, task: str, found: Candidates
) -> Candidates:
    """One of the words between two things, drawn among those that are not empty; a cell's words are asked evenly."""
    stated = found.fresh()
    signs = limits.signs(stated.values[RELATION])[:, : len(BETWEEN)]
    key = draw_key(facts.which, seed, task, "slot")
    states = stated.ranks(key, facts.frames.identities, facts.objects.identities)
    slots = drawn_slots(signs, units(states))
    stated.values[SLOT] = slots
    codes = slots * SIGNS + 1 + signs[np.arange(len(signs)), slots]
    stated.strata = Cells(facts, key, stated, named_cells(facts, stated.objects), codes).strata
    return stated


def drawn_slots(signs: Indices, shares: Float) -> Indices:
    """(N,), of each row of signs (N, k) the place of one that is not 0, by even draws in [0, 1)."""
    there = signs != 0
    wanted = np.floor(shares * there.sum(axis=1)).astype(np.int64) + 1
    found: Indices = np.argmax(np.cumsum(there, axis=1) == wanted[:, None], axis=1)
    return found


class Related(NamedTuple):
    """A candidate in the order in which its objects are asked about, which is drawn."""

    objects: list[int]
    views: list[int]
    """Where each is marked; empty where all are in one image."""
    values: list[float]
    turned: bool
    """Whether it is not the order in which they were found."""


def related(candidate: Chosen, draw: Draw) -> Related:
    objects, views = list(candidate.objects), candidate.values.get(VIEWS, NO_VIEWS).tolist()
    values: list[float] = candidate.values[RELATION].tolist()
    if len(objects) == 2 and draw.below("order", 2):
        return Related(objects[::-1], views[::-1], swapped(values), True)
    return Related(objects, views, values, False)


def answer(limits: RelationLimits, slots: Slots, candidate: Chosen, told: Related, draw: Draw) -> Relations:
    """All slots at once."""
    own = signs_of_one(limits, candidate.values[RELATION].tolist())
    code = code_of(own)
    wrong = [signs_of(other, len(slots)) for other in others_of(candidate, code, draw)]
    if told.turned:
        wrong = [tuple(map(int, swapped(signs))) for signs in wrong]
    return answer_of(slots, limits, told.values, wrong)


def statement(limits: RelationLimits, candidate: Chosen, told: Related, words: Mapping[str, str]) -> Relation:
    """What one slot says, in phrases, beside its opposite."""
    place = candidate.values[SLOT]
    slot, value = BETWEEN[place], told.values[place]
    word = slot.word(signs_of_one(limits, [value])[0])
    right, wrong = (words[f"{one} of"] for one in (word, slot.other(word)))
    return Relation(right, [wrong], [value], abs(abs(value) - limits.threshold), METERS.unit)
