"""Which of four objects is closest to a fifth, or farthest from it, all marked in a video (SPAR).

Distances are those between the centers of the 3D boxes. The anchor is marked in red, and the four, called Object0 to
Object3, in colors of their own; each in a frame of its own, which the question names. Which four are compared is drawn,
and so is whether the closest or the farthest is asked for, where both are clear.

Some things stand by each other in every home, and of two that belong together neither is much nearer: of what the words
alone suggest, some questions are left out (`priors`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, about_video, draw_key
from spatial_assets.tasks.core.draws import Draw, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.marks import points
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import UNDER_A_DISC, Question, ShownParameters, Task
from spatial_assets.tasks.core.video.named_frames import of_pointed
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.anchors import Clearness, Compared
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.fours import (
    COUNT,
    FOUR_REASONS,
    NOT_CLEAR,
    UNCLEAR,
    fours,
    in_order,
    relations,
    right_of,
    superlatives,
)
from spatial_assets.tasks.spar.video import (
    IMAGES,
    NEEDS,
    UNFIT,
    VIDEO_REASONS,
    called_by,
    fit_frames,
    images,
    label,
    marked_frames,
    shown_at_all,
)

SUITE, NAME = "spar", "distance_infer_center_oo_video"
COLORS = ("green", "blue", "yellow", "magenta")
"""Of Object0 and so on; the first three are SPAR's."""
SIGNS = "<>"
"""Of what is asked for, by its place among `superlatives`: the prior's thousands of hints are to be short."""


class NearestInVideoParameters(CenterParameters, ShownParameters):
    limits: ReferentLimits = UNDER_A_DISC
    clearness: Clearness = Clearness(min_ratio=1.15)
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")


def find(facts: SceneFacts, parameters: NearestInVideoParameters) -> Candidates:
    """Each object that the video shows well as the anchor of sets of four others."""
    fit = facts.once(fit_frames, parameters.limits).any(axis=0)
    anchors = np.flatnonzero(fit)
    others = np.tile(fit, (len(anchors), 1))
    others[np.arange(len(anchors)), anchors] = False
    identities = facts.objects.identities
    key = draw_key(facts.which, parameters.seed, NAME, "fours")
    chosen = fours(others, mix_columns(key, identities[anchors]), identities)
    own, things = anchors[chosen[:, 0]], chosen[:, 1:]
    distances = facts.objects.center_distances[own[:, None], things]
    found = about_video(np.concatenate([own[:, None], things], axis=1))
    draws = found.ranks(
        draw_key(facts.which, parameters.seed, NAME, "relation"), facts.frames.identities, identities
    )
    relation = relations(distances, parameters.clearness, draws)
    found.count_out(UNFIT, int(shown_at_all(facts).sum()) - len(anchors))
    found.count_out("few_objects", len(anchors) if len(anchors) <= COUNT else 0)
    found.reject(NOT_CLEAR, relation == UNCLEAR)
    found.values |= {"distances": distances, "relation": relation}
    found.strata = Strata.of_objects(own, identities)
    return found


def ask(facts: SceneFacts, parameters: NearestInVideoParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the four is called what, and the frames in which they are marked, is drawn."""
    words = facts.objects.words
    anchor, *four = candidate.objects
    relation = candidate.values["relation"]
    order = draw.shuffled("order", range(COUNT))
    things = [four[place] for place in order]
    distances: list[float] = in_order(candidate.values["distances"], order)
    right, other = right_of(distances, relation)
    if parameters.even:
        kinds = facts.objects.categories
        named = hints(relation, [kinds[thing] for thing in things], kinds[anchor])
        keep_even(prior_of(SUITE, NAME).chances(named), right, draw)
    roles = [("red", anchor), *((f"object{place}", thing) for place, thing in enumerate(things))]
    shown = images(facts)
    frames = marked_frames(facts, parameters.limits, [anchor, *things], draw)
    pieces = phrases(SUITE, NAME)
    listed = [
        pieces["candidate"].format(number=place, name=words[thing], color=COLORS[place], frame=label(frame))
        for place, (thing, frame) in enumerate(zip(things, frames[1:], strict=True))
    ]
    names = [pieces["called"].format(number=place) for place in range(COUNT)]
    gap = abs(other - distances[right])
    return Question(
        Compared(
            names[right],
            [name for place, name in enumerate(names) if place != right],
            [distances[right], other],
            gap,
            METERS.unit,
            [gap, gap],
        ),
        frames=shown,
        objects=roles,
        slots={
            "red": words[anchor],
            "red_frame": label(frames[0]),
            "candidates": pieces["join"].join(listed),
            "relation": superlatives()[relation],
            "right": words[things[right]],
        },
        marks=[
            points(shown[frame][1], [role])[0]._replace(color=color)
            for role, frame, color in zip(roles, frames, ("red", *COLORS), strict=True)
        ],
    )


def hints(relation: int, words: Sequence[str], target: str) -> list[list[str]]:
    """Of each object `<lamp`, `<bed~lamp` by the anchor, and `<lamp|desk` by each other one; `>` of the farthest."""
    sign = SIGNS[relation]
    # As far as a lamp is from a bed, the bed is from the lamp: what is seen of either way says both.
    return [
        [
            f"{sign}{word}",
            f"{sign}{word}~{target}" if word < target else f"{sign}{target}~{word}",
            *[f"{sign}{word}|{other}" for at, other in enumerate(words) if at != place],
        ]
        for place, word in enumerate(words)
    ]


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="Which of four objects marked in a video is closest to a fifth, or farthest from it",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=ObjectChoice.kind,
        parameters=NearestInVideoParameters,
        find=find,
        ask=ask,
        recount=of_pointed,
        points=called_by(NAME),
        reasons={**VIDEO_REASONS, **FOUR_REASONS, EXPECTED: PRIOR_REASONS[EXPECTED]},
        data=(prior_file(SUITE, NAME),),
    ),
)
