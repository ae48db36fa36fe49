"""A mix keeps what its recipe asks for, drawn by the seed; the manifest, the card and `verify` say so."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from fractions import Fraction
from hashlib import blake2b
from math import floor

import lakes
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from lineage_homes import STAGES, TASKS

from spatial_assets.cli import main
from spatial_assets.releases import create, verify
from spatial_assets.releases.create import Request
from spatial_assets.releases.mix import evenly, kept_of, mix, ranks_of
from spatial_assets.releases.recipe import Cell, Entry, Mix, Recipe, parse_mix
from spatial_assets.storage import release_manifest as manifest

SPAR = {"sentence": 1.0, "select": 0.1, "fill": 0.1, "judge": 0.1}
HALVES = {"train": 0.5, "val": 0.5}
OF_DEPTH, OF_VIEWS = TASKS
FORMS = ("fill", "select", "sentence")


def rows_of(home, name):
    return [
        (path.parent.name, row["task"], row["dataset"], row["format"], row["qa_id"])
        for path in sorted((manifest.folder(home, name) / "data").glob("*/*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    ]


def files_of(home, name):
    folder = manifest.folder(home, name)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != manifest.PROVENANCE
    }


def asked(*entries, **facts):
    return Mix("asked", Recipe(entries=entries, **facts))


def spars(rows, seed):
    """Ids that SPAR's shares keep, one group at a time, by a hash of each id: nothing of it is the package's."""
    groups = {}
    for *group, qa_id in rows:
        groups.setdefault(tuple(group), []).append(qa_id)
    kept = set()
    for group, ids in groups.items():
        line = sorted(
            ids, key=lambda qa_id: blake2b(f"mix\x1f{seed}\x1f{qa_id}".encode(), digest_size=16).digest()
        )
        kept.update(line[: floor(len(ids) * Fraction(str(SPAR[group[3]])))])
    return kept


def test_spars_published_totals_come_out():
    """Rows of SPAR-7M's index, ScanNet's and all: what its script keeps of them."""
    assert kept_of(105_066, SPAR["select"]) == 10_506
    assert kept_of(112_967, 0.0001) == 11 and kept_of(73_680, 0.0001) == 7, "as its toy index says"
    assert kept_of(120_000, SPAR["sentence"]) == 120_000


def lake_of(kinds, order=1):
    """Ranks by cell of made-up questions, given as (task, format) pairs, and their ids."""
    ids = {}
    for place, (task, form) in list(enumerate(kinds))[::order]:
        ids.setdefault(Cell("all", task, "scannet", form), []).append(f"{place:04d}")
    return {cell: ranks_of(0, own) for cell, own in ids.items()}, ids


def kept_ids(lake, ids, found):
    return {
        qa_id
        for cell, own in ids.items()
        for qa_id, stays in zip(own, found.kept(cell, lake[cell]), strict=True)
        if stays
    }


KINDS = st.lists(st.tuples(st.sampled_from(TASKS), st.sampled_from(FORMS)), max_size=60)
HOW = st.sampled_from([("task", False), ("all", False), ("all", True)])


@given(KINDS, st.floats(0, 1), st.floats(0, 1))
def test_shares_are_exact_and_a_smaller_one_is_part_of_a_larger(kinds, one, other):
    less, more = (round(share, 3) for share in sorted((one, other)))
    lake, ids = lake_of(kinds)
    small, large = (kept_ids(lake, ids, mix(lake, asked(Entry(rate=share)))) for share in (less, more))
    assert small <= large
    for own in ids.values():
        assert len(small & set(own)) == floor(len(own) * Fraction(str(less)))
    turned, turned_ids = lake_of(kinds, -1)
    assert small == kept_ids(turned, turned_ids, mix(turned, asked(Entry(rate=less))))


@given(KINDS, HOW, st.integers(0, 70), st.integers(0, 70))
def test_counts_are_exact_and_a_smaller_one_is_part_of_a_larger(kinds, how, one, other):
    per, even = how
    lake, ids = lake_of(kinds)
    found = {}
    for count in sorted((one, other)):
        entry = Entry(name="e", tasks=TASKS, count=count, per=per, even=even, fewer=True)
        made = mix(lake, asked(entry))
        kept = found[count] = kept_ids(lake, ids, made)
        there = {task: sum(name == task for name, _ in kinds) for task in TASKS}
        got = {task: sum(kinds[int(qa_id)][0] == task for qa_id in kept) for task in TASKS}
        if per == "task":
            assert got == {task: min(count, number) for task, number in there.items()}
        else:
            assert sum(got.values()) == min(count, len(kinds))
        if even:
            least = min(got.values())
            assert all(
                got[task] <= least + 1 or got[other] == there[other]
                for task in TASKS
                for other in TASKS
                if got[other] < got[task]
            )
        assert sum(line.kept for line in made.wanted) == len(kept)
        turned, turned_ids = lake_of(kinds, -1)
        assert kept == kept_ids(turned, turned_ids, mix(turned, asked(entry)))
    assert found[min(one, other)] <= found[max(one, other)]


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(0, 30)), st.integers(0, 100))
def test_an_even_number_is_dealt_one_question_at_a_time(there, wanted):
    dealt = Counter(dict.fromkeys(there, 0))
    for _ in range(min(wanted, sum(there.values()))):
        fewest = min((dealt[name], name) for name in there if dealt[name] < there[name])
        dealt[fewest[1]] += 1
    assert evenly(there, wanted) == dict(dealt)


def test_a_count_over_all_takes_the_first_in_line_of_all():
    kinds = [(TASKS[place % 3 == 0], FORMS[place % 3]) for place in range(50)]
    lake, ids = lake_of(kinds)
    found = kept_ids(lake, ids, mix(lake, asked(Entry(count=20, per="all"))))
    everything = [qa_id for own in ids.values() for qa_id in own]
    line = sorted(
        everything, key=lambda qa_id: blake2b(f"mix\x1f0\x1f{qa_id}".encode(), digest_size=16).digest()
    )
    assert found == set(line[:20])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), unique=True, max_size=16), st.integers(0, 16)
)
def test_ranks_are_told_apart_by_their_second_halves(pairs, count):
    """Hashes whose first halves are equal do not come by in tests of whole ones."""
    cell = Cell("all", OF_DEPTH, "scannet", "fill")
    lake = {cell: np.array(pairs, np.uint64).reshape(-1, 2)}
    kept = mix(lake, asked(Entry(count=count, per="all", fewer=True))).kept(cell, lake[cell])
    assert [pair for pair, stays in zip(pairs, kept, strict=True) if stays] == [
        pair for pair in pairs if pair in sorted(pairs)[:count]
    ]


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(0, 80), st.randoms())
def test_a_question_and_its_twins_are_kept_together_but_where_the_cut_is(twins, count, random):
    """Of each question so many twins; whatever order they come in, at most one question loses some of them."""
    rows = [(f"{place}", None) for place in range(len(twins))]
    rows += [(f"{place}.{number}", f"{place}") for place, own in enumerate(twins) for number in range(own)]
    random.shuffle(rows)
    cell = Cell("all", OF_DEPTH, "scannet", "select")
    lake = {cell: ranks_of(0, *zip(*rows, strict=True))} if rows else {}
    made = mix(lake, asked(Entry(count=count, per="all", fewer=True)))
    kept = [
        row for row, stays in zip(rows, made.kept(cell, lake[cell]) if rows else (), strict=True) if stays
    ]
    assert len(kept) == min(count, len(rows))
    groups = Counter(first or own for own, first in kept)
    assert sum(1 + twins[int(place)] > number for place, number in groups.items()) <= 1
    asked_first = [place for place, (_, first) in enumerate(rows) if first is None]
    alone = ranks_of(0, [rows[place][0] for place in asked_first])
    assert not rows or (lake[cell][asked_first] == alone).all(), "twins move no question in the line"


def test_what_no_entry_selects_is_left_out_or_the_rest():
    lake, ids = lake_of([(OF_DEPTH, "fill"), (OF_VIEWS, "fill"), (OF_VIEWS, "sentence")])
    one = Entry(tasks=(OF_DEPTH,), rate=1.0)
    alone = mix(lake, asked(one))
    assert kept_ids(lake, ids, alone) == {"0000"} and alone.unselected == 2
    both = mix(lake, asked(one, Entry(rest=True, count=1, per="all")))
    assert len(kept_ids(lake, ids, both)) == 2 and both.unselected == 0
    own = Cell("all", OF_VIEWS, "scannet", "judge")
    assert not alone.kept(own, np.zeros((1, 2), np.uint64)).any(), "nothing that nobody selected"


def test_counts_that_cannot_be_met_are_one_line():
    lake, _ = lake_of([(OF_DEPTH, "fill")] * 7)
    entry = Entry(name="both", tasks=TASKS, count=8, per="task")
    with pytest.raises(ValueError) as error:
        mix(lake, asked(entry))
    (line,) = str(error.value).splitlines()
    for part in (
        "mix asked",
        "both wants 8 questions of",
        OF_DEPTH,
        "the lake has 7",
        "1 more count falls short",
        "--fewer",
    ):
        assert part in line
    assert [(line.wanted, line.kept) for line in mix(lake, asked(entry), fewer=True).wanted] == [
        (8, 7),
        (8, 0),
    ]
    assert [line.wanted for line in mix(lake, asked(entry), (OF_DEPTH,), scale=0.5).wanted] == [4]
    assert mix(lake, asked(entry.model_copy(update={"fewer": True}))).wanted[0].kept == 7


def test_a_release_of_spars_mix_holds_the_rows_that_its_shares_keep(copied):
    create.create(copied.home, "whole", Request(HALVES, seed=3))
    spar = parse_mix("spar")
    held = create.create(copied.home, "mixed", Request(HALVES, seed=3, mix=spar))
    again = create.create(copied.home, "again", Request(HALVES, seed=3, mix=spar))
    other = create.create(copied.home, "other", Request(HALVES, seed=4, mix=spar))
    assert held["id"] == again["id"] != other["id"]
    kept, whole = rows_of(copied.home, "mixed"), rows_of(copied.home, "whole")
    assert [row for row in whole if row[4] in spars(whole, 3)] == kept
    shares = create.create(
        copied.home,
        "shares",
        Request(HALVES, seed=3, mix=parse_mix("sentence:1,select:0.1,fill:0.1,judge:0.1")),
    )
    assert shares["rows"] == held["rows"] and rows_of(copied.home, "shares") == kept
    counted = Counter(tuple(row[:4]) for row in kept)
    assert {_group(part): part["kept"] for part in held["mix"]["kept"]} == {
        **{_group(part): 0 for part in held["mix"]["kept"]},
        **counted,
    }
    assert sum(part["before"] for part in held["mix"]["kept"]) == len(whole)
    assert verify.verify_release(copied.home, "mixed") == []
    card = (manifest.folder(copied.home, "mixed") / manifest.CARD).read_text()
    assert "## Mix" in card and "`spar`" in card and "mix_data.py" in card and "| 0.1 of each part |" in card
    assert "mix" not in manifest.load(copied.home, "whole")


def _group(part):
    return tuple(part[name] for name in ("split", "task", "dataset", "format"))


RECIPE = f"""
about = "A recipe of a test."
seed = 7
splits = "train:0.5,val:0.5"

