"""The comparison page: what stands together, in which order, and that it needs nothing but itself."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from evaluation_cases import SPARBENCH, VSIBENCH, chance_like, perfect, write_lines, wrong
from PIL import Image

from spatial_assets.assets.page_pictures import PICTURE_BYTES
from spatial_assets.evaluation import model_runs, results, run_quality
from spatial_assets.evaluation import page as page_module
from spatial_assets.evaluation.comparison import compare, fingerprint
from spatial_assets.evaluation.page import OPEN_MODELS, page, stated_fingerprint, write_page
from spatial_assets.evaluation.picture import run_picture

VOID = {"meta", "wbr"}


class Balanced(HTMLParser):
    """Fails where tags do not close in the order in which they opened; collects text and attributes."""

    def __init__(self):
        super().__init__()
        self.stack, self.text, self.ids, self.links, self.tags = [], "", [], [], []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append((tag, values))
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(html):
    parsed = Balanced()
    parsed.feed(html)
    parsed.close()
    assert parsed.stack == []
    return parsed


def add(home, rows, model, benchmark="sparbench", profile="official"):
    file = write_lines(home / "predictions.jsonl", rows)
    run = model_runs.add(home, benchmark, file, model, profile=profile)
    return results.bring_up_to_date(home, run.key)[0]


def every(home):
    return [results.load(home, key) for key in model_runs.keys(home)]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    for profile in ("official", "strict"):
        add(home, wrong(SPARBENCH), "a_wrong", profile=profile)
        add(home, perfect(SPARBENCH), "z_perfect", profile=profile)
    add(home, chance_like(SPARBENCH), "chance")
    add(home, perfect(SPARBENCH[:9]), "partial")
    add(home, perfect(VSIBENCH), "z_perfect", "vsibench")
    return home


def test_models_on_the_same_questions_stand_together_best_first(home):
    sections = compare(every(home))
    found = [(s.benchmark, s.profile, [m.run["model"] for m in s.models]) for s in sections]
    assert found == [
        ("sparbench", "official", ["z_perfect", "chance", "a_wrong"]),
        ("sparbench", "official", ["partial"]),
        ("sparbench", "strict", ["z_perfect", "a_wrong"]),
        ("vsibench", "official", ["z_perfect"]),
    ]
    first = sections[0]
    assert [row.name for row in first.levels] == ["Low", "High"] or [row.name for row in first.levels] == [
        "Low", "Middle", "High",
    ]  # fmt: skip
    assert [(row.group, row.name) for row in first.tasks] == [
        ("Low", "depth_prediction_oc"),
        ("Middle", "position_matching"),
        ("High", "obj_spatial_relation_oo"),
    ]
    assert [score["score"] for score in first.overall.scores] == [
        results.load(home, f"sparbench.official.{name}").overall()["score"]
        for name in ("z_perfect", "chance", "a_wrong")
    ]


def test_the_page_is_whole_and_alone(home):
    html = page(every(home))
    parsed = read(html)
    assert len(set(parsed.ids)) == len(parsed.ids) == 4
    assert set(parsed.links) == {f"#{name}" for name in parsed.ids}
    assert not [tag for tag, _ in parsed.tags if tag in ("script", "img", "link", "iframe")]
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert str(home) not in html


def test_every_score_of_every_model_is_in_the_table(home):
    html = page(every(home))
    section = html[html.index('id="sparbench-official') :]
    table = re.search(r"<table>.*?</table>", section, re.S)[0]
    for name in ("z_perfect", "chance", "a_wrong"):
        assert name in table
    for key in ("z_perfect", "chance", "a_wrong"):
        result = results.load(home, f"sparbench.official.{key}")
        for row in result.scores.iter_rows(named=True):
            if row["score"] is not None:
                assert f"{100 * row['score']:.1f}" in table
                assert f"{100 * row['low']:.1f}–{100 * row['high']:.1f}" in table
    # A wrong model is below chance in every row, and says so without color too.
    assert table.count("▾") >= 4


def test_a_plot_puts_marks_where_the_numbers_are(home):
    chance = results.load(home, "sparbench.official.chance").score("level", "Low")
    html = page(every(home))
    width = 100 * (chance["high"] - chance["low"])
    assert f'class="interval" style="left:{100 * chance["low"]:.4g}%;width:{width:.4g}%"' in html
    assert f'class="dot" style="left:{100 * chance["score"]:.4g}%"' in html
    assert f'class="random" style="left:{100 * chance["random"]:.4g}%"' in html


def test_equal_runs_give_equal_bytes_in_any_order(home):
    found = every(home)
    assert page(found) == page(list(reversed(found)))
    assert fingerprint(found) == fingerprint(list(reversed(found)))
    assert fingerprint(found) != fingerprint(found[1:])
    write_page(home, found)
    assert stated_fingerprint(write_page(home, found)) == fingerprint(found)
    assert run_quality.page_problems(home) == []


@pytest.mark.every(3)
@pytest.mark.parametrize("number", [1, OPEN_MODELS, OPEN_MODELS + 1, 30])
def test_one_model_or_thirty(tmp_path, number):
    for index in range(number):
        rows = (
            [*perfect(SPARBENCH[:index]), *wrong(SPARBENCH[index:])]
            if index < len(SPARBENCH)
            else perfect(SPARBENCH)
        )
        add(tmp_path, rows, f"model-{index:02d}")
    parsed = read(page(every(tmp_path)))
    folded = [
        values for tag, values in parsed.tags if tag == "details" and "origin" not in values.get("class", "")
    ]
    tasks, levels = 3, len(compare(every(tmp_path))[0].levels)
    assert len(folded) == (tasks + levels if number > OPEN_MODELS else 0)
    lines = [values for tag, values in parsed.tags if values.get("role") == "img"]
    assert len(lines) == number * (1 + levels + tasks)


def test_no_run_at_all_is_a_page_too(tmp_path):
    parsed = read(page([]))
    assert "No model run has been scored yet" in parsed.text


def test_text_from_files_cannot_become_markup(tmp_path):
    bad = '<script>"&'
    rows = [
        {"task": "view_change_infer", "ground_truth": bad, "prediction": "x"},
        {"task": "position_matching", "ground_truth": "A", "prediction": 5},
    ]
    add(tmp_path, rows, "m")
    add(tmp_path, rows, "n")
    html = page(every(tmp_path))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "has no official overall score" in read(html).text


def test_a_model_without_any_score_stands_last(tmp_path):
    rows = [{"question_type": "object_counting", "ground_truth": 0, "prediction": "1"}]
    add(tmp_path, rows, "unscored", "vsibench")
    add(tmp_path, rows, "strict_one", "vsibench", "strict")
    parsed = read(page(every(tmp_path)))
    assert "none is shown" in parsed.text
    assert "–" in parsed.text


def test_a_stale_or_missing_page_is_a_problem(tmp_path):
    assert "has not been written" in run_quality.page_problems(tmp_path)[0][2]
    add(tmp_path, perfect(SPARBENCH), "a")
    write_page(tmp_path, every(tmp_path))
    assert run_quality.page_problems(tmp_path) == []
    add(tmp_path, perfect(SPARBENCH), "b")
    assert run_quality.page_problems(tmp_path)[0][0] == "ERROR"
    write_page(tmp_path, every(tmp_path))
    model_runs.remove(tmp_path, "sparbench.official.b")
    assert "since the page was written" in run_quality.page_problems(tmp_path)[0][2]
    page_module.page_path(tmp_path).write_text("<html>")
    assert run_quality.page_problems(tmp_path)


def test_the_picture_is_small_and_the_same_each_time(home):
    for key in model_runs.keys(home):
        data = run_picture(results.load(home, key))
        assert data == run_picture(results.load(home, key))
        assert len(data) < PICTURE_BYTES
        with Image.open(io.BytesIO(data)) as image:
            assert image.width <= 480
            assert len(image.getcolors(1024)) > 4
