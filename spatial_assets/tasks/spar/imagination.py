"""A move in the mind: the viewer goes to the center of one object and faces another (SPAR, appendix 7.5, "Spatial
imagination").

After the move the front is the direction from the green object's center to the blue one's, seen from above, and up is
the world's. Objects that are only looked at from a steep angle are not moved to. Before the move the viewer is a
camera, with a level head too; where that and the camera's own axes disagree on a word, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import TIER, Bools, Candidates, Chosen, Codes, Indices, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.even import (
    EVEN_REASONS,
    Cells,
    in_name_order,
    named_cells,
    others_of,
    widened_cells,
)
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.marks import Mark
from spatial_assets.tasks.core.task import Question, Roles, Twin
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.relations import (
    BETWEEN,
    TO_VIEWER,
    RelationLimits,
    Slots,
    answer_of,
    between_and_to_viewer,
    code_of,
    codes_of,
    said,
    seen_from_camera,
    seen_level,
    signs_of,
    signs_of_one,
    swapped,
)
from spatial_assets.tasks.spar.views import VIEWS

GREEN, BLUE, RED, YELLOW = "green", "blue", "red", "yellow"
ROLES = (GREEN, BLUE, RED, YELLOW)
"""Where the viewer goes, what is faced, what is asked about, and what it is compared with."""
BEFORE, AFTER = "before", "after"
MOVE_CODES = ("", "boxes_overlap", "near", "steep")
MOVE_REASONS = {
    **EVEN_REASONS,
    "unfit": "the images do not show one of the objects well",
    "boxes_overlap": "the boxes of the object moved to and of the one faced touch or overlap",
    "near": "the object faced is too near to give a direction",
    "steep": "the viewer would have to look too steeply up or down",
    "no_third": "no other object is apart from these and far enough from the new viewpoint",
    "in_doubt": "a word of the relation is too near to where it changes",
    "pitched": "with the head tilted toward the object faced another word would be right",
    "tilted": "with the head tilted as the camera is another word would be right before the move",
    "same_place": "no two words tell the objects apart",
}


class MoveLimits(CenterParameters):
    """Which moves can be imagined."""

    limits: ReferentLimits = ReferentLimits()
    relation: RelationLimits = RelationLimits()
    min_distance: float = Field(
        0.5,
        gt=0,
        description="meters from the new viewpoint, seen from above, to what is faced, and to every object asked "
        "about: nearer than this, what is left and right follows from where in an object one stands",
    )
    max_pitch: float = Field(
        45.0,
        gt=0,
        lt=90,
        description="degrees by which the new line of sight may rise or fall: the limit that SPAR names and does not "
        "publish. Looking down more steeply one sees one's feet",
    )


class Moves(NamedTuple):
    """Drawn moves, and how many objects or pairs of objects could not be moved to and faced."""

    rows: Indices
    """(N,), the images' places in `fit`."""
    objects: Indices
    """(N, 3): green, blue and red; or (N, 4), and yellow."""
    failed: Indices
    """By MOVE_CODES, and last those without a third object."""


