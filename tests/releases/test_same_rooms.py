"""Scenes that show one room: found by what stands in them, kept in one split, and told of."""

from __future__ import annotations

import json
import math
import random
import shutil
from dataclasses import replace

import lakes
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from lineage_homes import STAGES

from spatial_assets.cli import main
from spatial_assets.releases import create, joined, same_rooms, spaces, verify
from spatial_assets.releases.create import Request
from spatial_assets.releases.same_rooms import Floor, Furniture
from spatial_assets.releases.spaces import Member
from spatial_assets.scene import tables
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes

HALVES = {"train": 0.5, "val": 0.5}
WORDS = ("chair", "table", "lamp", "bed", "plant", "sofa", "shelf", "box", "mirror", "desk", "stool", "clock")


def room(name: str, seed: int, count: int = 20, floor: bool = True) -> Furniture:
    rng = np.random.default_rng(seed)
    words = tuple(WORDS[int(rng.integers(len(WORDS)))] for _ in range(count))
    centers = rng.uniform((0, 0, 0.2), (5, 4, 2), (count, 3))
    free = rng.random((8, 10)).repeat(10, axis=0).repeat(10, axis=1) < 0.6
    return Furniture(
        name,
        words,
        centers,
        rng.uniform(0.3, 1.2, (count, 3)),
        Floor(np.zeros(2), 0.05, free) if floor else None,
    )


def seen_again(
    own: Furniture, name: str, seed: int = 0, turn: float = 2.0, noise: float = 0.03, without: int = 4
) -> Furniture:
    """Another scan of a room. Its floor is what the first one's free cells cover, in the other world."""
    rng = np.random.default_rng(seed)
    keep = np.sort(rng.permutation(len(own.categories))[without:])
    c, s = math.cos(turn), math.sin(turn)
    matrix, shift = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.array([7.0, -3, 1])
    floor = None
    if own.floor is not None:
        cell = own.floor.cell
        places = np.stack(np.meshgrid(np.arange(-140, 140), np.arange(-140, 140)), axis=-1) + 0.5
        world = places.reshape(-1, 2) * cell + shift[:2]
        back = np.floor((world - shift[:2]) @ matrix[:2, :2] / cell).astype(int)
        inside = ((back >= 0) & (back < own.floor.free.shape[::-1])).all(axis=1)
        free = np.zeros(len(back), np.bool_)
        free[inside] = own.floor.free[back[inside, 1], back[inside, 0]]
        floor = Floor(shift[:2] - 140 * cell, cell, free.reshape(280, 280))
    return Furniture(
        name,
        tuple(own.categories[place] for place in keep),
        (own.centers @ matrix.T + shift + rng.normal(0, noise, own.centers.shape))[keep],
        own.sizes[keep],
        floor,
    )


def others(count: int) -> list[Furniture]:
    return [room(f"other{seed}", 1000 + seed) for seed in range(count)]


@pytest.mark.parametrize("floor", [True, False])
def test_a_second_scan_is_found_with_its_motion(floor):
    own = room("a", 1, floor=floor)
    (match,) = same_rooms.find([own, *others(20), seen_again(own, "b")])
    assert (match.first, match.second) == ("a", "b")
    assert match.objects >= 14
    assert match.yaw % 360 == pytest.approx(math.degrees(2.0), abs=2)
    assert match.shift == pytest.approx((7, -3, 1), abs=0.15)
    assert (match.floor is None) != floor
    assert floor is False or match.floor > 0.85


def test_different_rooms_are_not_joined():
    assert same_rooms.find(others(60)) == []


def test_one_furniture_arranged_anew_is_another_room():
    own = room("a", 1)
    anew = replace(own, scene="b", centers=own.centers[np.random.default_rng(3).permutation(20)])
    assert same_rooms.find([own, anew, *others(20)]) == []


