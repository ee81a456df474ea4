"""The kills of benchmarks/faults.py: indexing, updating, compacting, serving."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from ponder.index import Cache
from ponder.media.passages import passages
from ponder.records import Content
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels
from ponder.testing.faults import Killing

INDEXING = """
import lancedb, pyarrow, ponder.cascade, ponder.media.content
from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

def work(files, shelf, cache):
    with Cache(cache) as kept, open_shelf(shelf, FakeModels(delay=0.005), cache=kept) as opened:
        opened.add(files, commit_every=4)
"""

COMPACTING = """
import lancedb, pyarrow, ponder.cascade
from datetime import timedelta
from ponder.index.lance import LanceIndex

def work(files, shelf, cache):
    index = LanceIndex(shelf + "/index", 256, keep_versions=timedelta(0))
    rows = index.get([source.id for source in index.sources()])
    while True:
        for row in rows[::7]:
            index.add([row])
        index.compact()
"""


class Texts:
    """Files that change between kills, and what the fakes make of every text that each has held."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.chance = folder, Random(2)
        self.made: dict[str, set[str]] = {}
        folder.mkdir(parents=True)
        for number in range(60):
            self.write(f"{number:02}.txt")

    def write(self, name: str) -> None:
        text = " ".join(f"word{self.chance.randrange(400)}" for _ in range(self.chance.randint(5, 300)))
        (self.folder / name).write_text(text)
        models = FakeModels()
        content = Content("text", "", text, "given", passages(text))
        [made] = models.reasoner.reason([content], role="document", tokens=models.reason_tokens)
        self.made.setdefault(str(self.folder / name), set()).add(made.text)

    def change(self) -> None:
        here = sorted(path.name for path in self.folder.iterdir())
        for name in self.chance.sample(here, 15):
            self.write(name)
        (self.folder / self.chance.choice(here)).unlink()
        self.write(f"new-{self.chance.random()}.txt")


def kills(base: Path, count: int) -> dict[str, Any]:
    """Kill `count` times: six in ten while indexing, three while compacting, one while serving."""
    texts, shelf, cache = Texts(base / "files"), base / "shelf", base / "cache.sqlite"
    places = [str(texts.folder), str(shelf), str(cache)]
    chance, problems = Random(7), []
    serving = count // 10
    compacting = 3 * count // 10
    sizes = set()

    def check(what: str) -> None:
        if not shelf.exists() or not (shelf / "manifest.json").exists():
            return
        found = check_shelf(shelf)
        problems.extend(f"{what}: {each.what} ({each.where})" for each in found.damages)
        with open_shelf(shelf, FakeModels()) as opened:
            rows = opened.get([source.id for source in opened.index.sources()])
        sizes.add(len(rows))
        for row in rows:
            if row.reasoning.text not in texts.made[row.item.uri]:
                problems.append(f"{what}: {row.item.uri} holds what it never was")

    rounds(INDEXING, places, count - serving - compacting, chance, 0.5, check, texts.change)
    with Cache(cache) as kept, open_shelf(shelf, FakeModels(), cache=kept) as opened:
        opened.add(texts.folder)
    before = answers(shelf)
    rounds(COMPACTING, places, compacting, chance, 0.6, check, lambda: None)
    if answers(shelf) != before:
        problems.append("compacting: other answers")
    problems += served(base, shelf, serving, chance)
    check("serving")
    with Cache(base / "new.sqlite") as kept, open_shelf(base / "new", FakeModels(), cache=kept) as opened:
        opened.add(texts.folder)
    if answers(base / "new") != before:
        problems.append("in the end: other answers than those of a shelf made in one go")
    return {
        "kills": count,
        "serving": serving,
        "compacting": compacting,
        "sizes": len(sizes),
        "problems": problems,
    }


def rounds(
    program: str,
    places: list[str],
    count: int,
    chance: Random,
    most: float,
    check: Callable[[str], None],
    change: Callable[[], None],
) -> None:
    """Kill a program `count` times; rounds that ended before they were killed are checked and not counted."""
    name = "compacting" if program is COMPACTING else "indexing"
    killed = 0
    with Killing(program, places) as killing:
        while killed < count:
            killed += killing.round(chance.uniform(0.0, most))
            check(name)
            change()


def answers(shelf: Path) -> list[Any]:
    """A shelf's answers to fixed queries."""
    with open_shelf(shelf, FakeModels()) as opened:
        found = [opened.search(f"word{n} word{n + 7} word{n + 9}", k=10).hits for n in range(0, 400, 20)]
    return [[(hit.item.id, hit.score, hit.reason) for hit in hits] for hits in found]


def served(base: Path, shelf: Path, count: int, chance: Random) -> list[str]:
    """Kill a server while it answers, begin it again and ask the same."""
    problems: list[str] = []
    truth: Any = None
    for _ in range(count + 1):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "ponder", "serve", str(shelf), "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PONDER_CACHE": str(base / "served")},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/readyz")
            found = [_asked(url, f"word{n} word{n + 7}") for n in range(0, 100, 20)]
            truth = truth or found
            if found != truth:
                problems.append("serving: other answers after a kill")
            ends = time.monotonic() + chance.uniform(0, 0.3)
            while time.monotonic() < ends:
                _asked(url, "word3")
        finally:
            process.kill()
            process.wait()
    return problems


def _wait(url: str) -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server is never ready")


def _asked(url: str, text: str) -> list[Any]:
    told = json.dumps({"text": text, "k": 5}).encode()
    request = urllib.request.Request(f"{url}/v1/search", told, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return [(hit["id"], hit["score"]) for hit in json.load(response)["hits"]]
