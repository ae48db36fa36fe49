"""ScanNet++ recordings as they are downloaded: against what was extracted from the same, and what is said of damage."""

from __future__ import annotations

import builtins
import json
import shutil
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from recording_files import apart, deflated, lz4, matroska

from spatial_assets.readers import depth_bin, scannetpp
from spatial_assets.readers.source_images import program_of, read_image
from spatial_assets.scene.model import InputError, Scene
from spatial_assets.scene.refs import SceneRef
from spatial_assets.studio.files import PROGRAM
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE = 14, (96, 72)
LOSSES = 8.0
"""Mean difference of a color, of 255, that compression makes; neighboring frames differ by far more."""
STEPS = np.arange(192 * 256, dtype="<u2").reshape(192, 256)
"""Millimeters, of which no two pixels have the same."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same two scenes extracted and as they are downloaded."""
    root = tmp_path_factory.mktemp("recorded")
    for layout in ("scannetpp", "scannetpp_raw"):
        write_scenes(root / layout, layout, 2, 9, 4000, FRAMES, SIZE)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written / "scannetpp_raw", tmp_path / "raw")
    return tmp_path / "raw"


def refs(root: Path) -> list[SceneRef]:
    return scannetpp.find_scenes(root)


def first(root: Path) -> tuple[SceneRef, Path]:
    ref = next(ref for ref in refs(root) if _is_apart(root, ref))
    return ref, root / ref.path / "iphone"


def _is_apart(root: Path, ref: SceneRef) -> bool:
    """Whether its depth is compressed frame by frame."""
    data = (root / ref.path / "iphone/depth.bin").read_bytes()
    return 4 + struct.unpack("<I", data[:4])[0] < len(data)


def read(root: Path, ref: SceneRef, **parameters: Any) -> Scene:
    listed = scannetpp.source_files(root, ref)
    assert all((root / file.path).is_file() for file in listed)
    return scannetpp.read_scene(root, ref, "v2", "terms", scannetpp.Parameters(**parameters))


