"""Folders put up to object storage: complete is marked last, what was stopped is taken up, nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from object_stores import Bucket, in_memory

from spatial_assets.scene.model import InputError
from spatial_assets.storage import uploads
from spatial_assets.storage.hashing import hash_file


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return in_memory(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "images").mkdir(parents=True)
    for number in range(40):
        (made / f"images/{number}.jpg").write_bytes(bytes([number]) * 100)
    (tmp_path / "elsewhere.jpg").write_bytes(b"linked")
    (made / "images/link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (made / "rows.jsonl").write_text("{}\n")
    (made / "empty.txt").touch()
    (made / "manifest.json").write_text("{}")
    return made


class Sent:
    """Names of what was put, in order; and after how many the line is cut."""

    def __init__(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.cut = -1
        file, pipe = bucket.store.put_file, bucket.store.pipe_file

        def put_file(source: str, name: str, **options: object) -> None:
            self.note(name)
            file(source, name)

        def pipe_file(name: str, data: bytes, **options: object) -> None:
            self.note(name)
            pipe(name, data)

        monkeypatch.setattr(bucket.store, "put_file", put_file)
        monkeypatch.setattr(bucket.store, "pipe_file", pipe_file)

    def note(self, name: str) -> None:
        if len(self.names) == self.cut:
            raise ConnectionError("the line is cut")
        self.names.append(name.rpartition("/out/")[2])


@pytest.fixture
def sent(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(bucket, monkeypatch)


def test_what_says_what_is_there_comes_last(bucket, folder, sent) -> None:
    told: list[int] = []
    done = uploads.put(folder, f"{bucket.at}/out", ("manifest.json",), told.append)
    held = bucket.held("out")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert held.keys() == files.keys() | {uploads.COMPLETE}
    assert all(held[name] == path.read_bytes() for name, path in files.items())
    assert sent.names[0] == uploads.BEGUN and sent.names[-2:] == ["manifest.json", uploads.COMPLETE]
    about = json.loads(held[uploads.COMPLETE])["files"]
    assert about == {
        name: {"bytes": path.stat().st_size, "sha256": hash_file(path)} for name, path in files.items()
    }
    assert (done.files, done.sent) == (44, 44) and sum(told) == 44
    # The same again: it is complete, and nothing is sent.
    sent.names.clear()
    assert uploads.put(folder, f"{bucket.at}/out/", ("manifest.json",)).sent == 0
    assert sent.names == []


@pytest.mark.parametrize("cut", [0, 1, 20, 44, 45])
def test_wherever_it_stops_it_does_not_look_complete_and_is_taken_up(bucket, folder, sent, cut) -> None:
    sent.cut = cut
    with pytest.raises(InputError, match=r"the line is cut.*the same command takes it up"):
        uploads.put(folder, f"{bucket.at}/out", ("manifest.json",))
    held = bucket.held("out")
    assert uploads.COMPLETE not in held
    assert cut > 44 or "manifest.json" not in held
    sent.cut = -1
    (folder / "rows.jsonl").write_text("changed meanwhile\n")
    (folder / "images/39.jpg").unlink()
    uploads.put(folder, f"{bucket.at}/out", ("manifest.json",))
    after = bucket.held("out")
    assert after["rows.jsonl"] == b"changed meanwhile\n" and "images/39.jpg" not in after
    assert uploads.COMPLETE in after and uploads.BEGUN not in after and len(after) == 44


def test_nothing_of_others_is_touched(bucket, folder, sent) -> None:
    bucket.store.pipe_file(f"{bucket.at}/out/theirs.txt", b"theirs")
    sent.names.clear()
    with pytest.raises(InputError, match="1 other objects are there already; choose a new address"):
        uploads.put(folder, f"{bucket.at}/out")
    assert sent.names == []
    uploads.put(folder, f"{bucket.at}/own")
    (folder / "rows.jsonl").write_text("another\n")
    with pytest.raises(InputError, match="another upload is complete there"):
        uploads.put(folder, f"{bucket.at}/own")
    assert bucket.held("own")["rows.jsonl"] == b"{}\n" and bucket.held("out") == {"theirs.txt": b"theirs"}


def test_what_does_not_arrive_as_it_was_sent(bucket, folder, monkeypatch) -> None:
    real = bucket.store.put_file

    def spoiling(source: str, name: str, **options: object) -> None:
        real(source, name)
        if name.endswith("7.jpg"):
            bucket.store.pipe_file(name, b"\xff" * 100)

    monkeypatch.setattr(bucket.store, "put_file", spoiling)
    with pytest.raises(InputError, match=r"7.jpg: is not there as it was sent"):
        uploads.put(folder, f"{bucket.at}/out", ("manifest.json",))
    assert bucket.held("out").keys() & {"manifest.json", uploads.COMPLETE} == set()


def test_links_that_lead_nowhere_are_named_before_anything_is_sent(bucket, folder, sent, tmp_path) -> None:
    (tmp_path / "elsewhere.jpg").unlink()
    with pytest.raises(InputError, match=r"link.jpg: leads to no file"):
        uploads.put(folder, f"{bucket.at}/out")
    assert sent.names == []
