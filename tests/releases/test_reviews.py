"""What people said of questions: kept by question and content, and read from files that are what they say."""

from __future__ import annotations

import json

import pytest

from spatial_assets.releases import reviews
from spatial_assets.releases.reviews import Verdict, Verdicts
from spatial_assets.scene.model import InputError

FORM = "spar-bench"


def test_the_last_verdict_counts_and_can_be_taken_back():
    known = Verdicts([Verdict("q", "h", "accept"), Verdict("q", "h", "reject", 1)])
    assert known.on("q", "h") == Verdict("q", "h", "reject", 1) and len(known) == 1
    assert known.add([Verdict("q", "h", "reject", 1)]) == 0
    assert known.add([Verdict("q", "h", "none")]) == 1
    assert known.on("q", "h") is None and known.before("q", "h2") is None
    assert known.before("q", "h") is None


def test_what_is_kept_comes_back(tmp_path):
    given = [Verdict("b", "1", "accept"), Verdict("a", "2", "reject", 3), Verdict("b", "3", "reject", None)]
    path = reviews.save(tmp_path, FORM, Verdicts(given))
    assert path == tmp_path / "reviews" / "spar-bench.json"
    assert sorted(reviews.load(tmp_path, FORM), key=str) == sorted(given, key=str)
    assert list(reviews.load(tmp_path / "none", FORM)) == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no file of verdicts"),
        (b'{"format": "another", "verdicts": []}', "no file of verdicts"),
        ({"id": "q"}, "verdict 0: has no hash"),
        ({"id": 3, "hash": "h", "verdict": "accept"}, "verdict 0: has no id"),
        ({"id": "q", "hash": "h", "verdict": "maybe"}, "verdict 0: says neither accept nor reject"),
        ({"id": "q", "hash": "h", "verdict": "reject", "reason": 5}, "verdict 0: reason is none of 1 to 4"),
        ({"id": "q", "hash": "h", "verdict": "reject", "reason": True}, "verdict 0: reason is none of 1 to 4"),
        ({"id": "q", "hash": "h", "verdict": "accept", "more": 1}, "verdict 0: not an object of id"),
        (["q"], "verdict 0: not an object of id"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_one_line(tmp_path, content, line):
    path = tmp_path / "verdicts.json"
    if not isinstance(content, bytes):
        content = json.dumps({"format": reviews.FORMAT, "verdicts": [content]}).encode()
    path.write_bytes(content)
    with pytest.raises(InputError, match=line) as error:
        reviews.read(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
