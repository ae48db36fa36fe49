"""Videos: frames by number, what is decoded for them, who may share one, and what is said of damaged ones."""

from __future__ import annotations

import builtins
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from recording_files import FRAME_MS, matroska

from spatial_assets.imaging.images import NoImage, open_image
from spatial_assets.media import videos
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import InputError
from spatial_assets.studio.layouts.scannetpp_raw import KEYFRAME_EVERY
from spatial_assets.studio.write import write_scenes

COLORS = [(200, 40, 40), (30, 180, 60), (50, 60, 210), (120, 120, 120)]
TIMES = [0, FRAME_MS, 2 * FRAME_MS + 1, 3 * FRAME_MS]
FRAMES = 40


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("studio")
    (name,) = write_scenes(root, "scannetpp_raw", 1, 9, 3000, FRAMES, (64, 48))
    return root / "data" / name / "iphone/rgb.mkv"


def put(folder: Path, data: bytes) -> Path:
    path = folder / "rgb.mkv"
    path.write_bytes(data)
    return path


def test_a_video_written_by_hand(tmp_path: Path) -> None:
    video = videos.Video(put(tmp_path, matroska(COLORS, TIMES)))
    assert video.count == 4 and video.size == (64, 48)
    for number in (0, 1, 2, 3, 2, 0):
        found = video.frame(number)
        assert found.shape == (48, 64, 3)
        assert np.abs(found.astype(int) - COLORS[number]).max() <= 3


def test_a_frame_is_an_image(tmp_path: Path) -> None:
    put(tmp_path, matroska(COLORS, TIMES))
    place = ImageFile.of("rgb.mkv::frame1::turn90")
    assert (place.path, place.frame, place.turns) == ("rgb.mkv", 1, 1)
    assert not place.is_as_stored and not place.is_whole_file
    image = open_image(tmp_path, str(place))
    assert image.size == (48, 64)
    assert np.abs(np.asarray(image).astype(int) - COLORS[1]).max() <= 3
    with pytest.raises(NoImage):
        open_image(tmp_path, "rgb.mkv::frame4")


def test_frames_in_order_are_decoded_once_each(studio: Path) -> None:
    video = videos.Video(studio)
    assert video.count == FRAMES
    for number in range(FRAMES):
        video.frame(number)
    assert video.decoded == FRAMES


def test_a_frame_is_decoded_from_the_nearest_keyframe(studio: Path) -> None:
    video = videos.Video(studio)
    inner = KEYFRAME_EVERY + 3
    for number, most in (
        (FRAMES - 1, KEYFRAME_EVERY),
        (inner, 4),
        (inner + 2, 2),
        (inner, 4),
        (FRAMES - 1, KEYFRAME_EVERY),
        (0, 1),
    ):
        before = video.decoded
        video.frame(number)
        assert 0 < video.decoded - before <= most, number


def test_any_order_gives_the_same_images(studio: Path) -> None:
    inorder = videos.Video(studio)
    expected = [inorder.frame(number) for number in range(FRAMES)]
    order = np.random.default_rng(3).permutation(FRAMES).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: videos.opened(studio).frame(number), order))
    for number, image in zip(order, found, strict=True):
        assert np.array_equal(image, expected[number]), number


def test_few_videos_stay_open_and_one_written_anew_is_opened_anew(tmp_path: Path) -> None:
    for k in range(videos.OPEN + 2):
        (tmp_path / str(k)).mkdir()
        videos.opened(put(tmp_path / str(k), matroska(COLORS, TIMES)))
    assert len(videos._open) == videos.OPEN
    path = tmp_path / "0" / "rgb.mkv"
    held = videos.opened(path)
    assert videos.opened(path) is held
    put(tmp_path / "0", matroska(COLORS[::-1] + COLORS, [FRAME_MS * k for k in range(8)]))
    assert videos.opened(path).count == 8


def test_a_forked_process_leaves_the_parent_s_place_alone(studio: Path) -> None:
    expected = [videos.Video(studio).frame(number) for number in (5, 30)]
    videos.opened(studio).frame(4)
    child = os.fork()
    if child == 0:
        same = np.array_equal(videos.opened(studio).frame(30), expected[1])
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    before = videos.opened(studio).decoded
    assert np.array_equal(videos.opened(studio).frame(5), expected[0])
    assert videos.opened(studio).decoded == before + 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not a readable video"),
        (b"no video at all" * 99, "not a readable video"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://localhost/a.ts\n", "not a readable video"),
        (matroska([], []), "no frames in it|not a readable video"),
        (matroska(COLORS[:2], [0, 0]), "two frames are shown at one time"),
        (matroska(COLORS[:1], [0], (20_000, 48)), "20000 x 48 pixels"),
    ],
)
def test_what_is_no_video_is_one_line(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(OSError, match=told):
        videos.Video(put(tmp_path, data))


def test_a_video_that_is_cut_off_has_fewer_frames(studio: Path, tmp_path: Path) -> None:
    data = studio.read_bytes()
    cut = videos.Video(put(tmp_path, data[: len(data) // 2]))
    assert 0 < cut.count < FRAMES


def test_a_damaged_frame_is_rejected_and_others_are_not(studio: Path, tmp_path: Path) -> None:
    data = bytearray(matroska(COLORS, TIMES))
    starts = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"]
    data[starts[1] : starts[1] + 300] = bytes(300)
    video = videos.Video(put(tmp_path, bytes(data)))
    with pytest.raises(OSError, match=r"frame 1 (cannot be decoded|is damaged)"):
        video.frame(1)
    for number in (0, 2, 3):
        assert np.abs(video.frame(number).astype(int) - COLORS[number]).max() <= 3


def test_without_pyav_it_says_what_to_install(studio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: object, **kwargs: object) -> object:
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"run: pip install 'spatial-assets\[scannetpp\]'"):
        videos.Video(studio)