@kernel
def _moves(
    fit: Bools,
    verdicts: Codes,
    far: Bools,
    apart: Bools,
    identities: Hashes,
    states: Hashes,
    two: bool,
    one_faced: bool,
    draws: int,
) -> tuple[Indices, Indices]:
    total = 0
    for row in range(len(fit)):
        count = fit[row].sum()
        total += count * (1 if one_faced else max(count - 1, 0)) * draws
    out = np.full((total, 5), -1, np.int64)
    failed = np.zeros(5, np.int64)
    reds = np.empty(draws, np.int64)
    ranks = np.empty(draws, np.uint64)
    at = 0
    for row in range(len(fit)):
        places = np.flatnonzero(fit[row])
        for green in places:
            begun = mix_pair(states[row], identities[green])
            faced, most = -1, np.uint64(0)
            for blue in places:
                if verdicts[green, blue] != 0:
                    failed[verdicts[green, blue]] += green != blue
                elif green != blue:
                    rank = mix_pair(begun, identities[blue])
                    if faced < 0 or rank > most:
                        faced, most = int(blue), rank
            for blue in places:
                if green == blue or verdicts[green, blue] != 0 or (one_faced and blue != faced):
                    continue
                state = mix_pair(begun, identities[blue])
                held = 0
                for place in places:
                    if not far[green, place] or not apart[blue, place] or place == blue:
                        continue
                    rank = mix_pair(state, identities[place])
                    if held < draws:
                        slot = held
                        held += 1
                    elif rank > ranks[draws - 1]:
                        slot = draws - 1
                    else:
                        continue
                    while slot > 0 and rank > ranks[slot - 1]:
                        ranks[slot], reds[slot] = ranks[slot - 1], reds[slot - 1]
                        slot -= 1
                    ranks[slot], reds[slot] = rank, place
                some, begin = False, at
                for drawn in range(held):
                    red, known = int(reds[drawn]), False
                    yellow, best = -1, np.uint64(0)
                    if two:
                        for place in places:
                            if (
                                far[green, place]
                                and apart[blue, place]
                                and apart[red, place]
                                and place != blue
                            ):
                                rank = mix_pair(ranks[drawn], identities[place])
                                if yellow < 0 or rank > best:
                                    yellow, best = int(place), rank
                        if yellow < 0:
                            continue
                        # The same two may be drawn in both orders.
                        red, yellow = min(red, yellow), max(red, yellow)
                        for earlier in range(begin, at):
                            known = known or (out[earlier, 3] == red and out[earlier, 4] == yellow)
                    some = True
                    if not known:
                        out[at, 0], out[at, 1], out[at, 2], out[at, 3], out[at, 4] = (
                            row,
                            green,
                            blue,
                            red,
                            yellow,
                        )
                        at += 1
                failed[4] += not some
    return out[:at], failed


def moves(
    facts: SceneFacts,
    limits: MoveLimits,
    fit: Bools,
    states: Hashes,
    slots: Slots,
    one_faced: bool = False,
    draws: int = 1,
) -> Moves:
    """Every two objects of each set to move to and to face, with others that are drawn among those of the set.

    Parameters
    ----------
    fit : (R, O), the objects that each set of images shows well. states : (R,), what the draws depend on, of each set.
    slots : what is asked, of one object or of two. one_faced : whether the object faced is drawn too. draws : how many
    questions at most are about the same move.
    """
    objects = facts.objects
    flat = np.hypot(*np.moveaxis(objects.centers[:, None, :2] - objects.centers[None, :, :2], 2, 0))
    rise = np.abs(objects.centers[:, None, 2] - objects.centers[None, :, 2])
    near, overlap = flat < limits.min_distance, objects.overlap
    verdicts = np.zeros(near.shape, np.int16)
    verdicts[rise > flat * np.tan(np.radians(limits.max_pitch))] = MOVE_CODES.index("steep")
    verdicts[near] = MOVE_CODES.index("near")
    verdicts[overlap] = MOVE_CODES.index("boxes_overlap")
    two = slots != TO_VIEWER
    found, failed = _moves(
        fit, verdicts, ~near & ~overlap, ~overlap, objects.identities, states, two, one_faced, draws
    )
    return Moves(found[:, 0], found[:, 1 : 5 if two else 4], failed)


def count_failed(found: Candidates, failed: Indices, seen: Bools, fit: Bools) -> None:
    """Count what was not enumerated: of all ordered pairs that the images show, seen and fit (R, O)."""
    unfit = sum(
        int((counts * (counts - 1)).sum()) * sign
        for counts, sign in ((seen.sum(axis=1), 1), (fit.sum(axis=1), -1))
    )
    for reason, count in zip((*MOVE_CODES[1:], "no_third"), failed[1:].tolist(), strict=True):
        found.count_out(reason, count)
    found.count_out("unfit", unfit)


