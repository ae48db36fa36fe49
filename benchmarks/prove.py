"""Every bar at full size: prints required against measured, and fails if one does not hold.

`python -m benchmarks.prove [WORD ...]` runs only the measures whose names hold one of the words.
"""

from __future__ import annotations

import sys

from benchmarks import browser, builds, realdata
from benchmarks.bars import measure_all, table

MEASURES = {**realdata.MEASURES, **builds.MEASURES, **browser.MEASURES}


def main(words: list[str]) -> int:
    chosen = {
        name: measure
        for name, measure in MEASURES.items()
        if not words or any(word in name for word in words)
    }
    bars = measure_all(chosen)
    print("\n".join(table(bars)))
    return 0 if all(bar.holds for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
