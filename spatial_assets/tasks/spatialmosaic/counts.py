"""Enumerates what can be counted: each view set with each word that something in it goes by.

What counts is every object of the word that some view shows, once. A word is left out of a set where one of them shows
too little in every view, since nobody can say whether that counts, or where the word may mean something else in sight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.categories import is_countable
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Indices, Strata, draw_key
from spatial_assets.tasks.core.draws import Hashes, hash_name, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.spatialmosaic.measured import NO_HASHES, turns
from spatial_assets.tasks.spatialmosaic.referents import (
    MosaicReferents,
    clear,
    seen_somewhere,
    shown_somewhere,
)
from spatial_assets.tasks.spatialmosaic.sets import SET, MosaicParameters, view_sets

COUNT, WORD, SPREAD = "count", "word", "spread"
"""Among the values of candidates, (N,): how many there are, the word's place in the alphabet, and whether no view alone
shows them all."""
OFFERED = "offered"
"""Among the values of candidates, (N,): the numbers that options are drawn from, the right one among them, a tuple
each."""
COUNT_REASONS: Mapping[str, str] = {
    "uncountable": "people do not agree on how many of them there are",
    "ambiguous_name": "the views show something of another category that the word may mean",
    "half_seen": "of one of them every view shows too little to say that it counts",
    "few": "too few of them to be counted",
    "many": "too many of them to be counted",
}
EVEN_REASONS: Mapping[str, str] = {
    "constant": "every set of the scene has the same count of it, so that the word tells the answer",
    "no_options": "with as many views, the scene has too few different counts to choose from",
    "uneven": "left out by lot, so that with as many views no number is right more often than others",
}
PAIR_REASONS: Mapping[str, str] = {
    **EVEN_REASONS,
    "no_options": "with as many views, its name has no other count to choose from",
    "uneven": "left out by lot, so that of a name, with as many views, neither number is right more often",
}
"""Where two numbers are offered."""


class CountParameters(MosaicParameters):
    """What tasks have that count."""

    referents: MosaicReferents = MosaicReferents()
    min_count: int = Field(
        1,
        ge=1,
        description="of which one is in sight; one is an answer as good as two, if it is not always right",
    )
    max_count: int = Field(12, ge=1, description="more, and even people lose count")


@dataclass(frozen=True)
class Words:
    """The words that objects of a scene go by, parts of the building left out."""

    names: tuple[str, ...]
    own: Indices
    """(O,), the place of each object's word among them; negative for parts of the building."""
    others: Bools
    """(W, O), which objects go by another word and may yet be meant."""
    identities: Hashes
    """(W,)."""


def words_of(facts: SceneFacts) -> Words:
    """By `facts.once`."""
    objects = facts.objects
    asked = ~objects.structure
    names = sorted({word for word, one in zip(objects.words, asked.tolist(), strict=True) if one})
    places = {name: place for place, name in enumerate(names)}
    own = np.where(asked, np.array([places.get(word, -1) for word in objects.words], np.int64), -1)
    members = own[None] == np.arange(len(names))[:, None]
    first = np.array([own.tolist().index(place) for place in range(len(names))], np.int64)
    others = objects.may_mean[first] & ~members
    return Words(tuple(names), own, others, np.array([hash_name("word", name) for name in names], np.uint64))


@kernel
def _by_word(values: Float, words: Indices, count: int) -> Float:
    out = np.zeros((len(values), count))
    for row in range(len(values)):
        for thing in range(len(words)):
            if words[thing] >= 0:
                out[row, words[thing]] += values[row, thing]
    return out


def by_word(facts: SceneFacts, values: Bools | Float) -> Float:
    """(R, W), the sum over each word's objects of (R, O)."""
    words = facts.once(words_of)
    return _by_word(values.astype(np.float64), words.own, len(words.names))


@kernel
def _meant(seen: Bools, others: Bools) -> Bools:
    out = np.zeros((len(seen), len(others)), np.bool_)
    for row in range(len(seen)):
        for thing in np.flatnonzero(seen[row]):
            for word in range(len(others)):
                if others[word, thing]:
                    out[row, word] = True
    return out


def counted(facts: SceneFacts, parameters: CountParameters) -> Candidates:
    """Each set with each word of which it shows something, and the objects that count."""
    sets, words = facts.once(view_sets), facts.once(words_of)
    seen = facts.once(seen_somewhere)
    shown = facts.once(shown_somewhere, parameters.referents.shown)
    numbers = by_word(facts, seen)
    half = by_word(facts, seen & ~shown) > 0
    others = _meant(seen, words.others)
    row, word = np.nonzero(numbers > 0)
    count = numbers[row, word].astype(np.int64)
    each = by_word(facts, facts.observed.visible)
    most = np.where(sets.frames[row] == NOTHING, 0, each[sets.frames[row], word[:, None]]).max(
        axis=1, initial=0
    )
    found = Candidates(
        np.zeros((len(row), 0), np.int64),
        np.zeros((len(row), 0), np.int64),
        {SET: row, WORD: word, COUNT: count, SPREAD: most < count},
        identities=np.stack([sets.identities[row], words.identities[word]], axis=1),
    )
    countable = np.array([is_countable(name) for name in words.names], np.bool_)
    found.reject("uncountable", ~countable[word])
    found.reject("ambiguous_name", others[row, word])
    found.reject("half_seen", half[row, word])
    found.reject("few", count < parameters.min_count)
    found.reject("many", count > parameters.max_count)
    found = found.settle()
    row, word = found.values[SET], found.values[WORD]
    place, thing = np.nonzero(seen[row] & (words.own == word[:, None]))
    objects = np.full((len(row), int(found.values[COUNT].max(initial=0))), NOTHING, np.int64)
    begins = np.concatenate([[0], np.cumsum(found.values[COUNT])])[:-1]
    objects[place, np.arange(len(place)) - begins[place]] = thing
    found.objects = objects
    return found


