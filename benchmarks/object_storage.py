"""What it costs to read a dataset from object storage: a server of S3 on this machine against plain copying.

    python -m benchmarks.object_storage

The server is moto's, in Python, and answers some tens to hundreds of requests a second, however many ask at once: the
seconds are mostly its own, and `own CPU` is what this side takes of them. What many at a time are good for shows where
each answer takes a while: from a store in memory that takes 20 ms for each object.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.storage import mirrors, objects, uploads
from spatial_assets.storage.mirrors import ObjectPath, root_of
from spatial_assets.storage.shards import check_root

MEGABYTE = 1_000_000
SIZES = {"small": (500, 10_000), "large": (4, 32 * MEGABYTE)}
"""Objects and bytes of each: frames and their poses, meshes and recordings."""
ANSWER = 0.02
"""Seconds that the store in memory takes for an object; those of providers take 10 to 50 ms."""
SERVER = """
import logging, sys, time
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Row:
    what: str
    seconds: float
    cpu: float
    files: int
    bytes: int

    def __str__(self) -> str:
        rate = (
            f"{self.bytes / MEGABYTE / self.seconds:>9,.1f} MB/s {self.files / self.seconds:>9,.0f} objects/s"
        )
        return f"{self.what:<34} {self.seconds:>7.2f} s {rate} {self.cpu:>7.2f} s own CPU"


@contextmanager
def server() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    try:
        port = int(process.stdout.readline())
        keys = {
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        os.environ.update(keys, AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}")
        yield
    finally:
        process.stdin.close()
        process.wait()


class Clock:
    def __init__(self) -> None:
        self.begun, self.used = time.perf_counter(), time.process_time()

    def row(self, what: str, files: int, size: int) -> Row:
        return Row(what, time.perf_counter() - self.begun, time.process_time() - self.used, files, size)


def measure(top: Path, name: str) -> Iterator[Row]:
    count, each = SIZES[name]
    whole = count * each
    source = top / name / "source"
    source.mkdir(parents=True)
    for number in range(count):
        (source / f"{number:05d}.bin").write_bytes(os.urandom(each))
    objects.filesystem("s3://bench").mkdir(f"bench-{name}")
    clock = Clock()
    shutil.copytree(source, top / name / "copy")
    yield clock.row(f"{name}: plain copy", count, whole)
    address = f"s3://bench-{name}/source"
    clock = Clock()
    uploads.put(source, address)
    yield clock.row(f"{name}: put up and looked at", count, whole)
    root = root_of(top / name / "home", address)
    assert isinstance(root, ObjectPath)
    clock = Clock()
    check_root(root, anew=True)
    yield clock.row(f"{name}: listed and laid out", count, whole)
    paths = [path.name for path in sorted(source.iterdir())]
    few = paths[: max(1, count // 10)]
    threads, mirrors.THREADS = mirrors.THREADS, 1
    clock = Clock()
    root.mirror.bring(few)
    yield clock.row(f"{name}: fetched, one at a time", len(few), len(few) * each)
    mirrors.THREADS = threads
    clock = Clock()
    root.mirror.bring(paths)
    yield clock.row(f"{name}: fetched, {threads} at a time", count - len(few), (count - len(few)) * each)
    clock = Clock()
    root.mirror.bring(paths)
    yield clock.row(f"{name}: asked for again", count, whole)
    clock = Clock()
    for path in paths:
        (root / path).read_bytes()
    yield clock.row(f"{name}: opened", count, whole)
    clock = Clock()
    for path in paths:
        (source / path).read_bytes()
    yield clock.row(f"{name}: opened in a folder", count, whole)


def many_at_once(top: Path) -> Iterator[Row]:
    """A store that takes its time, asked for one object after the other and for many at once."""
    store = objects.filesystem("memory://bench")
    real = store.get_file

    def slow(name: str, file: str, **options: object) -> None:
        time.sleep(ANSWER)
        real(name, file)

    store.get_file = slow
    try:
        count, each = SIZES["small"]
        for number in range(count):
            store.pipe_file(f"memory://bench/source/{number}.bin", os.urandom(each))
        root = root_of(top / "slow", "memory://bench/source")
        assert isinstance(root, ObjectPath)
        check_root(root, anew=True)
        half = count // 2
        for threads, numbers in ((1, range(half)), (mirrors.THREADS, range(half, count))):
            mirrors.THREADS, before = threads, mirrors.THREADS
            clock = Clock()
            root.mirror.bring(f"{number}.bin" for number in numbers)
            yield clock.row(f"20 ms each: {threads} at a time", half, half * each)
            mirrors.THREADS = before
    finally:
        store.get_file = real


def run() -> dict[str, dict[str, float]]:
    """For `python -m benchmarks`: seconds, own CPU seconds, objects and bytes a second by what was done."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, server():
        parts = [*(measure(Path(folder), name) for name in SIZES), many_at_once(Path(folder))]
        for row in (row for part in parts for row in part):
            print(row, flush=True)
            found[row.what] = {
                "seconds": row.seconds,
                "own_cpu": row.cpu,
                "objects_per_second": row.files / row.seconds,
                "bytes_per_second": row.bytes / row.seconds,
            }
    return found


if __name__ == "__main__":
    run()
