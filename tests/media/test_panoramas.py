"""Panoramas: a cube of six colors whose views are known, how a view is named, and what cannot be shown."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation

from spatial_assets.exports.core.base import ImageMode, Question, Shot
from spatial_assets.exports.core.export_images import Images
from spatial_assets.imaging.images import NoImage, open_image
from spatial_assets.media import panoramas
from spatial_assets.media.image_files import ImageFile, view_of
from spatial_assets.media.panoramas import View
from spatial_assets.readers.source_images import image_size

COLORS = [(200, 200, 200), (200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (60, 60, 60)]
"""Of what is up, ahead, to the right, behind, to the left, down."""
DIRECTIONS = [(0, -1, 0), (0, 0, 1), (1, 0, 0), (0, 0, -1), (-1, 0, 0), (0, 1, 0)]
FIRST = "a_skybox0_sami.jpg"
SIDE = 32


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Each face has one color, and a mark in the corner that is its upper left."""
    for face, color in enumerate(COLORS):
        image = Image.new("RGB", (SIDE, SIDE), color)
        image.paste((255, 0, 255), (0, 0, SIDE // 2, SIDE // 2))
        image.save(tmp_path / panoramas.face_path(FIRST, face), "PNG")
    return tmp_path


def looking(forward: tuple[float, ...], down: tuple[float, ...]) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 2], pose[:3, 1] = forward, down
    pose[:3, 0] = np.cross(down, forward)
    return pose


def seen(root: Path, pose: np.ndarray, focal: float = 16.0, axes: np.ndarray | None = None) -> np.ndarray:
    text = view_of(FIRST, np.eye(3) if axes is None else axes, pose, (32, 32), focal)
    return np.asarray(open_image(root, text))


@pytest.mark.parametrize("face", range(6))
def test_a_view_straight_at_a_face_is_the_face(root: Path, face: int) -> None:
    """Upright around; of who looks up or down from ahead, down in the image is ahead, or behind."""
    down = {0: (0, 0, 1), 5: (0, 0, -1)}.get(face, (0, 1, 0))
    found = seen(root, looking(DIRECTIONS[face], down))
    assert found.shape == (32, 32, 3)
    stored = np.asarray(Image.open(root / panoramas.face_path(FIRST, face)))
    assert np.array_equal(found, stored)


def test_what_is_above_what_is_ahead(root: Path) -> None:
    """Of a camera that is tilted up by 45 degrees the lower half shows what is ahead, the upper half what is up."""
    half = 0.5**0.5
    found = seen(root, looking((0, -half, half), (0, half, half)), 24.0)
    # The mark of the face ahead is its upper left quarter; of that above its lower part is in view.
    assert found[20, 24].tolist() == list(COLORS[1]) and found[18, 8].tolist() == [255, 0, 255]
    assert found[11, 24].tolist() == found[11, 8].tolist() == list(COLORS[0])


def test_a_turned_panorama_is_turned_back(root: Path) -> None:
    turn = Rotation.from_euler("yxz", [70, 20, 10], degrees=True).as_matrix()
    pose = looking(DIRECTIONS[2], (0, 1, 0))
    turned = pose.copy()
    turned[:3, :3] = turn @ pose[:3, :3]
    turned[:3, 3] = 5, 6, 7
    expected, found = seen(root, pose), seen(root, turned, axes=turn.ravel())
    assert np.abs(found.astype(int) - expected).max() <= 1


@given(st.integers(0, 2**32 - 1))
def test_a_view_is_named_and_known_again(seed: int) -> None:
    turn = Rotation.random(random_state=seed).as_matrix()
    text = view_of("f/a_skybox0_sami.jpg", turn.T, np.eye(4), (640, 480), 415.692)
    place = ImageFile.of(text)
    assert str(place) == text and place.path == "f/a_skybox0_sami.jpg" and place.view is not None
    assert place.view.size == (640, 480) and not place.is_whole_file and not place.is_as_stored
    np.testing.assert_allclose(place.view.rotation, turn, atol=1e-8)
    assert place.view.intrinsics.tolist() == [[415.692, 0, 320], [0, 415.692, 240], [0, 0, 1]]


def test_half_turns_have_one_name() -> None:
    for axis in np.eye(3):
        turn = 2 * np.outer(axis, axis) - np.eye(3)
        turned = turn @ Rotation.from_rotvec(1e-12 * axis).as_matrix()
        assert str(View.turned((4, 4), 2, turn, np.eye(3))) == str(View.turned((4, 4), 2, turned, np.eye(3)))
        np.testing.assert_allclose(View.turned((4, 4), 2, turn, np.eye(3)).rotation, turn, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "a.jpg::view0x4:1.0,1.0,0.0,0.0,0.0",
        "a.jpg::view4x4:1.0,1.0,0.0",
        "a.jpg::view",
        "a.jpg::view4x4:nan,1,0,0,0",
    ],
)
def test_other_texts_are_names_of_files(text: str) -> None:
    assert ImageFile.of(text) == ImageFile(text)


