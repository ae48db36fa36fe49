"""Run in an environment of the library `datasets`: loads files as a trainer would, and prints what it found as JSON.

python datasets_reads.py folder PATH              a folder with a data card
python datasets_reads.py json PATH ...            JSON or JSON lines, each file by itself
"""

from __future__ import annotations

import json
import sys
from typing import Any

import datasets


def plain(value: Any) -> Any:
    """Values that JSON has; of an image its format and size."""
    if hasattr(value, "getpixel"):
        value.load()
        return {"format": value.format, "size": list(value.size), "middle": list(value.getpixel((32, 24)))}
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    return [plain(held) for held in value] if isinstance(value, list) else value


def main(kind: str, paths: list[str]) -> None:
    datasets.disable_progress_bars()
    told: dict[str, Any] = {"version": datasets.__version__}
    if kind == "folder":
        (path,) = paths
        loaded = datasets.load_dataset(path)
        told["rows"] = {name: [plain(row) for row in split] for name, split in loaded.items()}
        streamed = datasets.load_dataset(path, streaming=True)
        told["streamed"] = {name: sum(1 for _ in split) for name, split in streamed.items()}
    else:
        for path in paths:
            rows = datasets.load_dataset("json", data_files=path, split="train")
            told[path] = [plain(row) for row in rows]
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