def imagined(
    facts: SceneFacts, limits: MoveLimits, found: Candidates, cameras: Indices, slots: Slots
) -> Candidates:
    """Settled candidates with what is true BEFORE and AFTER the move, of which none is in doubt.

    Parameters
    ----------
    found : about green, blue and red, and yellow where two are compared. cameras : (N,), the frames whose cameras are
    the viewers before the move. slots : which are answered.
    """
    if found.objects.shape[1] == len(ROLES):
        found.objects = np.concatenate(
            [found.objects[:, :2], in_name_order(facts, found.objects[:, 2:])], axis=1
        )
    centers = facts.objects.centers[found.objects]
    forward = centers[:, 1] - centers[:, 0]
    others = np.ascontiguousarray(centers[:, 2:])
    poses = facts.frames.camera_to_world[cameras]
    after = _columns(seen_level(centers[:, 0], forward, others))
    before = _columns(seen_level(poses[:, :3, 3], poses[:, :3, 2], others))
    camera = [seen_from_camera(facts.camera_points[cameras, thing]) for thing in found.objects[:, 2:].T]

    # The direction faced is as much in doubt as centers are, and what follows at a distance that much more.
    def swing(offset: Float) -> Float:
        found: Float = 1.0 + np.hypot(offset[:, 0], offset[:, 2]) / np.hypot(forward[:, 0], forward[:, 1])
        return found

    sure = np.ones(len(found))
    if slots == TO_VIEWER:
        doubts = [swing(after[0]), sure, swing(after[0])]
    else:
        doubts = [swing(after[0] - after[1]), sure, sure, swing(after[0]), swing(after[1])][: len(slots)]
    values = {BEFORE: _values(before, slots), AFTER: _values(after, slots)}
    relation = limits.relation
    signs = relation.signs(values[AFTER])
    found.reject(
        "in_doubt",
        relation.doubtful(values[AFTER], np.stack(doubts, axis=1)) | relation.doubtful(values[BEFORE]),
    )
    found.reject("pitched", _pitched(relation, forward, after))
    found.reject("tilted", _tilted(relation, before, camera))
    compared = slice(len(BETWEEN))
    found.reject(
        "same_place",
        ~signs[:, compared].any(axis=1) | ~relation.signs(values[BEFORE])[:, compared].any(axis=1),
    )
    found.values |= values
    return found.settle()


def _columns(seen: Float) -> list[Float]:
    return [np.ascontiguousarray(seen[:, column]) for column in range(seen.shape[1])]


def _values(seen: Sequence[Float], slots: Slots) -> Float:
    return seen[0] if slots == TO_VIEWER else between_and_to_viewer(*seen)[:, : len(slots)]


def _pitched(limits: RelationLimits, forward: Float, seen: Sequence[Float]) -> Bools:
    """(N,): whether what is in front and behind changes if the front is the line of sight itself."""
    flat = np.hypot(forward[:, 0], forward[:, 1])
    length = np.linalg.norm(forward, axis=1)
    return np.any(
        [
            limits.signs((thing[:, 2] * flat + thing[:, 1] * forward[:, 2]) / length)
            != limits.signs(thing[:, 2])
            for thing in seen
        ],
        axis=0,
    )


def _tilted(limits: RelationLimits, level: Sequence[Float], camera: Sequence[Float]) -> Bools:
    """(N,): whether the words for left, right, front and behind change with the camera's own axes."""
    across = [
        limits.signs(one[:, [0, 2]]) != limits.signs(other[:, [0, 2]])
        for one, other in zip(level, camera, strict=True)
    ]
    if len(level) == 2:
        sides = [limits.signs(pair[0][:, 0] - pair[1][:, 0]) for pair in (level, camera)]
        across = [(sides[0] != sides[1])[:, None], *(one[:, 1:] for one in across)]
    return np.any(np.concatenate(across, axis=1), axis=1)


