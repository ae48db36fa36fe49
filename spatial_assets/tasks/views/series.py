"""What can be counted in a whole view set, if some of its views are withheld.

What the views left show says nothing of what the others show besides. So the question states that where any object of
the kind is in sight, all are that the whole set shows: then the views left tell the number, or show none.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.tasks.core.candidates import NOTHING, Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.counts import (
    WORD,
    CountParameters,
    by_word,
    offer_evenly,
    offer_pairs,
)
from spatial_assets.tasks.spatialmosaic.sets import SET, view_sets
from spatial_assets.tasks.views.withheld import UndeterminedParameters, reject_few_views, share_out

LEFT = "left"
"""Among the values of candidates for a while, (N,): how many views are shown."""
PAIR = 2
"""Numbers to choose from, of which the question's own words would tell more than of more."""


def offer(
    facts: SceneFacts,
    parameters: UndeterminedParameters,
    counted: CountParameters,
    task: str,
    found: Candidates,
    least: int,
) -> Candidates:
    """What can be asked of the words that are counted, with `least` numbers to choose from."""
    frames = facts.once(view_sets).frames[found.values[SET]]
    any_of = facts.once(by_word_visible)
    needed = (any_of[frames, found.values[WORD][:, None]] > 0) & (frames != NOTHING)
    reject_few_views(facts, found, needed, one_asked=False)
    # As many as show any are withheld: these, or others.
    found.values[LEFT] = facts.once(view_sets).sizes[found.values[SET]] - needed.sum(axis=1)
    found = found.settle()
    left = found.values.pop(LEFT)
    if least == PAIR:
        offer_pairs(facts, counted, task, found, left)
    else:
        offer_evenly(facts, counted, task, found, least, left)
    found = found.settle()
    assert found.strata is not None
    share_out(facts, parameters, task, found, found.strata)
    return found


def by_word_visible(facts: SceneFacts) -> np.ndarray:
    """(F, W), how many objects of each word a frame shows at all."""
    return by_word(facts, facts.observed.visible)
