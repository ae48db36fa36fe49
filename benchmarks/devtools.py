"""A page in Debian's chromium as a phone shows it, asked through the browser's own DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

STARTED = "DevToolsActivePort"
"""The file of a profile in which chromium writes the port that it listens on."""
PATIENCE = 60.0
"""Seconds for chromium to start, or a page to load."""


class Page:
    """One page; `size` before `open`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sent = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(PATIENCE))
            if answer.get("id") == self.sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def size(self, width: int, height: int, mobile: bool) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if mobile else 1, mobile=mobile,
        )  # fmt: skip

    def open(self, address: str) -> float:
        """Load a page; returns the seconds until everything of it was there."""
        begun = time.perf_counter()
        self.call("Page.navigate", url=address)
        while time.perf_counter() < begun + PATIENCE:
            if self.ask("document.readyState === 'complete' && location.href !== 'about:blank'"):
                return time.perf_counter() - begun
            time.sleep(0.02)
        raise TimeoutError(f"{address} did not load in {PATIENCE:.0f} s")

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    def picture(self, out: Path) -> None:
        """What the window shows, as PNG."""
        out.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def page() -> Iterator[Page]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
                "--disable-background-networking", "--remote-debugging-port=0", f"--user-data-dir={profile}",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with connect(_address(Path(profile) / STARTED), max_size=None) as socket:
                yield Page(socket)
        finally:
            browser.terminate()
            browser.wait(PATIENCE)


def _address(started: Path) -> str:
    """Where the first page of a starting browser is spoken to."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            port = int(started.read_text().split()[0])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                pages = [entry for entry in json.load(answer) if entry["type"] == "page"]
            return str(pages[0]["webSocketDebuggerUrl"])
        except (OSError, IndexError, ValueError):
            time.sleep(0.1)
    raise TimeoutError(f"chromium did not start in {PATIENCE:.0f} s")
