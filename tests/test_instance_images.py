"""Instance images: readable by others, the same bytes again, and the same table by the path without a mesh."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from lakes import build, register, rows
from PIL import Image
from tiny import SIZE, write_scannet

from spatial_assets import instance_images, meshes, partitions
from spatial_assets.geometry import image_visibility, prepare_mesh, rasterize
from spatial_assets.stage import SceneInputs
from spatial_assets.stages.framing import views
from spatial_assets.store import Lake
from spatial_assets.tables import FRAMES


def test_others_read_what_is_written():
    ids = np.random.default_rng(0).integers(-1, 65_534, (37, 53)).astype(np.int32)
    with Image.open(io.BytesIO(instance_images.to_png(ids))) as image:
        image.load()
        np.testing.assert_array_equal(np.asarray(image).astype(np.int32) - 1, ids)


@pytest.mark.parametrize("value", [-2, 65_535])
def test_ids_that_do_not_fit_are_refused(value):
    with pytest.raises(ValueError, match="must lie in 0"):
        instance_images.to_png(np.full((2, 2), value, np.int32))


def test_archives_hold_no_times_and_no_order(tmp_path):
    pngs = {
        name: instance_images.to_png(np.full((4, 4), i, np.int32))
        for i, name in enumerate(("b", "a/1", "10"))
    }
    data = instance_images.pack(pngs)
    assert data == instance_images.pack(dict(reversed(pngs.items())))
    (tmp_path / "images.zip").write_bytes(data)
    with instance_images.ImageArchive(tmp_path / "images.zip") as archive:
        assert sorted(archive.frames) == sorted(pngs)
        assert archive.instances("a/1").tolist() == [[1] * 4] * 4
    (tmp_path / "bad.zip").write_bytes(data[:40])
    with pytest.raises(ValueError, match=r"bad.zip is not an archive"):
        instance_images.ImageArchive(tmp_path / "bad.zip")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    base = tmp_path_factory.mktemp("images")
    write_scannet(base / "source", frames=16)
    register(base / "home", "scannet", base / "source")
    build(base / "home", stages=["sources", "scenes", "keyframes", "visibility"])
    (shard,) = partitions.registry(base / "home").shards()
    return SceneInputs(Lake(base / "home"), shard, shard.scenes[0])


def test_every_frame_of_the_sets_has_the_image_that_the_rasteriser_gives(inputs):
    mesh, owners = meshes.from_ply(inputs.file(meshes.KIND))
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    cameras = views(inputs.table(FRAMES))
    with instance_images.ImageArchive(inputs.file(instance_images.KIND)) as archive:
        assert len(archive.frames) >= 10
        for frame in archive.frames:
            view = cameras[frame]
            faces, _ = rasterize(prepared, view.intrinsics, view.world_to_camera, view.width, view.height)
            expected = np.where(faces >= 0, owners[np.maximum(faces, 0)], -1)
            assert expected.shape == SIZE[::-1]
            np.testing.assert_array_equal(archive.instances(frame), expected)


def test_the_table_from_images_alone_agrees_with_the_table_from_the_mesh(inputs):
    table = {(row["frame"], row["instance"]): row for row in rows(inputs.lake.home, "visibility").to_dicts()}
    compared = 0
    with instance_images.ImageArchive(inputs.file(instance_images.KIND)) as archive:
        for frame in archive.frames:
            seen = image_visibility(archive.instances(frame))
            for i, instance in enumerate(seen.instance.tolist()):
                row = table[frame, instance]
                assert row["visible_px"] == seen.visible_px[i]
                if row["box"] is not None:
                    assert row["box"] == seen.box[i].tolist()
                    assert row["marker"] == seen.marker[i].tolist()
                    assert row["marker_radius"] == seen.marker_radius[i]
                    compared += 1
    assert compared > 20


def test_the_archive_is_a_plain_zip_of_pngs(inputs):
    with zipfile.ZipFile(inputs.file(instance_images.KIND)) as archive:
        assert all(name.endswith(".png") for name in archive.namelist())
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
