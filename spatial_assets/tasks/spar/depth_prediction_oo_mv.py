"""By how much the depths of two objects differ that are marked in one of three views (SPAR, appendix 7.5).

The pair and the third object whose depth is given are marked in one image, which of the three is drawn, and their
depths are those in its camera: what is asked, and which pairs are skipped, is as with that image alone.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Draw, below_each, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import shown
from spatial_assets.tasks.core.options import OPTION_REASONS
from spatial_assets.tasks.core.rendering import FILL, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.twins import reordered
from spatial_assets.tasks.spar.depth_prediction_oo import (
    DepthDifferenceParameters,
    ask_in,
    in_keyframes,
    offer,
)
from spatial_assets.tasks.spar.views import NEEDS, VIEW_REASONS, ViewsParameters, shown_views, triples

NAME = "depth_prediction_oo_mv"
VIEW = "view"
"""Among the values of candidates, (N,): which of the three images has the marks."""


class DepthDifferenceInViewsParameters(DepthDifferenceParameters, ViewsParameters):
    pass


def drawn_views(facts: SceneFacts, frames: Indices, seed: int) -> Indices:
    """(N,), of each three frames (N, 3) the place of the one that has the marks."""
    key = draw_key(facts.which, seed, NAME, VIEW)
    found: Indices = below_each(mix_columns(key, facts.frames.identities[frames]), 3)
    return found


def find(facts: SceneFacts, parameters: DepthDifferenceInViewsParameters) -> Candidates:
    """Each three views with each pair that could be asked about with the one of them that is drawn."""
    three = triples(facts, parameters)
    pairs = in_keyframes(facts, parameters)
    views = drawn_views(facts, three.frames, parameters.seed)
    marked = three.frames[np.arange(len(three)), views]
    order = np.argsort(pairs.frames[:, 0], kind="stable")
    own = pairs.frames[order, 0]
    begins = np.searchsorted(own, marked)
    counts = np.searchsorted(own, marked, side="right") - begins
    rows = np.repeat(np.arange(len(three)), counts)
    chosen = order[np.repeat(begins - np.cumsum(counts) + counts, counts) + np.arange(len(rows))]
    a, b = pairs.objects[chosen].T
    found = Candidates(
        three.frames[rows],
        pairs.objects[chosen],
        {**{name: values[chosen] for name, values in pairs.values.items()}, VIEW: views[rows]},
        Strata.of_pairs(a, b, facts.objects.identities),
        rejected=three.rejected.copy(),
    )
    seen = shown(facts)[marked].sum(axis=1)
    found.count_out("unfit", int((seen * (seen - 1) // 2).sum()) - len(rows))
    return found


def find_with_options(facts: SceneFacts, parameters: DepthDifferenceInViewsParameters) -> Candidates:
    return offer(facts, NAME, parameters, facts.once(find, parameters).settle())


def ask(
    facts: SceneFacts, parameters: DepthDifferenceInViewsParameters, candidate: Chosen, draw: Draw
) -> Question:
    frames = candidate.frames
    return ask_in(facts, parameters, candidate, draw, frames[candidate.values[VIEW]], shown_views(frames))


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=3,
        summary="Difference in depth of two objects marked in one of three images, given the depth of a third",
        needs={FILL: NEEDS, SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Number.kind,
        parameters=DepthDifferenceInViewsParameters,
        find=find,
        find_for={SELECT: find_with_options},
        ask=ask,
        reasons={
            **VIEW_REASONS,
            **OPTION_REASONS,
            "unfit": "with the marked image alone, the pair could not be asked about either",
        },
        twins=(Twin("objects_swapped", "blue"), Twin("images_swapped", change=reordered)),
    ),
)
