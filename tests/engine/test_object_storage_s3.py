"""A server of S3: versions, tags, uploads taken up after a kill; and whole datasets against their folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from lakes import build, digest, done, register
from object_stores import Brought, in_memory, on_s3, s3_server
from tiny import write_scannet

from spatial_assets.cli import main
from spatial_assets.commands.lineage_text import explained
from spatial_assets.lineage.cache import Lineage
from spatial_assets.lineage.explain import explain
from spatial_assets.readers.registry import READERS, left_out
from spatial_assets.scene.model import InputError
from spatial_assets.storage import uploads
from spatial_assets.studio.layouts.registry import LAYOUTS as STUDIO_LAYOUTS

STAGES = ["sources", "scenes", "keyframes"]
SHARD = "scannet-v2-0000"
FIRST, SECOND = "scene0000_00", "scene0001_00"
LAYOUTS = {"arkitscenes": "arkitscenes", "scannet_sens": "scannet", "scannetpp_raw": "scannetpp"}
"""By layout the reader: one with a folder of many small frames, one packed in few large files, and recordings."""
MANY_FRAMES = 300

FOUND_BY = 3
"""Files that a reader opens at most to find its scenes: lists of a whole dataset, never what a scene is made of."""
KILLED_AFTER = (2, 30, 90)
"""Files that are there when the process that puts them up is killed."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate((FIRST, SECOND)):
        write_scannet(tmp_path / "source", name, seed=seed, frames=2)
    return tmp_path / "source"


@pytest.mark.parametrize("versioned", [True, False])
def test_an_object_is_known_by_its_version_or_its_tag(
    server, folder, tmp_path, monkeypatch, versioned
) -> None:
    bucket, home = on_s3(f"bucket-{versioned}".lower(), versioned), tmp_path / "home"
    bucket.put(folder)
    brought = Brought(monkeypatch)
    register(home, "scannet", bucket.root(home))
    build(home, stages=STAGES)
    register(tmp_path / "twin", "scannet", folder)
    build(tmp_path / "twin", stages=STAGES)
    assert digest(home) == digest(tmp_path / "twin")
    assert len(brought.taken()) == len({file for file in folder.rglob("*") if file.is_file()})
    name = f"{SECOND}/{SECOND}.txt"
    held = (bucket.root(home) / name).object()
    assert held is not None and bool(held.version) == versioned and bool(held.tag) != versioned
    bucket.write(name, (folder / name).read_bytes() + b"\n")
    bucket.root(home)
    assert done(build(home, stages=STAGES))["scenes"] == [SECOND]
    assert brought.taken() == [name]
    with Lineage(home) as lineage:
        files = lineage.query("files_of_scene", {"shard": SHARD, "scene": SECOND})
    told = next(file["version"] for file in files if file["path"] == name)
    now = bucket.store.info(f"{bucket.address}/{name}")
    assert told == (now["VersionId"] if versioned else f"etag {now['ETag'].strip(chr(34))}")


def test_a_version_that_was_listed_is_the_one_that_is_read(server, tmp_path) -> None:
    bucket = on_s3("listed", versioned=True)
    bucket.write("a.txt", b"first")
    root = bucket.root(tmp_path / "home")
    bucket.write("a.txt", b"second")
    assert (root / "a.txt").read_bytes() == b"first"
    assert (bucket.root(tmp_path / "home") / "a.txt").read_bytes() == b"second"


