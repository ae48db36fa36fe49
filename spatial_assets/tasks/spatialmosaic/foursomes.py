"""Sets of objects of which one alone lies on one side of another, all that there are, so that no name tells which.

Of four things names mostly tell which is the highest, a lamp among three mats, or which lies apart, a toilet among
three things of a bedroom. Were one set drawn for each right answer, most would be of that kind, and leaving them out by
lot would leave hardly any. So all sets are gone through, and each is kept the more rarely the likelier its answer is:
of heights by the law of how high such things stand, else by where the things stand (`around`), and by what names say
beside that. In what is kept, of each set as many members as are asked for are right equally often. That these are all
four is too much to ask of heights: among any four things mostly one is never the highest.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Candidates, Indices, draw_key
from spatial_assets.tasks.core.draws import Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import EXPECTED
from spatial_assets.tasks.spatialmosaic.around import FAR, NEAR, Around, alone, span
from spatial_assets.tasks.spatialmosaic.heights import Clear, clear_sides, usual

LARGEST_POOL = 12
"""Objects that sets are made of at once, at most: 495 sets of four. Of more, those that are mostly as high stand
together, or, of sides, those that a lot puts together."""
ALIKE = 3
"""Of this many things names do not tell which is the one above, or below."""
ALIKE_MEANT = (
    "of heights, of so many of the things offered names do not tell which is right, by the law of how high such things "
    "stand; of four, hardly any question is left, and of two one of two guesses is right"
)
UNIT = 1.0 / float(1 << 53)


class Across(NamedTuple):
    """How sets are made."""

    task: str
    size: int
    """Members of a set, 3 or 4."""
    gap: float
    """Meters that things are apart where one is clearly on a side."""
    alike: int
    """Of so many members names shall not tell which is right, 1 to `size`; the others may be known to be wrong. 0:
    nothing is left out."""


class Expected(NamedTuple):
    """What names say, beside what else tells, of which one of a set is the one: log odds on either side."""

    words: Indices
    """(O,), of each object its category's place in `pairs`."""
    scores: Float
    """(2, O), of each object, on the negative and on the positive side."""
    pairs: Float
    """(2, C, C), of a thing of the first category beside one of the second."""

    @classmethod
    def nothing(cls, objects: int) -> Expected:
        """Of so many objects names say nothing."""
        return cls(np.zeros(objects, np.int64), np.zeros((2, objects)), np.zeros((2, 1, 1)))


@kernel
def _chances(clear: Float, side: int, words: Indices, reference: int, out: Float) -> None:
    """Of each member of a set, how likely names make it the one on that side; not normalized."""
    out[:] = 0.0
    for sample in range(clear.shape[3]):
        for own in range(len(words)):
            chance = 1.0
            for place in range(len(words)):
                chance *= clear[words[place], reference, side if place == own else 1 - side, sample]
            out[own] += chance


@kernel
def _is_kept(chances: Float, right: int, unit: float, alike: int) -> bool:
    """Whether a set stays whose right member is this one: at the chance of the `alike` likeliest over its own."""
    own = chances[right] * unit
    likelier = 0
    for chance in chances:
        likelier += chance > own
    return own > 0.0 and likelier >= alike


