"""Questions of every task fit the fields that SPAR's loader and its drawing program read of that task."""

from __future__ import annotations

import pytest
from asked_homes import FORMS, Asked
from spar_record_problems import problems_of

from spatial_assets.exports.spar import layout as spar_layout

PUBLISHED = [layout.folder for layout in spar_layout.tasks().values()]
"""A task that SPAR does not have may stand beside its own; what its records look like is nobody's rule."""


@pytest.mark.every(3)
@pytest.mark.parametrize("name", PUBLISHED)
def test_rows_are_records_of_their_task(asked: Asked, name: str) -> None:
    assert set(FORMS[name]) <= set(spar_layout.task(name).formats)
    assert problems_of(asked.rows(name)) == []
