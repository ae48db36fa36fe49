"""Sets of things of which one alone is higher: every one is found, and what is kept names do not tell."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from mosaic_scene import made_sets, shown
from video_scenes import ask, box, chosen_text

from spatial_assets.tasks.spatialmosaic import foursomes, heights

TASK = "obj_attribute_occ_ab"
WORDS = ("cup", "vase", "book", "bottle", "bowl")


def scene(*levels: float):
    """A table of one meter, and a thing at each height, all in one view; another shows nothing."""
    things = [("table", box(0.0, 0.0, z=1.0, size=(1.0, 1.0, 0.1)))]
    things += [
        (word, box(0.3 * place, 0.5, z=level, size=(0.1, 0.1, 0.1)))
        for place, (word, level) in enumerate(zip(WORDS, levels, strict=False))
    ]
    return made_sets(things, [{place: shown() for place in range(len(things))}, {}])


@pytest.mark.prove
def test_every_set_of_which_one_alone_lies_on_its_side_is_asked() -> None:
    """Of five things two are higher than the table: each of them with the three others."""
    facts = scene(2.0, 1.5, 0.5, 0.4, 0.3)
    rows = [row for row in ask(TASK, facts, even=False, quota=1000) if row["objects"][1]["instance"] == 0]
    asked = Counter((chosen_text(row), frozenset(row["options"])) for row in rows)
    others = WORDS[2:]
    assert asked.keys() == {(word, frozenset({word, *others})) for word in WORDS[:2]}


@pytest.mark.parametrize("alike", [1, 2, 3, 4])
def test_what_the_law_foresees_is_kept_so_much_the_more_rarely(alike: int) -> None:
    """By a law that is known: of each set the `alike` likeliest members are kept equally often."""
    chances = np.array([0.6, 0.25, 0.1, 0.05])
    kept = np.minimum(1.0, np.sort(chances)[4 - alike] / chances) * chances
    assert np.ptp(kept[np.argsort(-chances)[:alike]]) < 1e-12
    clear = np.zeros((5, 5, 2, 1))
    # Of the things of four words beside the fifth: as likely to be higher, the others lower, as the odds of `chances`.
    odds = chances / chances.max() / 2
    clear[:4, 4, 1, 0], clear[:4, 4, 0, 0] = odds / (1 + odds), 1 / (1 + odds)
    count = 4000
    right = np.random.default_rng(7).choice(4, count, p=chances)
    signs = np.full((count, 4), -1, np.int64)
    signs[np.arange(count), right] = 1
    members, _, rejected = foursomes._sets(
        np.arange(0, 4 * count + 1, 4),
        signs.ravel(),
        np.tile(np.arange(4), count),
        np.random.default_rng(8).integers(0, 2**63, 4 * count, dtype=np.uint64),
        np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        np.arange(5),
        np.full(4 * count, 4),
        clear,
        4,
        12,
        alike,
    )
    assert len(members) + rejected == count
    found = np.bincount(members[:, 0] % 4, minlength=4)
    assert np.abs(found / count - kept).max() < 0.03


def test_the_law_says_that_lamps_hang_and_carpets_lie() -> None:
    # A table's box stands on the floor, and is beside what lies on it.
    lower, higher = heights.clear_of("carpet", "picture", 0.05)
    assert lower.mean() > 0.9 and higher.mean() == 0
    assert heights.clear_of("ceiling light", "table", 0.05)[1].mean() > 0.9
    # Of a word that it does not know it says nothing much.
    unknown = heights.clear_of("gramophone", "bottle", 0.05)
    assert 0.1 < unknown[0].mean() < 0.9 and 0.1 < unknown[1].mean() < 0.9
