"""What stages that open source files need of objects: here before a scene is handed out, and kept until it is done."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from spatial_assets.scene import tables
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.mirrors import ObjectPath


def held(lake: Lake, shard: Shard, ref: SceneRef) -> AbstractContextManager[Any]:
    """The objects that a scene is read from, as `sources` has them; nothing where its root is a folder.

    Raises InputError of the address where one does not come, which says nothing of the scene.
    """
    if not isinstance(shard.root, ObjectPath):
        return nullcontext()
    return shard.root.mirror.held(lake.read(tables.SOURCES, shard.key, ref.name)["path"].to_list())
