"""Environments of tools that read exports, one a tool, kept outside the checkout and never a dependency of the product.

They are made once, from the package index that pip is set up with, and found again by what is in them. A test that
needs one skips with the reason where it cannot be made within `MINUTES` or takes more than `GIGABYTES`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

MINUTES, GIGABYTES = 10, 3
HOME = "SPATIAL_ASSETS_TOOLS"
"""Names another folder than the cache's for them."""
READY, BROKEN = "ready", "not-installable"


def tools_folder() -> Path:
    return Path(os.environ.get(HOME) or Path.home() / ".cache/spatial-assets/tools")


def tool_python(
    name: str, alone: Sequence[str], with_needs: Sequence[str] = (), imports: Sequence[str] = ()
) -> Path:
    """The interpreter of a tool's environment; skips the test where there can be none.

    `alone` are requirements that are installed without what they ask for, `with_needs` those with all of it, and
    `imports` modules that must load: a package without what it asks for may not.
    """
    wanted = "\n".join([sys.version.split()[0], *alone, "", *with_needs])
    folder = tools_folder() / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    python = folder / "bin/python"
    if (folder / READY).exists():
        return python
    if (folder / BROKEN).exists():
        pytest.skip((folder / BROKEN).read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    until = time.monotonic() + MINUTES * 60
    try:
        _run([sys.executable, "-m", "venv", str(folder)], until)
        if with_needs:
            _run([str(python), "-m", "pip", "install", "-q", "--no-compile", *with_needs], until)
        _run([str(python), "-m", "pip", "install", "-q", "--no-compile", "--no-deps", *alone], until)
        _run([str(python), "-c", "\n".join(f"import {module}" for module in imports)], until)
        size = sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
        if size > GIGABYTES * 1e9:
            raise RuntimeError(f"{size / 1e9:.1f} GB")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        why = f"{name} is not installable here: {str(error).strip().splitlines()[-1]}"
        (folder / BROKEN).write_text(why, encoding="utf-8")
        pytest.skip(why)
    (folder / READY).write_text(f"{size / 1e9:.2f} GB\n", encoding="utf-8")
    return python


def _run(command: Sequence[str], until: float) -> None:
    left = max(until - time.monotonic(), 1)
    done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{command[0]} failed")
