"""Relative direction: standing by one object and facing another, where is a third (VSI-Bench, three levels).

Directions are those of the boxes' centers seen from above, counter-clockwise from the direction faced. Every
border between two answers has a margin on both sides; VSI-Bench's third level has it on one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.geometry.directions import HALF_TURN, QUARTER_TURN, clearance
from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.geometry.turns import Sectors, triple_sectors, triple_turns
from spatial_assets.tasks.core.answers import Relation
from spatial_assets.tasks.core.candidates import (
    GROUP,
    Bools,
    Candidates,
    Chosen,
    Codes,
    Indices,
    about_video,
)
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import DEGREES
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video import shown
from spatial_assets.tasks.core.video.recounts import of_objects
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, VideoLimits, count_sets, video_of
from spatial_assets.tasks.vsi.sectors import BACK_FROM, BACK_TO, easy, hard, medium
from spatial_assets.tasks.vsi.video import DistanceParameters, stems

SUITE = "vsi"
BEHIND = "back"
"""How answers begin that lie behind."""
ROLES = ("position", "orientation", "query")
TRIPLE_CODES = ("", "overhead", "above", "near", "far")
"""Reasons against a triple at any level, by their codes; where one stands comes first, then what is nearest."""
REASONS: Mapping[str, str] = {
    **shown.REASONS,
    "above": "one of the objects lies over or under another, so that no direction leads to it",
    "overhead": "the object to stand by hangs under the ceiling",
    "near": "two of the objects are too near to one another",
    "far": "two of the objects are too far from one another",
    "border": "the direction is too near to where the answer changes",
    "back": "at one's back, which this level does not ask about",
    "spread": "the object reaches into another direction",
    EXPECTED: PRIOR_REASONS[EXPECTED],
}


@dataclass(frozen=True)
class Level:
    """One of the three question types."""

    name: str
    summary: str
    word: Callable[[float], str]
    """For a direction."""
    answers: tuple[str, ...]
    borders: tuple[float, ...]
    """Degrees; between two of them lies one sector, and no direction near one is asked about."""
    flips: tuple[float, ...]
    """Degrees at which the answer changes."""
    has_prior: bool = True
    """Whether words suggest an answer: what is behind one, not what is left or right."""
    asks_back: bool = True
    """Whether what lies at one's back is asked about."""


HALVES = (0.0, BACK_FROM, BACK_TO)
QUADRANTS = (0.0, QUARTER_TURN, HALF_TURN, HALF_TURN + QUARTER_TURN)
LEVELS = (
    Level(
        "object_rel_direction_easy",
        "Whether an object is left or right of another that one faces",
        word=easy,
        answers=("left", "right"),
        borders=HALVES,
        flips=(0.0, HALF_TURN),
        has_prior=False,
        asks_back=False,
    ),
    Level(
        "object_rel_direction_medium",
        "Whether an object is to one's left, right or back",
        word=medium,
        answers=("left", "right", "back"),
        borders=HALVES,
        flips=HALVES,
    ),
    Level(
        "object_rel_direction_hard",
        "In which quadrant around a person an object lies",
        word=hard,
        answers=("front-left", "front-right", "back-left", "back-right"),
        borders=QUADRANTS,
        flips=QUADRANTS,
    ),
)


@dataclass(frozen=True)
class Apart:
    """Of the parameters those by which triples are found, whatever the level; levels that agree share them."""

    limits: VideoLimits
    distance: str
    min_distance: float
    max_distance: float
    min_offset: float
    max_bottom: float


class DirectionParameters(DistanceParameters):
    min_distance: float = Field(
        0.3, ge=0, description="meters between every two of the three boxes, VSI-Bench's"
    )
    max_distance: float = Field(5.0, gt=0, description="meters between every two of them, VSI-Bench's")
    min_offset: float = Field(
        0.5,
        gt=0,
        description="meters between centers seen from above; what hangs over one's place has no direction",
    )
    max_bottom: float = Field(
        1.8,
        gt=0,
        description="meters from the scene's lowest box to the one stood by; nobody stands by a ceiling lamp",
    )
    min_angle: float = Field(
        10.0, ge=0, lt=45, description="degrees to every border between sectors, on both sides of it"
    )
    max_stray_corners: int = Field(
        2, ge=0, le=8, description="corners of the asked box that may lie in another sector, VSI-Bench's"
    )
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")

    @property
    def apart(self) -> Apart:
        return Apart(
            self.limits,
            self.distance,
            self.min_distance,
            self.max_distance,
            self.min_offset,
            self.max_bottom,
        )


def find(facts: SceneFacts, parameters: DirectionParameters, *, level: Level) -> Candidates:
    """Every three words that name one object each, in every order."""
    triples = facts.once(triples_of, parameters.apart).fresh()
    sectors = facts.once(sectors_of, parameters.apart, level.borders)
    turns = triples.values["turn"]
    triples.reject("border", sectors.clearance < parameters.min_angle)
    if not level.asks_back:
        triples.reject("back", (turns >= BACK_FROM) & (turns < BACK_TO))
    triples.reject("spread", sectors.stray > parameters.max_stray_corners)
    return triples


