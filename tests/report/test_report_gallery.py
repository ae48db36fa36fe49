"""The page: well formed, whole in itself, safe against what the data hold, equal to the lake, the same every time."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from PIL import Image
from report_homes import HOSTILE, UNKNOWN, questions

from spatial_assets.lineage.database import connect
from spatial_assets.report.examples import choose
from spatial_assets.report.gallery import EXAMPLES, gallery_page, write_gallery

VOID = {"img", "meta", "br", "wbr", "input", "link", "hr"}


class Page(HTMLParser):
    """Everything that a test asks of a page; fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[tuple[str, ...], str]] = []
        self.feed(text)
        self.close()
        assert not self.stack, f"never closed: {self.stack}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag}: an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack, f"</{tag}> without a beginning"
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((tuple(self.stack), data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def text(self) -> str:
        return " ".join(words for stack, words in self.words if not {"style", "script"} & set(stack))

    def summary(self) -> dict:
        return json.loads(next(words for stack, words in self.words if stack[-1:] == ("script",)))


@pytest.fixture(scope="module")
def text(home: Path) -> str:
    return gallery_page(home)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def uris(page: Page) -> list[str]:
    return [
        value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href") and value
    ]


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = Counter(attrs["id"] for _, attrs in page.tags if "id" in attrs)
    assert max(ids.values()) == 1
    for attrs in page.named("a"):
        assert attrs["href"] is not None
        assert attrs["href"].removeprefix("#") in ids


def test_nothing_is_fetched(text: str, page: Page) -> None:
    assert all(uri.startswith(("data:image/", "#")) for uri in uris(page))
    without_images = re.sub(r"data:image/[a-z]+;base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.", without_images)
    assert not re.search(r"@import|url\(", without_images)
    policy = next(a["content"] for a in page.named("meta") if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_every_image_decodes_to_the_size_that_is_stated(page: Page) -> None:
    images = [attrs for attrs in page.named("img") if "width" in attrs]
    assert images
    for attrs in images:
        data = base64.b64decode((attrs["src"] or "").split(",", 1)[1], validate=True)
        image = Image.open(io.BytesIO(data))
        image.load()
        assert image.size == (int(attrs["width"] or 0), int(attrs["height"] or 0))
    for uri in uris(page):
        if uri.startswith("data:"):
            Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1], validate=True))).load()


def test_hostile_words_stay_words(text: str, page: Page) -> None:
    assert len(page.named("script")) == 2, "the counts and the filter, and nothing from the data"
    assert HOSTILE not in text
    assert "<script>alert" not in text
    assert HOSTILE in page.text()
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    summary = next(attrs for attrs in page.named("script") if attrs.get("id") == "summary")
    assert summary["type"] == "application/json"


def test_counts_are_the_lakes(home: Path, page: Page) -> None:
    rows = questions(home)
    made = Counter(zip(rows["task"], rows["format"], strict=True))
    summary = page.summary()
    assert summary["questions"] == len(rows)
    assert summary["rejected_scenes"] == 1
    assert {(e["task"], e["format"]): e["questions"] for e in summary["asked"]} == dict(made)
    shown = {attrs["data-count"]: attrs for attrs in page.named("span") if "data-count" in attrs}
    assert set(shown) == {f"{task}/{form}" for task, form in made}
    words = {}
    for index, (tag, attrs) in enumerate(page.tags):
        if tag == "span" and "data-count" in attrs:
            words[attrs["data-count"]] = index
    for entry in summary["asked"]:
        assert entry["questions"] == made[entry["task"], entry["format"]]
    text = page.text()
    assert f"{len(rows):,} questions about 2 scenes" in text
    assert "1 rejected" in text
    assert "scene0001_00_vh_clean_2.ply" in text


def test_printed_counts_stand_beside_their_tasks(home: Path, text: str) -> None:
    for task, form, count in (
        questions(home).group_by("task", "format").len().sort("task", "format").iter_rows()
    ):
        assert f'data-count="{task}/{form}">{count:,}<' in text


