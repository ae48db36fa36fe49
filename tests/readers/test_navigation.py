"""R2R and RxR: which texts are taken, which ways fit a graph, and what is said of files that cannot be."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matterport_house import PANORAMAS, POSITIONS, SCAN, graph, r2r, write_json

from spatial_assets.readers import navigation
from spatial_assets.readers.connectivity import Graph, read_graph
from spatial_assets.scene.model import InputError

FILE = "R2R_val_seen.json"
GUIDE = "rxr_val_seen_guide.jsonl"


@pytest.fixture
def held(tmp_path: Path) -> Graph:
    write_json(tmp_path / "graph.json", graph())
    return read_graph(tmp_path, "graph.json")


def rxr(**changes: Any) -> dict[str, Any]:
    return {
        "split": "val_seen", "instruction_id": 901, "annotator_id": 3, "language": "en-IN", "path_id": 12,
        "scan": SCAN, "path": list(PANORAMAS), "heading": 0.5, "instruction": "You are facing a wall.",
        "timed_instruction": [{"word": "You", "start_time": 0.1, "end_time": 0.2}], "edit_distance": 0.1, **changes,
    }  # fmt: skip


def write_guide(path: Path, entries: list[Any]) -> None:
    data = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("name", [GUIDE, GUIDE + ".gz"])
def test_english_texts_of_rxr_are_taken(tmp_path: Path, held: Graph, name: str) -> None:
    entries = [
        rxr(),
        rxr(instruction_id=902, language="en-US", instruction="Walk."),
        rxr(instruction_id=903, language="te-IN", instruction="నడవండి"),
        rxr(scan="another0000", instruction_id=904),
    ]
    write_guide(tmp_path / name, entries)
    found = navigation.read_routes(tmp_path, SCAN, held)
    assert [(route.instruction_id, route.language) for route in found.routes] == [
        ("901", "en-IN"),
        ("902", "en-US"),
    ]
    route = found.routes[0]
    assert (route.collection, route.split, route.path, route.heading) == ("RxR", "val_seen", "12", 0.5)
    assert route.license == "CC-BY 4.0 (RxR annotations)"
    assert route.stated is None and route.lengths == (2, 2) and found.other_languages == 1


def test_both_collections_side_by_side(tmp_path: Path, held: Graph) -> None:
    write_json(tmp_path / "tasks/R2R/data" / FILE, [r2r()])
    write_guide(tmp_path / GUIDE, [rxr()])
    routes = navigation.read_routes(tmp_path, SCAN, held).routes
    assert [(route.collection, route.instruction_id) for route in routes] == [
        ("R2R", "12_0"),
        ("R2R", "12_1"),
        ("RxR", "901"),
    ]


def test_an_unpacked_guide_is_read_in_place_of_the_packed_one(tmp_path: Path) -> None:
    write_guide(tmp_path / GUIDE, [rxr()])
    write_guide(tmp_path / (GUIDE + ".gz"), [rxr()])
    assert [file.path for file in navigation.route_files(tmp_path)] == [GUIDE]


def test_files_of_other_names_are_copies_and_left_alone(tmp_path: Path) -> None:
    for name in ("R2R_val_seen_enc.json", "R2R_train_bertified.json", "rxr_train_follower.jsonl.gz"):
        (tmp_path / name).write_text("x")
    assert navigation.route_files(tmp_path) == []


def test_a_split_that_lies_there_twice_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / FILE, [])
    write_json(tmp_path / "R2R" / FILE, [])
    with pytest.raises(InputError, match=r"R2R_val_seen\.json is the same split of R2R"):
        navigation.route_files(tmp_path)


def test_texts_of_test_splits_tell_their_start_alone(tmp_path: Path, held: Graph) -> None:
    entry = r2r(path=[PANORAMAS[0]])
    del entry["distance"]
    write_json(tmp_path / "R2R_test.json", [entry])
    found = navigation.read_routes(tmp_path, SCAN, held)
    assert (found.routes, found.dropped, found.start_alone) == ((), {}, 2)


def test_single_ways_that_do_not_fit_are_counted(tmp_path: Path, held: Graph) -> None:
    """One of another length, one that walks through a wall, one to a viewpoint that is excluded, one without words."""
    write_json(
        tmp_path / FILE,
        [
            *(r2r(path_id=number) for number in range(4)),
            r2r(path_id=4, distance=4.02),
            r2r(path_id=5, path=[PANORAMAS[0], PANORAMAS[2]], distance=math.dist(POSITIONS[0], POSITIONS[2])),
            r2r(path_id=6, path=[PANORAMAS[0], "d" * 32]),
            r2r(path_id=7, instructions=["", None, "...", "\ud800 go", "Go."]),
        ],
    )
    found = navigation.read_routes(tmp_path, SCAN, held)
    assert found.dropped == {
        "other_length": 2, "not_along_edges": 2, "unknown_viewpoint": 2, "no_instruction": 4,
    }  # fmt: skip
    assert len(found.routes) == 9 and found.routes[-1].instruction_id == "7_4"


def test_a_way_that_goes_back_and_forth(tmp_path: Path, held: Graph) -> None:
    path = [PANORAMAS[0], PANORAMAS[1], PANORAMAS[2], PANORAMAS[1]]
    write_guide(tmp_path / GUIDE, [rxr(path=path)])
    (route,) = navigation.read_routes(tmp_path, SCAN, held).routes
    assert sum(route.lengths) == 6 and route.shortest == 2
    np.testing.assert_allclose(route.headings, [0, math.pi / 2, 1.5 * math.pi])


def test_ways_of_another_house_s_graph(tmp_path: Path, held: Graph) -> None:
    write_json(tmp_path / FILE, [r2r(distance=4000.0)])
    with pytest.raises(
        InputError, match=r"2 texts of Ab3.*, and most ways are not in graph.json \(other_length 2"
    ):
        navigation.read_routes(tmp_path, SCAN, held)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "a"}, "path 1 of Ab3dEfgHijK: path is 'a', not a list of viewpoints"),
        ({"path": []}, r"path is \[\], not a list"),
        ({"path": [1, 2]}, "not a list of viewpoints"),
        ({"heading": float("nan")}, "heading of path 1 of Ab3dEfgHijK is nan"),
        ({"heading": "north"}, "heading of .* is 'north'"),
        ({"distance": -1e9}, "distance of .* is -1000000000.0"),
        ({"instructions": "Go."}, "instructions of .* are 'Go.', not a list"),
        ({"path_id": None}, "path_id of .* is None, no id"),
        ({"path_id": "a\nb"}, "no id"),
        ({"scan": 5}, "scan of path 0 is 5, not a name"),
    ],
)
def test_entries_that_cannot_be(tmp_path: Path, held: Graph, change: dict[str, Any], said: str) -> None:
    write_json(tmp_path / FILE, [r2r(**change)])
    with pytest.raises(InputError, match=said) as caught:
        navigation.read_routes(tmp_path, SCAN, held)
    assert caught.value.file == FILE


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (FILE, b"{}", "not a list of paths"),
        (FILE, b"[1]", "path 0 is 1, not an object"),
        (FILE, b"[", "not JSON"),
        (FILE, json.dumps([r2r(), r2r()]).encode(), "instruction 12_0 is there twice"),
        (GUIDE, b"{}\n", "scan of line 1 is None"),
        (GUIDE, b"\n[1]\n", "line 2 is"),
        (GUIDE, b"\xff\xfe{\n", "line 1 is not"),
        (GUIDE, json.dumps(rxr(language=7)).encode(), "language of .* is 7, not a word"),
        (GUIDE, json.dumps({k: v for k, v in rxr().items() if k != "heading"}).encode(), "lacks its heading"),
        (GUIDE + ".gz", b"no gzip at all", "cut off, or no gzip"),
        (GUIDE + ".gz", gzip.compress(json.dumps(rxr()).encode() * 100, mtime=0)[:60], "cut off, or no gzip"),
    ],
)
def test_files_that_cannot_be(tmp_path: Path, held: Graph, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        navigation.read_routes(tmp_path, SCAN, held)
    assert caught.value.file == name


def test_a_line_without_end(tmp_path: Path, held: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "LONGEST_LINE", 1000)
    (tmp_path / (GUIDE + ".gz")).write_bytes(gzip.compress(b" " * 100_000, mtime=0))
    with pytest.raises(InputError, match="line 1: more than 1000 bytes"):
        navigation.read_routes(tmp_path, SCAN, held)


def test_a_changed_file_is_read_again(tmp_path: Path, held: Graph) -> None:
    write_json(tmp_path / FILE, [r2r()])
    assert len(navigation.read_routes(tmp_path, SCAN, held).routes) == 2
    write_json(tmp_path / FILE, [r2r(instructions=["Go."])])
    assert len(navigation.read_routes(tmp_path, SCAN, held).routes) == 1