@kernel
def _sets(
    begins: Indices,
    signs: Indices,
    things: Indices,
    states: Hashes,
    identities: Hashes,
    references: Indices,
    frames: Indices,
    by_heights: bool,
    words: Indices,
    clear: Float,
    centers: Float,
    edges: Float,
    rights: Float,
    depths: Float,
    looks: int,
    codes: Indices,
    scores: Float,
    pairs: Float,
    gap: float,
    size: int,
    most: int,
    alike: int,
) -> tuple[Indices, Indices, int]:
    """(M, size), rows of each set, the right one first; (N,), of how many sets each row is the right one, also of
    those that are left out, and how many these are."""
    spans = np.empty((most, looks, 2))
    level = len(rights) > 0
    counts = np.zeros(len(signs), np.int64)
    out = np.empty((64, size), np.int64)
    at = np.empty(size, np.int64)
    named = np.empty(size, np.int64)
    chances = np.ones(size)
    total, rejected = 0, 0
    for group in range(len(begins) - 1):
        count = begins[group + 1] - begins[group]
        pools = (count + most - 1) // most
        for pool in range(pools):
            begin = begins[group] + pool * count // pools
            end = begins[group] + (pool + 1) * count // pools
            if end - begin < size:
                continue
            if alike > 0 and not by_heights:
                for row in range(begin, end):
                    if level:
                        span(things[row], rights[frames[begin]], centers, edges, spans[row - begin])
                        continue
                    for look in range(looks):
                        spans[row - begin, look, 0] = depths[things[row], look, 0]
                        spans[row - begin, look, 1] = depths[things[row], look, 1]
            for place in range(size):
                at[place] = begin + place
            while True:
                positive = 0
                for place in range(size):
                    positive += signs[at[place]] > 0
                if positive == 1 or positive == size - 1:
                    side = 1 if positive == 1 else -1
                    right = 0
                    state = states[at[0]]
                    for place in range(size):
                        row = at[place]
                        if signs[row] == side:
                            right = place
                        named[place] = words[things[row]] if by_heights else row - begin
                        state = mix_pair(state, identities[things[row]])
                    if alike > 0 and by_heights:
                        _chances(clear, (side + 1) // 2, named, words[references[begin]], chances)
                    elif alike > 0:
                        if level:
                            alone(named, spans, 1, -np.inf, np.inf, gap, chances)
                        else:
                            alone(named, spans, side, NEAR, FAR, gap, chances)
                    for place in range(size):
                        own = things[at[place]]
                        score = scores[(side + 1) // 2, own]
                        for other in range(size):
                            if other != place:
                                score += pairs[(side + 1) // 2, codes[own], codes[things[at[other]]]]
                        chances[place] *= math.exp(score)
                    counts[at[right]] += 1
                    unit = float(state >> np.uint64(11)) * UNIT
                    if alike > 0 and not _is_kept(chances, right, unit, alike):
                        rejected += 1
                    else:
                        if total == len(out):
                            longer = np.empty((2 * total, size), np.int64)
                            for before in range(total):
                                for to in range(size):
                                    longer[before, to] = out[before, to]
                            out = longer
                        out[total, 0] = at[right]
                        to = 1
                        for place in range(size):
                            if place != right:
                                out[total, to] = at[place]
                                to += 1
                        total += 1
                # The next set in the order of its members' places.
                place = size - 1
                while place >= 0 and at[place] == end - size + place:
                    place -= 1
                if place < 0:
                    break
                at[place] += 1
                for later in range(place + 1, size):
                    at[later] = at[later - 1] + 1
    return out[:total], counts, rejected


def sets_across(
    facts: SceneFacts,
    seed: int,
    across: Across,
    found: Candidates,
    groups: Indices,
    signs: Indices,
    standing: Around | None,
    expected: Expected,
) -> tuple[Candidates, Indices]:
    """All sets of a group's candidates of which one alone lies on its side, with the others behind its two objects.

    Parameters
    ----------
    found : pairs of an object and what it is compared with. groups, signs : (N,), whole numbers, equal for what may
        stand in one set, and on which side each object lies. standing : where they stand; None of heights, of which
        the law of heights tells. expected : what names say beside that.

    Returns
    -------
    The sets, and (M, size), each member's place in `found`. Who is the right one of none is rejected.
    """
    things, references = found.objects.T
    own = facts.objects.identities
    by_heights = standing is None
    clear = facts.once(clear_sides, across.gap) if by_heights else Clear.nothing()
    ranks = facts.once(usual)[things] if by_heights else np.zeros(len(things))
    order = np.lexsort((own[things], ranks, groups))
    begins = np.flatnonzero(np.diff(groups[order], prepend=-1, append=-1))
    # Of the frame and the objects alone, as `lots`: what several sets of views ask of one frame stays or goes together.
    states = mix_columns(
        draw_key(facts.which, seed, across.task, EXPECTED),
        facts.frames.identities[found.frames[order, 0]],
        own[references[order]],
    )
    there = Around.nothing() if standing is None else standing
    members, counts, rejected = _sets(
        begins,
        signs[order],
        things[order],
        states,
        own,
        references[order],
        found.frames[order, 0],
        by_heights,
        clear.words,
        clear.chances,
        there.centers,
        there.edges,
        there.rights,
        there.depths,
        there.looks,
        *expected,
        across.gap,
        across.size,
        LARGEST_POOL,
        min(across.alike, across.size),
    )
    members = order[members]
    right = members[:, 0]
    others = things[members[:, 1:]]
    assert found.identities is not None
    sets = Candidates(
        found.frames[right],
        np.concatenate([found.objects[right], others], axis=1),
        {name: values[right] for name, values in found.values.items()},
        identities=np.concatenate([found.identities[right], own[others]], axis=1),
        rejected=found.rejected.copy(),
    )
    sets.count_out("few_others", int((counts == 0).sum()))
    sets.count_out(EXPECTED, rejected)
    return sets, members