def answer_cells(facts: SceneFacts, limits: MoveLimits, task: str, found: Candidates, slots: Slots) -> Cells:
    """What is compared with another, by the two names: what is moved to and faced makes the difference.

    What is told to the viewer, by its name and that of what is moved to. Where such a cell has too few answers, by the
    latter alone, or by no name, and by whether the thing is above, which follows from the names: so that is the same
    in all options. Those of larger cells are asked last.
    """
    key = draw_key(facts.which, limits.seed, task, "answers")
    signs = limits.relation.signs(found.values[AFTER])
    codes = codes_of(signs)
    if slots != TO_VIEWER:
        return Cells(facts, key, found, named_cells(facts, found.objects[:, 2:]), codes)
    named = found.objects[:, [0, 2]], found.objects[:, :1], found.objects[:, :0]
    cells, found.values[TIER] = widened_cells(facts, key, found, named, signs[:, 1] + 1, codes)
    return cells


def with_strata(
    facts: SceneFacts, limits: MoveLimits, task: str, found: Candidates, slots: Slots
) -> Candidates:
    """Every answer of every words that have one, evenly."""
    found.strata = answer_cells(facts, limits, task, found, slots).strata
    found.values.pop(TIER, None)
    return found


def with_options(
    facts: SceneFacts, limits: MoveLimits, task: str, found: Candidates, slots: Slots
) -> Candidates:
    """Wrong options are what is so of the same things after other moves."""
    offered = found.fresh()
    cells = answer_cells(facts, limits, task, offered, slots)
    offered.strata = cells.strata
    cells.keep_one_of_each(offered)
    return offered


class Told(NamedTuple):
    """A candidate in the order in which its objects are asked about, which is drawn."""

    objects: list[int]
    views: list[int]
    """Where each is marked, as the task says; empty where all are in one image."""
    before: list[float]
    after: list[float]
    wrong: list[tuple[int, ...]]


NO_VIEWS = np.zeros(0, np.int64)


def turned_in(slots: Slots) -> tuple[Twin, ...]:
    """The twins of a move that relates two objects to each other."""
    return () if slots is TO_VIEWER else (Twin("relation_turned", "order"),)


def told(limits: MoveLimits, candidate: Chosen, slots: Slots, draw: Draw) -> Told:
    objects, views = list(candidate.objects), candidate.values.get(VIEWS, NO_VIEWS).tolist()
    before, after = (candidate.values[name].tolist() for name in (BEFORE, AFTER))
    code = code_of(signs_of_one(limits.relation, after))
    wrong = [signs_of(other, len(slots)) for other in others_of(candidate, code, draw)]
    if len(objects) == len(ROLES) and draw.below("order", 2):
        objects, views = ([*both[:2], *reversed(both[2:])] for both in (objects, views))
        before, after = swapped(before), swapped(after)
        wrong = [tuple(map(int, swapped(signs))) for signs in wrong]
    return Told(objects, views, before, after, wrong)


def frame_states(facts: SceneFacts, seed: int, frames: Indices) -> Hashes:
    """(R,), of sets of frames (R, a), what draws of moves depend on."""
    return mix_columns(draw_key(facts.which, seed, "moves"), facts.frames.identities[frames])


def question(
    facts: SceneFacts,
    limits: MoveLimits,
    slots: Slots,
    shown: Told,
    frames: Roles,
    marks: Callable[[Roles], Sequence[Mark]],
) -> Question:
    """A question about what is so after a move."""
    roles = list(zip(ROLES, shown.objects, strict=False))
    return Question(
        answer_of(slots, limits.relation, shown.after, shown.wrong),
        frames=frames,
        objects=roles,
        slots={**facts.objects.named(roles), **limits.relation.stated},
        marks=marks(roles),
    )


def from_before(
    asked: Question, limits: MoveLimits, slots: Slots, shown: Told, words: Mapping[str, str]
) -> Question:
    """The same with what is so before the move, for sentences that speak of it first."""
    relation = limits.relation
    spoken = {
        name: said(slots, signs_of_one(relation, values), words)
        for name, values in ((BEFORE, shown.before), (AFTER, shown.after))
    }
    return asked._replace(
        answer=answer_of(slots, relation, shown.after, shown.wrong, shown.before),
        slots={**asked.slots, **spoken},
    )