[[entries]]
name = "depths"
tasks = ["{OF_DEPTH}"]
count = 30
per = "all"

[[entries]]
name = "views"
tasks = ["{OF_VIEWS}"]
formats = ["sentence"]
rate = 0.5
"""


@pytest.mark.prove
def test_equal_lakes_give_equal_bytes_of_a_recipe(built, copied, tmp_path):
    """Built elsewhere, from files registered one at a time in another order; a recipe whose keys stand otherwise."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "parameters.toml").write_text((copied.home / "parameters.toml").read_text())
    for scene in ("scene0001_00", "scene0000_01", "scene0000_00"):
        shutil.copytree(built.root / scene, tmp_path / "again" / scene)
        lakes.register(other, "scannet", tmp_path / "again", per_shard=1)
    lakes.build(other, workers=2, stages=STAGES)
    file = tmp_path / "own.toml"
    file.write_text(RECIPE)
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "own.toml").write_text(
        "# The same.\n" + RECIPE.replace("seed = 7\n", "").replace("about", "seed = 0x7\nabout", 1)
    )
    for home, recipe in ((copied.home, file), (other, moved / "own.toml")):
        done = CliRunner().invoke(
            main, ["release", "create", "v1", "--home", str(home), "--mix", str(recipe)]
        )
        assert done.exit_code == 0, done.output
    assert files_of(copied.home, "v1") == files_of(other, "v1")
    held = manifest.load(copied.home, "v1")
    assert held["seed"] == 7 and set(held["splits"]) == {"train", "val"} and held["mix"]["name"] == "own"
    assert Counter(row[1] for row in rows_of(copied.home, "v1"))[OF_DEPTH] == 30
    assert verify.verify_release(copied.home, "v1") == []