def test_cards_show_real_rows(home: Path, page: Page) -> None:
    cards = [attrs for attrs in page.named("article") if "data-task" in attrs]
    rows = {row["qa_id"]: row for row in questions(home).to_dicts()}
    assert len(cards) == sum(
        min(EXAMPLES, n) for n in Counter((r["task"], r["format"]) for r in rows.values()).values()
    )
    text = " ".join(page.text().split())
    for attrs in cards:
        row = rows[(attrs["id"] or "").removeprefix("qa-")]
        assert (attrs["data-task"], attrs["data-format"]) == (row["task"], row["format"])
        assert row["qa_id"] in text
        assert repr(row["margin"]) in text
        assert all(repr(value) in text for value in row["value"])
        assert row["license"] in text


def test_examples_are_spread(home: Path) -> None:
    chosen = choose(connect(home), 4)
    assert chosen == choose(connect(home), 4)
    assert len(set(chosen)) == len(chosen)
    rows = questions(home).filter(pl.col("qa_id").is_in(chosen))
    for (task, _), own in rows.group_by("task", "format"):
        if task != UNKNOWN:
            assert own["scene"].n_unique() == 2
            assert own["template"].n_unique() >= 3
            assert own["frames"].list.first().struct.field("frame").n_unique() >= 3
    assert choose(connect(home), 0) == []


def test_same_lake_gives_the_same_bytes_wherever_it_stands(home: Path, text: str, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "elsewhere")
    out = write_gallery(tmp_path / "elsewhere", tmp_path / "reports" / "gallery.html")
    assert out.read_text(encoding="utf-8") == text
    assert [path.name for path in out.parent.iterdir()] == ["gallery.html"]
    assert str(home) not in text


def test_images_that_are_gone_are_named(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    for file in (copy / "registry").glob("*.json"):
        file.write_text(file.read_text().replace(str(home.parent / "source"), str(tmp_path / "nowhere")))
    gone = Page(gallery_page(copy))
    assert not [attrs for attrs in gone.named("img") if "width" in attrs]
    assert "is no longer there" in gone.text()
    assert "None of the 30 images can be shown" in gone.text()
    shutil.rmtree(copy / "registry")
    assert "its dataset is not registered any more" in Page(gallery_page(copy)).text()


def test_empty_home(tmp_path: Path) -> None:
    out = write_gallery(tmp_path / "none", tmp_path / "page.html")
    page = Page(out.read_text(encoding="utf-8"))
    assert "Nothing here yet" in page.text()
    assert page.summary()["questions"] == 0
    assert not page.named("article")


def test_scenes_without_questions(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "home"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("questions"))
    page = Page(gallery_page(copy))
    assert "2 scenes, no questions yet" in page.text()
    assert len(page.named("article")) == 2


@pytest.mark.prove
def test_more_examples_than_rows(home: Path) -> None:
    page = Page(gallery_page(home, 1000))
    # Chosen among a pool of 64 a task and format.
    assert 100 < len([a for a in page.named("article") if "data-task" in a]) <= len(questions(home))


@pytest.mark.prove
def test_budget_shrinks_images_when_there_are_many(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = gallery_page(home)
    monkeypatch.setattr("spatial_assets.report.gallery.MOST_EACH", 1500)
    monkeypatch.setattr("spatial_assets.report.gallery.LEAST_EACH", 1000)
    small = gallery_page(home)
    assert len(small) < len(full)


def test_lines_end_after_commas_and_never_within_a_word(home: Path) -> None:
    """A row of values without spaces is wider than a card; broken anywhere, it reads as other words."""
    page = gallery_page(home)
    assert re.search(r"rotate_(up|down):\d+,<wbr>rotate_(left|right):\d+", page)
    assert not re.search(r"rotate_(up|down):\d+,rotate_", page)
    assert ", <wbr>" not in page and ",<wbr> " not in page
