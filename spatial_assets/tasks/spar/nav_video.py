"""What a walker is told to do at each place of a way, read off what the walker sees (SPAR, appendix 7.5, "Navigation").

A row is an instruction of R2R or RxR whose action words are blanked: those alone that the way's own turns and climbs
bear out (`walked_ways`). It shows 32 of the simulator's views along the way, level: at each viewpoint the one that
faces the next, and where that is a turn, those between, so that one sees which way it goes. A view is named by its
viewpoint and heading (`scene.view_names`), and has an image where the scene has a panorama of that viewpoint. Of a
scene without any (it lacks the fact `panoramas`), rows name views that nobody can look at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from spatial_assets.scene import optional_tables
from spatial_assets.scene.frames import VIDEO_FRAMES
from spatial_assets.scene.model import Fact
from spatial_assets.scene.view_names import name_of
from spatial_assets.tasks.core.answers import Text
from spatial_assets.tasks.core.candidates import GROUP, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw, hash_name
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import SENTENCE
from spatial_assets.tasks.core.task import Question, Task, TaskParameters
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.action_words import CLIMBS, action_words, in_doubt, tells_climbs
from spatial_assets.tasks.spar.walked_ways import (
    Borne,
    Events,
    Way,
    WayLimits,
    borne_out,
    contradicted,
    events_of,
)

NEEDS = frozenset({Fact.ROUTES})
"""Not panoramas: without them rows say what is to be shown, and whoever has the images can show it."""
NO_WORDS, DOUBT, CONTRADICTED = "no_action_words", "several_ways", "contradicted"
UNCERTAIN, TOLD, UNSEEN, TOO_LONG = "uncertain_words", "told_otherwise", "no_panorama", "too_long"
NAME = "nav_video"
SEPARATOR = ", "
Path = tuple[str, str, float]
"""Collection, its id there, and where one looks at first."""


class NavigationParameters(TaskParameters):
    limits: WayLimits = WayLimits()
    frames: int = Field(VIDEO_FRAMES, ge=2, description="views shown, SPAR's number")
    turn_step: float = Field(
        30.0, gt=0, description="degrees between views of a turn; each shows 75, so that neighbors share half"
    )
    turn_length: float = Field(
        0.4, gt=0, description="meters walked in the time of such a step: how long a turn is shown"
    )


class Walks:
    """The ways of a scene, and the views shown of them; made by `walks_of`."""

    def __init__(self, facts: SceneFacts, parameters: NavigationParameters) -> None:
        self.parameters = parameters
        # As the table is sorted, so that nothing depends on the order of its rows.
        self.rows: list[dict[str, Any]] = (
            facts.read(optional_tables.NAVIGATION_PATHS)
            .sort("collection", "path", "instruction_id")
            .to_dicts()
        )
        places = facts.read(optional_tables.VIEWPOINTS)
        shown = zip(places["viewpoint"].to_list(), places["panorama"].to_list(), strict=True)
        self.panoramas = {name for name, panorama in shown if panorama is not None}
        self.views: list[str] = []
        """Names of the views shown, each once."""
        self._place: dict[str, int] = {}

    def places(self, shown: Sequence[tuple[str, float]]) -> list[int]:
        """Of views by viewpoint and degrees, their places among `views`."""
        found = []
        for viewpoint, degrees in shown:
            name = name_of(viewpoint, degrees)
            if name not in self._place:
                self._place[name] = len(self.views)
                self.views.append(name)
            found.append(self._place[name])
        return found


def walks_of(facts: SceneFacts, parameters: NavigationParameters) -> Walks:
    return Walks(facts, parameters)


def way_of(row: dict[str, Any]) -> Way:
    """Of a row of the table of paths."""
    lengths = np.array(row["lengths"])
    return Way(
        math.degrees(row["heading"]),
        np.degrees(row["headings"]),
        lengths * np.sin(row["elevations"]),
        lengths,
    )


def views_of(
    viewpoints: Sequence[str], way: Way, parameters: NavigationParameters
) -> list[tuple[str, float]] | None:
    """What is shown of a way, as viewpoint and degrees of each frame; None of one that has too many viewpoints."""
    step = parameters.turn_step
    while step <= 360.0:
        seen = _seen(viewpoints, way, step, parameters.turn_length)
        if len(seen) <= parameters.frames:
            break
        # Of a winding way turns are shown in fewer views.
        step *= 2
    else:
        return None
    times = np.array([time for _, _, time in seen])
    even = np.linspace(0.0, times[-1], parameters.frames)
    chosen = np.abs(even[:, None] - times[None]).argmin(axis=1)
    # Every view is shown, however near to the next: they cannot be more than the frames.
    for place in range(1, len(chosen)):
        chosen[place] = min(chosen[place], chosen[place - 1] + 1)
    chosen[-1] = len(seen) - 1
    for place in range(len(chosen) - 2, -1, -1):
        chosen[place] = max(chosen[place], chosen[place + 1] - 1)
    return [seen[place][:2] for place in chosen.tolist()]


def _seen(
    viewpoints: Sequence[str], way: Way, step: float, turn_length: float
) -> list[tuple[str, float, float]]:
    """Viewpoint, degrees and time of each view, in meters: first the walker's first look, last the way's end."""
    turns = [way.first_turn, *way.turns.tolist(), 0.0]
    arrived = [way.heading, *way.headings.tolist()]
    walked = way.walked.tolist()
    found: list[tuple[str, float, float]] = []
    spent = 0.0
    for place, (viewpoint, turn, heading) in enumerate(zip(viewpoints, turns, arrived, strict=True)):
        parts = max(1, math.ceil(abs(turn) / step))
        # A slight turn shows the same as the view before it, from nearer by.
        for part in range(0 if parts > 1 or not place else 1, parts + 1):
            found.append((viewpoint, heading + turn * part / parts, walked[place] + spent))
            spent += turn_length if part < parts else 0.0
    return found


def find(facts: SceneFacts, parameters: NavigationParameters) -> Candidates:
    """Every instruction that has a word of which the way leaves no doubt."""
    walks = facts.once(walks_of, parameters)
    rejected: Counter[str] = Counter()
    events: dict[Path, Events] = {}
    shown: dict[Path, list[int] | None] = {}
    frames, identities, groups, answers, rows, borne = [], [], [], [], [], []
    paths = {key: place for place, key in enumerate(dict.fromkeys(map(_path_of, walks.rows)))}
    for place, row in enumerate(walks.rows):
        key = _path_of(row)
        text = row["instruction"]
        words = action_words(text)
        if not words or in_doubt(text):
            rejected[DOUBT if words else NO_WORDS] += 1
            continue
        if key not in events:
            events[key] = events_of(way_of(row), parameters.limits)
        if contradicted(words, events[key], parameters.limits):
            rejected[CONTRADICTED] += 1
            continue
        found = borne_out(words, events[key], parameters.limits)
        if not found:
            rejected[UNCERTAIN] += 1
            continue
        if tells_climbs(text):
            found = [item for item in found if item.word.way not in CLIMBS]
            if not found:
                rejected[TOLD] += 1
                continue
        if walks.panoramas and not walks.panoramas.issuperset(row["viewpoints"]):
            rejected[UNSEEN] += 1
            continue
        if key not in shown:
            views = views_of(row["viewpoints"], events[key].way, parameters)
            shown[key] = None if views is None else walks.places(views)
        places = shown[key]
        if places is None:
            rejected[TOO_LONG] += 1
            continue
        frames.append(places)
        identities.append(hash_name(row["collection"], row["path"], row["instruction_id"]))
        groups.append(paths[key])
        answers.append(answer_of(found))
        rows.append(place)
        borne.append(found)
    count = len(rows)
    held = np.empty(count, object)
    held[:] = borne
    return Candidates(
        np.array(frames, np.int64).reshape(count, parameters.frames),
        np.zeros((count, 0), np.int64),
        {"row": np.array(rows, np.int64), "borne": held, GROUP: np.array(groups, np.int64)},
        Strata.of_words(answers),
        np.array(identities, np.uint64).reshape(count, 1),
        rejected,
    )


def _path_of(row: dict[str, Any]) -> Path:
    return row["collection"], row["path"], row["heading"]


def answer_of(borne: Sequence[Borne]) -> str:
    return SEPARATOR.join(item.word.way for item in borne)


def blanked(text: str, borne: Sequence[Borne]) -> str:
    """An instruction without these words, each replaced by its number."""
    blank = phrases("spar", NAME)["blank"]
    for number in range(len(borne), 0, -1):
        word = borne[number - 1].word
        text = text[: word.begin] + blank.format(number=number) + text[word.end :]
    return text


def ask(facts: SceneFacts, parameters: NavigationParameters, candidate: Chosen, draw: Draw) -> Question:
    walks = facts.once(walks_of, parameters)
    row = walks.rows[candidate.values["row"]]
    borne: list[Borne] = candidate.values["borne"]
    return Question(
        Text(
            answer_of(borne),
            [item.value for item in borne],
            min(item.margin for item in borne),
            "share of the limit",
        ),
        frames=[(f"frame-{index}", place) for index, place in enumerate(candidate.frames)],
        objects=[],
        slots={"instruction": blanked(row["instruction"], borne)},
        views=walks.views,
        quoted=f"{row['collection']} {row['instruction_id']}",
        quoted_license=f"{row['collection']}: {row['collection_license']}",
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=VIDEO_FRAMES,
        summary="Action words that are missing from an instruction, by a walk along the way that it describes",
        needs={SENTENCE: NEEDS},
        kind=Text.kind,
        parameters=NavigationParameters,
        find=find,
        ask=ask,
        reads=(optional_tables.VIEWPOINTS, optional_tables.NAVIGATION_PATHS),
        reasons={
            NO_WORDS: "the instruction has no words for turning, walking straight or climbing",
            DOUBT: "the instruction says of some way not to take it, or names two",
            CONTRADICTED: "the instruction tells of a turn or a climb that the way has none of",
            UNCERTAIN: "the way bears out none of its words clearly, or it is not certain which turn they mean",
            TOLD: "the instruction says in other words too whether one goes up or down",
            UNSEEN: "of one of its viewpoints there is no panorama, as there is of others",
            TOO_LONG: "the way has more viewpoints than the video has frames",
        },
    ),
)
