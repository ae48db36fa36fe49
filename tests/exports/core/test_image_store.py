"""Exports of one release hold one copy of each image, whoever writes at the same time and whatever was killed."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from chat_cases import MadeSource, cases
from click.testing import CliRunner
from PIL import Image

from spatial_assets.cli import main
from spatial_assets.exports import registry
from spatial_assets.exports.core import export_images as placing
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options, Question, Shot
from spatial_assets.exports.core.export_images import Images, encoded
from spatial_assets.exports.core.image_store import ImageStore
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.imaging.marks import draw_marks, mark_scale
from spatial_assets.scene.model import InputError

FORMATS = ("llava", "qwen-vl", "internvl", "ms-swift", "openai-messages", "grpo")
MARK = {"role": "red", "shape": "point", "color": "red", "frame": "f", "xy": [250, 750]}


def written(form: str, folder: Path, store: Path | None, images: ImageMode = ImageMode.DRAW, **more) -> Path:
    folder.mkdir(parents=True)
    source = MadeSource(folder.parent / "source", train=cases())
    registry.export_format(form).write(source, folder, Options(images, image_store=store, **more))
    return folder


def bytes_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def contents(store: Path) -> list[Path]:
    return [path for path in store.glob("??/*") if path.is_file()]


def question(root: Path, image: str = "a.png", marks: tuple = (MARK,)) -> Question:
    row = {"dataset": "d", "release": "v1", "scene": "s", "qa_id": "q"}
    return Question(row, "train", (Shot("image", "f", image, root, marks),))


def placed(root: Path, out: Path, store: Path | None, form: ImageFormat = ImageFormat.JPEG, **more) -> Path:
    with Images(out, ImageMode.DRAW, form=form, store=store) as images:
        ((_, [path]),) = images.placed([question(root, **more)])
    return out / path


def noise(path: Path, seed: int = 0, size: tuple[int, int] = (60, 80)) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)).save(path)


def test_many_exports_hold_one_copy(tmp_path):
    store = tmp_path / "store"
    for mode in (ImageMode.COPY, ImageMode.DRAW):
        for form in FORMATS:
            alone = written(form, tmp_path / f"alone-{mode}" / form, None, mode)
            out = written(form, tmp_path / mode / form, store, mode)
            assert bytes_below(out) == bytes_below(alone)
            assert registry.export_format(form).validate(out) == []
    files = contents(store)
    inodes = {file.stat().st_ino for file in files}
    held = [
        path
        for form in FORMATS
        for mode in ("copy", "draw")
        for path in (tmp_path / mode / form / "images").rglob("*.jpg")
    ]
    assert len(held) > 2 * len(FORMATS) * len(files) // 3 and {path.stat().st_ino for path in held} == inodes
    assert len(files) == len({path.read_bytes() for path in held})
    assert all(file.stem == hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in files)
    assert not any(file.stat().st_mode & 0o222 for file in files) and not list((store / ".drafts").iterdir())


def test_what_was_drawn_is_not_drawn_again(tmp_path, monkeypatch):
    noise(tmp_path / "a.png")
    first = placed(tmp_path, tmp_path / "one", tmp_path / "store").read_bytes()
    monkeypatch.setattr(placing, "open_image", lambda *_: pytest.fail("opened again"))
    assert placed(tmp_path, tmp_path / "two", tmp_path / "store").read_bytes() == first


def test_a_changed_source_is_drawn_anew_even_if_size_and_time_stay(tmp_path):
    source = tmp_path / "a.ppm"
    noise(source, 1)
    stat = source.stat()
    first = placed(tmp_path, tmp_path / "one", tmp_path / "store", image="a.ppm").read_bytes()
    noise(source, 2)
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert source.stat().st_size == stat.st_size
    second = placed(tmp_path, tmp_path / "two", tmp_path / "store", image="a.ppm").read_bytes()
    assert second != first and second == placed(tmp_path, tmp_path / "bare", None, image="a.ppm").read_bytes()


@pytest.mark.parametrize("image", ["a.mkv::frame3", "a_skybox0_sami.jpg::view8x6:5.0,1.0,0.0,0.0,0.0"])
@pytest.mark.parametrize("last", [False, True])
def test_a_changed_video_or_panorama_is_another_source(tmp_path, image, last):
    """Of a panorama each of its six faces counts."""
    names = ["a.mkv", *(f"a_skybox{face}_sami.jpg" for face in range(6))]
    for name in names:
        (tmp_path / name).write_bytes(b"one of many")
    changed = tmp_path / (names[0] if image.startswith("a.mkv") else names[6 if last else 1])
    stat, before = changed.stat(), placing._source_hash(tmp_path, image)
    assert placing._source_hash(tmp_path, image) == before
    time.sleep(0.05)
    changed.write_bytes(b"another one")
    os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert placing._source_hash(tmp_path, image) != before
    changed.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        placing._source_hash(tmp_path, image)


def test_other_marks_formats_turns_and_code_are_other_images(tmp_path, monkeypatch):
    noise(tmp_path / "a.png")
    made = set()
    other = {**MARK, "xy": [300, 750]}
    for number, (form, more) in enumerate([
        (ImageFormat.JPEG, {}), (ImageFormat.PNG, {}), (ImageFormat.WEBP, {}), (ImageFormat.JPEG, {"marks": (other,)}),
        (ImageFormat.JPEG, {"image": "a.png::turn90"}),
    ]):  # fmt: skip
        made.add(placed(tmp_path, tmp_path / f"{number}", tmp_path / "store", form, **more).read_bytes())
    assert len(made) == len(contents(tmp_path / "store")) == 5
    keys = len(list((tmp_path / "store/made").rglob("*/*")))
    monkeypatch.setattr(placing, "_code", lambda _: "another version")
    placed(tmp_path, tmp_path / "new", tmp_path / "store")
    assert len(list((tmp_path / "store/made").rglob("*/*"))) == keys + 1


def test_what_is_gone_from_the_store_or_empty_is_made_again(tmp_path):
    noise(tmp_path / "a.png")
    first = placed(tmp_path, tmp_path / "one", tmp_path / "store").read_bytes()
    (file,) = contents(tmp_path / "store")
    file.unlink()
    assert placed(tmp_path, tmp_path / "two", tmp_path / "store").read_bytes() == first
    file.unlink()
    file.touch()
    assert placed(tmp_path, tmp_path / "three", tmp_path / "store").read_bytes() == first


@pytest.mark.parametrize("form", list(ImageFormat))
def test_each_format_says_what_it_is_and_has_the_marks(tmp_path, form):
    y, x = np.mgrid[:300, :400]
    Image.fromarray(np.stack([x // 2, y // 2, x // 4 + y // 4], axis=2).astype(np.uint8)).save(
        tmp_path / "a.png"
    )
    path = placed(tmp_path, tmp_path / "out", None, form)
    opened = Image.open(path)
    assert opened.format == form.name and path.suffix == form.suffix
    wanted = draw_marks(Image.open(tmp_path / "a.png"), [MARK], mark_scale(400))
    difference = np.abs(np.asarray(opened.convert("RGB"), int) - np.asarray(wanted, int))
    assert difference.max() == 0 if form == ImageFormat.PNG else difference.mean() < 2
    red, green, _ = opened.convert("RGB").getpixel((100, 225))
    assert red > 240 and green < 20


def test_a_jpeg_is_what_pillow_writes_to_a_file(tmp_path):
    image = Image.fromarray(np.random.default_rng(3).integers(0, 255, (480, 640, 3), np.uint8))
    image.save(tmp_path / "a.jpg", "JPEG", quality=95)
    image.save(tmp_path / "a.png", "PNG")
    assert encoded(image, ImageFormat.JPEG) == (tmp_path / "a.jpg").read_bytes()
    assert encoded(image, ImageFormat.PNG) == (tmp_path / "a.png").read_bytes()


@pytest.mark.every(3)
@pytest.mark.parametrize("form", [ImageFormat.PNG, ImageFormat.WEBP])
@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_conversations_name_images_by_what_they_are(tmp_path, name, form):
    out = written(name, tmp_path / name, tmp_path / "store", image_format=form)
    assert registry.export_format(name).validate(out) == []
    marked = list((out / "images").rglob("marked/*"))
    assert marked and all(
        Image.open(path).format == form.name and path.suffix == form.suffix for path in marked
    )
    assert {path.suffix for path in out.rglob("0031.*")} == {".jpg"}


def test_on_another_disk_links_are_relative_and_move_with_the_folder(tmp_path, monkeypatch):
    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "hardlink_to", other_disk)
    out = written("llava", tmp_path / "all/out", tmp_path / "all/store")
    links = [path for path in (out / "images").rglob("*") if path.is_symlink()]
    assert links and not any(path.readlink().is_absolute() for path in links)
    (tmp_path / "all").rename(tmp_path / "moved")
    assert registry.export_format("llava").validate(tmp_path / "moved/out") == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_stays(tmp_path):
    left = tmp_path / "store/.drafts/1-2"
    left.mkdir(parents=True)
    (left / "0").write_bytes(b"half")
    with ImageStore(tmp_path / "store") as living:
        assert not left.exists()
        with ImageStore(tmp_path / "store") as other:
            file = living.put(b"whole", ".jpg", "k" * 32)
            assert other.kept("k" * 32) == file == other.put(b"whole", ".jpg")
    assert not list((tmp_path / "store/.drafts").iterdir())


@pytest.mark.parametrize("call", ["open", "lock"])
def test_a_folder_that_another_sweeps_before_it_is_locked_is_made_again(tmp_path, monkeypatch, call):
    begun = []

    def swept_before(function):
        def called(*arguments):
            if not begun:
                (folder,) = (tmp_path / "store/.drafts").iterdir()
                folder.rmdir()
                begun.append(folder)
            return function(*arguments)

        return called

    module, name = (os, "open") if call == "open" else (fcntl, "flock")
    monkeypatch.setattr(module, name, swept_before(getattr(module, name)))
    with ImageStore(tmp_path / "store") as store:
        assert begun and not begun[0].exists()
        assert store.put(b"whole", ".jpg").read_bytes() == b"whole"


def test_exports_at_the_same_time_share_what_they_make(tmp_path):
    MadeSource(tmp_path / "source", train=cases())
    with ThreadPoolExecutor(4) as pool:
        outs = list(pool.map(lambda form: written(form, tmp_path / form, tmp_path / "store"), FORMATS))
    held = [path for out in outs for path in (out / "images").rglob("*.jpg")]
    assert {path.stat().st_ino for path in held} == {
        file.stat().st_ino for file in contents(tmp_path / "store")
    }


def test_a_full_disk_is_one_line_and_nothing_half(released, tmp_path):
    resource = pytest.importorskip("resource")
    words = ["export", "llava", "v1", str(tmp_path / "out"), "--home", str(released.home), "--limit", "20"]
    words += ["--images", "draw", "--image-store", str(tmp_path / "store")]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, limits[1]))
    try:
        done = CliRunner().invoke(main, words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert done.exit_code == 1 and done.output.count("\n") == 1 and "File too large" in done.output
    assert not (tmp_path / "out").exists() and not list((tmp_path / "store/.drafts").iterdir())
    assert all(
        file.stem == hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        for file in contents(tmp_path / "store")
    )
    assert CliRunner().invoke(main, words).exit_code == 0


def test_a_store_inside_of_the_export_and_a_format_that_has_jpeg_alone_are_rejected(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=3)
    with pytest.raises(ValueError, match="choose a folder outside"):
        export("llava", source, tmp_path / "out", Options(image_store=tmp_path / "out/store"))
    with pytest.raises(ValueError, match="spar does not take --image-format"):
        export("spar", source, tmp_path / "out", Options(image_format=ImageFormat.PNG))
    assert not list(tmp_path.iterdir())


def test_a_source_that_is_gone_is_named_though_the_store_has_what_was_made_of_it(tmp_path):
    noise(tmp_path / "a.png")
    placed(tmp_path, tmp_path / "one", tmp_path / "store")
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png: the image is no longer there"):
        placed(tmp_path, tmp_path / "two", tmp_path / "store")


def test_embedded_images_are_those_that_are_placed(tmp_path):
    source = MadeSource(tmp_path / "source", train=cases())
    for out, store in ((tmp_path / "bare", None), (tmp_path / "shared", tmp_path / "store")):
        with Images(out, ImageMode.DRAW, store=store) as images:
            held = [pictures for _, pictures in images.embedded(source.questions("train"))]
            paths = [paths for _, paths in images.placed(source.questions("train"))]
        assert [len(pictures) for pictures in held] == [len(own["frames"]) for own in cases()]
        for pictures, own in zip(held, paths, strict=True):
            assert [data for data, _ in pictures] == [(out / path).read_bytes() for path in own]
            assert all(
                Image.open(io.BytesIO(data)).format == "JPEG" and end == ".jpg" for data, end in pictures
            )


def test_an_image_that_many_questions_show_is_made_about_once(tmp_path, monkeypatch):
    noise(tmp_path / "a.png")
    opened, real = [], placing.open_image
    monkeypatch.setattr(placing, "open_image", lambda *words: opened.append(words) or real(*words))
    asked = [question(tmp_path, "a.png::turn90", ()) for _ in range(300)]
    with Images(tmp_path / "out", ImageMode.COPY) as images:
        found = {own for _, (own,) in images.embedded(asked)}
    # Each thread may begin before another has finished, and none after that.
    assert len(found) == 1 and len(opened) <= 2 * (os.cpu_count() or 1)


KILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from chat_cases import MadeSource, cases
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports import registry
folder = Path(sys.argv[1])
source = MadeSource(folder / "source", train=cases())
print("ready", flush=True)
for form in {forms!r}:
    out = folder / form
    out.mkdir()
    registry.export_format(form).write(source, out, Options(ImageMode.DRAW, image_store=folder / "store"))
"""


@pytest.mark.parametrize(
    "delay", [0.02, *(pytest.param(0.005 * 1.6**n, marks=pytest.mark.prove) for n in range(10))]
)
def test_a_killed_export_leaves_whole_images_and_the_next_has_the_same_bytes(tmp_path, delay):
    whole = bytes_below(written("llava", tmp_path / "whole/llava", None))
    code = KILLED.format(path=sys.path, forms=FORMATS)
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        process.kill()
    for file in contents(tmp_path / "store"):
        assert file.stem == hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
    assert bytes_below(written("llava", tmp_path / "again/llava", tmp_path / "store")) == whole
    assert not list((tmp_path / "store/.drafts").iterdir())
