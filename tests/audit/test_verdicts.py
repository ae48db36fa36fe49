"""The rule by which a task fails, and the list of what it cannot fail by."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from spatial_assets.audit import numbers
from spatial_assets.audit.choices import MARKS, TEXT
from spatial_assets.audit.intervals import Share
from spatial_assets.audit.verdicts import BARRED, LEAST_SCENES, cause, is_barred, residue, verdict
from spatial_assets.storage.shortcut_table import FAILS, PASSES, REPORTED, TOO_FEW
from spatial_assets.tasks.registry import tasks

ATTACKS = {*BARRED, TEXT, MARKS, numbers.CONSTANT, numbers.BY_CATEGORY, numbers.GIVEN}
PUBLISHED = {
    "obj_spatial_relation_oo", "obj_spatial_relation_oc_mv", "obj_spatial_relation_oo_mv", "nav",
    "obj_attribute_occ_ab", "obj_attribute_occ_fb", "obj_attribute_occ_lr",
}  # fmt: skip
"""Tasks of SPAR and SpatialMosaic that an entry may speak of before they are made here."""


@pytest.mark.parametrize(
    ("value", "reach", "scenes", "said"),
    [
        (0.26, 0.015, 60, PASSES),
        (0.279, 0.015, 60, PASSES),
        (0.31, 0.015, 60, FAILS),
        (0.285, 0.025, 60, TOO_FEW),  # over, but it may be luck
        (0.26, 0.04, 60, TOO_FEW),
        (0.60, 0.15, 60, FAILS),
        (0.60, 0.15, LEAST_SCENES - 1, TOO_FEW),
    ],
)
def test_a_verdict_takes_the_share_and_how_sure_it_is(value, reach, scenes, said):
    share = Share(value, value - reach, value + reach)
    assert verdict(share, scenes, 0.25, barred=True) == said
    assert verdict(share, scenes, 0.25, barred=False) == REPORTED


def test_without_a_share_there_are_too_few_rows():
    assert verdict(None, 60, 0.25, barred=True) == TOO_FEW


def test_every_entry_of_the_residue_is_about_something():
    names = {*tasks(), *PUBLISHED}
    for entry in residue():
        assert any(fnmatchcase(name, entry.tasks) for name in names), entry.tasks
        assert set(entry.attacks) <= ATTACKS and len(entry.cause) > 30


def test_what_is_barred_where():
    assert is_barred("depth_prediction_oc", "select", "text and options")
    assert not is_barred("obj_spatial_relation_oo", "select", "text and options")
    assert is_barred("obj_spatial_relation_oo", "select", "options")
    assert not is_barred("obj_attribute_occ_ab", "select", "text and options")
    assert is_barred("obj_attribute_occ_lr", "select", "text and options")
    assert is_barred("obj_attribute_occ_fb", "select", "text and options")
    assert is_barred("undetermined_attribute_ab", "select", "answer text")
    assert not is_barred("depth_prediction_oc", "select", "marks")
    assert not is_barred("depth_prediction_oc", "fill", "answer text")
    assert is_barred("obj_spatial_relation_oo", "judge", "yes or no")
    assert cause("object_size_estimation", "fill", "constant per category").startswith("things of a category")
