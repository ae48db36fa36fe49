"""PLY in ASCII: read at once or line by line, the same mesh; what one rejects, the other names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatial_assets.readers import ascii_ply
from spatial_assets.readers.ply import read_labeled_ply, read_vertex_numbers
from spatial_assets.scene.model import InputError

HEADER = """ply
format ascii 1.0
comment made on paper
element vertex {vertices}
property float x
property float y
property double z
property uchar red
property uchar green
property uchar blue
property ushort objectId
element face {faces}
property list uchar int vertex_indices
property int category_id
end_header
"""
VERTICES = ["0 0 0 255 0 0 7", "1.5 0 0 0 255 0 7", "0 2.25 1e-1 0 0 255 9", "0 0 3 1 2 3 65535"]
FACES = ["3 0 1 2 5", "3 0 2 3 -6"]


def write(folder: Path, vertices: list[str], faces: list[str], end: str = "\n") -> None:
    head = HEADER.format(vertices=len(VERTICES), faces=len(FACES))
    (folder / "a.ply").write_text(head.replace("\n", end) + end.join([*vertices, *faces, ""]), newline="")


@pytest.fixture(params=["at once", "line by line"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "line by line":
        monkeypatch.setattr(ascii_ply, "parse", lambda *_: None)
    return str(request.param)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_numbers_on_paper(way: str, tmp_path: Path, end: str) -> None:
    write(tmp_path, VERTICES, FACES, end)
    mesh, labels = read_labeled_ply(tmp_path, "a.ply", ("category_id",))
    assert mesh.vertices.tolist() == [[0, 0, 0], [1.5, 0, 0], [0, 2.25, np.float32(0.1)], [0, 0, 3]]
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.colors is not None and mesh.colors[3].tolist() == [1, 2, 3]
    assert labels is not None and labels.tolist() == [5, -6]
    assert read_vertex_numbers(tmp_path, "a.ply", "objectId").tolist() == [7, 7, 9, 65535]


def test_it_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, VERTICES, FACES)
    monkeypatch.setattr("plyfile.PlyData.read", None)
    assert len(read_labeled_ply(tmp_path, "a.ply", ())[0].vertices) == 4


def replaced(lines: list[str], place: int, line: str) -> list[str]:
    return [*lines[:place], line, *lines[place + 1 :]]


@pytest.mark.parametrize(
    ("vertices", "faces"),
    [
        (replaced(VERTICES, 1, "1.5 0 0 0 255 0"), FACES),
        # One number fewer in a line, one more in the next: all would be there.
        (["0 0 0 255 0 0", "7 1.5 0 0 0 255 0 7", *VERTICES[2:]], FACES),
        (replaced(VERTICES, 2, "0 two 0 0 0 255 9"), FACES),
        (replaced(VERTICES, 2, "0 2.25 0 0 0 256 9"), FACES),
        (replaced(VERTICES, 2, "0 2.25 0 0 0 255 70000"), FACES),
        (VERTICES[:3], FACES),
        (VERTICES, FACES[:1]),
        (VERTICES, replaced(FACES, 1, "3 0 2 9 1")),
        (VERTICES, replaced(FACES, 1, "3 0 2")),
        (replaced(VERTICES, 3, "0 0 nan 1 2 3 4"), FACES),
    ],
)
def test_what_is_wrong_is_named_either_way(
    way: str, tmp_path: Path, vertices: list[str], faces: list[str]
) -> None:
    write(tmp_path, vertices, faces)
    with pytest.raises(InputError, match=r"a\.ply"):
        read_labeled_ply(tmp_path, "a.ply", ())


def test_faces_of_four_corners_are_cut_up_either_way(way: str, tmp_path: Path) -> None:
    write(tmp_path, VERTICES, ["4 0 1 2 3 5", "3 0 2 3 6"])
    mesh, labels = read_labeled_ply(tmp_path, "a.ply", ("category_id",))
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 2, 3]]
    assert labels is not None and labels.tolist() == [5, 5, 6]