def test_one_corner_alike_is_no_room():
    """A kitchen unit that is the same to a millimeter, and nothing else."""
    own, other = room("a", 1, 30), room("b", 2, 30)
    near = np.argsort(np.hypot(*(own.centers[:, :2] - own.centers[0, :2]).T))[:8]
    mixed = Furniture(
        "b",
        (*(own.categories[place] for place in near), *other.categories[8:]),
        np.concatenate([own.centers[near], other.centers[8:]]),
        np.concatenate([own.sizes[near], other.sizes[8:]]),
        other.floor,
    )
    assert same_rooms.find([own, mixed, *others(20)]) == []


def test_a_dining_table_and_a_stove_are_no_room():
    """Six of seven objects meet, but only at two ends of the room."""
    chairs = [(1.8, 3.4, 0.5), (1.8, 2.5, 0.5), (2.3, 2.3, 0.5), (2.4, 3.1, 0.5)]
    centers = np.array([*chairs, (2.0, 2.8, 0.4), (1.1, 0.4, 0.9), (0.5, 2.7, 0.9)])
    words = (*["chair"] * 4, "table", "stove", "fridge")
    own = Furniture("a", words, centers, np.full((7, 3), 0.6))
    other = replace(own, scene="b", categories=(*words[:6], "sofa"))
    (match,) = (m for m in same_rooms.compare([own, other, *others(20)]) if m.second == "b")
    assert (match.objects, match.corners) == (6, 2)
    assert match.likeness > same_rooms.LEAST_WITHOUT_FLOOR
    assert not match.is_one_room


def test_another_free_floor_is_another_room():
    own = room("a", 1)
    again = seen_again(own, "b", without=11)
    assert again.floor is not None
    closed = replace(again, floor=replace(again.floor, free=~again.floor.free))
    (match,) = same_rooms.find([own, again, *others(20)])
    (lower,) = (m for m in same_rooms.compare([own, closed, *others(20)]) if m.second == "b")
    assert lower.floor < 0.3 < match.floor
    assert not lower.is_one_room


def test_what_is_found_depends_neither_on_the_order_nor_on_the_call():
    own, third = room("a", 1), room("c", 5)
    scenes = [own, third, *others(12), seen_again(own, "b"), seen_again(third, "d", 4, turn=-1.0)]
    first = same_rooms.find(scenes)
    assert first == same_rooms.find(scenes)
    random.Random(1).shuffle(scenes)
    pairs = {frozenset((match.first, match.second)) for match in same_rooms.find(scenes)}
    assert pairs == {frozenset("ab"), frozenset("cd")} == {frozenset((m.first, m.second)) for m in first}


@pytest.mark.parametrize("count", [0, 1])
def test_few_scenes_and_bare_ones(count):
    bare = [Furniture(f"bare{n}", (), np.zeros((0, 3)), np.zeros((0, 3))) for n in range(count)]
    assert same_rooms.find(bare) == []
    flat = [replace(room(f"flat{n}", n), sizes=np.zeros((20, 3)), floor=None) for n in range(count)]
    assert same_rooms.find([*bare, *flat]) == []
    one = Furniture("one", ("chair",) * count, np.zeros((count, 3)), np.ones((count, 3)))
    assert same_rooms.find([*bare, one, room("a", 1)]) == []


# Places that are joined


def member(space: str) -> Member:
    return Member("d", "v1", space, "s", "mit", space)


def test_the_name_of_joined_places_depends_on_no_order():
    match = same_rooms.Match("", "", 9, 4, 0.8, 0.8, None, 0.0, (0.0, 0.0, 0.0))
    found = [
        (member(one), member(other), match) for one, other in (("m", "c"), ("z", "k"), ("c", "k"), ("x", "y"))
    ]
    for seed in range(8):
        random.Random(seed).shuffle(found)
        groups = joined._groups(found, {})
        assert sorted((group.space, group.spaces) for group in groups) == [
            ("c", ("c", "k", "m", "z")),
            ("x", ("x", "y")),
        ]


# Releases


