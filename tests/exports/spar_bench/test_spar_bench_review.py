"""Verdicts: of which question and content they are, and what they do to the benchmark."""

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
from spatial_assets.releases import reviews, revocations
from spatial_assets.releases.reviews import Verdict, Verdicts, content_hash
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
    reviews.save(home, FORM, Verdicts(given))
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
    reviews.save(home, FORM, Verdicts(said_of(before.candidates[:20], "reject", 1)))
    _, after = cut_of(home, size="tiny")
    assert len(after.kept) == 50
    assert [question for _, question in after.kept] == before.candidates[20:70]
    _, full = cut_of(home)
    assert set(dict(after.kept)) < set(dict(full.kept))


def test_a_question_that_changed_is_asked_again(home):
    _, own = cut_of(home)
    row = own.candidates[0].row
    old = content_hash({**row, "question": row["question"] + " Really?"})
    reviews.save(home, FORM, Verdicts([Verdict(row["qa_id"], old, "reject", 2)]))
    made, after = cut_of(home)
    assert after.review["changed"] == 1 and after.kept == own.kept
    lines = remarks(report(made, "v1", "0" * 64, Options()))
    assert "changed since someone looked at it, and kept: 1 candidate" in lines
    known = reviews.load(home, FORM)
    assert known.on(row["qa_id"], content_hash(row)) is None
    assert known.before(row["qa_id"], content_hash(row)).reason == 2
    for column in reviews.SHOWN:
        assert content_hash({**row, column: "another"}) != content_hash(row)
    assert content_hash({**row, "value": [1.0], "margin": 3.0}) == content_hash(row)


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
    file.write_text(reviews.to_text([given, Verdict("of another release", "h", "accept")]))
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
