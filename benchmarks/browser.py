"""Bars of what people see: Dagster's UI and the gallery in a real browser; and the pictures of the documentation.

`python -m benchmarks.browser` takes the screenshots anew into docs/pictures. Debian's chromium is used.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from benchmarks import devtools, process_groups
from benchmarks.bars import Bar
from spatial_assets.studio.write import write_scenes

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
WINDOW = (1400, 900)
WIDTH, COLORS = 1100, 128
"""Of the documentation's pictures."""
PHOTO_QUALITY = 82
"""Of those with photos, whose marks so few colors would make another color."""
CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    f"--window-size={WINDOW[0]},{WINDOW[1]}", "--virtual-time-budget=25000",
)  # fmt: skip
SCENES, FACES, FRAMES, SIZE = 6, 40_000, 90, (640, 480)
PHONE = (390, 844)
SHOWN_TASK = "depth_prediction_oo"
"""Whose cards the documentation shows: three to a row, each with three marks."""
ROWS, LOADED = 10_000, 3.0
"""A gallery over so many questions is there within so many seconds, on a phone's screen."""
SETTLED = 2.0
"""Seconds for a page to draw what has come into view."""


@contextmanager
def built_home() -> Iterator[Path]:
    """A home with furnished scenes, one of them broken, built through the command line."""
    with tempfile.TemporaryDirectory() as folder:
        source, home = Path(folder) / "source", Path(folder) / "home"
        write_scenes(source, "scannet", SCENES, seed=0, faces=FACES, frames=FRAMES, size=SIZE)
        (source / "scene0003_00/color/5.jpg").write_bytes(b"not an image")
        for words in (
            ("register", "scannet", str(source), "--release", "studio", "--scenes-per-shard", "2"),
            ("build",),
        ):
            command(home, *words)
        from spatial_assets.report.gallery import write_gallery

        write_gallery(home, home / "reports" / "gallery.html")
        yield home


def command(home: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "spatial_assets", *words, "--home", str(home)], check=True, capture_output=True
    )


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The UI over a home, as `spatial-assets ui` starts it; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "spatial_assets", "ui", "--home", str(home), "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=2)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        time.sleep(5)  # the code location loads behind the server
        yield address
    finally:
        process_groups.interrupt(process)


def look(address: str, picture: Path | None = None) -> str:
    """The page's document after it has settled, and a screenshot of it."""
    with tempfile.TemporaryDirectory() as profile:
        options = [f"--user-data-dir={profile}"]
        if picture is not None:
            subprocess.run(
                [*CHROMIUM, *options, f"--screenshot={picture}", address], capture_output=True, timeout=180
            )
            shrink(picture)
        done = subprocess.run(
            [*CHROMIUM, *options, "--dump-dom", address], capture_output=True, text=True, timeout=180
        )
    return done.stdout


def shrink(picture: Path) -> None:
    with Image.open(picture) as image:
        small = image.convert("RGB").resize(
            (WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS
        )
    if picture.suffix == ".webp":
        small.save(picture, quality=PHOTO_QUALITY)
    else:
        small.quantize(COLORS).save(picture, optimize=True)


def phone(address: str) -> Iterable[Bar]:
    """The gallery on a small screen: nothing wider than it, and all there soon, whatever the number of rows."""
    with devtools.page() as page:
        page.size(*PHONE, mobile=True)
        seconds = page.open(address)
        # Cards out of sight are not laid out until they are asked for.
        page.ask("document.querySelectorAll('details').forEach(part => part.open = true)")
        page.ask("document.querySelectorAll('*').forEach(part => part.style.contentVisibility = 'visible')")
        width = page.ask("document.documentElement.scrollWidth")
        rows = page.ask("JSON.parse(document.getElementById('summary').textContent).questions")
    yield Bar("gallery on a phone", f"no wider than {PHONE[0]} px", f"{width} px", width <= PHONE[0])
    yield Bar(
        "gallery over many rows",
        f">= {ROWS:,} questions, loaded in {LOADED:g} s",
        f"{rows:,} questions, {seconds:.1f} s",
        rows >= ROWS and seconds <= LOADED,
    )


def cards(address: str, picture: Path) -> None:
    with devtools.page() as page:
        page.size(*WINDOW, mobile=False)
        page.open(address)
        page.ask(f"document.querySelector('#task-{SHOWN_TASK} .cards').scrollIntoView()")
        time.sleep(SETTLED)
        # A second time: what was above it has been laid out by now.
        page.ask(f"document.querySelector('#task-{SHOWN_TASK} .cards').scrollIntoView()")
        time.sleep(SETTLED)
        page.picture(picture)
    shrink(picture)


def pages() -> Iterable[Bar]:
    """Each page must show what it is there for."""
    if shutil.which("chromium") is None:
        yield Bar("pages in a real browser", "chromium is installed", "apt-get install chromium", False)
        return
    PICTURES.mkdir(parents=True, exist_ok=True)
    with built_home() as home:
        gallery = (home / "reports" / "gallery.html").resolve().as_uri()
        yield from phone(gallery)
        cards(gallery, PICTURES / "cards.webp")
        wanted = {
            "gallery": (gallery, ("depth_prediction_oc", "data:image/")),
        }
        with served(home) as address:
            wanted |= {
                "graph": (
                    f"{address}/assets/spar/view_change_infer?view=lineage&lineageScope=upstream&lineageDepth=6",
                    ("sources", "keyframes", "visibility", "overlap"),
                ),
                "partition": (
                    f"{address}/assets/visibility?view=partitions&partition=scannet-studio-0000",
                    ("scannet-studio-0001", "output_hash", "picture"),
                ),
                "check": (f"{address}/assets/scenes?view=checks", ("quality", "warnings")),
                "asset": (f"{address}/assets/visibility?view=overview", ("visible_px", "Row count")),
            }
            for name, (url, words) in wanted.items():
                document = look(url, PICTURES / f"{name}.png")
                missing = [word for word in words if word not in document]
                yield Bar(
                    f"page in a real browser: {name}",
                    f"shows {', '.join(words)}",
                    f"lacks {', '.join(missing)}" if missing else "shown",
                    not missing,
                )


MEASURES = {"pages in a browser": pages}

if __name__ == "__main__":
    for bar in pages():
        print(bar)
