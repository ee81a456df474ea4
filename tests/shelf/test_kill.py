"""A kill at any moment leaves a shelf that opens and holds only whole items; adding again completes it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap

import numpy as np

from ponder.index import Cache
from ponder.media.passages import passages
from ponder.records import Content
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

KILLS = 20
WORDS = [f"word{number}" for number in range(400)]

# One process imports everything once and forks a child for each round: importing takes over a second.
NURSERY = """
    import os, signal, sys, time, warnings
    import lancedb, pyarrow, ponder.cascade, ponder.media.content
    from ponder.index import Cache
    from ponder.shelf import open_shelf
    from ponder.testing import FakeModels

    folder, shelf, cache = sys.argv[1:]
    # Lance warns that a forked child may hang; ours are killed in any case.
    warnings.simplefilter("ignore")
    for delay in sys.stdin:
        child = os.fork()
        if child == 0:
            with Cache(cache) as kept, open_shelf(shelf, FakeModels(delay=0.005), cache=kept) as opened:
                opened.add(folder, commit_every=4)
            os._exit(0)
        time.sleep(float(delay))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Folder:
    """Text files that change between the rounds; knows every text that a file ever held."""

    def __init__(self, path, seed):
        self.path, self.random = path, random.Random(seed)
        self.texts = {}
        path.mkdir()
        for number in range(60):
            self.write(f"{number:02}.txt")

    def write(self, name):
        # Up to four passages: an item's number of parts changes as its text does.
        text = " ".join(self.random.choices(WORDS, k=self.random.randint(5, 300)))
        self.texts.setdefault(name, []).append(text)
        (self.path / name).write_text(text)

    def change(self):
        here = sorted(path.name for path in self.path.iterdir())
        for name in self.random.sample(here, 15):
            self.write(name)
        (self.path / self.random.choice(here)).unlink()
        self.write(f"new-{self.random.random()}.txt")


def check_whole(row, texts):
    """The row is what the models make of one of the texts that its file has held, with nothing mixed."""
    models = FakeModels()
    for text in texts:
        content = Content("text", row.digest, text, "given", passages(text))
        [reasoning] = models.reasoner.reason([content], role="document", tokens=models.reason_tokens)
        if reasoning == row.reasoning:
            [embedded] = models.embedder.embed_documents([content], [reasoning])
            assert row.embedded.labels == embedded.labels
            np.testing.assert_array_equal(row.embedded.vectors, embedded.vectors)
            return
    raise AssertionError(f"{row.item.uri} holds the reasoning of no text that the file has held")


def rankings(shelf):
    asked = [" ".join(random.Random(seed).choices(WORDS, k=4)) for seed in range(20)]
    found = [shelf.search(query, k=20, budget=budget) for query in asked for budget in (0, 300)]
    return [[(hit.item.id, hit.score, hit.part, hit.stages) for hit in ranking] for ranking in found]


def test_killed_at_random_moments(tmp_path):
    chance = random.Random(7)
    folder = Folder(tmp_path / "files", seed=3)
    place, kept = tmp_path / "shelf", tmp_path / "cache.sqlite"
    nursery = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(NURSERY), str(folder.path), str(place), str(kept)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    killed, sizes = 0, []
    try:
        # A fast machine may be done before it is killed: such a round is checked and not counted.
        while killed < KILLS:
            print(chance.uniform(0.0, 0.5), file=nursery.stdin, flush=True)
            killed += int(nursery.stdout.readline()) == -signal.SIGKILL
            with Cache(kept) as cache, open_shelf(place, FakeModels(forbidden=True), cache=cache) as shelf:
                ids = [source.id for source in shelf.index.sources()]
                assert len(set(ids)) == len(ids) == len(shelf)
                rows = shelf.get(ids)
                assert sum(len(row.embedded.labels) for row in rows) == shelf.index.parts
                for row in rows:
                    check_whole(row, folder.texts[row.item.uri.rsplit("/", 1)[-1]])
                sizes.append(len(shelf))
            folder.change()
    finally:
        # Ends its input, so that it ends; waits for it and closes both pipes.
        nursery.communicate()
    assert len(set(sizes)) > 3, "the kills fell on too few different moments"
    with Cache(kept) as cache, open_shelf(place, FakeModels(), cache=cache) as shelf:
        shelf.add(folder.path)
        resumed = rankings(shelf)
        assert len(shelf) == 60
    with (
        Cache(tmp_path / "other.sqlite") as other,
        open_shelf(tmp_path / "new", FakeModels(), cache=other) as new,
    ):
        new.add(folder.path)
        assert rankings(new) == resumed
