"""A shelf of 10,000 pictures for the page's benchmark, made once and kept in build/.

A run that was stopped is gone on with.
Each picture stands in several folders, as in an archive of backups: `lite` looks at two pictures a second on
a core, and ten thousand that are all different would take more than an hour. To the index and to the page
they are ten thousand items; the cache makes one reasoning of equal files.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import PONDER, ROOT

ITEMS = 10_000
PLACE = ROOT / "build" / "page"


def make(sources: Sequence[Path], place: Path = PLACE, items: int = ITEMS) -> Path:
    """The shelf over `items` pictures, those of the folders again and again; indexed with `lite`.

    Args:
        sources: Folders that hold pictures, at any depth.
        place: Where pictures and shelf are kept.
        items: How many pictures.

    Raises:
        FileNotFoundError: The folders hold no picture.
    """
    originals = sorted(path for source in sources for path in source.rglob("*.jpg"))
    if not originals:
        raise FileNotFoundError(f"no pictures in {', '.join(map(str, sources))}")
    for number in range(items):
        folder = place / "files" / f"copy-{number // len(originals)}"
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / originals[number % len(originals)].name
        if not target.exists():
            os.link(originals[number % len(originals)], target)
    shelf = place / "shelf"
    subprocess.run(
        [str(PONDER), "index", str(shelf), str(place / "files"), "--models", "lite"],
        check=True,
        stdout=sys.stderr,
    )
    return shelf
