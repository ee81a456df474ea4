"""A merge that is killed, wherever, and run again ends as one run would have."""

from __future__ import annotations

import os
import shutil
from random import Random

import pytest
from media_files import make_pdf
from shelf_files import WORDS, assert_same, write_files

from ponder.index import Cache
from ponder.shelf import Shard, merge_shelves, open_shelf
from ponder.shelf.catalog import Entry
from ponder.shelf.checking import check_shelf
from ponder.shelf.conflicts import settle
from ponder.testing import FakeModels
from ponder.testing.faults import Killing

KILLS, SITUATIONS = 8, 20_000

MERGING = """
    import os, sys
    import lancedb, pyarrow
    from ponder.shelf import merging, merge_shelves

    # A commit for a few rows: more moments to be killed at.
    merging._FIRST = merging._MOST = 4

    def work(target, *shelves):
        merge_shelves(target, shelves)
"""


def test_killed_at_random_moments(tmp_path):
    folder, chance = write_files(tmp_path / "files", 160, bad=3), Random(5)
    make_pdf(folder / "book.pdf", WORDS[:9])
    places = [tmp_path / f"part-{number}" for number in (1, 2, 3)]
    target, forbidden = tmp_path / "target", FakeModels(forbidden=True)
    with Cache(tmp_path / "cache.sqlite") as cache:
        for number, place in enumerate(places, start=1):
            with open_shelf(place, FakeModels(), cache=cache) as part:
                part.add(folder, shard=Shard(number, 3))
        # The target knows some of the texts, and the book, as they were before.
        make_pdf(folder / "book.pdf", WORDS[9:20])
        for path in sorted(folder.glob("*.txt"))[:40]:
            path.write_text("an earlier text")
        for path in folder.iterdir():
            os.utime(path, ns=(1, 1))
        with open_shelf(target, FakeModels(), cache=cache) as before:
            before.add(folder)
        shutil.copytree(target, tmp_path / "unbroken")
        merge_shelves(tmp_path / "unbroken", places)
        shutil.copytree(target, tmp_path / "again")
        killed, sizes = 0, set()
        arguments = [str(tmp_path / "again"), *map(str, places)]
        with Killing(MERGING, arguments) as killing:
            while killed < KILLS:
                killed += killing.round(chance.uniform(0.05, 1.0))
                with open_shelf(tmp_path / "again", forbidden, cache=cache) as shelf:
                    stamps = {entry.source["mtime_ns"] for entry in shelf.index.sources()}
                    sizes.add((len(shelf), len(stamps)))
                    ids = [source.id for source in shelf.index.sources()]
                    assert len(shelf.get(ids)) == len(set(ids)) == len(shelf)
                assert check_shelf(tmp_path / "again").damages == ()
                if killed % 3 == 2:
                    # From the beginning, so that kills fall on early moments too.
                    shutil.rmtree(tmp_path / "again")
                    shutil.copytree(target, tmp_path / "again")
        merge_shelves(tmp_path / "again", places)
        with (
            open_shelf(tmp_path / "unbroken", FakeModels(), cache=cache) as unbroken,
            open_shelf(tmp_path / "again", FakeModels(), cache=cache) as again,
        ):
            assert_same(unbroken, again)
            assert len(again) == 169
            assert set(again.index.sources()[0].source) == {"path", "size", "mtime_ns", "of"}
    assert len(sizes) > 2, "the kills fell on too few different moments"


def situation(chance):
    """What some shelves hold of a file, the target first: some pages each of one of a few versions of it."""
    known = {}
    for _ in range(chance.randint(1, 3)):
        pages, size, mtime = chance.randint(1, 3), chance.choice([5, 6]), chance.choice([10, 20, 30])
        version = [Entry(f"p{n}", chance.choice("ab"), "/f", size, mtime, pages) for n in range(pages)]
        # Of one size, one time and so many pages there is one version.
        known.setdefault((size, mtime, pages), version)
    return [
        {entry.id: entry for entry in chance.choice(list(known.values())) if chance.random() < 0.75}
        for _ in range(chance.randint(2, 4))
    ]


def merged(mine, others, rule, steps):
    """What is held after so many steps of a merge: a row stored or removed each; and the steps left over."""
    mine = dict(mine)
    for theirs in others:
        if not theirs:
            continue
        found = settle(mine, theirs, rule)
        for entry in found.copied:
            if steps == 0:
                return mine, 0
            mine[entry.id], steps = entry, steps - 1
        for id_ in found.dropped:
            if steps == 0:
                return mine, 0
            del mine[id_]
            steps -= 1
    return mine, steps


def test_wherever_it_stops_it_comes_to_the_same():
    chance = Random(3)
    for _ in range(SITUATIONS):
        mine, *others = situation(chance)
        rule, steps = chance.choice(["newer", "keep", "replace"]), chance.randint(0, 6)
        unbroken, _ = merged(mine, others, rule, 1000)
        stopped, _ = merged(mine, others, rule, steps)
        assert merged(stopped, others, rule, 1000)[0] == unbroken, (mine, others, rule, steps)


@pytest.mark.parametrize("rule", ["newer", "keep", "replace", "error"])
def test_every_item_of_the_other_is_counted_once(rule):
    chance = Random(4)
    for _ in range(2000):
        mine, theirs = situation(chance)[:2]
        found = settle(mine, theirs, rule)
        assert found.added + found.replaced + found.unchanged + found.kept == len(theirs)
        assert set(found.dropped) <= mine.keys() - theirs.keys()
        if not found.conflict:
            assert not found.dropped
            assert found.kept == found.replaced == 0
