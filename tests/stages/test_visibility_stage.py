"""The visibility stage on scenes that ship instance images in place of a mesh, and the files it writes."""

from __future__ import annotations

import io

import numpy as np
import polars as pl
import pytest

from spatial_assets.readers.depth_packing import depth_png
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.stages import visibility
from spatial_assets.storage import instance_images, visible_faces
from spatial_assets.storage.lake import conform

WIDTH, HEIGHT = 20, 14
K = [16.0, 0, 10, 0, 16, 7, 0, 0, 1]
WHICH = {"dataset": "rendered", "release": "r1", "scene": "room"}


def image(*patches):
    """Ids on nothing: (id, x0, y0, x1, y1) each."""
    ids = np.full((HEIGHT, WIDTH), -1, np.int32)
    for instance, x0, y0, x1, y1 in patches:
        ids[y0:y1, x0:x1] = instance
    return ids


class Inputs:
    """Just what the stage asks of a scene: three tables and a folder of files."""

    which = WHICH
    threads = 1

    def __init__(self, folder, images, depths=None):
        self.folder = folder
        folder.joinpath("shipped_instances.zip").write_bytes(
            instance_images.pack({name: instance_images.to_png(ids) for name, ids in images.items()})
        )
        if depths is not None:
            folder.joinpath("shipped_depths.zip").write_bytes(
                instance_images.pack({name: depth_png(d, np.ones(())) for name, d in depths.items()})
            )

    def file(self, kind):
        return self.folder / kind

    def table(self, table):
        return {
            tables.FRAMES.name: pl.DataFrame(
                [
                    {
                        "frame": name, "width": WIDTH, "height": HEIGHT,
                        "intrinsics": K,
                        "camera_to_world": np.eye(4).ravel().tolist(), "position": position, "image": name,
                    }
                    for position, name in enumerate("abc")
                ]
            ),
            tables.KEYFRAMES.name: pl.DataFrame(
                [
                    {"set": name, "position": position, "frame": frame}
                    for name, frames in (("keyframes", "ab"), ("video32", "b"), ("video_dense", "abc"))
                    for position, frame in enumerate(frames)
                ]
            ),
            tables.OBJECTS.name: pl.DataFrame(
                [{"instance": i, "center": [0.1 * i, 0.0, 2.0]} for i in (4, 9)]
            ),
        }[table.name]  # fmt: skip


IMAGES = {
    "a": image((4, 2, 2, 8, 9), (9, 12, 0, 20, 5), (77, 0, 12, 4, 14)),
    "b": image((9, 5, 5, 10, 10)),
    "c": image((4, 0, 0, 3, 3)),
}


def test_rows_of_a_scene_without_a_mesh(tmp_path):
    depth = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    depth[3, 3] = 1.25
    outputs = visibility.see(Inputs(tmp_path, IMAGES, {"a": depth}), visibility.Parameters())
    table = pl.from_arrow(conform(tables.VISIBILITY, outputs.tables[tables.VISIBILITY.name]))
    found = {(row["frame"], row["instance"]): row for row in table.iter_rows(named=True)}
    # Instance 77 is no object; frame c is in the dense video only, so it keeps ids and counts alone.
    assert sorted(found) == [("a", 4), ("a", 9), ("b", 9), ("c", 4)]
    first = found["a", 4]
    assert first["visible_px"] == 6 * 7
    assert first["box"] == [2, 2, 8, 9]
    assert (first["depth_min"], first["depth_max"]) == (1.25, 2.5)
    assert first["center"] == pytest.approx([10 + 16 * 0.4 / 2, 7.0])
    for name in ("amodal_px", "occlusion", "truncation", "visible_vertex_fraction", "amodal_box"):
        assert first[name] is None
    assert found["b", 9]["depth_min"] is None
    assert found["c", 4]["visible_px"] == 9 and found["c", 4]["box"] is None
    assert set(outputs.files) == {instance_images.KIND}
    kept = tmp_path / "kept.zip"
    kept.write_bytes(outputs.files[instance_images.KIND])
    with instance_images.ImageArchive(kept) as archive:
        for name, ids in IMAGES.items():
            assert np.array_equal(archive.instances(name), ids)


def test_frames_without_an_image_are_counted(tmp_path):
    outputs = visibility.see(Inputs(tmp_path, {"a": IMAGES["a"]}), visibility.Parameters())
    assert [(reject.reason, reject.count) for reject in outputs.rejects] == [("no_instance_image", 2)]
    assert [(tally.candidates, tally.kept) for tally in outputs.tallies] == [(3, 1)]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda file: file.write_bytes(b"nothing"), "shipped_instances.zip: .*not an archive"),
        (
            lambda file: file.write_bytes(instance_images.pack({"a": b"\x89PNG"})),
            "shipped_instances.zip: .*a is not a 16-bit",
        ),
        (
            lambda file: file.write_bytes(
                instance_images.pack({"b": instance_images.to_png(np.zeros((3, 5), np.int32))})
            ),
            "shipped_instances.zip: b: 5 x 3 pixels where its camera has 20 x 14",
        ),
    ],
)
def test_a_bad_image_is_named(tmp_path, spoil, error):
    inputs = Inputs(tmp_path, IMAGES)
    spoil(inputs.file(instance_images.SHIPPED_KIND))
    with pytest.raises(InputError, match=error):
        visibility.see(inputs, visibility.Parameters())


def test_a_scene_with_neither_has_no_rows(tmp_path):
    inputs = Inputs(tmp_path, IMAGES)
    inputs.file(instance_images.SHIPPED_KIND).unlink()
    outputs = visibility.see(inputs, visibility.Parameters())
    assert outputs.tables == {} and outputs.files == {}


@pytest.mark.parametrize(
    "count", [0, 1, visible_faces.FRAMES_PER_GROUP, 2 * visible_faces.FRAMES_PER_GROUP + 3]
)
def test_visible_faces_come_back(count):
    random = np.random.default_rng(count)
    frames = {f"{n}.jpg": np.unique(random.integers(0, 9999, n * 3)).astype(np.int32) for n in range(count)}
    made = []
    for _ in range(2):
        file = visible_faces.FacesFile()
        for name, faces in frames.items():
            file.add(name, faces)
        made.append(file.close())
    assert made[0] == made[1]
    found = visible_faces.read_faces(io.BytesIO(made[0]))
    assert list(found) == list(frames)
    assert all(np.array_equal(found[name], frames[name]) for name in frames)
