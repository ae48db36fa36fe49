"""The audit's table as pictures, pages and lines: worst first, nothing lost, nothing when there is none."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from spatial_assets.releases.card import data_card
from spatial_assets.report import shortcuts
from spatial_assets.report.gallery import gallery_page
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.shortcut_table import judged, lines, residue


def row(attack, accuracy, verdict, task="made_up", form="select", barred=True, cause=None):
    reach = None if accuracy is None else 0.02
    return {
        "task": task, "format": form, "attack": attack, "measure": "rows answered right", "total": 5000, "rows": 2000,
        "scenes": 60, "accuracy": accuracy, "low": accuracy and accuracy - reach, "high": accuracy and accuracy + reach,
        "chance": 0.25, "frequency": 0.26, "over": accuracy and accuracy - 0.26, "barred": barred, "verdict": verdict,
        "detail": None, "cause": cause,
    }  # fmt: skip


@pytest.fixture
def table(tmp_path):
    return shortcut_table.save(
        tmp_path,
        [
            row("letter", 0.26, "passes"),
            row("options", 0.70, "fails"),
            row("exact guess", 0.90, "fails"),
            row("marks", 0.50, "reported", barred=False, cause="where marks lie is in the image itself"),
            row("letter", 0.26, "passes", task="other"),
            row("options", None, "too few rows", task="other"),
            row("answer text", 0.01, "reported", form="sentence", barred=False),
        ],
    )


def test_a_task_is_as_good_as_its_worst_attack(table):
    found = lines(table)
    assert [(line.task, line.format, line.verdict, line.strongest["attack"]) for line in found] == [
        ("made_up", "select", "fails", "exact guess"),
        ("made_up", "sentence", "reported", "answer text"),
        ("other", "select", "too few rows", "options"),
    ]
    assert [line.format for line in judged(found)] == ["select", "select"]
    assert [entry["attack"] for entry in residue(found)] == ["marks"]
    told = shortcuts.markdown(found).splitlines()
    assert len(told) == 4 and "| made_up | select | fails | exact guess | 90.0 | 88.0 to 92.0 |" in told[2]


def test_the_picture_is_small_and_has_a_line_a_task(table):
    data = shortcuts.picture(lines(table))
    image = Image.open(io.BytesIO(data))
    one = Image.open(io.BytesIO(shortcuts.picture(lines(table)[:1])))
    assert len(data) < 8000 and image.height - one.height == shortcuts.ROW
    assert data == shortcuts.picture(lines(table))


def test_the_page_and_the_gallery_show_it(table, tmp_path):
    page = shortcuts.page(table, "all questions")
    assert page.count("<strong>fails</strong>") == 2 and "where marks lie" in page
    assert "Answered without looking" in gallery_page(tmp_path)
    assert "Answered without looking" not in gallery_page(tmp_path / "elsewhere")


def test_the_data_card_of_a_release_quotes_it(table):
    manifest = {
        "name": "v1", "rows": 1, "scenes": 1, "spaces": 1, "seed": 0, "splits": {}, "datasets": [], "balance": None,
        "tasks": {"made_up": {"rows": 1, "formats": {"select": 1}}}, "parameters": {}, "withdrawn": [],
        "same_rooms": None,
        "leak_guard": {"allowed": False, "scenes": [], "benchmarks": []},
    }  # fmt: skip
    card = data_card(manifest, table)
    assert "| made_up | select | fails | exact guess | 90.0 | 26.0 | 2,000 |" in card
    assert "- where marks lie is in the image itself: made_up (select, marks)" in card
    assert "| other |" not in card
    assert "Answered without looking" not in data_card(manifest)
