"""Sets that follow from a law: the same whichever member is right, and each member right equally often."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from spatial_assets.studio.files import PROGRAM
from spatial_assets.tasks.core.laws import (
    ORIGINS,
    PACKAGE,
    CountLaw,
    Law,
    count_laws,
    law_of_origin,
    laws,
)
from spatial_assets.tasks.core.video import rooms
from spatial_assets.tasks.vsi import object_counting, object_size_estimation

LAW = Law(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), np.array([10.0, 12.0, 20.0, 30.0, 90.0]))
COUNTS = CountLaw(np.arange(2, 9), np.array([0.5, 0.2, 0.12, 0.08, 0.05, 0.03, 0.02]))


@pytest.mark.parametrize("bands", [1, 2, 3])
def test_whichever_member_is_right_the_set_is_the_same(bands: int) -> None:
    values = LAW.number(np.random.default_rng(0).random(200))
    wrong = LAW.wrong(values, bands)
    sets = np.sort(np.concatenate([values[:, None], wrong], axis=1), axis=1)
    assert wrong.shape == (200, 3) and (np.diff(sets, axis=1) > 0).all()
    for other in range(3):
        again = np.concatenate([wrong[:, other, None], LAW.wrong(wrong[:, other], bands)], axis=1)
        assert np.allclose(np.sort(again, axis=1), sets)
    levels = LAW.level(sets) * bands
    assert (np.floor(levels + 1e-9).max(axis=1) - np.floor(levels + 1e-9).min(axis=1) == 0).all()


def test_every_rank_is_right_equally_often() -> None:
    values = LAW.number(np.random.default_rng(1).random(4000))
    sets = np.concatenate([values[:, None], LAW.wrong(values, 2)], axis=1)
    ranks = (sets < values[:, None]).sum(axis=1)
    assert chisquare(np.bincount(ranks, minlength=4)).pvalue > 1e-3
    # Another law is found out.
    off = np.concatenate([1.3 * values[:, None], LAW.wrong(1.3 * values, 2)], axis=1)
    off = off[~np.isnan(off).any(axis=1)]
    assert chisquare(np.bincount((off < off[:, :1]).sum(axis=1), minlength=4)).pvalue < 1e-3


def test_beyond_a_law_there_are_no_sets() -> None:
    assert np.isnan(LAW.wrong(np.array([9.9, 90.1]))).all()
    assert not np.isnan(LAW.wrong(np.array([10.0, 90.0]))).any()


def test_levels_and_numbers_are_inverse() -> None:
    levels = np.linspace(0, 1, 41)
    assert np.allclose(LAW.level(LAW.number(levels)), levels)


def test_counts_are_right_equally_often_in_every_set() -> None:
    rng = np.random.default_rng(0)
    right: Counter[tuple[tuple[int, ...], int]] = Counter()
    kept, asked = 0, 20_000
    for number in rng.choice(COUNTS.numbers, p=COUNTS.shares, size=asked).tolist():
        wrong = COUNTS.wrong(number, rng.random(), rng.random())
        if wrong:
            kept += 1
            right[tuple(sorted({number, *wrong})), number] += 1
    sets = Counter(members for members, _ in right.elements())
    assert all(len(members) == 4 for members in sets)
    assert min(chisquare([right[m, number] for number in m]).pvalue for m in sets) > 1e-3 / len(sets)
    # The most that four different options allow: 0.15 of each of the two common ones, and all others.
    assert kept / asked == pytest.approx(0.6, abs=0.015)


@pytest.mark.parametrize("shares", [[0.6, 0.3, 0.1], [1.0]])
def test_of_fewer_than_four_numbers_there_are_no_sets(shares: list[float]) -> None:
    law = CountLaw(np.arange(2, 2 + len(shares)), np.array(shares))
    assert law.wrong(2, 0.0, 0.5) == []


def test_four_numbers_are_one_set() -> None:
    law = CountLaw(np.arange(2, 6), np.array([0.5, 0.3, 0.15, 0.05]))
    assert np.allclose(law.kept, [0.1, 1 / 6, 1 / 3, 1.0])
    assert (
        law.wrong(4, 0.0, 0.5) == [2, 3, 5] and law.wrong(4, 0.5, 0.5) == [] and law.wrong(7, 0.0, 0.5) == []
    )


def test_the_data_files_say_whose_laws_they_are() -> None:
    for path in (rooms.LAWS, object_size_estimation.LAWS, object_counting.LAWS):
        held = json.loads((PACKAGE / path).read_text())
        assert set(held["laws"]) == set(held["source"]) == {"studio", "scans"} and held["about"]
    for kind in ("studio", "scans"):
        for path in (rooms.LAWS, object_size_estimation.LAWS):
            for law in laws(path, kind).values():
                assert (np.diff(law.quantiles) >= 0).all() and law.levels[0] == 0 and law.levels[-1] == 1
        for found in count_laws(object_counting.LAWS, kind).values():
            assert len(found.numbers) >= 4 and found.numbers.min() >= 2


def test_what_made_the_images_says_by_whose_laws_a_scene_is_asked_about() -> None:
    assert law_of_origin(PROGRAM) == "studio"
    assert law_of_origin(None) == law_of_origin("Adobe Photoshop 7.0") == "scans"
    held = json.loads((PACKAGE / ORIGINS).read_text())
    kinds = json.loads((PACKAGE / rooms.LAWS).read_text())["laws"].keys()
    assert {held["others"], *held["made_by"].values()} <= kinds and held["reason"]
