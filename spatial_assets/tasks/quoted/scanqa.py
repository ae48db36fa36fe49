"""What people asked about scanned rooms and answered in their own words, quoted from ScanQA (arXiv 2112.10482)."""

from __future__ import annotations

from spatial_assets.tasks.quoted.asking import quoted_task

TASKS = (
    quoted_task(
        __name__, "scanqa", "ScanQA", "A question of ScanQA about a room's objects, answered in free words"
    ),
)
