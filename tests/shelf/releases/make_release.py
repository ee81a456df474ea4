"""Makes the shelf of a release that later ponders have to open: run once a release, and committed.

    python tests/shelf/releases/make_release.py tests/shelf/releases/VERSION

The files lie where no user has any, so that a shelf is also tried whose files have gone.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

TEXTS = {
    "kite.txt": "a red kite over the hills, and a second red kite behind it",
    "whale.md": "# Whale\n\nthe blue whale sings in the deep\n\nno animal is larger than the blue whale",
    "tea.txt": "green tea in a pot, and a cup beside the pot",
    "page.html": "<html><body><h1>Violins</h1><p>a violin has four strings and a bow</p></body></html>",
    "long.txt": " ".join(
        f"word{number % 97} {'ship' if number % 50 == 0 else 'sea'}" for number in range(260)
    ),
}
QUERIES = (("red kite", 0), ("blue whale deep", 0), ("tea pot", 200), ("violin strings", 500), ("ship", 0))
KNOWLEDGE = {"kite": "bird of prey", "whale": "sea mammal", "violin": "string instrument"}


def rankings(shelf: object) -> list[list[list[object]]]:
    """What the shelf answers: for each query, each hit's file, score, part and reasoning."""
    return [
        [
            [Path(hit.item.uri).name, hit.score, hit.part, hit.reason]
            for hit in shelf.search(text, k=4, budget=budget).hits  # type: ignore[attr-defined]
        ]
        for text, budget in QUERIES
    ]


def main() -> None:
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="ponder-release-") as name:
        files, place = Path(name) / "files", Path(name) / "shelf"
        files.mkdir()
        for file, text in TEXTS.items():
            (files / file).write_text(text)
        with (
            Cache(Path(name) / "cache.sqlite") as cache,
            open_shelf(place, FakeModels(knowledge=KNOWLEDGE), cache=cache) as shelf,
        ):
            # Two commits, a replacement and a removal: pieces, deletions and old versions are there too.
            shelf.add(files, commit_every=3)
            (files / "tea.txt").write_text("black tea in a pot, and a cup beside the pot")
            (files / "gone.txt").write_text("a text that goes again")
            shelf.add(files)
            (files / "gone.txt").unlink()
            shelf.add(files)
            expected = rankings(shelf)
        out.mkdir(parents=True)
        shutil.copytree(place, out / "shelf")
        (out / "shelf" / "write.lock").unlink(missing_ok=True)
    (out / "rankings.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