def clear_by_frame(facts: SceneFacts, parameters: CountParameters) -> tuple[Float, Float]:
    """(F, W) each: how many of each word a frame shows clearly, and on how many pixels it shows any of them."""
    return (
        by_word(facts, facts.once(clear, parameters.referents.shown)),
        by_word(facts, facts.observed.visible_px),
    )


def offer_evenly(
    facts: SceneFacts, parameters: CountParameters, task: str, found: Candidates, least: int, views: Indices
) -> None:
    """Give all OFFERED, reject all for which there are fewer than `least` numbers, and so many of each number's
    questions that all that remain are right equally often among those that show as many views.

    Every number that is offered is then an answer of as many questions as any other, so that a set of them says
    nothing of which is right, nor does it beside the number of images, which anybody knows. Words with one count in
    all sets are left out: they would tell it themselves.

    views : (N,), how many images each shows.
    """
    words = facts.once(words_of)
    numbers, word = found.values[COUNT], found.values[WORD]
    varied = np.zeros((len(words.names), int(numbers.max(initial=0)) + 1), np.bool_)
    varied[word, numbers] = True
    constant = varied.sum(axis=1)[word] < 2
    found.reject("constant", constant)
    each, offered = np.zeros(len(found), np.int64), np.full(len(found), None, object)
    for count in np.unique(views).tolist():
        here = views == count
        limit, kept = _most_rows(np.bincount(numbers[here & ~constant], minlength=1), least)
        here &= np.isin(numbers, kept)
        each[here] = limit
        for place in np.flatnonzero(here).tolist():
            offered[place] = tuple(kept)
    found.reject("no_options", each == 0)
    ranks = found.ranks(draw_key(facts.which, parameters.seed, task, "even"), *NO_HASHES)
    found.strata = Strata.of_rows(np.stack([numbers, views], axis=1))
    found.reject("uneven", turns(found.strata.codes * 2 + constant, ranks) >= each)
    found.values[OFFERED] = offered


def offer_pairs(
    facts: SceneFacts, parameters: CountParameters, task: str, found: Candidates, views: Indices
) -> None:
    """Give all OFFERED, two numbers each, and reject so many that of a word, where as many views are shown, both are
    right equally often.

    A word says how many there mostly are, and the number of views says how many are in sight: of two numbers these
    would tell more than of four. So it is not enough that numbers are right equally often in the whole scene.

    views : (N,), how many images each shows.
    """
    words = facts.once(words_of)
    numbers, word = found.values[COUNT], found.values[WORD]
    cells, cell = np.unique(np.stack([word, views], axis=1), axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    width = int(numbers.max(initial=0)) + 1
    counts = np.zeros((len(cells), width + width % 2), np.int64)
    np.add.at(counts, (cell, numbers), 1)
    # The most frequent number with the next, the third with the fourth, so that most questions are left.
    order = np.argsort(-counts, axis=1, kind="stable")
    place = np.argsort(order, axis=1)[cell, numbers]
    other = order[cell, place ^ 1]
    low, high = np.minimum(numbers, other), np.maximum(numbers, other)
    varied = np.zeros((len(words.names), width), np.bool_)
    varied[word, numbers] = True
    found.reject("constant", varied.sum(axis=1)[word] < 2)
    found.reject("no_options", counts[cell, other] == 0)
    ranks = found.ranks(draw_key(facts.which, parameters.seed, task, "even"), *NO_HASHES)
    found.reject("uneven", ~even_sides(np.stack([cell, low], axis=1), numbers == high, ranks))
    offered = np.full(len(found), None, object)
    offered[:] = list(zip(low.tolist(), high.tolist(), strict=True))
    found.values[OFFERED] = offered
    # Words take turns, numbers of views too, and both numbers, which would else be even no more.
    groups, first, code = np.unique(
        np.stack([cell, low, numbers == high], axis=1), axis=0, return_index=True, return_inverse=True
    )
    told = np.stack([views, low, numbers], axis=1)[first].astype(np.uint64)
    identities = mix_columns(0, words.identities[word[first]], told)
    found.strata = Strata(code.reshape(-1), identities if len(groups) else np.zeros(1, np.uint64))


def even_sides(cells: Indices, sides: Bools, ranks: Hashes) -> Bools:
    """(N,), which candidates stay so that of each cell, (N, k), both sides are as many: those first by rank."""
    groups, cell = np.unique(cells, axis=0, return_inverse=True)
    codes = cell.reshape(-1) * 2 + sides
    least = np.bincount(codes, minlength=2 * len(groups)).reshape(-1, 2).min(axis=1)
    found: Bools = turns(codes, ranks) < least[codes // 2]
    return found


def _most_rows(counts: Indices, least: int) -> tuple[int, list[int]]:
    """How many questions each number gets, and which numbers get any, so that there are most questions in all."""
    best, each, kept = 0, 0, list[int]()
    for limit in sorted(set(counts[counts > 0].tolist())):
        numbers = np.flatnonzero(counts >= limit).tolist()
        if len(numbers) >= least and limit * len(numbers) >= best:
            best, each, kept = limit * len(numbers), limit, numbers
    return each, kept
