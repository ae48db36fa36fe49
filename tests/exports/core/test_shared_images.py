"""Exports of a real release through one store: the same bytes as without, marks drawn once."""

from __future__ import annotations

import numpy as np
import pytest
from digests import digest
from PIL import Image

from spatial_assets.exports import registry
from spatial_assets.exports.core import export_images as placing
from spatial_assets.exports.core.base import ImageMode, Options, Question, Shot
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.exports.spar import spar
from spatial_assets.exports.spar.tree import Tree

FORMATS = ("llava", "qwen-vl", "hf", "webdataset", "spar")
ROWS = 60


def test_a_release_in_several_formats_is_drawn_once(released, tmp_path, monkeypatch):
    drawn, opened = [], placing.open_image

    def counted(root, image):
        drawn.append(image)
        return opened(root, image)

    monkeypatch.setattr(placing, "open_image", counted)
    source = ReleaseRows(released.home, "v1", limit=ROWS)
    counts = {}
    for form in FORMATS:
        before = len(drawn)
        export(form, source, tmp_path / form, Options(ImageMode.DRAW, image_store=tmp_path / "store"))
        counts[form] = len(drawn) - before
        assert registry.export_format(form).validate(tmp_path / form) == []
    assert counts["llava"] > 10 and counts["qwen-vl"] == counts["hf"] == counts["webdataset"] == 0
    # SPAR's marks are on the grid of thousandths, and are drawn for it; a second time nothing is.
    assert 0 < counts["spar"] <= counts["llava"]
    export("spar", source, tmp_path / "again", Options(ImageMode.DRAW, image_store=tmp_path / "store"))
    assert len(drawn) == sum(counts.values())
    for form in FORMATS:
        export(form, source, tmp_path / "alone" / form, Options(ImageMode.DRAW))
        assert digest(tmp_path / "alone" / form) == digest(tmp_path / form), form


@pytest.mark.parametrize("task", ["depth_prediction_oc", "spatial_imagination_oc"])
def test_only_spars_own_folders_draw_marks_on_their_records_grid(tmp_path, task):
    """The mark lies at 333.9 of 500 pixels, which the grid has at 334 for 668 of its thousandths."""
    size = [500, 400]
    mark = {"role": "red", "shape": "point", "color": "red", "frame": "f", "xy": [668, 500]}
    exact = mark | {"pixels": [333.9, 200.0], "size": size}
    image = Image.new("RGB", tuple(size), "gray")
    question = Question(
        {"task": task, "marks": [mark]}, "train", (Shot("view", "f", "a.png", tmp_path, (exact,)),)
    )
    own, published = placing.Places(), spar._Places(Tree(tmp_path))
    (shot,) = question.shots
    (bare,) = Question(question.row, "train", (Shot("view", "f", "a.png", tmp_path, (mark,)),)).shots
    by_pixels, by_grid = (np.asarray(own.draw(image, question, held)) for held in (shot, bare))
    assert (by_pixels != by_grid).any()
    across = [np.argwhere((held == (255, 0, 0)).all(axis=2))[:, 1].mean() for held in (by_pixels, by_grid)]
    assert across[1] == across[0] + 1 and abs(across[0] - 333) < 1
    drawn = [np.asarray(published.draw(image, question, held)) for held in (shot, bare)]
    assert (drawn[0] == drawn[1]).all()
    assert published.drawing(question, shot) == published.drawing(question, bare)
    assert own.drawing(question, shot) != own.drawing(question, bare)
