"""Distances of marked objects from one of them, the anchor: which two or more can be compared, and how that is asked.

All triples of objects are cubic in them: each anchor with each other object is compared with one more, drawn by hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.answers import ObjectChoice, Rectangle
from spatial_assets.tasks.core.candidates import Bools, Candidates, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.marks import GRID, markers
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.spar.views import VIEWS

PRIOR = ("spar", "distance_infer_center_oo")
"""What words say of which of two objects is nearer to another: the same in one image and in three."""
PRIOR_FILE = prior_file(*PRIOR)
NO_OTHER = "no_other"
ANCHOR_REASONS: Mapping[str, str] = {
    NO_OTHER: "no other object's distance from the anchor differs clearly, or its mark would touch another",
    EXPECTED: PRIOR_REASONS[EXPECTED],
}


class Clearness(Parameters):
    """By how much distances must differ for a person to see which is larger."""

    min_difference: float = Field(0.3, gt=0, description="meters between the two; SPAR's is not published")
    min_ratio: float = Field(
        1.2, gt=1, description="of the larger to the smaller: far off, people judge lengths by their ratio"
    )


@dataclass(frozen=True)
class Compared(ObjectChoice):
    """The name of one of several objects, by their distances; a sentence prints these too."""

    parts: Sequence[float] = ()
    """The margin of each distance."""
    kind: ClassVar[str] = ObjectChoice.kind

    @property
    def margins(self) -> Sequence[float]:
        return self.parts


@dataclass(frozen=True)
class ComparedBox(Compared):
    """The same, told by the box of the object in place of its name."""

    kind: ClassVar[str] = Rectangle.kind


@kernel
def _anchored(
    frames: Indices,
    views: Indices,
    distances: Float,
    clear: Bools,
    spots: Float,
    aspects: Float,
    gap: float,
    least: float,
    ratio: float,
    states: Hashes,
    identities: Hashes,
) -> tuple[Indices, int]:
    """(M, 4): the row, the anchor and two objects; and for how many there was no second one."""
    count = views.shape[1]
    most = 0
    for row in range(len(frames)):
        size = 0
        for thing in range(count):
            size += views[row, thing] >= 0
        most += size * (size - 1)
    out = np.empty((most, 4), np.int64)
    apart = np.zeros((count, count), np.bool_)
    partner = np.empty(count, np.int64)
    at, alone = 0, 0
    for row in range(len(frames)):
        fit = np.flatnonzero(views[row] >= 0)
        for i in fit:
            for j in fit:
                apart[i, j] = i != j
                if i != j and views[row, i] == views[row, j]:
                    frame = frames[row, views[row, i]]
                    across = spots[frame, i, 0] - spots[frame, j, 0]
                    down = (spots[frame, i, 1] - spots[frame, j, 1]) * aspects[frame]
                    apart[i, j] = np.hypot(across, down) / GRID >= gap
        for anchor in fit:
            begun = mix_pair(states[row], identities[anchor])
            for first in fit:
                partner[first] = -1
                if not (apart[anchor, first] and clear[anchor, first]):
                    continue
                state = mix_pair(begun, identities[first])
                best = np.uint64(0)
                near = distances[anchor, first]
                for other in fit:
                    if not (apart[anchor, other] and clear[anchor, other] and apart[first, other]):
                        continue
                    far = distances[anchor, other]
                    if abs(far - near) < least or max(far, near) < ratio * min(far, near):
                        continue
                    rank = mix_pair(state, identities[other])
                    if partner[first] < 0 or rank > best:
                        partner[first], best = other, rank
            for first in fit:
                other = partner[first]
                if first == anchor:
                    continue
                if other < 0:
                    alone += 1
                elif partner[other] != first or first < other:
                    out[at, 0], out[at, 1] = row, anchor
                    out[at, 2], out[at, 3] = min(first, other), max(first, other)
                    at += 1
    return out[:at], alone


def anchored_pairs(
    facts: SceneFacts,
    frames: Indices,
    views: Indices,
    clearness: Clearness,
    min_mark_gap: float,
    seed: int,
) -> Candidates:
    """Each anchor with each object, and a second one that is drawn among those whose distance differs clearly.

    Parameters
    ----------
    frames : (N, a), the images of each set. views : (N, O), in which of them an object is marked; negative for none.

    Returns
    -------
    Candidates about (anchor, one, another). Values: VIEWS, (M, 3), and `distances`, (M, 2), of the two.
    """
    distances = facts.objects.center_distances
    key = draw_key(facts.which, seed, "anchors")
    found, alone = _anchored(
        frames,
        views,
        distances,
        ~METERS.near_rounding_boundary(distances),
        facts.once(markers),
        facts.frames.heights / facts.frames.widths,
        min_mark_gap,
        clearness.min_difference,
        clearness.min_ratio,
        mix_columns(key, facts.frames.identities[frames]),
        facts.objects.identities,
    )
    row, things = found[:, 0], found[:, 1:]
    candidates = Candidates(
        frames[row],
        things,
        {VIEWS: views[row[:, None], things], "distances": distances[things[:, :1], things[:, 1:]]},
        Strata.of_objects(things[:, 0], facts.objects.identities),
    )
    candidates.count_out(NO_OTHER, alone)
    return candidates


def nearest_chances(facts: SceneFacts, anchor: int, things: Sequence[int]) -> list[float]:
    """How likely the words alone make each of the objects the nearest to the anchor."""
    words, prior = facts.objects.categories, prior_of(*PRIOR)
    return prior.chances(hints([words[thing] for thing in things], words[anchor]))


def hints(words: Sequence[str], target: str) -> list[list[str]]:
    """Of each object `lamp`, and `lamp|bed` by the anchor."""
    return [[word, f"{word}|{target}"] for word in words]