def test_who_may_not_list_versions_lists_objects(server, tmp_path, monkeypatch) -> None:
    bucket = on_s3("no-versions", versioned=True)
    bucket.write("a.txt", b"first")

    def refusing(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(bucket.store, "find", refusing)
    root = bucket.root(tmp_path / "home")
    held = (root / "a.txt").object()
    assert held is not None and held.tag and not held.version
    assert (root / "a.txt").read_bytes() == b"first"


def test_an_object_of_many_parts(server, tmp_path) -> None:
    """Its tag is no hash of its bytes, and its client would fetch it in parts."""
    bucket, data = on_s3("parts", versioned=False), os.urandom(11 << 20)
    bucket.store.put_file(
        _file(tmp_path / "large.bin", data), f"{bucket.address}/large.bin", chunksize=5 << 20
    )
    root = bucket.root(tmp_path / "home")
    held = (root / "large.bin").object()
    assert held is not None and held.tag.endswith("-3")
    assert (root / "large.bin").read_bytes() == data


def _file(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_what_is_there_already_is_not_sent_again(server, tmp_path, monkeypatch) -> None:
    bucket, made = on_s3("uploads", versioned=False), tmp_path / "made"
    made.mkdir()
    monkeypatch.setattr(uploads, "PART", 5 << 20)
    for number in range(5):
        (made / f"{number}.txt").write_bytes(bytes([number]) * 1000)
    (made / "large.bin").write_bytes(os.urandom(11 << 20))  # sent in parts, whose tag is another
    (made / "last.json").write_text("{}")
    real, left = bucket.store.put_file, [6]

    def cut(*words: object, **options: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError("the line is cut")
        real(*words, **options)

    store = uploads._store(bucket.at)
    real = store.put_file
    monkeypatch.setattr(store, "put_file", cut)
    with pytest.raises(InputError, match="the line is cut"):
        uploads.put(made, f"{bucket.at}/out", ("last.json",))
    left[0] = 100
    done = uploads.put(made, f"{bucket.at}/out", ("last.json",))
    assert (done.files, done.sent) == (7, 1)
    assert bucket.store.info(f"{bucket.at}/out/large.bin")["ETag"].strip('"').endswith("-3")
    assert bucket.held("out")["large.bin"] == (made / "large.bin").read_bytes()


def test_what_is_said_where_there_is_no_bucket_or_no_server(server, tmp_path) -> None:
    run = CliRunner().invoke(main, ["register", "scannet", "s3://no-such-bucket/x", "--home", str(tmp_path)])
    assert run.exit_code == 1 and len(run.stderr.splitlines()) == 1
    assert "s3://no-such-bucket/x: there is no such bucket" in run.stderr
    with pytest.raises(InputError, match="no such bucket"):
        uploads.check_destination("s3://no-such-bucket/x")


def studio(out: Path, layout: str, frames: int) -> None:
    options = ["--quality", "draft", "--size", "96x72", "--faces", "4000", "--scenes", "1"]
    command = [sys.executable, "-m", "spatial_assets", "studio", str(out), "--layout", layout, *options]
    subprocess.run([*command, "--frames", str(frames)], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(out / "_truth")


@pytest.mark.prove
@pytest.mark.parametrize("layout", STUDIO_LAYOUTS)
def test_every_layout_reads_alike_from_a_bucket(tmp_path, monkeypatch, layout) -> None:
    bucket, home, twin = in_memory(tmp_path), tmp_path / "home", tmp_path / "twin"
    dataset = max((name for name in READERS if layout.startswith(name)), key=len)
    studio(tmp_path / "source", layout, 6)
    (tmp_path / "source/README.txt").write_text("about")
    bucket.put(tmp_path / "source")
    brought = Brought(monkeypatch)
    root = bucket.root(home)
    assert list(map(str, left_out(dataset, root))) == list(map(str, left_out(dataset, tmp_path / "source")))
    register(home, dataset, root)
    assert len(brought.taken()) <= FOUND_BY
    register(twin, dataset, tmp_path / "source")
    first = ["sources", "scenes"]
    assert done(build(home, stages=first)) == done(build(twin, stages=first)) != {}
    assert digest(home) == digest(twin)


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_bucket_makes_the_lake_of_its_folder(server, tmp_path, layout) -> None:
    """The whole way by commands: every asset's rows, a release and an export are those of the folder."""
    bucket = on_s3(layout.replace("_", "-"), versioned=True)
    studio(tmp_path / "source", layout, MANY_FRAMES if layout == "arkitscenes" else 40)
    bucket.put(tmp_path / "source")
    outputs = {}
    for name, root in (("home", bucket.address), ("twin", str(tmp_path / "source"))):
        home = ["--home", str(tmp_path / name)]
        for words in (
            ["register", LAYOUTS[layout], root],
            ["build", "--workers", "2"],
            ["release", "create", "v1"],
            ["export", "llava", "v1", str(tmp_path / name / "out"), "--images", "copy", "--limit", "50"],
        ):
            command = [sys.executable, "-m", "spatial_assets", *words, *home]
            told = subprocess.run(command, capture_output=True, text=True)
            assert told.returncode == 0, told.stderr
        outputs[name] = {
            path.relative_to(tmp_path / name / "out").as_posix(): path.read_bytes()
            for path in sorted((tmp_path / name / "out").rglob("*"))
            if path.is_file()
        }
    assert digest(tmp_path / "home") == digest(tmp_path / "twin")
    assert outputs["home"] == outputs["twin"]
    with Lineage(tmp_path / "home") as lineage:
        (qa_id,) = lineage.con.execute(
            "select qa_id::varchar from question order by qa_id limit 1"
        ).fetchone()
    found = explain(tmp_path / "home", qa_id)
    assert all(file["absolute"].startswith(bucket.address) and file["version"] for file in found["files"])
    assert found["files"][0]["version"] in "\n".join(explained(found))


@pytest.mark.prove
@pytest.mark.parametrize("after", KILLED_AFTER)
def test_a_process_that_is_killed_while_it_puts_up(server, tmp_path, after) -> None:
    bucket, made = on_s3(f"killed-{after}", versioned=False), tmp_path / "made"
    made.mkdir()
    for number in range(120):
        (made / f"{number}.bin").write_bytes(os.urandom(200_000))
    (made / "manifest.json").write_text("{}")
    program = "import sys; from pathlib import Path; from spatial_assets.storage import uploads\n"
    program += "uploads.THREADS = 2; uploads.put(Path(sys.argv[1]), sys.argv[2], ('manifest.json',))"
    command = [sys.executable, "-c", program, str(made), f"{bucket.at}/out"]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 120
    while len(bucket.store.find(f"{bucket.at}/out")) <= after:
        assert process.poll() is None and time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    there = bucket.held("out")
    assert uploads.BEGUN in there and not there.keys() & {"manifest.json", uploads.COMPLETE}
    finished = uploads.put(made, f"{bucket.at}/out", ("manifest.json",))
    assert finished.sent <= 121 - after + 1
    held = bucket.held("out")
    about = json.loads(held[uploads.COMPLETE])["files"]
    assert held.keys() == about.keys() | {uploads.COMPLETE} and len(about) == 121


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
def test_releases_and_exports_by_address(server, tmp_path) -> None:
    bucket, home = on_s3("written", versioned=False), tmp_path / "home"
    write_scannet(tmp_path / "source", FIRST, frames=4)

    def run(*words: object) -> dict[str, object]:
        told = CliRunner().invoke(main, [*map(str, words), "--home", str(home), "--json"])
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    run("register", "scannet", tmp_path / "source")
    run("build", "--workers", "1")
    made = run("release", "create", "v1", "--out", f"{bucket.at}/releases/v1")
    assert made["upload"]["sent"] == made["upload"]["files"]
    assert run("release", "upload", "v1", f"{bucket.at}/releases/v1")["sent"] == 0
    held = bucket.held("releases/v1")
    assert {name: held[name] for name in held if name != uploads.COMPLETE} == {
        path.relative_to(home / "releases/v1").as_posix(): path.read_bytes()
        for path in (home / "releases/v1").rglob("*")
        if path.is_file()
    }
    run("export", "llava", "v1", tmp_path / "out", "--limit", 20)
    told = run("export", "llava", "v1", f"{bucket.at}/exports/llava", "--limit", 20)
    held = bucket.held("exports/llava")
    assert held.pop(uploads.COMPLETE) and held == {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    assert told["out"] == f"{bucket.at}/exports/llava"
    assert not [path for path in (home / "cache/uploads").iterdir() if path.is_dir()]