def triples_of(facts: SceneFacts, apart: Apart) -> Candidates:
    """Triples of objects that stand apart as they must, each with its `turn`."""
    shown = facts.once(video_of, apart.limits)
    objects, verdicts = _triples(
        np.array(list(shown.named.values()), np.int64),
        _overhead(facts, apart.max_bottom),
        _pair_codes(facts, apart),
    )
    triples = about_video(objects)
    count_sets(triples, list(shown.referents.values()), 3, orders=math.factorial(3))
    triples.reject_coded(verdicts, TRIPLE_CODES)
    triples = triples.settle()
    triples.values["turn"] = triple_turns(triples.objects, facts.objects.centers)
    # The same three in other roles.
    low, middle, high = np.sort(triples.objects, axis=1).T
    triples.values[GROUP] = (low * len(facts.objects) + middle) * len(facts.objects) + high
    return triples


def sectors_of(facts: SceneFacts, apart: Apart, borders: tuple[float, ...]) -> Sectors:
    """Where the third of each of those triples lies."""
    triples = facts.once(triples_of, apart)
    objects = facts.objects
    return triple_sectors(triples.objects, triples.values["turn"], objects.centers, objects.corners, borders)


@kernel
def _triples(named: Indices, overhead: Bools, pairs: Codes) -> tuple[Indices, Codes]:
    """All ordered triples (N, 3) of the named, and the code of the reason against each; overhead (O,), pairs (O, O)."""
    count = len(named)
    out = np.empty((count * (count - 1) * (count - 2), 3), np.int64)
    codes = np.zeros(len(out), np.int16)
    row = 0
    for here in named:
        for faced in named:
            if faced == here:
                continue
            for asked in named:
                if asked in (here, faced):
                    continue
                out[row, 0], out[row, 1], out[row, 2] = here, faced, asked
                code = pairs[here, faced]
                if code == 0:
                    code = pairs[here, asked]
                if code == 0:
                    code = pairs[faced, asked]
                codes[row] = 1 if overhead[here] else code
                row += 1
    return out, codes


def _overhead(facts: SceneFacts, limit: float) -> Bools:
    """(O,): objects that hang so high that nobody stands by them."""
    bottoms = facts.objects.corners[:, :, 2].min(axis=1)
    overhead: Bools = bottoms > bottoms.min(initial=np.inf) + limit
    return overhead


def _pair_codes(facts: SceneFacts, apart: Apart) -> Codes:
    """(O, O): what keeps two objects out of one triple, as a place in TRIPLE_CODES."""
    centers = facts.objects.centers
    offsets = centers[:, None, :2] - centers[None, :, :2]
    distances = facts.once(video_of, apart.limits).distances(apart.distance)
    codes = np.zeros(distances.shape, np.int16)
    codes[distances > apart.max_distance] = TRIPLE_CODES.index("far")
    codes[distances < apart.min_distance] = TRIPLE_CODES.index("near")
    codes[np.hypot(offsets[..., 0], offsets[..., 1]) < apart.min_offset] = TRIPLE_CODES.index("above")
    return codes


def ask(
    facts: SceneFacts, parameters: DirectionParameters, candidate: Chosen, draw: Draw, *, level: Level
) -> Question:
    turn = float(candidate.values["turn"])
    right = level.word(turn)
    roles = list(zip(ROLES, candidate.objects, strict=True))
    if level.has_prior and parameters.even:
        words = [facts.objects.categories[place] for place in candidate.objects]
        chances = prior_of(SUITE, level.name).chances([hints(answer, *words) for answer in level.answers])
        keep_even(chances, level.answers.index(right), draw)
    return Question(
        Relation(
            right,
            [word for word in level.answers if word != right],
            [turn],
            clearance(turn, level.flips),
            DEGREES.unit,
        ),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=roles,
        slots=facts.objects.named(roles),
        stems=stems(parameters, level.name, draw),
    )


def hints(answer: str, position: str, orientation: str, query: str) -> list[str]:
    """What is behind, by each of the words and every two; the rest is told from it, and left and right are alike."""
    if not answer.startswith(BEHIND):
        return []
    return [
        BEHIND,
        f"position {position}",
        f"orientation {orientation}",
        f"query {query}",
        f"position {position}, orientation {orientation}",
        f"position {position}, query {query}",
        f"orientation {orientation}, query {query}",
    ]


TASKS = tuple(
    Task(
        module=__name__,
        name=level.name,
        level="high",
        images=IMAGES,
        summary=level.summary,
        needs={SELECT: NEEDS},
        kind=Relation.kind,
        parameters=DirectionParameters,
        find=partial(find, level=level),
        ask=partial(ask, level=level),
        recount=of_objects,
        reasons=REASONS,
        data=(prior_file(SUITE, level.name),) if level.has_prior else (),
    )
    for level in LEVELS
)
