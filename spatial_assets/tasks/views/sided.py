"""What can be asked of two objects and a frame of a view set, the one hidden there, if some views are withheld."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.candidates import Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.foreseen import FORESEEN_REASONS
from spatial_assets.tasks.spatialmosaic.obj_spatial import SpatialParameters
from spatial_assets.tasks.spatialmosaic.referents import REFERENT_REASONS, MosaicReferents
from spatial_assets.tasks.spatialmosaic.sets import HIDDEN, SET
from spatial_assets.tasks.spatialmosaic.sides import SIDE_REASONS, SideLimits, sided_pairs
from spatial_assets.tasks.views.withheld import (
    WITHHELD_REASONS,
    UndeterminedParameters,
    reject_few_views,
    showing,
)

NEEDED = "needed"
"""Among the values of candidates, (N,): which views of its set show anything of the object, a bit each."""
SIDED_REASONS: Mapping[str, str] = {
    **REFERENT_REASONS,
    **SIDE_REASONS,
    **FORESEEN_REASONS,
    **WITHHELD_REASONS,
    "repeated": "another set asks the same of the same frame",
    "uneven": "left out by lot, so that no answer is right more often than others",
    "shown": "the asked frame shows the object, so that it can be told from there",
}


class SidedParameters(UndeterminedParameters):
    referents: MosaicReferents = MosaicReferents()
    sides: SideLimits = SideLimits()
    even: bool = Field(
        True,
        description="leave out by lot what the names suggest, and of each answer what exceeds the others, so that none "
        "is right more often",
    )

    @property
    def said(self) -> str:
        return self.published.said

    @property
    def published(self) -> SpatialParameters:
        """The same for the published type that a task is made from."""
        return SpatialParameters(
            seed=self.seed, names=self.names, referents=self.referents, sides=self.sides, even=self.even
        )


def hidden_pairs(facts: SceneFacts, referents: MosaicReferents, sides: SideLimits) -> Candidates:
    """What `sided_pairs` gives of hidden objects, where the views that show them can be withheld, with NEEDED."""
    found = facts.once(sided_pairs, referents, sides).fresh()
    found.reject("shown", ~found.values[HIDDEN])
    found = found.settle()
    needed = showing(facts, found.values[SET], found.objects[:, :1])
    reject_few_views(facts, found, needed, one_asked=True)
    found.values[NEEDED] = needed @ (1 << np.arange(needed.shape[1]))
    return found.settle()
