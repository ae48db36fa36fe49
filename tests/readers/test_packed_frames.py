"""A 3RScan sequence in its archive: the same rows as unpacked, read in place, and hostile archives as one line."""

from __future__ import annotations

import io
import json
import shutil
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_scenes import pack

from spatial_assets.imaging.images import open_image
from spatial_assets.media.image_files import ImageFile
from spatial_assets.readers import archive, three_rscan
from spatial_assets.readers.archive import LARGEST_TEXT, Archive
from spatial_assets.readers.packed_frames import WHOLE_EVERY, PackedFrames
from spatial_assets.readers.source_images import image_size, size_told
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages.scenes import scene_rows
from spatial_assets.studio.write import write_scenes

WHICH = {"dataset": "three_rscan", "release": "v2", "scene": "s"}
INFO = (
    "m_colorWidth = 64\nm_colorHeight = 48\n"
    "m_calibrationColorIntrinsic = 50 0 31.5 0 0 50 23.5 0 0 0 1 0 0 0 0 1\n"
)


def jpeg(shade: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (shade, 99, 7)).save(out, "JPEG")
    return out.getvalue()


def pose(x: float) -> str:
    return f"1 0 0 {x}\n0 1 0 0\n0 0 1 1\n0 0 0 1\n"


def content(frames: int = 3) -> dict[str, bytes]:
    found = {"_info.txt": INFO.encode()}
    for k in range(frames):
        found[f"frame-{k:06d}.color.jpg"] = jpeg(k)
        found[f"frame-{k:06d}.pose.txt"] = pose(k).encode()
    return found


