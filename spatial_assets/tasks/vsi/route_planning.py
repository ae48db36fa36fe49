"""Route planning: which turns a robot takes on its way between named objects (VSI-Bench; here generated).

A robot stands on the free floor, as near to its first object as it can. It walks in a straight line toward the
next object's center until something is in its way, which must be that object; there it turns. A turn is the
angle from the direction in which it came (or was facing) to the direction of the next object's center, left
positive: beyond 45 degrees it is a turn to that side, beyond 135 a turn back, and no route goes on ahead. Every
turn is measured between the places where the robot stands, and is clear of those borders by a margin on both
sides; measured between the objects' centers alone it must be called the same. Only the first turn of a route
may be back: later, it would undo the way. A route is walked as the free floor allows it (`rooms`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.floor_walk import convex_hulls, floor_for
from spatial_assets.scene.model import Fact
from spatial_assets.scene.rooms import read_room
from spatial_assets.scene.tables import ROOMS
from spatial_assets.tasks.core.answers import Choice
from spatial_assets.tasks.core.candidates import (
    NOTHING,
    Bools,
    Candidates,
    Chosen,
    Strata,
    about_video,
    draw_key,
)
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import DEGREES
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video import shown
from spatial_assets.tasks.core.video.recounts import of_objects
from spatial_assets.tasks.core.video.shown import IMAGES, video_of
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.vsi import routes
from spatial_assets.tasks.vsi.routes import TURNS, Rules, Things, turn_code, turn_margin
from spatial_assets.tasks.vsi.video import PUBLISHED, VideoParameters, stems

SUITE, NAME = "vsi", "route_planning"
SIDES = ("left", "right")
WORDS = (*SIDES, "back")
NEEDS = shown.NEEDS | {Fact.MESH}
"""Without the room's surfaces nobody knows where its floor is free."""


class RouteParameters(VideoParameters):
    min_turns: int = Field(2, ge=2, description="with one, the answers are three, not four")
    max_turns: int = Field(4, ge=2, le=6, description="VSI-Bench's longest")
    min_angle: float = Field(
        10.0,
        ge=0,
        lt=45,
        description="degrees of every turn to where it would be called otherwise, both sides",
    )
    min_leg: float = Field(
        0.8, gt=0, description="meters of a walk, and to what one turns to; a step has no way"
    )
    robot_radius: float = Field(0.2, gt=0, description="meters; a vacuum cleaner's to a small cart's")
    reach: float = Field(0.5, gt=0, description="meters to an object's box from where one stands by it")
    max_bottom: float = Field(
        0.1,
        ge=0,
        description="meters from the floor to what a robot goes to; it does not stop at what hangs or lies on a table",
    )
    min_height: float = Field(
        0.4, ge=0, description="meters of what it goes to: lower than a stool, and nothing stands in its way"
    )
    min_width: float = Field(
        0.3, ge=0, description="meters of its longer side from above: thinner, and nobody steers by it"
    )
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")
    branches: int = Field(3, ge=1, description="ways on that are followed at each point of a route, drawn")

    @property
    def rules(self) -> Rules:
        return Rules(self.min_turns, self.max_turns, self.min_angle, self.min_leg, self.reach, self.branches)


def find(facts: SceneFacts, parameters: RouteParameters) -> Candidates:
    """Routes between objects that their words name alone; at each point a few ways on are drawn and followed."""
    shown = facts.once(video_of, parameters.limits)
    named = np.array(list(shown.named.values()), np.int64)
    rows = facts.read(ROOMS)
    if len(rows) == 0:
        candidates = about_video(np.zeros((0, 0), np.int64))
        candidates.count_out("no_floor", len(named))
    else:
        room = read_room(rows.row(0, named=True))
        floor = floor_for(room.free, room.origin, room.cell, parameters.robot_radius)
        objects = facts.objects
        things = Things(
            np.ascontiguousarray(objects.centers[named, :2]),
            convex_hulls(np.ascontiguousarray(objects.corners[named, :, :2])),
            objects.identities[named],
            _stands(facts, parameters, room.floor)[named],
        )
        key = draw_key(facts.which, parameters.seed, NAME, "ways")
        found, walks_first, turns, rejected = routes.find_routes(floor, things, parameters.rules, key)
        # NOTHING, the last place, stays what it is.
        candidates = about_video(np.append(named, NOTHING)[found])
        lengths = np.count_nonzero(~np.isnan(turns), axis=1)
        # Of as many turns and the same beginning, which say nothing of the turns: those would be a clue.
        cells = 2 * lengths + walks_first
        candidates.values.update(turns=turns, walks_first=walks_first)
        candidates.strata = Strata.of_numbers(cells)
        candidates.rejected += rejected
    for reason in shown.referents.values():
        if reason is not None:
            # As the start of a route.
            candidates.count_out(reason, 1)
    return candidates


