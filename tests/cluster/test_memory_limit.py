"""A run that takes more memory than its worker allows is told of and ended; sizes are read as people write them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from spatial_assets.cluster.memory import family_bytes, parsed

TAKE = """
import subprocess, sys
from spatial_assets.cluster.memory import family_bytes
before = family_bytes()
child = subprocess.Popen(
    [sys.executable, "-c", "held = bytearray(200_000_000); print('held', flush=True); input()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
)
child.stdout.readline()
print(family_bytes() - before)
child.communicate(b"\\n")
"""


@pytest.mark.parametrize(
    ("text", "size"), [("512", 512), ("8G", 2**33), ("1.5g", 3 * 2**29), ("64M", 2**26), ("2GiB", 2**31)]
)
def test_sizes(text, size):
    assert parsed(text) == size


@pytest.mark.parametrize("text", ["", "8Q", "-1G", "G", "8 G B", "1e9"])
def test_no_sizes(text):
    with pytest.raises(ValueError, match="size of memory"):
        parsed(text)


def test_what_children_take_is_counted():
    assert family_bytes() > 0
    done = subprocess.run([sys.executable, "-c", TAKE], capture_output=True, text=True, check=True)
    assert 190e6 < int(done.stdout) < 300e6
