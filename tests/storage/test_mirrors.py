"""Roots on object storage as folders: what a reader sees is the object or nothing, and its bytes come once."""

from __future__ import annotations

import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from object_stores import Brought, Bucket, in_memory

from spatial_assets.scene.model import InputError
from spatial_assets.storage import object_cache, objects
from spatial_assets.storage.mirrors import ObjectPath, root_of, shown
from spatial_assets.storage.objects import Object
from spatial_assets.storage.shards import check_root


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    made = in_memory(tmp_path)
    for name in ("a/one.txt", "a/two.txt", "b/three.txt"):
        made.write(name, name.encode() * 10)
    return made


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Brought:
    return Brought(monkeypatch)


@pytest.fixture
def root(bucket: Bucket, tmp_path: Path) -> ObjectPath:
    return bucket.root(tmp_path / "home")


def contents(home: Path) -> list[Path]:
    return sorted((home / "cache/objects/content").glob("*/*"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("s3://key:secret@bucket/prefix", "holds no key"),
        ("https://bucket/prefix", "begin with s3:// or gs://"),
        ("s3:///prefix", "no address"),
        ("s3://bucket/a//b", "no address"),
        ("s3://bucket/../b", "no address"),
        ("s3://bucket/a?versionId=1", "no address"),
    ],
)
def test_what_is_no_address(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as told:
        objects.parsed(text)
    assert "secret" not in str(told.value)


def test_an_address_has_one_form() -> None:
    assert objects.parsed("s3://bucket/prefix/") == "s3://bucket/prefix"
    assert objects.parsed("gs://bucket") == "gs://bucket"


@pytest.mark.parametrize(
    "held",
    [
        Object("a/b", 12, 34, version="x.y/z+="),
        Object("a/b", 0, 0, tag="0123-4"),
        Object("a/b", 7, 1_700_000_000_123_000_000),
    ],
)
def test_the_name_of_a_version_says_what_it_is(held: Object) -> None:
    name = object_cache.version_name("s3://bucket", held)
    assert object_cache.is_version(name) and "/" not in name
    assert object_cache.object_of("a/b", name) == held
    assert name != object_cache.version_name("s3://other", held)


def test_a_root_is_a_folder_whose_objects_come_when_they_are_opened(root, brought, bucket) -> None:
    assert root.is_dir() and root.name == "source"
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]
    with os.scandir(root / "a") as listed:
        assert sorted(entry.name for entry in listed) == ["one.txt", "two.txt"]
    one = root / "a/one.txt"
    assert one.is_file() and one.exists() and not one.is_dir() and not one.is_symlink()
    assert one.stat().st_size == 90 and not (root / "a/none.txt").exists()
    assert shown(one) == f"{bucket.address}/a/one.txt" and shown(root) == bucket.address
    assert brought.taken() == []
    assert one.read_bytes() == b"a/one.txt" * 10
    assert Path(str(one)).read_bytes() == one.open("rb").read()
    assert brought.taken() == ["a/one.txt"]
    # A path that does not know where it comes from finds nothing, and nothing else.
    with pytest.raises(FileNotFoundError):
        Path(str(root / "a/two.txt")).read_bytes()
    assert Path(f"{root / 'a/two.txt'}").read_bytes() == b"a/two.txt" * 10
    again = pickle.loads(pickle.dumps(root / "b/three.txt"))
    assert isinstance(again, ObjectPath) and again.resolve() == again
    assert again.read_text() == "b/three.txt" * 10


def test_a_hash_once_known_needs_no_bytes(root, brought, tmp_path) -> None:
    sha = (root / "a/one.txt").content_hash()
    for file in contents(tmp_path / "home"):
        file.unlink()
    assert (root / "a/one.txt").content_hash() == sha
    assert brought.taken() == ["a/one.txt"]


def test_whoever_asks_at_once_waits_for_the_first(root, brought) -> None:
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda _: (root / "a/one.txt").read_bytes(), range(8)))
    assert set(read) == {b"a/one.txt" * 10}
    assert brought.taken() == ["a/one.txt"]


