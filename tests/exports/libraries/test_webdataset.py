"""Tar files for WebDataset: what is written comes back, each opens alone, each damage is one line."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest
from chat_cases import MadeSource, cases
from click.testing import CliRunner
from digests import digest
from PIL import Image

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.libraries import webdataset
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS


def written(folder, images=ImageMode.COPY, **options):
    source = MadeSource(folder.parent / "source", train=cases()[:6], val=cases()[6:])
    folder.mkdir(parents=True)
    webdataset.write(source, folder, Options(images, **options))
    return folder


def wanted():
    return [
        {**{name: own[name] for name in QUESTIONS.schema.names}, "split": "train" if number < 6 else "val"}
        for number, own in enumerate(cases())
    ]


@pytest.mark.parametrize("mode", [ImageMode.COPY, ImageMode.DRAW, ImageMode.NONE])
@pytest.mark.parametrize("shards", [1, 4])
def test_what_is_written_comes_back(tmp_path, mode, shards):
    out = written(tmp_path / "out", mode, shards=shards)
    assert list(webdataset.read_back(out)) == wanted()
    assert webdataset.validate(out) == []
    assert digest(out) == digest(written(tmp_path / "again/out", mode, shards=shards))
    index = json.loads((out / "index.json").read_text())["shardlist"]
    assert [item["url"] for item in index] == sorted(path.name for path in out.glob("*.tar"))
    for item in index:
        data = (out / item["url"]).read_bytes()
        assert item["filesize"] == len(data) and item["sha256"] == hashlib.sha256(data).hexdigest()
        assert item["md5sum"] == hashlib.md5(data).hexdigest()
    assert {split: sum(item["nsamples"] for item in index if item["split"] == split) for split in ("train", "val")} == {
        "train": 6, "val": 3
    }  # fmt: skip


def test_a_release_comes_back_from_the_command(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=200)
    made = export("webdataset", source, tmp_path / "out", Options(ImageMode.NONE, shards=3))
    assert made.splits == source.splits and webdataset.validate(tmp_path / "out") == []
    back = {own["qa_id"]: own for own in webdataset.read_back(tmp_path / "out")}
    rows = [(question.split, question.row) for split in source.splits for question in source.questions(split)]
    assert len(back) == len(rows) == 200
    for split, own in rows:
        assert back[own["qa_id"]] == {**{name: own[name] for name in QUESTIONS.schema.names}, "split": split}


@pytest.mark.parametrize("form", list(ImageFormat))
def test_a_tar_opens_alone_with_its_images_drawn(tmp_path, form):
    out = written(tmp_path / "out", ImageMode.DRAW, image_format=form)
    with tarfile.open(out / "val-000000.tar") as tar:
        names = tar.getnames()
        assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in tar} == {
            (0, 0, 0, "", 0o644)
        }
        own = cases()[8]["qa_id"]
        mine = [f"{own}.json", f"{own}.0.jpg", f"{own}.1{form.suffix}"]
        assert [name for name in names if name.startswith(own)] == mine
        for name in names:
            if not name.endswith(".json"):
                assert Image.open(io.BytesIO(tar.extractfile(name).read())).size == (64, 48)


def test_files_end_before_they_would_be_larger(tmp_path):
    out = written(tmp_path / "out", ImageMode.COPY, shard_bytes=60_000)
    sizes = {path.name: path.stat().st_size for path in sorted(out.glob("train-*.tar"))}
    assert len(sizes) > 2 and webdataset.validate(out) == [] and list(webdataset.read_back(out)) == wanted()
    large = [name for name, size in sizes.items() if size > 60_000]
    for name in large:
        with tarfile.open(out / name) as tar:
            assert sum(member.endswith(".json") for member in tar.getnames()) == 1
    assert len(large) == 1, "the video alone is larger"


def test_links_are_rejected_and_megabytes_are_its_own(released, tmp_path):
    words = [
        "export",
        "webdataset",
        "v1",
        str(tmp_path / "out"),
        "--home",
        str(released.home),
        "--limit",
        "5",
    ]
    words += ["--images", "link"]
    done = CliRunner().invoke(main, words)
    assert (
        done.exit_code == 1
        and done.output.count("\n") == 1
        and "give --images copy, draw or none" in done.output
    )
    done = CliRunner().invoke(main, [*words, "--images", "none", "--shard-megabytes", "1"])
    assert done.exit_code == 0 and (tmp_path / "out/train-000000.tar").exists()
    words[1], words[3] = "llava", str(tmp_path / "other")
    done = CliRunner().invoke(main, [*words, "--shard-megabytes", "1"])
    assert done.exit_code == 1 and "llava does not take --shard-megabytes" in done.output


def rebuilt(file, change):
    """The tar with its members changed: a list of names and bytes."""
    with tarfile.open(file) as tar:
        members = [(member.name, tar.extractfile(member).read()) for member in tar]
    change(members)
    with tarfile.open(file, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def swapped(members):
    name, data = members[0]
    members[0] = name, json.dumps(json.loads(data) | {"answer": "7.5"}).encode()


DAMAGES = {
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:3000]), "not a tar that can be read"),
    "no tar": (lambda file: file.write_bytes(b"none" * 500), "not a tar that can be read"),
    "short": (lambda file: rebuilt(file, lambda members: members.__delitem__(slice(-3, None))), "ends after 5 of 6"),
    "swapped": (lambda file: rebuilt(file, swapped), "answers"),
    "removed": (lambda file: rebuilt(file, lambda members: members.pop(1)), "0 images, where ids.parquet has 1"),
    "broken": (
        lambda file: rebuilt(file, lambda members: members.__setitem__(1, (members[1][0], b"x"))),
        "image 0.jpg: cannot be read as an image",
    ),
    "no json": (lambda file: rebuilt(file, lambda members: members.pop(0)), "has no json with an object"),
    "bad json": (
        lambda file: rebuilt(file, lambda members: members.__setitem__(0, (members[0][0], b"{"))), "not JSON"
    ),
    "twice": (lambda file: rebuilt(file, lambda members: members.extend(members[:2])), "already"),
    "gone": (lambda file: file.unlink(), "not there"),
    "other bytes": (lambda file: rebuilt(file, lambda members: None), "other bytes than index.json"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_one_line(tmp_path, damage):
    out = written(tmp_path / "out")
    file = out / "train-000000.tar"
    change, said = DAMAGES[damage]
    if damage == "other bytes":
        # The same members with other headers.
        file.write_bytes(file.read_bytes() + b"\0" * 512)
    else:
        change(file)
    errors = webdataset.validate(out)
    assert len(errors) == 1 and said in errors[0] and file.name in errors[0], errors


def test_one_tar_and_others_tars_are_checked(tmp_path):
    out = written(tmp_path / "out")
    assert webdataset.validate(out / "val-000000.tar") == []
    for name in ("ids.parquet", "index.json"):
        (out / name).unlink()
    assert webdataset.validate(out) == []
    assert webdataset.validate(tmp_path / "none") == [f"{tmp_path / 'none'}: not there"]
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        info = tarfile.TarInfo("a.json")
        info.size = 2
        tar.addfile(info, io.BytesIO(b"{}"))
    assert webdataset.validate(tmp_path / "other.tar") == [
        f"other.tar: a: {name} is empty" for name in ("question", "answer")
    ]
    with pytest.raises(InputError, match="a was not written by this export"):
        list(webdataset.read_back(tmp_path / "other.tar"))