def test_a_recipe_on_a_few_scenes(copied, tmp_path):
    file = tmp_path / "own.toml"
    file.write_text(RECIPE.replace("30", "3_000"))
    command = ["release", "create", "--home", str(copied.home), "--mix", str(file)]
    done = CliRunner().invoke(main, [*command, "v1"])
    assert done.exit_code == 1 and done.output.count("\n") == 1
    assert "wants 3,000 questions in all, and the lake has" in done.output
    assert not manifest.folder(copied.home, "v1").exists()
    done = CliRunner().invoke(main, [*command, "small", "--scale", "0.01"])
    assert done.exit_code == 0, done.output
    assert Counter(row[1] for row in rows_of(copied.home, "small"))[OF_DEPTH] == 30
    done = CliRunner().invoke(main, [*command, "fewer", "--fewer", "--split", "all:1", "--seed", "2"])
    assert done.exit_code == 0, done.output
    assert set(manifest.load(copied.home, "fewer")["splits"]) == {"all"}
    for name, told in (
        ("small", "were multiplied by 0.01"),
        ("fewer", "fewer than wanted, which was asked for"),
    ):
        assert told in (manifest.folder(copied.home, name) / manifest.CARD).read_text()
        assert verify.verify_release(copied.home, name) == []
    small, fewer = ({row[4] for row in rows_of(copied.home, name)} for name in ("small", "fewer"))
    assert small and fewer
    assert "fewer than wanted: there are no more" in done.output and "mix own: " in done.output


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda mix: mix["kept"][0].update(kept=mix["kept"][0]["kept"] + 1), "but its mix says"),
        (lambda mix: mix["wanted"][0].update(wanted=31), "are not the recipe's number"),
        (lambda mix: mix["wanted"][0].update(kept=29), "keeps 30 rows, but says 29"),
        (lambda mix: mix["recipe"]["entries"][0].update(count=31), "not the one whose hash it gives"),
        (lambda mix: mix["recipe"]["entries"][1].update(rate=0.4), "are not a share of 0.4"),
        (
            lambda mix: mix["recipe"]["entries"][1].update(formats=["fill"]),
            "is not what views of its mix selects",
        ),
        (lambda mix: mix["recipe"].update(entries=[]), "its mix's recipe cannot be read"),
    ],
)
def test_a_manifest_that_says_another_mix_is_found(copied, tmp_path, change, told):
    (tmp_path / "own.toml").write_text(RECIPE)
    create.create(copied.home, "v1", Request(mix=parse_mix(str(tmp_path / "own.toml"))))
    path = manifest.folder(copied.home, "v1") / manifest.MANIFEST
    held = json.loads(path.read_text())
    change(held["mix"])
    path.write_text(json.dumps(held))
    assert any(told in problem for problem in verify.verify_release(copied.home, "v1"))


