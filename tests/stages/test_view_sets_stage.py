"""The view sets of a scene against plain loops, and what may and may not change them."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import lakes
import numpy as np
import polars as pl
import pytest
import tiny
from pydantic import ValidationError

from spatial_assets.engine import lake_quality
from spatial_assets.scene import tables
from spatial_assets.scene.model import Mesh
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages import view_sets
from spatial_assets.storage import meshes, visible_faces
from spatial_assets.storage.lake import conform

CATEGORIES = ("floor", "chair", "table", "sofa", "lamp", "plant")
IDS = (2, 3, 5, 8, 13, 21)
FACES = 90


class Scene:
    """Just what the stage asks of a scene: lone faces of six objects, and frames that show some of them."""

    which = {"dataset": "made", "release": "1", "scene": "room"}  # noqa: RUF012
    ref = SceneRef("room", "room")

    def __init__(self, folder: Path, seed: int = 0, frames: int = 16, reach: float = 0.16) -> None:
        self.folder = folder
        random = np.random.default_rng(seed)
        corners = random.uniform(-1, 1, (FACES, 3, 3)).astype(np.float32)
        self.owners = np.concatenate([np.repeat(IDS, FACES // 9), np.full(FACES - 6 * (FACES // 9), -1)])
        self.owners = random.permutation(self.owners).astype(np.int32)
        edges = np.diff(corners.astype(float), axis=1)
        self.areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
        mesh = Mesh(corners.reshape(-1, 3), np.arange(3 * FACES, dtype=np.int32).reshape(-1, 3), None)
        self.file(meshes.KIND).write_bytes(meshes.to_ply(mesh, self.owners))
        self.names = [f"f{name}" for name in random.permutation(1000)[:frames].tolist()]
        self.seen = {
            name: np.flatnonzero(random.random(FACES) < random.uniform(0, 2 * reach)).astype(np.int32)
            for name in self.names
        }
        self.positions = {name: random.uniform(-2, 2, 3) for name in self.names}
        self.hidden = {(name, thing): random.random() for name in self.names for thing in IDS}
        self.sequence = list(self.names)

    def file(self, kind: str) -> Path:
        return self.folder / kind

    def pixels(self, name: str, thing: int) -> int:
        return 7 * int((self.owners[self.seen[name]] == thing).sum())

    def area(self, faces: set[int]) -> float:
        return float(sum(self.areas[face] for face in sorted(faces)))

    def faces_of(self, name: str, things: tuple[int, ...]) -> set[int]:
        return {int(face) for face in self.seen[name] if self.owners[face] in things}

    def overlap(self, a: str, b: str, things: tuple[int, ...] = IDS, smaller: bool = False) -> float:
        one, other = self.faces_of(a, things), self.faces_of(b, things)
        least = min(self.area(one), self.area(other))
        whole = least if smaller else self.area(one | other)
        return self.area(one & other) / whole if whole else 0.0

    def table(self, table: tables.Table) -> pl.DataFrame:
        rows = [{**self.which, **row} for row in getattr(self, "_" + table.name)()]
        return pl.DataFrame(rows) if rows else table.empty()

    def _frames(self) -> list[dict]:
        rows = []
        for position, name in enumerate(self.sequence):
            pose = np.eye(4)
            pose[:3, 3] = self.positions[name]
            rows.append(
                {
                    "frame": name, "position": position, "timestamp": None, "image": None, "width": 8, "height": 6,
                    "intrinsics": np.eye(3).ravel().tolist(), "camera_to_world": pose.ravel().tolist(),
                }
            )  # fmt: skip
        return rows

    def _keyframes(self) -> list[dict]:
        return [{"set": "keyframes", "position": i, "frame": name} for i, name in enumerate(self.sequence)]

    def _objects(self) -> list[dict]:
        # In no order, as no table's order is relied on.
        return [
            {"instance": i, "category": word} for i, word in list(zip(IDS, CATEGORIES, strict=True))[::-1]
        ]

    def _visibility(self) -> list[dict]:
        rows = []
        for name in self.sequence:
            for thing in IDS:
                hidden, shown = self.hidden[name, thing], self.pixels(name, thing)
                # Some that are not seen are in the image nevertheless, wholly hidden.
                if shown or hidden < 0.3:
                    occlusion = hidden if shown else 1.0
                    rows.append(
                        {
                            "frame": name, "instance": thing, "visible_px": shown, "occlusion": occlusion,
                            "truncation": hidden / 2,
                        }
                    )  # fmt: skip
        return rows

    def _overlap(self) -> list[dict]:
        return [
            {
                "frame_a": a, "frame_b": b, "overlap": self.overlap(a, b, (*IDS, -1)),
                "overlap_instances": self.overlap(a, b),
            }
            for a, b in combinations(self.sequence, 2)
            if self.overlap(a, b, (*IDS, -1))
        ]  # fmt: skip

    def find(self, **parameters: object) -> tuple[dict[str, dict], dict[tuple[str, int], dict], dict]:
        """Sets by id, their objects by id and instance, and (candidates, kept, rejects) by what is counted."""
        faces = visible_faces.FacesFile()
        for name in self.sequence:
            faces.add(name, self.seen[name])
        self.file(visible_faces.KIND).write_bytes(faces.close())
        outputs = view_sets.find(self, view_sets.Parameters(**parameters))
        sets, objects = (
            pl.from_arrow(conform(table, outputs.tables[table.name])).to_dicts()
            for table in view_sets.STAGE.writes
        )
        counts = {
            tally.format: (
                tally.candidates,
                tally.kept,
                {it.reason: it.count for it in outputs.rejects if it.format == tally.format},
            )
            for tally in outputs.tallies
        }
        assert all(candidates == kept + sum(why.values()) for candidates, kept, why in counts.values())
        return (
            {row["view_set"]: row for row in sets},
            {(row["view_set"], row["instance"]): row for row in objects},
            counts,
        )


def usable(scene: Scene) -> list[str]:
    return [name for name in scene.sequence if any(scene.pixels(name, thing) for thing in IDS)]


@pytest.mark.every(2)
@pytest.mark.parametrize("seed", range(4))
def test_rows_say_what_plain_loops_find(tmp_path, seed):
    scene = Scene(tmp_path, seed)
    sets, objects, counts = scene.find(per_size=12, draws=2, least_px=8)
    assert {row["views"] for row in sets.values()} == {2, 3, 4, 5}
    for row in sets.values():
        frames = row["frames"]
        assert frames == sorted(frames, key=scene.sequence.index) and len(set(frames)) == row["views"]
        pairs = [scene.overlap(a, b) for a, b in combinations(frames, 2)]
        assert all(0 < share <= 0.3 for share in pairs)
        assert row["overlap_pairs"] == pytest.approx([100 * share for share in pairs])
        average = sum(pairs) / len(pairs)
        assert row["overlap_avg"] == pytest.approx(100 * average)
        assert row["overlap_level"] == ("low" if average <= 0.1 else "medium" if average <= 0.2 else "high")
        apart = [np.linalg.norm(scene.positions[a] - scene.positions[b]) for a, b in combinations(frames, 2)]
        assert row["baseline"] == pytest.approx(max(apart))
        for thing in IDS:
            own = objects.pop((row["view_set"], thing))
            shown = [scene.pixels(name, thing) for name in frames]
            assert own["visible_px"] == shown
            count = sum(pixels >= 8 for pixels in shown)
            assert own["views_with"] == count
            word = {0: "none", row["views"]: "all"}.get(count, "one" if count == 1 else "some")
            assert own["seen"] == word
            hidden = [scene.hidden[name, thing] for name in frames]
            there = [pixels > 0 or share < 0.3 for pixels, share in zip(shown, hidden, strict=True)]
            covered = zip(shown, hidden, there, strict=True)
            assert own["occlusion"] == [
                (share if pixels else 1.0) if inside else None for pixels, share, inside in covered
            ]
            assert own["truncation"] == [
                share / 2 if inside else None for share, inside in zip(hidden, there, strict=True)
            ]
            whole = scene.areas[scene.owners == thing].sum()
            each = [scene.faces_of(name, (thing,)) for name in frames]
            assert own["shown"] == pytest.approx([scene.area(faces) / whole for faces in each])
            assert own["shown_union"] == pytest.approx(scene.area(set().union(*each)) / whole)
            if sum(map(bool, each)) < 2:
                assert own["shown_parts"] is None
                continue
            assert len(own["shown_parts"]) == 2 ** len(each) - 1
            for number, part in enumerate(own["shown_parts"], 1):
                those = [faces for place, faces in enumerate(each) if number >> place & 1]
                others = [faces for place, faces in enumerate(each) if not number >> place & 1]
                shared = set.intersection(*map(set, those)) - set().union(*others)
                assert part == pytest.approx(scene.area(shared) / whole)
    assert not objects
    names = usable(scene)
    for size in range(2, 6):
        exist = sum(
            all(0 < scene.overlap(a, b) <= 0.3 for a, b in combinations(members, 2))
            for members in combinations(names, size)
        )
        assert counts[f"{size} views"][:2] == (exist, sum(row["views"] == size for row in sets.values()))
    assert counts["frames"] == (16, len(names), {"no_object": 16 - len(names)} if len(names) < 16 else {})


def test_nothing_but_lists_hangs_on_the_order_of_the_sequence(tmp_path):
    scene = Scene(tmp_path, 5)
    sets, objects, counts = scene.find(per_size=20)
    scene.sequence = sorted(scene.sequence, key=lambda name: name[::-1])
    others, other_objects, other_counts = scene.find(per_size=20)
    assert counts == other_counts and sets.keys() == others.keys() and len(sets) > 40
    for name, row in sets.items():
        other = others[name]
        assert sorted(row["frames"]) == sorted(other["frames"])
        for column in ("views", "overlap_avg", "overlap_level", "baseline"):
            assert row[column] == other[column]
        for thing in IDS:
            here, there = objects[name, thing], other_objects[name, thing]
            assert (here["seen"], here["shown_union"]) == (there["seen"], there["shown_union"])
            for column in ("visible_px", "occlusion", "truncation", "shown"):
                assert dict(zip(row["frames"], here[column], strict=True)) == dict(
                    zip(other["frames"], there[column], strict=True)
                )


@pytest.mark.parametrize("together", ["pairs", "chain"])
def test_a_frame_more_changes_only_sets_that_hold_it(tmp_path, together):
    scene = Scene(tmp_path, 6)
    new = scene.sequence.pop(4)
    before = scene.find(per_size=10_000, together=together)[0]
    scene.sequence.append(new)
    after = scene.find(per_size=10_000, together=together)[0]
    without = {name for name, row in after.items() if new not in row["frames"]}
    assert without <= before.keys() and len(without) > 50
    assert {name: after[name] for name in without} == {name: before[name] for name in without}
    # A frame that shares nothing with others is in no set, and so changes none.
    scene.seen[new] = np.flatnonzero(scene.owners == -1)[:2].astype(np.int32)
    assert scene.find(per_size=10_000, together=together)[0] == before
    assert len(before) > len(without)


def test_under_a_quota_a_frame_more_displaces_few(tmp_path):
    scene = Scene(tmp_path, 7, frames=30)
    new = scene.sequence.pop(4)
    before = scene.find(per_size=12)[0]
    scene.sequence.append(new)
    after = scene.find(per_size=12)[0]
    assert len(before) == len(after) == 48
    assert len(before.keys() & after.keys()) >= 24


def test_levels_and_places_take_turns(tmp_path):
    scene = Scene(tmp_path, 8, frames=40)
    everything = scene.find(per_size=10_000)[0].values()
    kept = scene.find(per_size=24, cell=2.0)[0].values()
    for size in (2, 3):
        there, some = (
            [row["overlap_level"] for row in rows if row["views"] == size] for rows in (everything, kept)
        )
        assert all(there.count(level) >= 8 for level in view_sets.LEVELS)
        assert [some.count(level) for level in view_sets.LEVELS] == [8, 8, 8]
    used = {name for row in kept for name in row["frames"]}
    assert len(used) > 0.8 * len(usable(scene))


def test_a_seed_changes_which_sets_are_kept(tmp_path):
    scene = Scene(tmp_path, 9)
    assert scene.find(per_size=8)[0] == scene.find(per_size=8)[0]
    assert scene.find(per_size=8)[0].keys() != scene.find(per_size=8, seed=1)[0].keys()


@pytest.mark.parametrize("smaller", [False, True])
@pytest.mark.parametrize(
    ("surfaces", "things"), [("instances", IDS), ("objects", IDS[1:]), ("all", (*IDS, -1))]
)
def test_what_overlap_is_a_share_of(tmp_path, smaller, surfaces, things):
    scene = Scene(tmp_path, 10)
    sets, _, counts = scene.find(
        surfaces=surfaces, measure="smaller" if smaller else "union", largest=3, per_size=10_000, draws=100
    )
    shares = {
        frozenset(pair): scene.overlap(*pair, things, smaller) for pair in combinations(usable(scene), 2)
    }
    fit = {pair for pair, share in shares.items() if 0 < share <= 0.3}
    assert counts["2 views"][0] == counts["pairs"][1] == len(fit)
    assert {frozenset(row["frames"]) for row in sets.values() if row["views"] == 2} == fit
    much = sum(share > 0.3 for share in shares.values())
    assert counts["pairs"][2].get("much_overlap", 0) == much
    for row in sets.values():
        wanted = [100 * shares[frozenset(pair)] for pair in combinations(row["frames"], 2)]
        assert row["overlap_pairs"] == pytest.approx(wanted)


def test_what_must_hang_together(tmp_path):
    scene = Scene(tmp_path, 11, reach=0.06)
    names = usable(scene)

    def linked(members):
        reached = {members[0]}
        for _ in members:
            reached |= {b for a in reached for b in members if scene.overlap(a, b) > 0}
        return len(reached) == len(members)

    apart = [
        members
        for members in combinations(names, 3)
        if all(scene.overlap(a, b) <= 0.3 for a, b in combinations(members, 2))
    ]
    chains = [members for members in apart if linked(members)]
    pairs = [m for m in chains if all(scene.overlap(a, b) > 0 for a, b in combinations(m, 2))]
    for together, wanted in (("pairs", pairs), ("chain", chains), ("none", apart)):
        sets, _, counts = scene.find(together=together, smallest=3, largest=3, per_size=10_000, draws=50)
        assert counts["3 views"][0] == len(wanted)
        found = {frozenset(row["frames"]) for row in sets.values()}
        assert found <= {frozenset(members) for members in wanted} and len(found) > len(wanted) // 4
    assert len(pairs) < len(chains) < len(apart)


def test_many_keyframes_are_thinned_by_their_names(tmp_path):
    scene = Scene(tmp_path, 12, frames=24)
    sets, _, counts = scene.find(frames=10, per_size=10_000)
    there = {name for row in sets.values() for name in row["frames"]}
    assert len(there) <= 10 and counts["frames"][1] == 10
    gone = next(name for name in scene.sequence if name not in there and scene.seen[name].size)
    scene.sequence.remove(gone)
    assert scene.find(frames=10, per_size=10_000)[0] == sets


def test_a_level_may_say_how_difficult(tmp_path):
    scene = Scene(tmp_path, 13)
    overlaps, others = (scene.find(level_of=what)[0] for what in ("overlap", "difficulty"))
    turned = dict(zip(view_sets.LEVELS, view_sets.LEVELS[::-1], strict=True))
    assert {name: turned[row["overlap_level"]] for name, row in overlaps.items()} == {
        name: row["overlap_level"] for name, row in others.items()
    }


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_scenes_with_hardly_a_frame(tmp_path, frames):
    scene = Scene(tmp_path, 14, frames=frames)
    sets, objects, counts = scene.find()
    assert len(sets) <= 1 and len(objects) == 6 * len(sets)
    assert counts["5 views"] == (0, 0, {})


def test_a_scene_without_a_mesh_has_none(tmp_path):
    outputs = view_sets.find(Scene(tmp_path), view_sets.Parameters())
    assert outputs.tables == {} and outputs.rejects == []


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"smallest": 4, "largest": 3}, "no size is left"),
        ({"least": 0.3}, "none is left"),
        ({"levels": (0.2, 0.1)}, "not in order"),
        ({"largest": 6}, "less than or equal to 5"),
        ({"together": "some"}, "together"),
    ],
)
def test_parameters_that_leave_nothing_are_rejected(wrong, why):
    with pytest.raises(ValidationError, match=why):
        view_sets.Parameters(**wrong)


UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    base = tmp_path_factory.mktemp("view_sets")
    for number in range(2):
        tiny.write_scannet(base / "source", f"scene000{number}_00", seed=number)
    lakes.register(base / "home", "scannet", base / "source")
    # The tiny scene's frames all look at its middle.
    lakes.build(base / "home", stages=UPSTREAM, view_sets={"most": 0.6})
    return base / "home"


def test_the_check_holds_and_finds_what_cannot_be(home):
    sets = lakes.rows(home, "view_sets")
    assert len(sets) > 20 and sets["scene"].n_unique() == 2
    assert lake_quality.find_problems(home, ["view_sets"])["view_sets"] == []
    path = next((home / "lake/view_set_objects").glob("shard=*/data.parquet"))
    whole = path.read_bytes()
    rows = pl.read_parquet(path, hive_partitioning=False)
    spoiled = {
        "a share outside 0 to 1": pl.lit(1.5).alias("shown_union"),
        "parts that are not what its views show": pl.col("shown_parts").list.head(1),
        "seen in all of its views": pl.lit("all").alias("seen"),
        "not as many entries as views": pl.col("visible_px").list.head(1),
        "is not an object of the scene": pl.lit(999, pl.Int32).alias("instance"),
    }
    for problem, spoil in spoiled.items():
        rows.with_columns(spoil).write_parquet(path)
        found = lake_quality.find_problems(home, ["view_sets"])["view_sets"]
        assert any(problem in row[3] for row in found), problem
    path.write_bytes(whole)
    assert lake_quality.find_problems(home, ["view_sets"])["view_sets"] == []


def test_the_same_scenes_give_the_same_bytes(home, tmp_path):
    source = home.parent / "source"
    lakes.register(tmp_path / "home", "scannet", source, per_shard=50)
    lakes.build(tmp_path / "home", stages=UPSTREAM, workers=2, view_sets={"most": 0.6})
    assert lakes.digest(tmp_path / "home") == lakes.digest(home)