def rejected(root: Path, ref: SceneRef, file: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        read(root, ref)
    assert error.value.file.split("::")[0] == f"{ref.path}/iphone/{file}"


def test_a_recording_is_what_was_extracted_from_it(written: Path) -> None:
    assert {_is_apart(written / "scannetpp_raw", ref) for ref in refs(written / "scannetpp_raw")} == {
        True,
        False,
    }
    for ref in refs(written / "scannetpp"):
        extracted, recorded = (read(written / name, ref) for name in ("scannetpp", "scannetpp_raw"))
        assert [frame.name for frame in recorded.frames] == [frame.name for frame in extracted.frames]
        assert len(recorded.frames) == FRAMES
        assert "of the depth images' points lie on the mesh" in recorded.conventions["consistency"]
        assert recorded.facts == extracted.facts and recorded.dropped_frames == extracted.dropped_frames
        pictures = [
            read_image(written / "scannetpp", str(frame.image)).astype(int) for frame in extracted.frames
        ]
        for place, (frame, other) in enumerate(zip(recorded.frames, extracted.frames, strict=True)):
            assert frame.camera_to_world.tolist() == other.camera_to_world.tolist()
            assert frame.camera.intrinsics.tolist() == other.camera.intrinsics.tolist()
            assert frame.image == f"{ref.path}/iphone/rgb.mkv::frame{place}"
            shown = read_image(written / "scannetpp_raw", frame.image)
            away = [np.abs(shown - picture).mean() for picture in pictures]
            assert away[place] < LOSSES and int(np.argmin(away)) == place


def test_what_is_listed_and_who_made_it(written: Path) -> None:
    root = written / "scannetpp_raw"
    ref, _ = first(root)
    roles = {file.role: file.path for file in scannetpp.source_files(root, ref)}
    assert roles["video"].endswith("iphone/rgb.mkv") and roles["depth"].endswith("iphone/depth.bin")
    assert program_of(root, f"{roles['video']}::frame3") == PROGRAM


def test_the_same_scene_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_scenes(tmp_path, "scannetpp_raw", 1, 9, 4000, FRAMES, SIZE)
    (ref,) = refs(tmp_path)
    for name in ("rgb.mkv", "depth.bin"):
        made, before = (path / ref.path / "iphone" / name for path in (tmp_path, written / "scannetpp_raw"))
        assert made.read_bytes() == before.read_bytes()


def test_what_is_extracted_wins(written: Path, root: Path) -> None:
    ref, iphone = first(root)
    shutil.copytree(written / "scannetpp" / ref.path / "iphone/rgb", iphone / "rgb")
    (iphone / "depth").mkdir()
    held = depth_bin.open_depths(root, f"{ref.path}/iphone/depth.bin", 99)
    for number in range(FRAMES):
        steps = np.rint(held.meters(number) * 1000).astype(np.uint16)
        Image.fromarray(steps).save(iphone / f"depth/frame_{number:06d}.png")
    (iphone / "rgb.mkv").write_bytes(b"")
    (iphone / "depth.bin").write_bytes(b"")
    scene = read(root, ref)
    assert scene.frames[3].image == f"{ref.path}/iphone/rgb/frame_000003.jpg"
    assert "100% of the depth images' points lie on the mesh" in scene.conventions["consistency"]
    listed = {file.path.rpartition("/")[2] for file in scannetpp.source_files(root, ref)}
    assert {"frame_000003.png", "frame_000003.jpg"} <= listed and not {"rgb.mkv", "depth.bin"} & listed


def test_counts_that_contradict_the_poses(root: Path) -> None:
    ref, iphone = first(root)
    path = iphone / "pose_intrinsic_imu.json"
    whole = path.read_text()
    poses = json.loads(whole)
    path.write_text(json.dumps({**poses, f"frame_{FRAMES + 5:06d}": poses["frame_000000"]}))
    rejected(root, ref, "rgb.mkv", "holds 14 frames, where pose_intrinsic_imu.json has poses up to frame 19$")
    path.write_text(json.dumps({name: poses[name] for name in list(poses)[:6]}))
    rejected(root, ref, "rgb.mkv", "holds 14 frames, where pose_intrinsic_imu.json has poses up to frame 5$")
    path.write_text(json.dumps({**poses, "IMG_1": poses["frame_000000"]}))
    rejected(root, ref, "pose_intrinsic_imu.json", "'IMG_1' is no name of a video's frame")
    path.write_text(json.dumps({**poses, "frame_0000000": poses["frame_000000"]}))
    rejected(root, ref, "pose_intrinsic_imu.json", "two names are of one frame")
    path.write_text("{}")
    rejected(root, ref, "pose_intrinsic_imu.json", "names no frame")
    path.write_text(whole)
    blobs = list(_blobs((iphone / "depth.bin").read_bytes()))
    (iphone / "depth.bin").write_bytes(apart(blobs[:-5]))
    rejected(
        root, ref, "depth.bin", "holds 9 frames, where pose_intrinsic_imu.json has poses up to frame 13$"
    )
    (iphone / "depth.bin").write_bytes(apart(blobs * 10))
    rejected(root, ref, "depth.bin", "holds more than the 28 frames")


def _blobs(data: bytes) -> Any:
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def test_frames_that_a_recording_does_not_reach_are_dropped(root: Path) -> None:
    ref, iphone = first(root)
    path = iphone / "pose_intrinsic_imu.json"
    poses = json.loads(path.read_text())
    path.write_text(json.dumps({**poses, f"frame_{FRAMES:06d}": poses["frame_000000"]}))
    scene = read(root, ref)
    assert len(scene.frames) == FRAMES and scene.dropped_frames["no_image"] == 1


def test_a_recording_may_run_on_for_a_moment_and_poses_may_be_few(root: Path) -> None:
    ref, iphone = first(root)
    path = iphone / "pose_intrinsic_imu.json"
    poses = json.loads(path.read_text())
    path.write_text(json.dumps({f"frame_{k:06d}": poses[f"frame_{k:06d}"] for k in range(1, FRAMES - 3, 2)}))
    assert [frame.image.rpartition("::")[2] for frame in read(root, ref).frames] == [
        f"frame{k}" for k in range(1, FRAMES - 3, 2)
    ]


def test_depth_of_another_scene(root: Path) -> None:
    """Both have as many frames."""
    own, other = sorted(refs(root), key=lambda ref: not _is_apart(root, ref))
    shutil.copy(root / other.path / "iphone/depth.bin", root / own.path / "iphone/depth.bin")
    rejected(
        root, own, "pose_intrinsic_imu.json", "of the depth images' points lie on the mesh: they are of other"
    )


def test_videos_that_are_none(root: Path) -> None:
    ref, iphone = first(root)
    path = iphone / "rgb.mkv"
    data = path.read_bytes()
    for bad, told in (
        (b"", "not a readable video"),
        (b"#EXTM3U\n", "not a readable video"),
        (data[: len(data) // 2], r"holds \d+ frames, where"),
        (
            matroska([(9, 9, 9)] * FRAMES, range(0, 17 * FRAMES, 17), (72, 96)),
            "have another shape than 72 x 96",
        ),
    ):
        path.write_bytes(bad)
        file = "pose_intrinsic_imu.json" if "shape" in told else "rgb.mkv"
        rejected(root, ref, file, told)


@pytest.mark.parametrize(("library", "file"), [("av", "rgb.mkv"), ("lz4", "depth.bin")])
def test_without_a_library_it_says_what_to_install(
    root: Path, monkeypatch: pytest.MonkeyPatch, library: str, file: str
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}")
        return real(name, *args, **kwargs)

    ref, _ = first(root)
    monkeypatch.setattr(builtins, "__import__", without)
    assert scannetpp.source_files(root, ref)
    rejected(root, ref, file, r"run: pip install 'spatial-assets\[scannetpp\]'$")


# Depth files alone.


def depths(tmp_path: Path, data: bytes, most: int = 100) -> depth_bin.Depths:
    (tmp_path / "depth.bin").write_bytes(data)
    return depth_bin.open_depths(tmp_path, "depth.bin", most)


def meters(number: int) -> np.ndarray:
    return ((STEPS + number) / 1000).astype("<f4")


@pytest.mark.parametrize("kind", ["millimeters", "meters", "stream", "mixed"])
def test_depth_written_by_hand(tmp_path: Path, kind: str) -> None:
    """Each pixel has its own number, and each frame one more."""
    blobs = {
        "millimeters": [lz4((STEPS + k).tobytes()) for k in range(3)],
        "meters": [deflated(meters(k).tobytes()) for k in range(3)],
    }
    blobs["mixed"] = [*blobs["meters"][:1], *blobs["millimeters"][1:]]
    data = (
        deflated(b"".join(meters(k).tobytes() for k in range(3))) if kind == "stream" else apart(blobs[kind])
    )
    held = depths(tmp_path, data)
    assert held.count == 3
    for number in (0, 1, 2, 0, 2, 1):
        np.testing.assert_allclose(held.meters(number), (STEPS + number) / 1000, atol=1e-5)


def test_no_reading_is_zero(tmp_path: Path) -> None:
    values = meters(1)
    values[0, :4] = np.nan, np.inf, -1, 2
    steps = STEPS.copy()
    steps[0, :4] = 65535, 0, 1, 2
    found = depths(tmp_path, apart([deflated(values.tobytes()), lz4(steps.tobytes())]))
    assert found.meters(0)[0, :4].tolist() == [0, 0, 0, 2]
    np.testing.assert_allclose(found.meters(1)[0, :4], [0, 0, 0.001, 0.002])


ONE = deflated(meters(0).tobytes())


def _raw(data: bytes) -> bytes:
    packing = zlib.compressobj(9, wbits=-15)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty: no frames in it"),
        (b"\x01", "neither frames that are each compressed nor a deflate stream"),
        (b"no depth" * 1000, "neither frames that are each compressed nor a deflate stream"),
        (_raw(b""), "no frames in it"),
        (apart([ONE, ONE])[:-1], "cut off or damaged in frame 1, which takes more bytes than there are"),
        (
            apart([ONE]) + b"\xff\xff\xff\xff" + ONE,
            "cut off or damaged in frame 1, which takes 4294967295 bytes",
        ),
        (apart([ONE, b""]), "cut off or damaged in frame 1, which takes 0 bytes"),
        (apart([ONE] * 8), "holds more than the 7 frames that there can be"),
        (deflated(meters(0).tobytes() * 2)[:-1], "cut off or damaged in frame 1"),
        (deflated(meters(0).tobytes() * 2 + b"1"), "cut off or damaged in frame 2"),
        (deflated(meters(0).tobytes()) + b"more", "goes on behind its last frame, 0"),
        (_raw(bytes(depth_bin.METERS_BYTES * 500)), "holds more than the 7 frames that there can be"),
    ],
    ids=range(12),
)
def test_depth_that_cannot_be(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=f"^depth.bin: {told}"):
        depths(tmp_path, data, 7)


@pytest.mark.parametrize(
    "blob",
    [
        _raw(bytes(depth_bin.METERS_BYTES * 500)),
        _raw(bytes(depth_bin.METERS_BYTES - 4)),
        _raw(bytes(depth_bin.METERS_BYTES)) + b"1",
        lz4(bytes(depth_bin.MILLIMETERS_BYTES - 2)),
        lz4(bytes(depth_bin.MILLIMETERS_BYTES + 2)),
        b"nothing",
    ],
    ids=range(6),
)
def test_a_frame_that_is_none_is_named_and_others_are_read(tmp_path: Path, blob: bytes) -> None:
    held = depths(tmp_path, apart([ONE, blob, ONE]))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"^depth\.bin: frame 1 is neither meters"):
        held.meters(1)
    assert tracemalloc.get_traced_memory()[1] < 4 * depth_bin.METERS_BYTES
    tracemalloc.stop()
    assert held.meters(2)[5, 6] == meters(0)[5, 6]


@pytest.mark.parametrize("count", [80, 800])
def test_a_stream_s_memory_does_not_grow_with_it(tmp_path: Path, count: int) -> None:
    """Little is kept but the places at which inflating is taken up, of which there are never more."""
    data = _raw(bytes(depth_bin.METERS_BYTES) * count)
    tracemalloc.start()
    held = depths(tmp_path, data, count)
    assert held.count == count and held.meters(count - 1).shape == (192, 256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < depth_bin.PLACES * 64_000 + 4 * depth_bin.METERS_BYTES