def test_a_manifest_of_earlier_shares_is_still_checked(copied):
    create.create(copied.home, "v1", Request(mix=parse_mix("spar")))
    path = manifest.folder(copied.home, "v1") / manifest.MANIFEST
    held = json.loads(path.read_text())
    held["mix"] = {"shares": SPAR, "kept": held["mix"]["kept"]}
    held["mix"]["kept"][0]["kept"] += 1
    path.write_text(json.dumps(held))
    assert any("but its mix says" in problem for problem in verify.verify_release(copied.home, "v1"))


def test_what_does_not_go_together(copied):
    spar = parse_mix("spar")
    for request, told in (
        (Request(balanced=True, mix=spar), "a balance and a mix"),
        (Request(mix=spar, scale=0), "above 0"),
        (Request(mix=spar, scale=float("nan")), "above 0"),
        (Request(scale=0.5), "there is none"),
        (Request(fewer=True), "there is none"),
        (Request(mix=asked(Entry(splits=("test",), rate=1.0))), "names 'test'; the release has all"),
    ):
        with pytest.raises(ValueError, match=told):
            create.create(copied.home, "v2", request)


def test_the_commands(copied):
    done = CliRunner().invoke(
        main, ["release", "create", "v1", "--home", str(copied.home), "--mix", "spar", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["mix"]["name"] == "spar"
    done = CliRunner().invoke(main, ["release", "mixes", "--json"])
    assert done.exit_code == 0, done.output
    assert {"spar", "spatial-mllm", "spatialmosaic"} <= {item["name"] for item in json.loads(done.stdout)}
    assert "sentences" in CliRunner().invoke(main, ["release", "mixes"]).output