def test_bytes_cut_off_are_asked_for_again(root, bucket, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(objects, "PAUSE", 0.0)
    real, cuts = bucket.store.get_file, [5, 20]

    def cutting(name: str, file: str, **options: object) -> None:
        real(name, file, **options)
        if cuts:
            os.truncate(file, cuts.pop())

    monkeypatch.setattr(bucket.store, "get_file", cutting)
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10
    cuts[:] = [5] * 20
    with pytest.raises(OSError, match="5 bytes came of 90") as told:
        (root / "a/two.txt").read_bytes()
    assert told.value.filename == f"{bucket.address}/a/two.txt"
    assert len(contents(tmp_path / "home")) == 1
    assert not list((tmp_path / "home/cache/objects/coming").iterdir())
    with pytest.raises(InputError, match=r"a/two.txt: cannot be reached .*; is the network up\?"):
        check_root(root)
    check_root(root)  # told once


def test_a_file_of_the_cache_that_is_damaged_is_brought_again(root, brought, tmp_path) -> None:
    (root / "a/one.txt").read_bytes()
    (held,) = contents(tmp_path / "home")
    held.chmod(0o644)
    os.truncate(held, 3)
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10
    # Bytes of the right number are looked at where all is hashed again.
    held.chmod(0o644)
    held.write_bytes(b"b" * 90)
    assert (root / "a/one.txt").content_hash(anew=True) == held.name
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10
    assert brought.taken() == ["a/one.txt"] * 3


def test_what_was_used_least_recently_goes_and_nothing_in_use(bucket, root, brought, monkeypatch, tmp_path):
    monkeypatch.setenv(object_cache.LIMIT_VARIABLE, str(3000 / object_cache.GIGABYTE))
    monkeypatch.setattr(object_cache, "KEPT_SECONDS", 0)
    for number in range(10):
        bucket.write(f"many/{number}", bytes([number]) * 500)
    root = bucket.root(tmp_path / "home")
    with root.mirror.held(["many/0", "many/1"]):
        for number in range(2, 8):
            (root / f"many/{number}").read_bytes()
        sizes = [file.stat().st_size for file in contents(tmp_path / "home")]
        assert sum(sizes) <= 3000
        brought.taken()
        assert [(root / f"many/{number}").read_bytes()[0] for number in (0, 1, 7)] == [0, 1, 7]
        assert brought.taken() == []
        (root / "many/2").read_bytes()
        assert brought.taken() == ["many/2"]
        # What somebody is about to open stays, whatever the limit says.
        monkeypatch.setattr(object_cache, "KEPT_SECONDS", 60)
        for number in range(2, 10):
            (root / f"many/{number}").read_bytes()
        brought.taken()
        assert [(root / f"many/{number}").read_bytes()[0] for number in range(10)] == list(range(10))
        assert brought.taken() == []
    monkeypatch.setenv(object_cache.LIMIT_VARIABLE, "much")
    with pytest.raises(InputError, match="no number of gigabytes"):
        root.mirror.bring(["a/one.txt"])


def test_the_cache_can_be_deleted_at_any_time(root, brought, tmp_path) -> None:
    home = tmp_path / "home"
    (root / "a/one.txt").read_bytes()
    shutil.rmtree(home / "cache/objects")
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10
    shutil.rmtree(home / "cache")
    assert not (root / "a/one.txt").exists()
    # Whoever missed a file meanwhile may not say so of the scene.
    with pytest.raises(InputError, match="deleted meanwhile"):
        check_root(root)
    check_root(root)
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10


def test_an_object_that_changes_after_it_was_listed(root, bucket, brought) -> None:
    before = (root / "a/one.txt").stat()
    bucket.write("a/one.txt", b"another")
    bucket.remove("a/two.txt")
    assert (root / "a/one.txt").read_bytes() == b"another"
    assert (root / "a/one.txt").stat().st_ctime_ns != before.st_ctime_ns
    assert not (root / "a/two.txt").exists()


def test_a_listing_touches_only_what_differs(root, bucket, tmp_path) -> None:
    kept = os.lstat(str(root / "a/one.txt"))
    bucket.remove("b/three.txt")
    bucket.write("c/four.txt", b"4")
    bucket.root(tmp_path / "home")
    assert sorted(path.name for path in root.iterdir()) == ["a", "c"]
    assert os.lstat(str(root / "a/one.txt")) == kept


def test_a_listing_that_stops_half_way_changes_nothing(root, bucket, monkeypatch) -> None:
    def stopping(*_: object, **__: object) -> dict[str, object]:
        raise TimeoutError("no answer")

    monkeypatch.setattr(bucket.store, "find", stopping)
    with pytest.raises(InputError, match=rf"{bucket.address}: cannot be reached \(no answer\); .* stands"):
        check_root(root, anew=True)
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]


def test_names_that_no_folder_has(bucket, tmp_path, caplog) -> None:
    bucket.write("a", b"a folder too")
    bucket.write("../../out", b"out")
    bucket.write("n" * 300, b"long")
    root = bucket.root(tmp_path / "home")
    assert sorted(path.name for path in root.iterdir()) == ["a", "b"]
    assert (root / "a").is_dir() and "no folder has room for" in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [(PermissionError("denied"), "no permission"), (FileNotFoundError("none"), "no such bucket")],
)
def test_what_is_said_of_an_error(bucket, tmp_path, monkeypatch, error, said) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bucket.store, "find", failing)
    with pytest.raises(InputError, match=said) as told:
        check_root(root_of(tmp_path / "home", bucket.address))
    assert str(told.value).startswith(bucket.address) and "\n" not in str(told.value)


def test_what_is_not_installed_is_said(monkeypatch, tmp_path) -> None:
    def missing(*_: object) -> None:
        raise ImportError("no s3fs")

    monkeypatch.setattr(objects, "_filesystem", missing)
    with pytest.raises(InputError, match=r"pip install 'spatial-assets\[objects\]'"):
        check_root(root_of(tmp_path / "home", "s3://bucket/prefix"))


def test_what_a_killed_process_left_is_in_nobodys_way(root, bucket, brought, monkeypatch, tmp_path) -> None:
    kept = tmp_path / "home/cache/objects"
    (name,) = root.mirror.names(["a/one.txt"])
    for leftover in (
        kept / "coming" / name,
        kept / "coming" / "another",
        kept / "pins" / "dead",
        kept / "versions" / name[:2] / f".{name}.{os.getpid()}",
        root.mirror.folder / ".link",
    ):
        leftover.parent.mkdir(parents=True, exist_ok=True)
        if leftover.name in (".link", f".{name}.{os.getpid()}"):
            leftover.symlink_to("nowhere")
        else:
            leftover.write_text(name)
    bucket.write("c.txt", b"new")
    root = bucket.root(tmp_path / "home")
    assert (root / "a/one.txt").read_bytes() == b"a/one.txt" * 10
    assert (root / "c.txt").read_bytes() == b"new"
    # Its pin holds nothing, and goes with what it was bringing when room is made.
    monkeypatch.setenv(object_cache.LIMIT_VARIABLE, "0")
    monkeypatch.setattr(object_cache, "KEPT_SECONDS", 0)
    (root / "b/three.txt").read_bytes()
    assert len(contents(tmp_path / "home")) == 1 and list((kept / "coming").iterdir()) == []
    assert list((kept / "pins").iterdir()) == []
