"""Where objects are after a move in the mind, told from a video (SPAR, appendix 7.5, "Spatial imagination").

Before the move the observer is the camera of the video's first frame. Objects are marked with boxes, each in another
frame, or, in the hard tasks, named alone: then nothing else in the scene may be meant by the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, draw_key
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.marks import box_mark
from spatial_assets.tasks.core.recount import Asked, Held, members
from spatial_assets.tasks.core.rendering import SENTENCE
from spatial_assets.tasks.core.task import Question, ShownParameters, Task
from spatial_assets.tasks.core.video.named_frames import of_numbered
from spatial_assets.tasks.core.video.shown import HALF_SEEN, UNSEEN
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.imagination import (
    MOVE_REASONS,
    MoveLimits,
    count_failed,
    from_before,
    imagined,
    moves,
    question,
    told,
    turned_in,
    with_strata,
)
from spatial_assets.tasks.spar.relations import BETWEEN_AND_TO_VIEWER, TO_VIEWER, Slots
from spatial_assets.tasks.spar.video import (
    IMAGES,
    NEEDS,
    VIDEO_REASONS,
    called_frames,
    fit_frames,
    images,
    label,
    marked_frames,
    shown_at_all,
)

SUITE = "spar"
AMBIGUOUS = "ambiguous_name"
FIRST = 0
"""The frame of the video from which the observer leaves."""


class MoveInVideoParameters(MoveLimits, ShownParameters):
    draws: int = Field(
        2,
        ge=1,
        description="questions about a move: a small room has few objects, and a video one set of them",
    )


@dataclass(frozen=True)
class Kind:
    """One of the four tasks."""

    name: str
    slots: Slots
    marked: bool
    summary: str


KINDS = (
    Kind(
        "spatial_imagination_oc_video",
        TO_VIEWER,
        True,
        "Where an object is for one who goes to another and faces a third, marked in a video",
    ),
    Kind(
        "spatial_imagination_oc_video_hard",
        TO_VIEWER,
        False,
        "Where an object is for one who goes to another and faces a third, named in a video",
    ),
    Kind(
        "spatial_imagination_oo_video",
        BETWEEN_AND_TO_VIEWER,
        True,
        "How an object lies to another for one who goes to a third and faces a fourth, marked in a video",
    ),
    Kind(
        "spatial_imagination_oo_video_hard",
        BETWEEN_AND_TO_VIEWER,
        False,
        "How an object lies to another for one who goes to a third and faces a fourth, named in a video",
    ),
)


def find(facts: SceneFacts, parameters: MoveInVideoParameters, *, kind: Kind) -> Candidates:
    """Every two objects that the video shows well to move to and to face, with others that are drawn."""
    seen = shown_at_all(facts)
    if not kind.marked:
        # Also what the video does not show: it might be around the corner.
        seen = seen & (facts.objects.may_mean.sum(axis=1) == 1)
    fit = seen & np.any(facts.once(fit_frames, parameters.limits), axis=0)
    states = np.array([draw_key(facts.which, parameters.seed, "moves", "video")], np.uint64)
    drawn = moves(facts, parameters, fit[None], states, kind.slots, draws=parameters.draws)
    found = Candidates(np.zeros((len(drawn.rows), 0), np.int64), drawn.objects)
    count_failed(found, drawn.failed, seen[None], fit[None])
    if not kind.marked:
        everything, named = (int(part.sum()) for part in (shown_at_all(facts), seen))
        found.count_out(AMBIGUOUS, everything * (everything - 1) - named * (named - 1))
    if len(facts.frames.video) == 0:
        return found
    cameras = np.full(len(found), facts.frames.video[FIRST])
    found = imagined(facts, parameters, found, cameras, kind.slots)
    return with_strata(facts, parameters, kind.name, found, kind.slots)


def ask(
    facts: SceneFacts, parameters: MoveInVideoParameters, candidate: Chosen, draw: Draw, *, kind: Kind
) -> Question:
    """In which frames the objects are marked is drawn."""
    asked, shown = told(parameters, candidate, kind.slots, draw), images(facts)
    frames = marked_frames(facts, parameters.limits, asked.objects, draw) if kind.marked else []
    made = question(
        facts,
        parameters,
        kind.slots,
        asked,
        shown,
        lambda roles: [
            box_mark(shown[frame][1], role, thing)
            for frame, (role, thing) in zip(frames, roles, strict=False)
        ],
    )
    made = from_before(made, parameters, kind.slots, asked, phrases(SUITE, kind.name))
    where = {f"{role}_frame": label(frame) for frame, (role, _) in zip(frames, made.objects, strict=False)}
    return made._replace(slots={**made.slots, **where, "last_frame": label(len(shown) - 1)})


def recount(facts: SceneFacts, parameters: MoveInVideoParameters, asked: Asked, *, kind: Kind) -> Held:
    """It holds where the frames that it names are called so, the first and the last among them; and what it names
    without a mark must be seen well in one."""
    held = of_numbered(facts, parameters, asked)
    if not kind.marked and held.answerable.any():
        held.reject(UNSEEN, ~members(shown_at_all(facts), asked.objects).all(axis=1))
        fit: Bools = np.any(facts.once(fit_frames, parameters.limits), axis=0)
        held.reject(HALF_SEEN, ~members(fit, asked.objects).all(axis=1))
    return held


TASKS = tuple(
    Task(
        module=__name__,
        name=kind.name,
        level="high",
        images=IMAGES,
        summary=kind.summary,
        needs={SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=MoveInVideoParameters,
        find=partial(find, kind=kind),
        ask=partial(ask, kind=kind),
        recount=partial(recount, kind=kind),
        points=called_frames,
        reasons={
            **VIDEO_REASONS,
            **MOVE_REASONS,
            AMBIGUOUS: "a name may also mean another object of the scene",
        },
        twins=turned_in(kind.slots),
    )
    for kind in KINDS
)