def test_a_view_is_measured_and_leaves_as_an_image(root: Path) -> None:
    text = view_of(FIRST, np.eye(3), np.eye(4), (48, 32), 20.0)
    assert image_size(root, text) == (48, 32)
    question = Question(
        {"dataset": "d", "release": "v1", "scene": "s", "qa_id": "q"},
        "train",
        (Shot("image", "v", text, root, ()),),
    )
    with Images(root / "out", ImageMode.LINK) as images:
        ((_, [path]),) = images.placed([question])
    assert path == "images/d-v1/a_skybox0_sami/v.jpg"
    left = np.asarray(Image.open(root / "out" / path), int)
    assert np.abs(left - np.asarray(open_image(root, text))).mean() < 8


def test_what_cannot_be_shown(root: Path) -> None:
    ahead, back = looking(DIRECTIONS[1], (0, 1, 0)), looking(DIRECTIONS[3], (0, 1, 0))
    face = root / panoramas.face_path(FIRST, 1)
    face.unlink()
    with pytest.raises(NoImage, match="no longer there"):
        seen(root, ahead)
    # Faces that a view does not show are not opened.
    assert seen(root, back, 40.0).shape == (32, 32, 3)
    for data in (b"", b"no image"):
        face.write_bytes(data)
        with pytest.raises(NoImage, match="cannot be read"):
            seen(root, ahead)
    Image.new("RGB", (32, 31)).save(face, "PNG")
    with pytest.raises(NoImage, match="cannot be read"):
        seen(root, ahead)
    with pytest.raises(NoImage, match="cannot be read"):
        open_image(root, f"{FIRST}::view4x4:1.0,0.0,0.0,0.0,0.0")


def test_a_face_written_anew_is_read_anew_and_few_are_kept(root: Path) -> None:
    ahead = looking(DIRECTIONS[1], (0, 1, 0))
    seen(root, ahead)
    face = root / panoramas.face_path(FIRST, 1)
    Image.new("RGB", (SIDE, SIDE), (1, 2, 3)).save(face, "PNG")
    assert seen(root, ahead)[20, 20].tolist() == [1, 2, 3]
    for k in range(panoramas.KEPT + 3):
        Image.new("RGB", (SIDE, SIDE), (k, 2, 3)).save(root / f"{k}_skybox1_sami.jpg", "PNG")
        open_image(root, view_of(f"{k}_skybox0_sami.jpg", np.eye(3), np.eye(4), (8, 8), 40.0))
    assert len(panoramas._kept) == panoramas.KEPT


def test_a_process_forked_off_while_a_face_is_looked_up(root: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with panoramas._guard:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if seen(root, looking(DIRECTIONS[1], (0, 1, 0))).shape == (32, 32, 3) else 1)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
