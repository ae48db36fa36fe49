"""Exports that are killed or run out of disk on their way, each in a process of its own that is forked from this one.

    python stopped_exports.py killed HOME RELEASE FOLDER MOMENTS FORMAT...     at so many moments of each one's writing
    python stopped_exports.py full HOME RELEASE FOLDER SHARES FORMAT...        with room for such shares of its bytes

It prints a line of JSON a format. FOLDER is empty, and for `full` a file system of its own in memory. Formats are
imported once, and nothing here computes: who has threads cannot be forked.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import pyarrow.dataset
import rich.live
import rich.progress
from every_home import RELEASE, words_of

from spatial_assets.cli import main
from spatial_assets.exports import registry, run
from spatial_assets.exports.core import source

LONGER = 1.2
"""How far moments go beyond the time that a format took, so that the last steps are among them."""
PAGE = 1 << 12
SPARE = 1 << 26
"""Bytes of a disk that is not full."""
PRELOADED = (run, source, pandas, pyarrow.dataset, rich.live, rich.progress)
"""Imported by the command when it is called; here once for all that are forked."""


FEW = ("--limit", "60")


@dataclass(frozen=True)
class Given:
    """What is exported."""

    home: Path
    release: str


def content(form: str, out: Path) -> dict[str, str]:
    """Of each file a hash of what it holds, and where links lead."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = "\n".join(DECODED[form](path)) if form in DECODED else _hash(path.read_bytes())
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _recording(file: Path) -> Iterator[str]:
    """What a recording holds without the numbers that its format takes from the clock, or a table without its hash."""
    import pyarrow.parquet as pq

    if file.suffix == ".parquet":
        yield str(pq.read_table(file).drop_columns(["hash"]).to_pylist())
    elif file.suffix != ".rrd":
        yield _hash(file.read_bytes())
    else:
        from rerun.chunk import RrdReader

        # How rows are put together to chunks goes by the clock too.
        held = []
        for chunk in RrdReader(str(file)).stream().to_chunks():
            batch = chunk.to_record_batch()
            names = [name for name in batch.schema.names if "RowId" not in name]
            for number in range(batch.num_rows):
                row = {name: batch[name][number].as_py() for name in names}
                told = sorted((name, value) for name, value in row.items() if value is not None)
                held.append(f"{chunk.entity_path} {_hash(repr(told).encode())}")
        yield from sorted(held)


DECODED: dict[str, Callable[[Path], Iterator[str]]] = {"rerun": _recording}
"""What is compared of formats whose bytes differ from one writing to the next."""


def forked(work: Callable[[], Any], wait: float | None = None) -> tuple[int, str]:
    """Run it in a process of its own, killed after so many seconds: its status, below 0 if killed, and what it said."""
    reads, writes = os.pipe()
    process = os.fork()
    if not process:
        code = 1
        try:
            os.close(reads)
            os.dup2(writes, 1)
            os.dup2(writes, 2)
            sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
            code = work() or 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writes)
    if wait is not None:
        time.sleep(wait)
        os.kill(process, signal.SIGKILL)
    with os.fdopen(reads, encoding="utf-8") as said:
        text = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), text


def command(given: Given, form: str, folder: Path) -> Callable[[], None]:
    """Writes `<folder>/out`, with the images in a store beside it."""
    words = [
        "export",
        form,
        given.release,
        str(folder / "out"),
        "--home",
        str(given.home),
        "--images",
        "draw",
    ]
    words += ["--image-store", str(folder / "store"), *(words_of(form) if given.release == RELEASE else FEW)]
    return lambda: main(words)


def whole(given: Given, form: str, folder: Path) -> float:
    """Seconds that an export takes which nothing stops. Raises RuntimeError where it fails."""
    folder.mkdir(parents=True)
    begun = time.monotonic()
    code, said = forked(command(given, form, folder))
    if code:
        raise RuntimeError(f"{form}: {said}")
    return time.monotonic() - begun


def killed(given: Given, form: str, folder: Path, moments: int) -> dict[str, Any]:
    took = whole(given, form, folder / "whole")
    wanted = content(form, folder / "whole/out")
    chosen = random.Random(form)
    fractions = [0.5] if moments == 1 else [chosen.uniform(0, LONGER) for _ in range(moments)]
    told: dict[str, Any] = {"form": form, "on its way": 0, "wrong": [], "files": len(wanted)}
    for number, fraction in enumerate(fractions):
        own = folder / f"{number}"
        own.mkdir()
        code, said = forked(command(given, form, own), fraction * took)
        told["on its way"] += code == -signal.SIGKILL and not (own / "out").exists()
        if code == -signal.SIGKILL:
            if (own / "out").exists() and content(form, own / "out") != wanted:
                told["wrong"].append(f"killed at {fraction:.2f}, half of it stands there")
            # One that was killed after its last step is whole, and there is nothing to finish.
            finished = (own / "out").exists()
            code, said = (0, "") if finished else forked(command(given, form, own))
        if code:
            told["wrong"].append(f"after a kill at {fraction:.2f}: status {code}: {said}")
        elif content(form, own / "out") != wanted:
            told["wrong"].append(f"after a kill at {fraction:.2f}: other content")
        if left := sorted({path.name for path in own.iterdir()} - {"out", "store"}):
            told["wrong"].append(f"after a kill at {fraction:.2f}: left {left}")
        shutil.rmtree(own)
    return told


def full(given: Given, form: str, folder: Path, shares: Sequence[float]) -> dict[str, Any]:
    """On a disk with room for shares of what the format writes."""
    _resize(folder, SPARE)
    whole(given, form, folder / "whole")
    size = shutil.disk_usage(folder).used
    shutil.rmtree(folder / "whole")
    told: dict[str, Any] = {"form": form, "wrong": [], "told": [], "bytes": size}
    for share in shares:
        room = int(share * size)
        if size - room < 2 * PAGE:  # so little is missing that it may fit
            continue
        _resize(folder, room)
        own = folder / "own"
        own.mkdir()
        code, said = forked(command(given, form, own))
        _resize(folder, SPARE)
        _full_disk(told, share, code, said, own, "the disk is full")
    return told


def _resize(folder: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={max(size, 1 << 14)}", str(folder)], check=True)


def _full_disk(told: dict[str, Any], share: float, code: int, said: str, own: Path, why: str) -> None:
    """Adds what is wrong with how a full disk was told of: one line that names a file, and nothing half."""
    lines = said.splitlines()
    if code != 1 or len(lines) != 1 or why not in said or str(own) not in said:
        told["wrong"].append(f"with room for {share:.2f}: status {code}: {said}")
    told["told"] += lines[:1]
    if left := sorted({path.name for path in own.iterdir()} - {"store"}):
        told["wrong"].append(f"with room for {share:.2f}: left {left}")
    for path in (own / "store").rglob("*") if (own / "store").exists() else ():
        if path.is_file() and ".drafts" in path.parts:
            told["wrong"].append(f"with room for {share:.2f}: left {path.name}")
        elif path.suffix in (".jpg", ".png") and path.stem != _name(path):
            told["wrong"].append(f"with room for {share:.2f}: half of {path.name} is in the store")
    shutil.rmtree(own)


def _name(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()


if __name__ == "__main__":
    kind, home, release, base, how, *forms = sys.argv[1:]
    given = Given(Path(home), release)
    for form in forms:
        registry.export_format(form)
    for form in forms:
        if kind == "killed":
            told = killed(given, form, Path(base) / form, int(how))
        else:
            told = full(given, form, Path(base), [float(share) for share in how.split(",")])
        print(json.dumps(told), flush=True)