@pytest.fixture(scope="module")
def two_datasets(tmp_path_factory):
    """Two studio rooms in ScanNet's layout, and the same in ScanNet++'s under other names, turned."""
    base = tmp_path_factory.mktemp("same_rooms")
    options = {"seed": 3, "faces": 12_000, "frames": 24, "size": (96, 72)}
    for layout in ("scannet", "scannetpp"):
        write_scenes(base / layout, layout, 2, **options)
    c, s = math.cos(2.2), math.sin(2.2)
    turn = np.array([[c, -s, 0, 11.0], [s, c, 0, -6], [0, 0, 1, 0], [0, 0, 0, 1]])
    for path in sorted((base / "scannet").glob("*/*.txt")):
        lines = path.read_text().splitlines()
        for place, line in enumerate(lines):
            if line.startswith("axisAlignment"):
                aligned = turn @ np.array(line.split("=")[1].split(), float).reshape(4, 4)
                lines[place] = "axisAlignment = " + " ".join(f"{value:.9f}" for value in aligned.ravel())
        path.write_text("\n".join(lines) + "\n")
    for layout in ("scannet", "scannetpp"):
        lakes.register(base / "home", layout, base / layout, "v1")
    lakes.build(base / "home", stages=[*STAGES, *(["rooms"] if "rooms" not in STAGES else [])])
    return base / "home"


def places_of(home, name):
    rows = pq.read_table(manifest.scenes_path(home, name)).to_pylist()
    return {(row["dataset"], row["scene"]): (row["split"], row["space"]) for row in rows}


@pytest.mark.prove
def test_one_room_in_two_datasets_is_in_one_split(two_datasets):
    objects = lakes.rows(two_datasets, "objects")
    assert objects["dataset"].n_unique() == 2
    for seed in range(6):
        held = create.create(two_datasets, f"v{seed}", Request(HALVES, seed=seed))
        found = places_of(two_datasets, f"v{seed}")
        assert len(found) == 4
        groups = held["same_rooms"]["joined"]
        assert len(groups) == held["spaces"] == 2
        assert {split for split, _ in found.values()} == {"train", "val"}
        for group in groups:
            (match,) = group["matches"]
            keys = [(match[side]["dataset"], match[side]["scene"]) for side in ("first", "second")]
            assert {dataset for dataset, _ in keys} == {"scannet", "scannetpp"}
            assert found[keys[0]] == found[keys[1]]
            assert found[keys[0]][1] == group["space"] == min(group["spaces"])
            assert match["likeness"] > 0.5
            assert match["objects"] > 10
        assert verify.verify_release(two_datasets, f"v{seed}") == []
        assert "pairs with different names show one place" in (
            manifest.folder(two_datasets, f"v{seed}") / manifest.CARD
        ).read_text(encoding="utf-8")


def test_names_alone_part_them_and_the_manifest_gives_it_away(two_datasets):
    kept = create.create(two_datasets, "kept", Request(HALVES, seed=1))
    held = next(
        held
        for seed in range(20)
        for held in [create.create(two_datasets, f"n{seed}", Request(HALVES, seed=seed, names_only=True))]
        if parted(places_of(two_datasets, f"n{seed}"), kept)
    )
    assert held["same_rooms"] is None
    assert held["spaces"] == 4
    assert verify.verify_release(two_datasets, held["name"]) == []
    path = manifest.folder(two_datasets, held["name"]) / manifest.MANIFEST
    path.chmod(0o644)
    path.write_bytes(manifest.to_bytes({**held, "same_rooms": kept["same_rooms"]}))
    assert any("more than one split" in line for line in verify.verify_release(two_datasets, held["name"]))


def parted(found, kept):
    """Whether some scenes of one room are in two splits."""
    return any(
        len({found[match[side]["dataset"], match[side]["scene"]][0] for side in ("first", "second")}) > 1
        for group in kept["same_rooms"]["joined"]
        for match in group["matches"]
    )


