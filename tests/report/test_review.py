"""The review's page: what stands in it, and in a real browser what keys do, what is kept, and what is saved."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace

import pytest
from PIL import Image

from benchmarks import devtools
from spatial_assets.releases import reviews
from spatial_assets.report.review import Item, Said, write_review

HOSTILE = "</script><script>document.title='taken'</script> <img src=x onerror=\"document.title='taken'\"> & ünï\u2028"
KEYS = {"ArrowLeft": 37, "ArrowRight": 39}
TRIES = 5
browser = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")


def items(count=5, changed=()):
    return [
        Item(
            f"{number:032x}",
            f"{number + (100 if number in changed else 0):032x}",
            400 + number,
            "position_matching",
            "scannet v2, scene0000_00",
            HOSTILE if number == 3 else f"Question {number}?",
            "A. [1, 2, 3, 4]",
            lambda number=number: [Image.new("RGB", (120, 90), (40 * number, 90, 90))] * 2,
            ["image 1 (first)", "image 2 (second)"],
        )
        for number in range(count)
    ]


def write(out, made):
    return write_review(out, "Review", reviews.FORMAT, reviews.FORMAT, reviews.REASONS, made)


def test_equal_questions_give_an_equal_page_and_nothing_is_fetched(tmp_path):
    first = write(tmp_path / "one", items()).read_bytes()
    assert write(tmp_path / "two", items()).read_bytes() == first
    text = first.decode()
    assert "default-src 'none'" in text and not re.search(r"https?://", text)
    assert HOSTILE not in text and text.count("<script") == 2
    for reason in reviews.REASONS:
        assert reason in text
    assert len(list((tmp_path / "one" / "images").iterdir())) == 10
    write(tmp_path / "one", items(2))
    assert len(list((tmp_path / "one" / "images").iterdir())) == 4


def test_what_stood_there_is_whole_where_the_new_one_stops_half_way(tmp_path):
    def missing():
        raise FileNotFoundError("no such image")

    write(tmp_path, items(5))
    stood = {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()}
    with pytest.raises(FileNotFoundError):
        write(tmp_path, [*items(2), replace(items(3)[2], pictures=missing)])
    assert {path.name: path.read_bytes() for path in (tmp_path / "images").iterdir()} == stood


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "mine.jpg").write_bytes(b"mine")
    for page in (None, "<title>Mine</title>"):
        if page is not None:
            (tmp_path / "index.html").write_text(page)
        with pytest.raises(ValueError, match="holds something else than a review"):
            write(tmp_path, items(1))
    assert (tmp_path / "images" / "mine.jpg").read_bytes() == b"mine"


class Reviewer:
    """A person at the page."""

    def __init__(self, page, address):
        self.page = page
        page.open(address)

    def reload(self, kept):
        """Load the page anew, with so many verdicts in the browser.

        On a busy machine a page of a file now and then gets none of its storage; the next load does.
        """
        for _ in range(TRIES):
            self.page.ask("window.isOld = true")
            self.page.call("Page.reload")
            deadline = time.monotonic() + 60
            while not self.page.ask("!window.isOld && document.readyState === 'complete'"):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            if self.page.ask("localStorage.length") == kept:
                return
        raise AssertionError(f"the browser keeps {self.page.ask('localStorage.length')} verdicts, not {kept}")

    def press(self, *keys):
        for key in keys:
            event = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, ord(key[0].upper()))}
            self.page.call("Input.dispatchKeyEvent", type="keyDown", **event)
            self.page.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def text(self, name):
        return self.page.ask(f"document.getElementById('{name}').textContent")

    def state(self):
        return self.text("place"), self.text("verdict"), self.text("progress")

    def saved(self, folder):
        """Save to an empty folder. The browser holds the name with an empty file, and renames the whole one to it."""
        folder.mkdir()
        self.page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.press("s")
        path = folder / "verdicts.json"
        deadline = time.monotonic() + 60
        while not (path.exists() and path.stat().st_size):
            assert time.monotonic() < deadline, f"no file of verdicts, but {sorted(folder.iterdir())}"
            time.sleep(0.05)
        return path


@browser
def test_keys_give_verdicts_that_are_kept_and_saved(tmp_path):
    address = write(tmp_path / "review", items()).resolve().as_uri()
    with devtools.page() as page:
        page.size(1200, 900, mobile=False)
        person = Reviewer(page, address)
        assert person.state() == ("1 of 5", "", "0 of 5 reviewed, 0 rejected")
        person.press("2")
        assert person.state() == ("1 of 5", "", "0 of 5 reviewed, 0 rejected")
        person.press("a")
        assert person.state() == ("2 of 5", "", "1 of 5 reviewed, 0 rejected")
        person.press("r")
        assert person.state() == ("2 of 5", "rejected", "2 of 5 reviewed, 1 rejected")
        person.press("3")
        assert person.state() == ("3 of 5", "", "2 of 5 reviewed, 1 rejected")
        person.press("ArrowLeft")
        assert person.text("verdict") == "rejected: ambiguous answer"
        person.press("ArrowLeft", "ArrowLeft", "ArrowLeft")
        assert person.state()[:2] == ("1 of 5", "accepted")
        person.press("n", "ArrowRight")
        assert person.text("place") == "4 of 5"
        assert person.text("question") == HOSTILE and page.ask("document.title") == "Review"
        person.press("r", "9", "ArrowRight", "ArrowRight")
        assert person.state() == ("5 of 5", "", "3 of 5 reviewed, 2 rejected")
        person.press("a", "u")
        assert person.state() == ("5 of 5", "", "3 of 5 reviewed, 2 rejected")
        loaded = "[...document.images].every(image => image.complete && image.naturalWidth === 120)"
        assert page.ask("document.images.length") == 2
        deadline = time.monotonic() + 60
        while not page.ask(loaded) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert page.ask(loaded)

        said = reviews.read(person.saved(tmp_path / "saved"))
        ids = [item.id for item in items()]
        assert [(one.id, one.verdict, one.reason) for one in said] == [
            (ids[0], "accept", None),
            (ids[1], "reject", 3),
            (ids[3], "reject", None),
        ]
        assert [one.hash for one in said] == [items()[place].hash for place in (0, 1, 3)]

        person.reload(kept=4)
        assert person.state() == ("3 of 5", "", "3 of 5 reviewed, 2 rejected")
        # Question 1 has changed: it is asked again, and what was said of it before stands there.
        write(tmp_path / "review", items(changed=[1]))
        person.reload(kept=4)
        assert person.state() == ("2 of 5", "", "2 of 5 reviewed, 1 rejected")
        assert person.text("before") == "It has changed since it was rejected: ambiguous answer."
        person.press("a")
        assert person.text("progress") == "3 of 5 reviewed, 1 rejected"


@browser
def test_what_the_home_knows_is_shown_and_can_be_taken_back(tmp_path):
    made = items(3)
    made[0] = Item(**{**vars(made[0]), "said": Said("reject", 2)})
    made[1] = Item(**{**vars(made[1]), "before": Said("accept", None)})
    address = write(tmp_path / "review", made).resolve().as_uri()
    with devtools.page() as page:
        page.size(390, 844, mobile=True)
        person = Reviewer(page, address)
        assert person.state() == ("2 of 3", "", "1 of 3 reviewed, 1 rejected")
        assert person.text("before") == "It has changed since it was accepted."
        assert page.ask("document.documentElement.scrollWidth") <= 390
        person.press("ArrowLeft")
        assert person.text("verdict") == "rejected: misleading choices"
        page.ask("document.getElementById('undo').click()")
        assert person.state() == ("1 of 3", "", "0 of 3 reviewed, 0 rejected")
        held = json.loads(person.saved(tmp_path / "saved").read_text())
        assert held["verdicts"] == [
            {"id": made[0].id, "hash": made[0].hash, "verdict": "none", "reason": None}
        ]


@browser
def test_a_review_of_nothing_says_so(tmp_path):
    address = write(tmp_path / "review", []).resolve().as_uri()
    with devtools.page() as page:
        person = Reviewer(page, address)
        assert not page.ask("document.getElementById('none').hidden")
        person.press("a", "ArrowRight", "1")
        assert person.text("progress") == "0 of 0 reviewed, 0 rejected"
