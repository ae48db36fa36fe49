"""Words for objects: every category reads well after "the", and nobody can take it for something else unnoticed."""

from __future__ import annotations

import pytest

from spatial_assets.scene.categories import (
    _vocabulary,
    canonical,
    is_countable,
    is_mapped,
    is_structure,
    may_mean,
    meanings,
)
from spatial_assets.studio import catalog


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("Trash Can", "trash bin"),
        ("potted_plant", "plant"),
        ("book", "book"),
        ("books", "group of books"),
        ("beer bottles", "group of beer bottles"),
        ("kitchen cabinets", "kitchen cabinet"),
        ("walls", "wall"),
        ("case of water bottles", "case of water bottles"),
    ],
)
def test_labels_become_one_word_in_the_singular(label: str, category: str) -> None:
    assert canonical(label) == category
    assert canonical(category) == category


def test_a_structure_in_the_plural_is_a_structure() -> None:
    assert is_structure(canonical("walls")) and is_structure(canonical("shower walls"))
    assert not is_structure(canonical("doors"))


@pytest.mark.parametrize(
    ("word", "category"),
    [
        ("chair", "office chair"),
        ("book", "group of books"),
        ("book", "bookshelf"),
        ("bottle", "group of beer bottles"),
        ("chair", "stack of chairs"),
        ("washer", "group of washing machines"),
        ("lamp", "ceiling light"),
        ("decoration", "vase"),
        ("decoration", "painting"),
        ("basket", "laundry hamper"),
    ],
)
def test_a_word_may_mean_what_a_reader_takes_it_for(word: str, category: str) -> None:
    assert may_mean(word, category)
    assert not may_mean(category, word)


def test_nobody_counts_groups_or_what_is_built_together() -> None:
    assert is_countable("chair") and is_countable("office chair")
    assert not any(map(is_countable, ("group of books", "stack of chairs", "kitchen cabinet", "decoration")))


def test_the_studio_gives_one_word_to_things_that_look_alike() -> None:
    """Wall cabinets hang over kitchen cabinets, of the same make: "the cabinet" may be any of them."""
    assert catalog.label("wall_cabinet") == catalog.label("kitchen_cabinet")


def test_the_vocabulary_is_sound() -> None:
    """One step leads from any word to its category, plurals are no synonyms, and no kind is its own."""
    vocabulary = _vocabulary()
    assert not vocabulary["synonyms"].keys() & set(vocabulary["synonyms"].values())
    assert not vocabulary["synonyms"].keys() & vocabulary["plurals"].keys()
    for word in (*vocabulary["kinds"], *vocabulary["words"], *vocabulary["synonyms"].values()):
        assert canonical(word) == word and word == word.lower().strip()
        assert not any(word in meanings(wider) for wider in meanings(word) - {word})


@pytest.mark.parametrize(
    "label", ["couch", "Dining Chair", "beer bottles", "stack of chairs", "walls", "row of books"]
)
def test_words_are_mapped_themselves_or_by_their_last(label: str) -> None:
    assert is_mapped(canonical(label))


@pytest.mark.parametrize("label", ["gizmo", "gizmos", "door frob", "pile of gizmos", ""])
def test_words_that_nothing_maps_are_known_as_such(label: str) -> None:
    assert not is_mapped(canonical(label))
