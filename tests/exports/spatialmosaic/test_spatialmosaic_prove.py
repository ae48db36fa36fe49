"""Questions of all types that exist, released and exported, then read as the published evaluator reads them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import lakes
import numpy as np
import polars as pl
import pytest
from PIL import Image

from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spatialmosaic import layout, spatialmosaic
from spatial_assets.lineage.database import connect
from spatial_assets.report import view_sets
from spatial_assets.report.gallery import gallery_page
from spatial_assets.scoring.run import score_file
from spatial_assets.stages.questions import SUITES

pytestmark = pytest.mark.prove
MOSAIC = sorted(SUITES["spatialmosaic"])
WORST = "worst"
"""An answer that no type takes for right."""


def flat(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((out / layout.annotation_folder("test") / "all.json").read_text())
    return rows


def test_all_comes_back_and_passes_the_check(exported: tuple[ReleaseRows, Path]) -> None:
    source, out = exported
    wanted = {
        question.row["qa_id"]: {
            name: {**question.row, "split": split}[name] for name in spatialmosaic.CARRIES
        }
        for split in source.splits
        for question in source.questions(split)
    }
    assert {row["qa_id"]: row for row in spatialmosaic.read_back(out)} == wanted
    found = spatialmosaic.examine(out)
    assert (found.problems, found.notes) == ([], [])
    assert set(found.kinds) == set(MOSAIC) and found.records == 2 * len(wanted)


def test_our_own_truths_get_full_marks_and_nonsense_gets_none(
    exported: tuple[ReleaseRows, Path], tmp_path: Path
) -> None:
    rows = flat(exported[1])
    for wrong in (False, True):
        lines = [
            json.dumps({**row, "prediction": WORST if wrong else row["mc_answer"] or row["ground_truth"]})
            for row in rows
        ]
        (tmp_path / "answers.jsonl").write_text("\n".join(lines))
        _, summary = score_file("spatialmosaic", tmp_path / "answers.jsonl", "official")
        assert summary["errors"] == 0
        assert summary["tasks"] == dict.fromkeys(MOSAIC, 0.0 if wrong else 1.0)


def test_pixels_are_those_of_the_exported_images(exported: tuple[ReleaseRows, Path]) -> None:
    """What a question states of an image is measured on one of the size that is in the tree, and lies inside it."""
    source, out = exported
    sizes = {
        (scene, layout.token(frame)): (width, height)
        for scene, frame, width, height in lakes.rows(source.home, "frames")
        .select("scene", "frame", "width", "height")
        .iter_rows()
    }
    boxes = 0
    for row in flat(out):
        shown = [
            np.asarray(Image.open(out / row["dataset"] / row["scene_name"] / "images" / f"{frame}.jpg"))
            for frame in row["frames"]
        ]
        height, width, _ = np.stack(shown).shape[1:]
        assert all(sizes[row["scene_name"], frame] == (width, height) for frame in row["frames"])
        if row["bbox_2d"]:
            boxes += 1
            x0, y0, x1, y1 = row["bbox_2d"]
            assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    assert (boxes > 0) == any("localization" in name for name in MOSAIC)


def test_diagnostics_are_those_of_the_view_sets(exported: tuple[ReleaseRows, Path]) -> None:
    source, out = exported
    sets = {row["view_set"]: row for row in lakes.rows(source.home, "view_sets").iter_rows(named=True)}
    for row in flat(out):
        own = sets[row["source"]["diagnostics"]["view_set"]]
        assert row["overlap_avg"] == own["overlap_avg"] <= 30.0
        assert row["frames"] == [layout.token(frame) for frame in own["frames"]]
        assert row["source"]["diagnostics"]["overlap_pairs"] == own["overlap_pairs"]
        harder = {"low": "high", "medium": "medium", "high": "low"}
        assert row["overlap_level"] == harder[own["overlap_level"]]


def test_levels_tell_rows_apart(exported: tuple[ReleaseRows, Path]) -> None:
    """In the studio's homes each of the levels of overlap, and several of occlusion and coverage, has rows."""
    found = pl.DataFrame(flat(exported[1])).select(*layout.levels())
    assert found["overlap_level"].n_unique() == 3 and found["occ_level"].n_unique() >= 3
    assert found["vis_level"].n_unique() == found["GT Scenario"].n_unique() == 2


def test_the_gallery_shows_all_views_and_outlines_what_the_asked_one_hides(
    exported: tuple[ReleaseRows, Path],
) -> None:
    """Side by side, the asked one framed; without a script, and of what lies outside the image in words."""
    source, _ = exported
    page = gallery_page(source.home, 1)
    rows = {row["qa_id"]: row for row in lakes.rows(source.home, "questions/*").iter_rows(named=True)}
    parts = dict(re.findall(r'<article class="card \w+" id="qa-([0-9a-f]+)"(.*?)</article>', page, re.DOTALL))
    outlined = 0
    for qa_id, card in parts.items():
        row = rows[qa_id]
        asked = row["diagnostics"]["asked"] is not None
        assert card.count("<img ") == len(row["frames"]) and card.count("asked about</figcaption>") == asked
        assert card.count('<figure class="wanted">') == asked
        hidden = row["diagnostics"]["answer_is"] == "hidden" and asked
        assert card.count('type="checkbox"') == card.count("<label ") == hidden
        things = [item for item in row["objects"] if item["role"] != "reference"]
        words = re.findall(r"outlined</span>|behind the camera</span>|, (?:to the|above|below)", card)
        assert len(words) == hidden * len(things)
        assert card.count("<polygon") == card.count("outlined</span>")
        outlined += card.count("<polygon")
    assert len(parts) == len(MOSAIC) and outlined
    assert page.count("Overlap against occlusion") == len(MOSAIC)


def test_maps_of_overlap_and_occlusion_count_every_question(exported: tuple[ReleaseRows, Path]) -> None:
    source, _ = exported
    found = view_sets.maps(connect(source.home))
    for task in MOSAIC:
        rows = lakes.rows(source.home, f"questions/{task}").unnest("diagnostics")
        assert found[task].total == len(rows)
        counts = {
            (cell.x // view_sets.CELL, view_sets.ROWS - 1 - cell.y // view_sets.CELL): int(
                cell.label.split()[-1].replace(",", "")
            )
            for cell in found[task].cells
        }
        wanted = Counter(
            (min(int(overlap / 2), 14), min(int(occlusion * 10), 9))
            for overlap, occlusion in rows.select("overlap_avg", "occlusion_avg").iter_rows()
        )
        assert counts == wanted