def _stands(facts: SceneFacts, parameters: RouteParameters, floor: float) -> Bools:
    """(O,): what stands on the floor, high and wide enough to be gone to."""
    heights = facts.objects.corners[:, :, 2]
    bottom, top = heights.min(axis=1), heights.max(axis=1)
    sides = facts.objects.sizes
    fit: Bools = (
        (bottom - floor <= parameters.max_bottom)
        & (top - bottom >= parameters.min_height)
        & (sides[:, :2].max(axis=1) >= parameters.min_width)
    )
    return fit


def ask(facts: SceneFacts, parameters: RouteParameters, candidate: Chosen, draw: Draw) -> Question:
    turns = [turn for turn in candidate.values["turns"].tolist() if turn == turn]
    walks_first = bool(candidate.values["walks_first"])
    offered = answers([TURNS[turn_code(turn)] for turn in turns], draw)
    if parameters.even:
        keep_even(prior_of(SUITE, NAME).chances([hints(words, walks_first) for words in offered]), 0, draw)
    right, *wrong = map(printed, offered)
    start, facing, *stops = candidate.objects
    roles = [
        ("start", start),
        ("facing", facing),
        *((f"stop-{number}", stop) for number, stop in enumerate(stops, start=1)),
    ]
    words = facts.objects.words
    worded = stems(parameters, NAME, draw)
    way = [words[stop] for stop in stops]
    return Question(
        Choice(right, wrong, turns, min(map(turn_margin, turns)), DEGREES.unit),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=roles,
        slots={
            "start": words[start],
            "orientation": words[facing],
            "destination": words[stops[-1]],
            "steps": steps(way, walks_first, PUBLISHED in worded),
        },
        stems=worded,
    )


def printed(words: Sequence[str]) -> str:
    """`Turn Left, Turn Right`"""
    pieces = phrases(SUITE, NAME)
    return ", ".join(pieces[word] for word in words)


def steps(stops: Sequence[str], walks_first: bool, published: bool) -> str:
    """`1. Go forward until the sofa 2. [please fill in] 3. Go forward until the door.`, as published; or in English."""
    pieces = phrases(SUITE, NAME)
    go, then = (pieces[f"{name}_published" if published else name] for name in ("go", "then"))
    lines: list[str] = []
    for index, stop in enumerate(stops):
        if index or not walks_first:
            lines.append(pieces["turn"])
        lines.append(go.format(object=stop))
    return then.join(f"{number}. {line}" for number, line in enumerate(lines, start=1)) + "."


def answers(right: Sequence[str], draw: Draw) -> list[tuple[str, ...]]:
    """The right turns, then three wrong answers.

    At the first turn and at another, which is drawn, another word is drawn. The four answers have neither,
    either or both exchanged: every word stands in half of the options, so that none is the odd one out. Back
    is a word of the first turn only, in right answers and in wrong ones; where all right answers are equally
    frequent, so are the four options of any question.
    """
    place = 1 + draw.below("exchanged turn", len(right) - 1)
    first = draw.choice("other first turn", [word for word in WORDS if word != right[0]])
    second = next(word for word in SIDES if word != right[place])
    return [
        (head, *right[1:place], tail, *right[place + 1 :])
        for head in (right[0], first)
        for tail in (right[place], second)
    ]


def hints(turns: Sequence[str], walks_first: bool) -> list[str]:
    """`walk, left, right`: how it begins and all turns; of two that mirror each other, the one that goes left first."""
    mirrored = next((turn for turn in turns if turn in SIDES), SIDES[0]) != SIDES[0]
    words = [SIDES[turn == SIDES[0]] if mirrored and turn in SIDES else turn for turn in turns]
    return [", ".join(["walk" if walks_first else "turn", *words])]


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=IMAGES,
        summary="The turns on the way from one object to another, past others",
        needs={SELECT: NEEDS},
        kind=Choice.kind,
        parameters=RouteParameters,
        find=find,
        ask=ask,
        recount=of_objects,
        reasons={
            **shown.REASONS,
            "no_floor": "the scene's free floor has not been measured",
            "off_floor": "hangs, lies on something, or is too low or too thin to steer by",
            EXPECTED: PRIOR_REASONS[EXPECTED],
            "no_place": "there is no room to stand by the object",
            "short": "too few steps to tell a direction",
            "blocked": "the straight way is blocked, or does not end at the object",
            "ahead": "no turn: the way leads straight on",
            "undone": "a turn back after the first turn",
            "border": "the turn is not clearly to one side or back, by both measures",
        },
        reads=(ROOMS,),
        data=(prior_file(SUITE, NAME),),
    ),
)
