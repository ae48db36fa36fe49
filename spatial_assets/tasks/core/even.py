"""Option sets without a law: of each answer that the same words have in a scene one question, beside three others.

A cell holds the candidates that print the same words, and an answer of it is a code. Of every answer one candidate is
kept, which a hash chooses, and wherever strata are taken in turn each of them is asked equally often. Its wrong options
are drawn evenly among the other answers of the cell. So of a given set each member was as likely to be asked as the
others, and as likely to draw the rest: whatever the words suggest, they suggest it of all four. What no candidate of
the cell has is never offered, so that nothing is wrong by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Indices, Strata
from spatial_assets.tasks.core.draws import Draw, Hashes, hash_name, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTION_REASONS, OPTIONS

REPEATED = "repeated"
EVEN_REASONS = {
    NO_OPTIONS: OPTION_REASONS[NO_OPTIONS],
    REPEATED: "the same words have this answer in another question already",
}
OFFERED = "offered"
"""Among the values of candidates, (N,): the codes of all answers that the same words have, a tuple each."""


def category_codes(facts: SceneFacts) -> tuple[Indices, Hashes]:
    """(O,), each object's category as a place in alphabetical order, and (C,), the categories' identities."""
    words = sorted(set(facts.objects.categories))
    places = {word: place for place, word in enumerate(words)}
    return (
        np.array([places[word] for word in facts.objects.categories], np.int64),
        np.array([hash_name("category", word) for word in words], np.uint64),
    )


@kernel
def _first_of_each(keys: Indices, ranks: Hashes, size: int) -> Indices:
    """(size,), of each key the candidate of the greatest rank; -1 where no candidate has it."""
    found = np.full(size, -1, np.int64)
    for row in range(len(keys)):
        held = found[keys[row]]
        if held < 0 or ranks[row] > ranks[held]:
            found[keys[row]] = row
    return found


def _renumbered(numbers: Indices) -> tuple[Indices, int]:
    """Whole numbers without the gaps, in their order, and how many different ones there are."""
    there = np.zeros(int(numbers.max(initial=-1)) + 1, np.bool_)
    there[numbers] = True
    return (np.cumsum(there) - 1)[numbers], int(there.sum())


def named_cells(facts: SceneFacts, named: Indices) -> tuple[Indices, Hashes]:
    """By the names that questions print of objects (N, k): (N,), each one's cell, and (N, k), what it is told by."""
    of_objects, words = facts.once(category_codes)
    cells = np.zeros(len(named), np.int64)
    for column in named.T:
        cells = cells * len(words) + of_objects[column]
    return cells, words[of_objects[named]]


def in_name_order(facts: SceneFacts, pairs: Indices) -> Indices:
    """Objects (N, 2), of each two the one first whose category is earlier in the alphabet."""
    codes, _ = facts.once(category_codes)
    later = codes[pairs[:, 0]] > codes[pairs[:, 1]]
    found: Indices = np.where(later[:, None], pairs[:, ::-1], pairs)
    return found


class Cells:
    """Candidates by what they print and by their answers."""

    def __init__(
        self, facts: SceneFacts, key: int, found: Candidates, cells: tuple[Indices, Hashes], codes: Indices
    ) -> None:
        """By a key for which one stands for its answer; `cells` (N,) and their identities (N, k); codes (N,)."""
        own, identities = cells
        self.cells, self.count = _renumbered(own)
        answers, count = _renumbered(codes)
        self.codes = np.flatnonzero(np.bincount(codes))
        """(A,), all answers that there are."""
        ranks = found.ranks(key, facts.frames.identities, facts.objects.identities)
        keys = self.cells * count + answers
        firsts = _first_of_each(keys, ranks, self.count * count)
        self.present = (firsts >= 0).reshape(self.count, count)
        self.firsts = firsts[firsts >= 0]
        strata, _ = _renumbered(keys)
        columns = identities[self.firsts], codes[self.firsts].astype(np.uint64)
        self.strata = Strata(strata, mix_columns(0, *columns) if len(strata) else np.zeros(1, np.uint64))
        """By the cell and the answer."""

    @property
    def enough(self) -> Bools:
        """(N,), whose cells have as many answers as a question has options."""
        found: Bools = (self.present.sum(axis=1) >= OPTIONS)[self.cells]
        return found

    def offer(self, found: Candidates) -> None:
        """Give all OFFERED, and reject those whose cells have too few answers."""
        counts = self.present.sum(axis=1)
        code = self.codes[np.nonzero(self.present)[1]]
        ends = np.cumsum(counts).tolist()
        all_codes = code.tolist()
        offered = np.full(self.count, None, object)
        for place in np.flatnonzero(counts >= OPTIONS).tolist():
            offered[place] = tuple(all_codes[ends[place] - int(counts[place]) : ends[place]])
        found.values[OFFERED] = offered[self.cells]
        found.reject(NO_OPTIONS, ~self.enough)

    def keep_one_of_each(self, found: Candidates) -> None:
        """Reject what has no options, and all but one candidate of every answer of a cell."""
        self.offer(found)
        others = np.ones(len(found), np.bool_)
        others[self.firsts] = False
        found.reject(REPEATED, others)


def widened_cells(
    facts: SceneFacts,
    key: int,
    found: Candidates,
    named: Sequence[Indices],
    known: Indices,
    codes: Indices,
) -> tuple[Cells, Indices]:
    """Cells by the first objects' names or, where these have too few answers, by the next ones' and by what is known.

    Parameters
    ----------
    named : (N, k) each, from more names to fewer. known : (N,), what the names give away of an answer, a small whole
    number: in the wider cells it is the same in all options. codes : (N,).

    Returns
    -------
    The cells, and (N,), which of the lists each candidate's is by: those of wider cells are to be asked last.
    """
    width = named[0].shape[1] + 2
    cells, words = named_cells(facts, named[0])
    told = np.zeros((len(found), width), np.uint64)
    told[:, : words.shape[1]] = words
    own = Cells(facts, key, found, (cells, told), codes)
    tiers = np.zeros(len(found), np.int64)
    for tier, fewer in enumerate(named[1:], 1):
        few = ~own.enough
        wider, words = named_cells(facts, fewer)
        kinds = int(known.max(initial=0)) + 1
        cells = np.where(few, cells.max(initial=0) + 1 + wider * kinds + known, cells)
        wide = np.zeros((len(found), width), np.uint64)
        wide[:, : words.shape[1]] = words
        wide[:, -2:] = np.stack([known, np.full(len(found), tier)], axis=1)
        told = np.where(few[:, None], wide, told)
        tiers = np.where(few, tier, tiers)
        own = Cells(facts, key, found, (cells, told), codes)
    return own, tiers


def others_of(candidate: Chosen, code: int, draw: Draw) -> Sequence[int]:
    """The codes of the wrong options; none where the candidate is asked without."""
    offered = candidate.values.get(OFFERED)
    if offered is None:
        return ()
    others = [other for other in offered if other != code]
    return [others[place] for place in draw.sample("options", len(others), OPTIONS - 1)]
