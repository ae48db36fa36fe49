"""Run in an environment of the library `webdataset`: reads tars as a trainer would, and prints what it found as JSON.

python webdataset_reads.py TAR ...
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import Any

import webdataset


def main(paths: list[str]) -> None:
    told: dict[str, Any] = {"version": importlib.metadata.version("webdataset"), "rows": []}
    for sample in webdataset.WebDataset(paths, shardshuffle=False, empty_check=False).decode("pil"):
        images = {key: list(held.size) for key, held in sample.items() if hasattr(held, "getpixel")}
        told["rows"].append({"key": sample["__key__"], "row": sample["json"], "images": images})
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
