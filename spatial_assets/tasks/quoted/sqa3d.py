"""What somebody asks who stands at a described place in a scanned room, quoted from SQA3D (arXiv 2210.07474)."""

from __future__ import annotations

from spatial_assets.tasks.quoted.asking import quoted_task

TASKS = (
    quoted_task(
        __name__, "sqa3d", "SQA3D", "A question of SQA3D from where somebody stands, answered in free words"
    ),
)
