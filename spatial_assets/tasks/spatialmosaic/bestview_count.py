"""How many objects of a category a view set shows, and which of its frames shows most of them (SpatialMosaic,
"Best-View Selection").

What makes a view the most informative was not published. Here it shows the most of them, and clearly more pixels of
them than any other: where the two do not agree, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import ROUNDING_STEP, Choice
from spatial_assets.tasks.core.candidates import NOTHING, Candidates, Chosen, draw_key
from spatial_assets.tasks.core.draws import Draw, below_each, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spatialmosaic.counts import (
    COUNT,
    COUNT_REASONS,
    OFFERED,
    PAIR_REASONS,
    WORD,
    CountParameters,
    clear_by_frame,
    counted,
    even_sides,
    offer_pairs,
)
from spatial_assets.tasks.spatialmosaic.measured import NO_HASHES
from spatial_assets.tasks.spatialmosaic.sets import (
    NEEDS,
    OFFICIAL,
    READS,
    SET,
    diagnostics,
    frame_name,
    frame_roles,
    is_official,
    official,
    stems,
    view_sets,
)

NAME = "bestview_count_occ"
BEST, LEAD = "best", "lead"
"""Among the values of candidates, (N,): which frame of the set is the best, and how many times as many pixels it shows
of the objects as the next does."""
OTHER = "other"
"""Among the values of candidates, (N,): which other frame of the set the options name."""


class BestViewParameters(CountParameters):
    min_lead: float = Field(
        1.5,
        gt=1,
        description="pixels on which the best view shows the objects, times those of the next: of less, nobody sees "
        "which view shows more",
    )


@dataclass(frozen=True)
class CountAndView(Choice):
    """A number and the best view, of which the second is decided by the lead."""

    lead: float = 0.0

    @property
    def margins(self) -> Sequence[float]:
        """One object more or fewer; and the share of the best view's pixels that it is ahead by."""
        return [1.0, 1.0 - 1.0 / self.lead]


def best_views(facts: SceneFacts, parameters: BestViewParameters) -> Candidates:
    """What is counted in sets of which one view is clearly the best, with BEST and LEAD."""
    found = facts.once(counted, parameters).fresh()
    sets = facts.once(view_sets)
    clear, pixels = clear_by_frame(facts, parameters)
    frames, word = sets.frames[found.values[SET]], found.values[WORD][:, None]
    shown = np.where(frames == NOTHING, -1.0, pixels[frames, word])
    numbers = np.where(frames == NOTHING, -1.0, clear[frames, word])
    best = shown.argmax(axis=1)
    rows = np.arange(len(found))
    own = shown[rows, best]
    shown[rows, best] = -1.0
    lead = own / np.maximum(shown.max(axis=1, initial=0.0), 1.0)
    found.reject("even_views", lead < parameters.min_lead)
    found.reject("two_best", numbers[rows, best] < numbers.max(axis=1, initial=1.0))
    found.values |= {BEST: best, LEAD: lead}
    return found.settle()


def find(facts: SceneFacts, parameters: BestViewParameters) -> Candidates:
    found = facts.once(best_views, parameters).fresh()
    assert found.identities is not None
    sizes, best = facts.once(view_sets).sizes[found.values[SET]], found.values[BEST]
    drawn = mix_columns(draw_key(facts.which, parameters.seed, NAME, "view"), found.identities)
    other = below_each(drawn, np.maximum(sizes - 1, 1))
    other += other >= best
    found.values[OTHER] = other
    # Later views of a set are the best one more often than earlier ones.
    pair = np.stack([sizes, np.minimum(best, other), np.maximum(best, other)], axis=1)
    ranks = found.ranks(draw_key(facts.which, parameters.seed, NAME, "places"), *NO_HASHES)
    found.reject("uneven_views", ~even_sides(pair, best > other, ranks))
    found = found.settle()
    offer_pairs(facts, parameters, NAME, found, facts.once(view_sets).sizes[found.values[SET]])
    return found


def ask(facts: SceneFacts, parameters: BestViewParameters, candidate: Chosen, draw: Draw) -> Question:
    """Two numbers by two frames: each is in two of the options, so that neither says anything of the other."""
    group, values = candidate.objects, candidate.values
    row, count, best = values[SET], values[COUNT], values[BEST]
    sets = facts.once(view_sets)
    (number,) = (number for number in values[OFFERED] if number != count)
    view = values[OTHER]
    word, chosen = facts.objects.words[group[0]], stems(parameters, NAME, draw)
    option = official()["options"][NAME] if is_official(chosen) else phrases("spatialmosaic", NAME)["option"]

    def printed(count: int, view: int) -> str:
        frame = frame_name(facts, parameters, sets, row, view)
        return option.format(count=count, category=word, frame=frame)

    wrong = [printed(*it) for it in ((count, view), (number, best), (number, view))]
    lead = float(values[LEAD])
    return Question(
        CountAndView(
            printed(count, best), wrong, [float(count), best + 1.0], 1.0 - 1.0 / lead, ROUNDING_STEP, lead
        ),
        frames=frame_roles(sets, row),
        objects=[(f"instance-{index + 1}", place) for index, place in enumerate(group)],
        slots={"category": word},
        stems=chosen,
        diagnostics=diagnostics(facts, row, group),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=5,
        summary="How many objects of a category two to five views show together, and which view shows most of them",
        needs={SELECT: NEEDS},
        kind=Choice.kind,
        parameters=BestViewParameters,
        find=find,
        ask=ask,
        reasons={
            **COUNT_REASONS,
            **PAIR_REASONS,
            "even_views": "two views show them on nearly as many pixels",
            "two_best": "the view with most pixels of them is not the one that shows most of them",
            "uneven_views": "left out by lot, so that of two places in a set none is the best more often",
        },
        data=(OFFICIAL,),
        reads=READS,
    ),
)