def write(
    root: Path, held: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, folder: str = ""
) -> PackedFrames:
    with zipfile.ZipFile(root / "s.zip", "w", method) as packed:
        for name, data in held.items():
            packed.writestr(zipfile.ZipInfo(folder + name), data, method)
    return PackedFrames(root, "s.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("folder", ["", "sequence/", "a b/sequence/"])
def test_frames_are_read_where_they_lie(tmp_path: Path, method: int, folder: str) -> None:
    held = content(WHOLE_EVERY + 3)
    found = write(tmp_path, held, method, folder)
    shots = list(found.shots(1.0))
    assert [shot.name for shot in shots] == [str(k) for k in range(WHOLE_EVERY + 3)]
    for k, shot in enumerate(shots):
        assert shot.size == (64, 48) and shot.pose is not None and shot.pose[0, 3] == k
        assert ImageFile.of(shot.image).read(tmp_path) == held[f"frame-{k:06d}.color.jpg"]
        assert open_image(tmp_path, shot.image).size == (64, 48)
    assert found.calibration().size == (64, 48)
    assert [(file.path, file.role) for file in found.files()] == [("s.zip", "sequence")]


def test_hidden_files_and_those_of_other_folders_are_left_alone(tmp_path: Path) -> None:
    held = {f"sequence/{name}": data for name, data in content(1).items()}
    held |= {"sequence/": b"", "__MACOSX/sequence/._frame-000000.color.jpg": b"x", "sequence/.DS_Store": b"x"}
    held |= {"sequence/old/frame-000001.color.jpg": b"x", "frame-000002.color.jpg": b"x"}
    assert [shot.name for shot in write(tmp_path, held).shots(1.0)] == ["0"]


def test_the_same_rows_as_unpacked(tmp_path: Path) -> None:
    """All but where the images are; and what these show is the same to the bit."""
    (name,) = write_scenes(tmp_path / "folder", "three_rscan", 1, 9, 6000, 6, (96, 72))
    shutil.copytree(tmp_path / "folder", tmp_path / "archive")
    pack(tmp_path / "archive" / name / "sequence")
    shutil.rmtree(tmp_path / "archive" / name / "sequence")
    rows, images = [], []
    for root in (tmp_path / "folder", tmp_path / "archive"):
        ref = SceneRef(name, name)
        assert all((root / file.path).is_file() for file in three_rscan.source_files(root, ref))
        scene = three_rscan.read_scene(root, ref, "v2", "terms", three_rscan.Parameters())
        outputs = scene_rows(WHICH, scene)
        taken = [row.pop("image") for row in outputs.tables["frames"]]
        images.append([np.asarray(open_image(root, image)) for image in taken])
        rows.append(outputs)
    assert all(f"{name}/sequence.zip::" in image for image in taken)
    assert any("::inflate" in image for image in taken) and not all("::inflate" in image for image in taken)
    assert rows[0] == rows[1]
    assert rows[0].tables["scenes"][0]["frames"] == 6
    np.testing.assert_array_equal(images[0], images[1])


def test_the_unpacked_sequence_goes_before_the_archive(tmp_path: Path) -> None:
    (name,) = write_scenes(tmp_path, "three_rscan", 1, 9, 3000, 3, (48, 36))
    (tmp_path / name / "sequence.zip").write_bytes(b"nothing")
    listed = three_rscan.source_files(tmp_path, SceneRef(name, name))
    assert not any(file.path.endswith(".zip") for file in listed)


def test_a_folder_that_was_only_made_does_not_hide_the_archive(tmp_path: Path) -> None:
    (name,) = write_scenes(tmp_path, "three_rscan", 1, 9, 3000, 3, (48, 36))
    pack(tmp_path / name / "sequence")
    shutil.rmtree(tmp_path / name / "sequence")
    (tmp_path / name / "sequence").mkdir()
    listed = three_rscan.source_files(tmp_path, SceneRef(name, name))
    assert f"{name}/sequence.zip" in [file.path for file in listed]


def test_the_beginning_of_an_image_tells_its_size(tmp_path: Path) -> None:
    """Also behind more than is inflated at first, and never in place of what is wrong with an image."""
    long = io.BytesIO()
    Image.new("RGB", (30, 20)).save(long, "JPEG", comment=b"x" * 30_000)
    held = {"a.jpg": long.getvalue(), "b.jpg": jpeg(size=(31, 21)), "c.jpg": b"no image" * 900}
    write(tmp_path, held)
    found = Archive(tmp_path, "s.zip")
    assert size_told(tmp_path, found.image("a.jpg")) == (30, 20)
    assert size_told(tmp_path, found.image("b.jpg")) == (31, 21)
    with pytest.raises(InputError, match=r"^s\.zip::\d+\+\d+::inflate7200: not a readable image"):
        size_told(tmp_path, found.image("c.jpg"))


def test_an_image_that_is_cut_off_in_the_archive(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    write(tmp_path, {"a.jpg": out.getvalue()[: len(out.getvalue()) // 2]})
    image = Archive(tmp_path, "s.zip").image("a.jpg")
    with pytest.raises(InputError, match="the image is cut off"):
        image_size(tmp_path, image)
    with pytest.raises(Exception, match=r"s\.zip|cut off|truncated"):
        open_image(tmp_path, image).load()


def spoiled(change: Callable[[bytearray, zipfile.ZipInfo], None], name: str = "frame-000001.pose.txt") -> Any:
    """An archive of which something was changed, given where an entry's own head stands."""

    def do(root: Path) -> None:
        write(root, content())
        with zipfile.ZipFile(root / "s.zip") as packed:
            info = packed.getinfo(name)
        data = bytearray((root / "s.zip").read_bytes())
        change(data, info)
        (root / "s.zip").write_bytes(data)

    return do


def listed(data: bytearray, info: zipfile.ZipInfo) -> int:
    """Where an entry stands in the list at the archive's end."""
    return data.rindex(info.filename.encode()) - 46


def put(
    offset: int, form: str, value: int, both: bool = False
) -> Callable[[bytearray, zipfile.ZipInfo], None]:
    """A number in the list, and in the entry's own head where it has one there, two bytes before."""

    def do(data: bytearray, info: zipfile.ZipInfo) -> None:
        struct.pack_into(form, data, listed(data, info) + offset, value)
        if both:
            struct.pack_into(form, data, info.header_offset + offset - 2, value)

    return do


def named(*names: str) -> Any:
    def do(root: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(root / "s.zip", "w") as packed:
                for name, data in [*content().items(), *((name, b"x") for name in names)]:
                    packed.writestr(zipfile.ZipInfo(name), data)

    return do


def without(name: str) -> Any:
    return lambda root: write(root, {key: data for key, data in content().items() if key != name})


def with_(**changed: Any) -> Any:
    return lambda root: write(root, content() | changed["held"])


def bomb(root: Path) -> None:
    """A pose of more than a text may hold, all of it zeros; it takes a thousandth in the archive."""
    write(root, content() | {"frame-000001.pose.txt": bytes(LARGEST_TEXT + 1)})


def sharing(data: bytearray, info: zipfile.ZipInfo) -> None:
    """The last pose is said to begin where this one does."""
    other = data.rindex(b"frame-000002.pose.txt") - 46
    struct.pack_into("<I", data, other + 42, info.header_offset)


def flipped(data: bytearray, info: zipfile.ZipInfo) -> None:
    data[info.header_offset + 30 + len(info.filename) + 3] ^= 0x55


DAMAGES = [
    (lambda root: (root / "s.zip").write_bytes(b""), "s.zip: not a zip archive, or cut off"),
    (spoiled(lambda data, _: data.__delitem__(slice(len(data) // 2, None))), "not a zip archive, or cut off"),
    (spoiled(lambda data, _: data.__delitem__(slice(0, 200))), "is said to lie beyond|not where the list|not a zip"),
    (spoiled(lambda data, _: data.__setitem__(slice(0, 40), bytes(40)), "_info.txt"), "_info.txt is not where"),
    (named("../../etc/passwd"), "an entry is called '../../etc/passwd', which leads out"),
    (named("/etc/passwd"), "an entry is called '/etc/passwd', which leads out"),
    (named("a\\..\\b"), "which leads out of the archive or is no name"),
    (named("a\nb"), r"an entry is called 'a\\nb'"),
    (named("_info.txt"), "two entries are called '_info.txt'"),
    (named("more/_info.txt"), "_info.txt and more/_info.txt in it"),
    (named("frame-000001.color.png"), "have the same name but for the ending"),
    (spoiled(put(8, "<H", 1, both=True)), "frame-000001.pose.txt is encrypted"),
    (spoiled(put(10, "<H", 12, both=True)), "packed by method 12; read are stored and deflated"),
    (spoiled(put(10, "<H", 0)), r"is said to become 32 bytes of \d+"),
    (spoiled(put(24, "<I", 1 << 31)), r"is said to become 2147483648 bytes of \d+"),
    (spoiled(put(24, "<I", 7)), "frame-000001.pose.txt is damaged: .* does not become 7 bytes"),
    (spoiled(put(16, "<I", 7)), "frame-000001.pose.txt is damaged: its check sum is another"),
    (spoiled(put(42, "<I", 1 << 30)), "is said to lie beyond its end|not a zip"),
    (spoiled(sharing), "share bytes"),
    (spoiled(flipped), "frame-000001.pose.txt is damaged: "),
    (bomb, rf"is said to hold {LARGEST_TEXT + 1} bytes, too many for a text"),
    (without("_info.txt"), "s.zip: no _info.txt in it"),
    (without("frame-000001.pose.txt"), "s.zip: frame-000001.pose.txt is missing"),
    (lambda root: write(root, {"_info.txt": INFO.encode()}), "no frames: no frame-000000.color.jpg"),
    (with_(held={"_info.txt": b"\xff\xfe"}), "s.zip: no line of it is 'name = value'"),
    (with_(held={"_info.txt": b"m_colorWidth = 64\n"}), "s.zip: no m_colorHeight"),
    (with_(held={"frame-000001.pose.txt": b"1 2"}), "s.zip: frame-000001.pose.txt holds 2 numbers"),
    (with_(held={"frame-000001.pose.txt": b"\xe4"}), "s.zip: frame-000001.pose.txt is not a text file in UTF-8"),
    (with_(held={"frame-000001.pose.txt": b"1\0"}), "s.zip: frame-000001.pose.txt is no text"),
    (with_(held={"frame-000001.color.jpg": b"\xff\xd8"}), r"s\.zip::\d+\+\d+::inflate2: not a readable image"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_hostile_archive_is_one_line(tmp_path: Path, damage: Any, said: str) -> None:
    damage(tmp_path)
    found = PackedFrames(tmp_path, "s.zip")
    with pytest.raises(InputError, match=said) as error:
        assert found.files()
        found.calibration()
        list(found.shots(1.0))
    assert str(error.value).isprintable() and str(error.value).startswith("s.zip")


def test_what_an_image_is_said_to_become_bounds_what_is_inflated(tmp_path: Path) -> None:
    """Zeros without end, of which the list says that they are a hundred."""
    data = zlib.compress(bytes(1 << 24), 9)[2:-4]
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(OSError, match="does not become 100 bytes"):
        ImageFile("a.zip", 0, len(data), inflated=100).read(tmp_path)
    with pytest.raises(OSError, match="ends before the image does"):
        ImageFile("a.zip", 0, len(data) + 1, inflated=100).read(tmp_path)
    with pytest.raises(OSError, match="is damaged"):
        ImageFile("a.zip", 1, len(data) - 1, inflated=1 << 24).read(tmp_path)


def test_an_image_beyond_all_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = write(tmp_path, content())
    monkeypatch.setattr(archive, "LARGEST_IMAGE", 100)
    with pytest.raises(
        InputError, match=r"frame-000000\.color\.jpg is said to hold \d+ bytes, too many for an image"
    ):
        list(found.shots(1.0))


def test_reading_writes_nothing(tmp_path: Path) -> None:
    found = write(tmp_path, content())
    before = sorted(tmp_path.rglob("*"))
    list(found.shots(1.0))
    assert sorted(tmp_path.rglob("*")) == before
    assert json.dumps(found.metadata) == '"s.zip"'
