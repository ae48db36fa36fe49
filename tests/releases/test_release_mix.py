"""A mix keeps exact shares of the answer formats, drawn by the seed; the manifest and `verify` say so."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.cli import main
from spatial_assets.releases import create, verify
from spatial_assets.releases.create import Request
from spatial_assets.releases.mix import NAMED, Asked, kept_of, mix, parse_mix
from spatial_assets.storage import release_manifest as manifest

SPAR = NAMED["spar"]


def rows_of(home, name):
    return [
        (path.parent.name, row["task"], row["dataset"], row["format"], row["qa_id"])
        for path in sorted((manifest.folder(home, name) / "data").glob("*/*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]


def test_spars_published_totals_come_out():
    """Rows of SPAR-7M's index, ScanNet's and all: what its script keeps of them."""
    assert kept_of(105_066, SPAR["select"]) == 10_506
    assert kept_of(112_967, 0.0001) == 11 and kept_of(73_680, 0.0001) == 7, "as its toy index says"
    assert kept_of(120_000, SPAR["sentence"]) == 120_000


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["fill", "select", "sentence", "judge"])),
        max_size=80,
    ),
    st.integers(0, 3),
)
def test_counts_are_exact_and_smaller_shares_are_part_of_larger_ones(kinds, seed):
    rows = [Asked(f"{place:04d}", *kind) for place, kind in enumerate(kinds)]
    before = {}
    for row in rows:
        before.setdefault((row.dataset, row.format), []).append(row.qa_id)
    gone, done = mix(rows, SPAR, seed)
    more, _ = mix(rows, {**SPAR, "fill": 0.5}, seed)
    assert more <= gone
    assert mix(list(reversed(rows)), SPAR, seed)[0] == gone
    for item in done:
        ids = before.pop((item.dataset, item.format))
        assert item.before == len(ids) and item.kept == int(len(ids) * SPAR[item.format] + 1e-9)
        assert len(set(ids) - gone) == item.kept
    assert not before


def test_a_release_is_mixed(copied):
    create.create(copied.home, "whole")
    held = create.create(copied.home, "mixed", Request({"train": 0.5, "val": 0.5}, seed=3, mix=SPAR))
    again = create.create(copied.home, "again", Request({"train": 0.5, "val": 0.5}, seed=3, mix=SPAR))
    other = create.create(copied.home, "other", Request({"train": 0.5, "val": 0.5}, seed=4, mix=SPAR))
    assert held["id"] == again["id"] != other["id"]
    kept, all_rows = rows_of(copied.home, "mixed"), rows_of(copied.home, "whole")
    assert {row[4] for row in kept} < {row[4] for row in all_rows}
    counted = {}
    for *key, _ in kept:
        counted[tuple(key)] = counted.get(tuple(key), 0) + 1
    assert held["mix"]["shares"] == SPAR
    for item in held["mix"]["kept"]:
        key = tuple(item[name] for name in ("split", "task", "dataset", "format"))
        assert counted.pop(key, 0) == item["kept"] == int(item["before"] * SPAR[item["format"]] + 1e-9)
    assert not counted
    assert sum(item["before"] for item in held["mix"]["kept"]) == len(all_rows)
    assert verify.verify_release(copied.home, "mixed") == []
    card = (manifest.folder(copied.home, "mixed") / manifest.CARD).read_text()
    assert "## Mix" in card and "sentence 1" in card
    assert "mix" not in manifest.load(copied.home, "whole")


def test_a_manifest_that_says_another_mix_is_found(copied):
    create.create(copied.home, "v1", Request(mix=SPAR))
    path = manifest.folder(copied.home, "v1") / manifest.MANIFEST
    held = json.loads(path.read_text())
    item = held["mix"]["kept"][0]
    item["kept"] += 1
    path.write_text(json.dumps(held))
    found = verify.verify_release(copied.home, "v1")
    assert any(f"but its mix says {item['kept']}" in problem for problem in found)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("spar", dict(SPAR)),
        ("fill:0.5", {"fill": 0.5}),
        (" select:0 , judge:1", {"select": 0.0, "judge": 1.0}),
    ],
)
def test_a_mix_in_words(text, shares):
    assert parse_mix(text) == shares


@pytest.mark.parametrize(
    "text", ["", "spam", "fill", "fill:x", "fill:1.1", "fill:-0.1", "fill:nan", "quiz:0.5", "fill:1,fill:1"]
)
def test_what_is_no_mix_is_one_line(copied, text):
    with pytest.raises(ValueError, match="--mix"):
        parse_mix(text)
    done = CliRunner().invoke(main, ["release", "create", "v1", "--home", str(copied.home), "--mix", text])
    assert done.exit_code == 1 and done.output.count("\n") == 1 and "--mix" in done.output


def test_the_command(copied):
    done = CliRunner().invoke(
        main, ["release", "create", "v1", "--home", str(copied.home), "--mix", "spar", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["mix"]["shares"] == SPAR
    with pytest.raises(ValueError, match="a balance and a mix"):
        create.create(copied.home, "v2", Request(balanced=True, mix=SPAR))
