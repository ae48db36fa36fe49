"""Object storage for tests: fsspec's own in memory, and a server of S3 in a thread of this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spatial_assets.storage import objects
from spatial_assets.storage.mirrors import ObjectPath, root_of
from spatial_assets.storage.shards import check_root

REGION = "us-east-1"


class Bucket:
    """A bucket and what is put into it."""

    def __init__(self, scheme: str, name: str) -> None:
        self.name = name
        self.at = f"{scheme}://{name}"
        self.address = f"{self.at}/source"
        self.store: Any = objects.filesystem(self.at)

    def put(self, folder: Path) -> None:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                self.write(file.relative_to(folder).as_posix(), file.read_bytes())

    def write(self, path: str, data: bytes) -> None:
        self.store.pipe_file(f"{self.address}/{path}", data)

    def remove(self, path: str) -> None:
        self.store.rm_file(f"{self.address}/{path}")

    def held(self, below: str) -> dict[str, bytes]:
        """What stands below a place in the bucket."""
        base = f"{self.store._strip_protocol(f'{self.at}/{below}')}/"
        return {name[len(base) :]: self.store.cat_file(name) for name in sorted(self.store.find(base))}

    def root(self, home: Path) -> ObjectPath:
        """As a home sees it, listed anew."""
        root = root_of(home, self.address)
        assert isinstance(root, ObjectPath)
        check_root(root, anew=True)
        return root


class Brought:
    """Names of the objects whose bytes were asked for, in order; and what is to happen to them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.failing: set[str] = set()
        """Parts of names of those that do not come."""
        real = objects._brought

        def counting(address: str, name: str, wanted: objects.Object, file: Path) -> str:
            self.names.append(wanted.path)
            if any(part in name for part in self.failing):
                raise ConnectionError("the line is cut")
            return real(address, name, wanted, file)

        monkeypatch.setattr(objects, "_brought", counting)
        monkeypatch.setattr(objects, "PAUSE", 0.0)

    def taken(self) -> list[str]:
        """Those since the last call."""
        names, self.names = sorted(self.names), []
        return names


def in_memory(tmp_path: Path) -> Bucket:
    """A bucket of the test's own."""
    return Bucket("memory", f"bucket-{abs(hash(str(tmp_path)))}")


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint of a server that forgets all when it ends; the environment leads there meanwhile."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", REGION),
        ):
            patch.setenv(name, value)
        objects.forget_connections()
        try:
            yield f"http://{host}:{port}"
        finally:
            objects.forget_connections()
            server.stop()


def on_s3(name: str, versioned: bool) -> Bucket:
    bucket = Bucket("s3", name)
    bucket.store.mkdir(name)
    if versioned:
        bucket.store.make_bucket_versioned(name)
    return bucket
