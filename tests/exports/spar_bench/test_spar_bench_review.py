"""Verdicts: kept by question and content, read from files that are what they say, and what they do to the benchmark."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.exports.core.base import Options, Unreviewed
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spar_bench.cut import FORM, cut
from spatial_assets.exports.spar_bench.report import remarks, report
from spatial_assets.releases import revocations, verdicts
from spatial_assets.releases.verdicts import Verdict, Verdicts, content_hash
from spatial_assets.scene.model import InputError

TASK = "position_matching"


@pytest.fixture
def home(bench, tmp_path):
    shutil.copytree(bench.home, tmp_path / "home")
    return tmp_path / "home"


def cut_of(home, **options):
    made = cut(ReleaseRows(home, "v1", [TASK]), Options(**options))
    (own,) = [own for own in made.tasks if own.candidates]
    return made, own


def said_of(questions, verdict, reason=None):
    return [Verdict(q.row["qa_id"], content_hash(q.row), verdict, reason) for q in questions]


def run(*words, status=0):
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


def test_rejected_questions_leave_and_ids_stay(home):
    _, before = cut_of(home)
    given = said_of(before.candidates[:3], "accept") + said_of(before.candidates[3:5], "reject", 4)
    verdicts.save(home, FORM, Verdicts(given))
    made, after = cut_of(home)
    assert after.review == {"accept": 3, "reject": 2, "unreviewed": len(before.candidates) - 5}
    assert after.kept == before.kept[:3] + before.kept[5:]
    _, dropped = cut_of(home, unreviewed=Unreviewed.DROP)
    assert dropped.kept == before.kept[:3]
    told = report(made, "v1", "0" * 64, Options())
    assert "not looked at, and kept: 95 candidates" in remarks(told)
    left = report(made, "v1", "0" * 64, Options(unreviewed=Unreviewed.DROP))
    assert "not looked at, and left out: 95 candidates" in remarks(left)


def test_tiny_stays_fifty_where_enough_are_left(home):
    _, before = cut_of(home, size="tiny")
    verdicts.save(home, FORM, Verdicts(said_of(before.candidates[:20], "reject", 1)))
    _, after = cut_of(home, size="tiny")
    assert len(after.kept) == 50
    assert [question for _, question in after.kept] == before.candidates[20:70]
    _, full = cut_of(home)
    assert set(dict(after.kept)) < set(dict(full.kept))


def test_a_question_that_changed_is_asked_again(home):
    _, own = cut_of(home)
    row = own.candidates[0].row
    old = content_hash({**row, "question": row["question"] + " Really?"})
    verdicts.save(home, FORM, Verdicts([Verdict(row["qa_id"], old, "reject", 2)]))
    made, after = cut_of(home)
    assert after.review["changed"] == 1 and after.kept == own.kept
    lines = remarks(report(made, "v1", "0" * 64, Options()))
    assert "changed since someone looked at it, and kept: 1 candidate" in lines
    known = verdicts.load(home, FORM)
    assert known.on(row["qa_id"], content_hash(row)) is None
    assert known.before(row["qa_id"], content_hash(row)).reason == 2
    for column in verdicts.SHOWN:
        assert content_hash({**row, column: "another"}) != content_hash(row)
    assert content_hash({**row, "value": [1.0], "margin": 3.0}) == content_hash(row)


def test_the_last_verdict_counts_and_can_be_taken_back():
    known = Verdicts([Verdict("q", "h", "accept"), Verdict("q", "h", "reject", 1)])
    assert known.on("q", "h") == Verdict("q", "h", "reject", 1) and len(known) == 1
    assert known.add([Verdict("q", "h", "reject", 1)]) == 0
    assert known.add([Verdict("q", "h", "none")]) == 1
    assert known.on("q", "h") is None and known.before("q", "h2") is None
    assert known.before("q", "h") is None


def test_what_is_kept_comes_back(tmp_path):
    given = [Verdict("b", "1", "accept"), Verdict("a", "2", "reject", 3), Verdict("b", "3", "reject", None)]
    path = verdicts.save(tmp_path, FORM, Verdicts(given))
    assert path == tmp_path / "reviews" / "spar-bench.json"
    assert sorted(verdicts.load(tmp_path, FORM), key=str) == sorted(given, key=str)
    assert list(verdicts.load(tmp_path / "none", FORM)) == []


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
        content = json.dumps({"format": verdicts.FORMAT, "verdicts": [content]}).encode()
    path.write_bytes(content)
    with pytest.raises(InputError, match=line) as error:
        verdicts.read(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_the_command_makes_the_page_and_takes_verdicts_over(home, tmp_path):
    words = ("release", "review", "v1", "--size", "tiny", "--task", TASK, "--home", home)
    told = run(*words)
    page = home / "reviews" / "v1-tiny" / "index.html"
    assert f"50 questions to review: {page}" in told
    text = page.read_text()
    held = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert len(held["items"]) == 50 and len(list((page.parent / "images").iterdir())) == 100
    assert str(home) not in text
    file = tmp_path / "verdicts.json"
    first = held["items"][0]
    given = Verdict(first["id"], first["hash"], "reject", 1)
    file.write_text(verdicts.to_text([given, Verdict("of another release", "h", "accept")]))
    assert "took over 2 new verdicts" in run(*words, "--verdicts", file)
    counts = json.loads(run(*words, "--verdicts", file, "--json"))
    assert counts["new"] == 0 and counts["verdicts"] == 2 and counts["candidates"]["reject"] == 1
    assert "51 questions to review" in run(*words)
    held = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])
    assert held["items"][0]["said"] == {"verdict": "reject", "reason": 1}
    file.write_text("{")
    assert "not JSON" in run(*words, "--verdicts", file, status=1)
    assert "cannot be read" in run(*words, "--verdicts", tmp_path / "gone.json", status=1)
    out = run(
        "export", "spar-bench", "v1", tmp_path / "out", "--size", "tiny", "--task", TASK, "--home", home
    )
    assert "exported 50 rows" in out
    ids = [
        json.loads(line)["qa_id"] for line in (tmp_path / "out" / "origins.jsonl").read_text().splitlines()
    ]
    assert first["id"] not in ids


def test_scenes_that_were_withdrawn_are_not_asked_about(home):
    _, own = cut_of(home)
    (scene,) = {question.row["scene"] for question in own.candidates}
    revocations.withdraw(home, scene, "consent taken back")
    with pytest.raises(InputError, match="no split 'test'"):
        cut(ReleaseRows(home, "v1", [TASK]), Options())
