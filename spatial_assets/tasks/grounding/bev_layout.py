"""Where named objects lie on a map, seen from above in the frame of the first of three images (SPAR, section 4.4, the
probe of implicit 3D).

The origin is where the first image's camera was, on the ground; y goes along its viewing direction and x to the right
of that; meters to one decimal. Objects are called by their names alone, nothing is marked: so a name stands for all
objects of the scene that it may mean, and each of these is shown well by one of the images. Where a name repeats, the
places are told in the order of their distance, and which is which is no part of the question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Parts
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, Task, TaskParameters
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.relations import seen_level
from spatial_assets.tasks.spar.views import NEEDS, NONE_FIT, VIEW_REASONS, ViewLimits, marked_in, triples

SUITE, NAME = "grounding", "bev_layout"
FEWEST, MOST = 2, 8
"""Things that a layout may ask about."""


class LayoutParameters(TaskParameters):
    limits: ReferentLimits = ReferentLimits()
    views: ViewLimits = ViewLimits()
    draws: int = Field(
        2, ge=1, description="sets of objects of each three views: of one, some are near a rounding boundary"
    )
    most_alike: int = Field(
        3, ge=1, description="objects of one name: of more nobody keeps apart which were told of"
    )
    min_level: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of the first view's direction that is level, the cosine of its tilt: of one who looks at "
        "the floor at his feet nobody sees where ahead is",
    )


class Names:
    """Names that stand for few objects of the scene and for nothing else; made by `names_of`."""

    def __init__(self, facts: SceneFacts, most_alike: int) -> None:
        objects = facts.objects
        meant = objects.may_mean.copy()
        np.fill_diagonal(meant, True)
        groups: dict[str, list[int]] = {}
        for place, (word, structure) in enumerate(
            zip(objects.words, objects.structure.tolist(), strict=True)
        ):
            if not structure:
                groups.setdefault(word, []).append(place)
        kept = [
            group
            for _, group in sorted(groups.items())
            if len(group) <= most_alike and meant[group[0]].sum() == len(group)
        ]
        self.members = np.full((len(kept), most_alike), NOTHING, np.int64)
        """(W, most_alike), places of the objects of each name; NOTHING where they are fewer."""
        for row, group in enumerate(kept):
            self.members[row, : len(group)] = group
        # Of objects, so that a name's hash does not depend on how it is written.
        parts = np.where(self.members == NOTHING, np.uint64(0), objects.identities[self.members])
        # Their order among each other is that of places; a sum forgets it.
        self.identities: Hashes = mix_columns(0, parts.sum(axis=1, dtype=np.uint64))


def names_of(facts: SceneFacts, most_alike: int) -> Names:
    return Names(facts, most_alike)


@kernel
def _drawn(
    fit: Bools, members: Indices, identities: Hashes, states: Hashes, draws: int, most: int
) -> Indices:
    """(N, 1 + most): of each row of fit, (R, W), its place and the objects of names that are drawn, those of a name all
    or none; NOTHING where they are fewer."""
    out = np.full((len(fit) * draws, 1 + most), -1, np.int64)
    ranks = np.empty(len(members), np.uint64)
    order = np.empty(len(members), np.int64)
    at = 0
    for row in range(len(fit)):
        for draw in range(draws):
            state = mix_pair(states[row], np.uint64(draw))
            wanted = FEWEST + int(state % np.uint64(most - FEWEST + 1))
            count = 0
            for name in range(len(members)):
                if not fit[row, name]:
                    continue
                rank = mix_pair(state, identities[name])
                slot = count
                while slot > 0 and rank > ranks[slot - 1]:
                    ranks[slot], order[slot] = ranks[slot - 1], order[slot - 1]
                    slot -= 1
                ranks[slot], order[slot] = rank, name
                count += 1
            held = 0
            for place in range(count):
                name = order[place]
                size = 0
                for column in range(members.shape[1]):
                    size += members[name, column] >= 0
                if held + size > wanted:
                    continue
                for column in range(size):
                    out[at, 1 + held] = members[name, column]
                    held += 1
            if held < FEWEST:
                for column in range(held):
                    out[at, 1 + column] = -1
                continue
            out[at, 0] = row
            at += 1
    return out[:at]


def find(facts: SceneFacts, parameters: LayoutParameters) -> Candidates:
    """Two to eight objects of names that are drawn among those whose objects each three views show well."""
    views = triples(facts, parameters)
    frames = views.frames
    names = facts.once(names_of, parameters.most_alike)
    shown = marked_in(facts, frames, parameters.limits) != NONE_FIT
    there = names.members != NOTHING
    fit: Bools = (shown[:, names.members] | ~there[None]).all(axis=2)
    states = mix_columns(
        draw_key(facts.which, parameters.seed, NAME, "names"), facts.frames.identities[frames]
    )
    drawn = _drawn(fit, names.members, names.identities, states, parameters.draws, MOST)
    rows = drawn[:, 0]
    objects, places = _in_order(facts, frames[rows, 0], drawn[:, 1:])
    held = objects != NOTHING
    found = Candidates(
        frames[rows],
        objects,
        {"places": places},
        Strata.of_numbers(held.sum(axis=1)),
        rejected=views.rejected.copy(),
    )
    found.count_out("few_objects", len(frames) - len(np.unique(rows)))
    ahead = facts.frames.camera_to_world[found.frames[:, 0], :2, 2]
    found.reject("looking_down", np.hypot(ahead[:, 0], ahead[:, 1]) < parameters.min_level)
    found.reject("repeated", _repeated(found))
    boundary = METERS.near_rounding_boundary(places)
    found.reject(ROUNDING, (boundary & held[:, :, None]).any(axis=(1, 2)))
    return found


def _in_order(facts: SceneFacts, cameras: Indices, objects: Indices) -> tuple[Indices, Float]:
    """Sets of objects, (N, b), as they were drawn, those of a name by distance; and (N, b, 2), meters to the right and
    to the front of each camera."""
    poses = facts.frames.camera_to_world[cameras]
    seen: Float = seen_level(poses[:, :3, 3], poses[:, :3, 2], facts.objects.centers[objects])[..., [0, 2]]
    away = np.hypot(seen[..., 0], seen[..., 1])
    away[objects == NOTHING] = np.inf
    # Names stand together as they were drawn: by the place of the name's first object.
    words = facts.once(_word_places)[objects]
    firsts = (words[:, :, None] == words[:, None, :]).argmax(axis=2)
    firsts[objects == NOTHING] = objects.shape[1]
    order = np.lexsort((away, firsts), axis=1)
    return np.take_along_axis(objects, order, axis=1), np.take_along_axis(seen, order[:, :, None], axis=1)


def _word_places(facts: SceneFacts) -> Indices:
    """(O,), equal for objects that are called alike."""
    words = sorted(set(facts.objects.words))
    place = {word: index for index, word in enumerate(words)}
    return np.array([place[word] for word in facts.objects.words], np.int64)


def _repeated(found: Candidates) -> Bools:
    """(N,): whether the same images and objects were drawn before."""
    keys = np.concatenate([found.frames, found.objects], axis=1)
    repeated = np.ones(len(found), np.bool_)
    repeated[np.unique(keys, axis=0, return_index=True)[1]] = False
    return repeated


def ask(facts: SceneFacts, parameters: LayoutParameters, candidate: Chosen, draw: Draw) -> Question:
    things = candidate.objects
    places = candidate.values["places"][: len(things)].tolist()
    words = [facts.objects.words[thing] for thing in things]
    pieces = phrases(SUITE, NAME)
    printed = [
        pieces["place"].format(name=word, x=METERS.text(x), y=METERS.text(y))
        for word, (x, y) in zip(words, places, strict=True)
    ]
    return Question(
        Parts([(METERS, number) for place in places for number in place], pieces["join"].join(printed)),
        frames=[(f"frame-{index}", place) for index, place in enumerate(candidate.frames)],
        objects=[(f"object{index}", thing) for index, thing in enumerate(things)],
        slots={"objects": listed(words)},
    )


def listed(words: Sequence[str]) -> str:
    """`the bed, the chair (each of 2) and the table`; a name once, however many it stands for."""
    pieces = phrases(SUITE, NAME)
    told = []
    for word in dict.fromkeys(words):
        count = words.count(word)
        told.append(pieces["one" if count == 1 else "several"].format(name=word, count=count))
    if len(told) == 1:
        return told[0]
    return f"{', '.join(told[:-1])} {pieces['and']} {told[-1]}"


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=3,
        summary="Where 2 to 8 named objects lie on the ground, in the frame of the first of three images",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Parts.kind,
        places="layout",
        parameters=LayoutParameters,
        find=find,
        ask=ask,
        reasons={
            **{name: text for name, text in VIEW_REASONS.items() if name != "unfit"},
            "few_objects": "the images show too few objects well whose names mean nothing else",
            "looking_down": "the first view looks down or up too steeply to say where ahead is",
            "repeated": "the same objects of the same images were drawn before",
        },
    ),
)