def test_a_room_of_a_benchmark_leaks_under_any_name(two_datasets, monkeypatch):
    scene = next(scene for dataset, scene in places_all(two_datasets) if dataset == "scannet")
    asked = {spaces.space_of("scannet", "v1", scene): "Some Bench"}
    for module in ("selection", "verify"):
        monkeypatch.setattr(f"spatial_assets.releases.{module}.benchmark_spaces", lambda: asked)
    held = create.create(two_datasets, "guarded", Request(datasets=("scannetpp",)))
    (leak,) = held["leak_guard"]["scenes"]
    assert (leak["dataset"], leak["benchmark"]) == ("scannetpp", "Some Bench")
    assert held["scenes"] == 1
    assert verify.verify_release(two_datasets, "guarded") == []
    held = create.create(two_datasets, "open", Request(datasets=("scannetpp",), allow_leaks=True))
    assert held["scenes"] == 2
    assert verify.verify_release(two_datasets, "open") == []
    path = manifest.folder(two_datasets, "open") / manifest.MANIFEST
    path.chmod(0o644)
    path.write_bytes(manifest.to_bytes({**held, "leak_guard": {**held["leak_guard"], "allowed": False}}))
    assert any("asked about by Some Bench" in line for line in verify.verify_release(two_datasets, "open"))
    held = create.create(two_datasets, "by_name", Request(datasets=("scannetpp",), names_only=True))
    assert held["scenes"] == 2


def places_all(home):
    return sorted({(row["dataset"], row["scene"]) for row in lakes.rows(home, "objects").to_dicts()})


def test_what_is_not_compared_is_counted(two_datasets, tmp_path):
    members = sorted(
        (
            Member(
                shard.dataset,
                shard.release,
                ref.name,
                shard.key,
                shard.license,
                f"{shard.dataset}/{ref.name}",
            )
            for shard in lakes.partitions.registry(two_datasets).shards()
            for ref in shard.scenes
        ),
        key=lambda member: member.which,
    )
    found = joined.join(Lake(two_datasets), members)
    assert (found.compared, found.unbuilt, found.procedural, found.bare) == (4, 0, 0, 0)
    made = [replace(member, release=spaces.PROCEDURAL) for member in members[:2]]
    found = joined.join(Lake(two_datasets), [*made, *members[2:]])
    assert (found.compared, found.procedural, found.groups) == (2, 2, [])
    found = joined.join(Lake(tmp_path), members)
    assert (found.compared, found.unbuilt, found.groups) == (0, 4, [])


def test_official_lists_may_part_one_room_of_two_datasets_and_it_is_said(two_datasets, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(two_datasets, home)
    for path in sorted((home / "lake" / tables.SCENES.name).glob("*/data.parquet")):
        rows = pq.read_table(path, schema=tables.SCENES.schema, partitioning=None).to_pylist()
        rows = [{**row, "split": "train" if row["dataset"] == "scannet" else "test"} for row in rows]
        pq.write_table(pa.Table.from_pylist(rows, schema=tables.SCENES.schema), path)
    arguments = ["release", "create", "--split", "official", "--home", str(home)]
    told = CliRunner().invoke(main, [*arguments, "o1"])
    assert told.exit_code == 0
    assert "2 places are in several splits, as the datasets' own lists have it, as scannet/" in told.output
    assert {split for split, _ in places_of(home, "o1").values()} == {"train", "test"}
    assert len(manifest.load(home, "o1")["parted"]) == 2
    assert verify.verify_release(home, "o1") == []
    told = CliRunner().invoke(main, [*arguments, "o2", "--names-only"])
    assert told.exit_code == 0 and "several splits" not in told.output
    told = CliRunner().invoke(main, [*arguments, "o3", "--dataset", "scannet"])
    assert told.exit_code == 0 and "several splits" not in told.output


def test_the_command_takes_names_only(two_datasets):
    home = ["--home", str(two_datasets), "--json"]
    held = json.loads(CliRunner().invoke(main, ["release", "create", "c1", *home]).stdout)
    assert held["same_rooms"]["compared"] == 4
    held = json.loads(CliRunner().invoke(main, ["release", "create", "c2", *home, "--names-only"]).stdout)
    assert held["same_rooms"] is None
