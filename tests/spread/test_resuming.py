"""What an interrupted run leaves is used by the run that goes on with it, by no other, while it holds."""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from ray import cloudpickle
from shelf_files import assert_same, write_files

from ponder.errors import BackendFailed
from ponder.index import Cache
from ponder.records import Item, Row
from ponder.shelf.ingest import Ingest
from ponder.shelf.making import maker_of, rows_made
from ponder.spread import maker as making
from ponder.spread.job import Job, items_text
from ponder.spread.maker import Spread
from ponder.spread.needs import Needs
from ponder.spread.planning import ShardPlan, bits_for
from ponder.spread.worker import Worker, open_items
from ponder.testing import FakeModels

pytestmark = pytest.mark.usefixtures("cluster")

# Workers get these classes by value: their processes cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

DOCUMENTS = [Item(f"d{number}", "text", text=f"a kite number {number}") for number in range(64)]


class FailsAtTheFirst(Worker):
    """Fails over the first shard, once all others are finished but one that may wait behind it."""

    def make(self, ingest, items):
        folder = Path(self.job.folder)
        first, others = json.loads((folder / "stop").read_text())
        if any(item.id == first for item in items):
            others -= not (folder / "tried").exists()
            (folder / "tried").touch()
            while len(list(self.spool.folder.glob("*.shard"))) < others:
                time.sleep(0.05)
            raise BackendFailed("the GPU is out of memory", "here", "")
        return super().make(ingest, items)


class SeesNoPictures(Worker):
    """Of a machine where the pictures' folder is not mounted."""

    def make(self, ingest, items):
        rows, skipped = {}, {}
        for item in items:
            if item.kind == "image":
                told = Item(item.id, "image", uri=item.uri, path="/nowhere" + item.path)
                rows_, skips = super().make(ingest, [told])
            else:
                rows_, skips = super().make(ingest, [item])
            rows |= rows_
            skipped |= skips
        return rows, skipped


class Grows(Worker):
    """Beside a program that writes to its log all the time."""

    def make(self, ingest, items):
        rows, skipped = super().make(ingest, items)
        for item in items:
            if item.path.endswith(".log.txt"):
                with Path(item.path).open("a") as log:
                    log.write("one more line\n")
        return rows, skipped


@pytest.fixture
def documents(tmp_path):
    """Makes rows of DOCUMENTS that are stored nowhere; (the generator, the spread)."""
    cache = Cache(tmp_path / "driver.sqlite")

    def make(items=DOCUMENTS, **options):
        spread = Spread(needs=Needs(workers=2), spool=tmp_path / "spool", **options)
        return rows_made(maker_of(Ingest(FakeModels(), cache), spread), items), spread

    yield make
    cache.close()


def shards_of(shelf, folder):
    items = [task.item for task in shelf.plan(folder).tasks]
    plan = ShardPlan(items, "", bits_for(len(items)))
    return [plan.shard(number).items for number in range(len(plan))]


@pytest.fixture
def stopped(opened, tmp_path, monkeypatch):
    """A run of a new shelf over files that ends when all shards but the first are finished; how many are."""
    monkeypatch.chdir(tmp_path)

    def stop(name, folder, spool=None):
        with opened(name) as shelf:
            shards = shards_of(shelf, folder)
            Path("stop").write_text(json.dumps([shards[0][0].id, len(shards) - 1]))
            spread = Spread(needs=Needs(workers=2), worker=FailsAtTheFirst, spool=spool)
            with pytest.raises(BackendFailed, match="failed 4 times"):
                shelf.add(folder, spread=spread)
            assert len(shelf) == 0
        return len(shards) - 1

    return stop


@pytest.mark.parametrize("mended", [True, False])
def test_a_skip_holds_as_long_as_the_file(opened, stopped, tmp_path, mended):
    folder = write_files(tmp_path / "files", 60, bad=0)
    with opened("here") as here:
        # Not in the first shard, which is not finished.
        for number in range(99):
            bad = folder / f"broken-{number}.png"
            bad.write_bytes(b"no picture")
            if str(bad) not in {item.path for item in shards_of(here, folder)[0]}:
                break
            bad.unlink()
    finished = stopped("fleet", folder)
    if mended:
        Image.new("RGB", (64, 64), "red").save(bad)
    spread = Spread(needs=Needs(workers=2))
    with opened("fleet") as fleet, opened("here") as here:
        mine, theirs = here.add(folder), fleet.add(folder, spread=spread)
        assert (mine.added, mine.skipped) == (theirs.added, theirs.skipped)
        assert len(theirs.skipped) == (0 if mended else 1)
        assert spread.costs.resumed == finished - mended
        # Neither is it remembered as what it was.
        assert fleet.add(folder).skipped == mine.skipped
        assert_same(here, fleet)


def test_a_worker_that_does_not_see_a_file_does_not_make_the_shelf_short(opened, tmp_path):
    folder = write_files(tmp_path / "files", 20, bad=0)
    Image.new("RGB", (64, 64), "red").save(folder / "red.png")
    spread = Spread(needs=Needs(workers=1), worker=SeesNoPictures)
    with opened("fleet") as fleet:
        with pytest.raises(BackendFailed, match=r"failed 4 times.*red\.png.*no such file"):
            fleet.add(folder, spread=spread)
        assert fleet.add(folder).skipped == ()


def test_what_is_opened_apart_is_left_out_with_its_digest(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    items = [Item("bad", "image", path=str(bad)), Item("gone", "image", path=str(tmp_path / "gone.png"))]
    with Cache(tmp_path / "cache.sqlite") as cache:
        ingest = Ingest(FakeModels(), cache)
        job = Job.of(ingest).text()
    opened = open_items(job, items_text(tuple(items)))
    worker = Worker(job, str(tmp_path), "")
    assert "error" not in json.loads(worker.run("key", items_text(tuple(items)), None, opened))
    assert worker.spool.get("key").seen == {"bad": ingest.opener.digest(items[0]), "gone": ""}


def test_a_file_that_keeps_changing_is_indexed_and_found_changed_by_the_next_run(opened, tmp_path):
    folder = write_files(tmp_path / "files", 20, bad=0)
    (folder / "server.log.txt").write_text("one line\n")
    spread = Spread(needs=Needs(workers=2), worker=Grows)
    with opened("fleet") as fleet, opened("here") as here:
        report = fleet.add(folder, spread=spread)
        assert (report.added, report.skipped, spread.costs.troubles) == (21, (), {})
        again = fleet.add(folder)
        assert (again.updated, again.unchanged) == (1, 20)
        here.add(folder)
        assert_same(here, fleet)


def test_shelves_share_a_spool_and_leave_each_other_alone(opened, stopped, tmp_path):
    spool = tmp_path / "nfs"
    folder = write_files(tmp_path / "files", 60, bad=0)
    other = write_files(tmp_path / "others", 30, bad=0)
    finished = stopped("one", folder, spool)
    with opened("two") as two:
        assert two.add(other, spread=Spread(needs=Needs(workers=1), spool=spool)).added == 30
    spread = Spread(needs=Needs(workers=2), spool=spool)
    with opened("one") as one, opened("here") as here:
        one.add(folder, spread=spread)
        here.add(folder)
        assert_same(here, one)
    assert spread.costs.resumed == finished
    assert not any(spool.glob("*/*"))


def test_jobs_go_on_side_by_side_in_one_spool(opened, documents, tmp_path):
    first, _ = documents()
    other = write_files(tmp_path / "others", 10, bad=0)
    with closing(first):
        next(first)
        with opened("two") as two:
            spread = Spread(needs=Needs(workers=1), spool=tmp_path / "spool")
            assert two.add(other, spread=spread).added == 10
        again, _ = documents(DOCUMENTS[:10])
        assert len(list(again)) == 10
        assert len(list(first)) == 63
    with closing(documents()[0]) as one, closing(documents()[0]) as same:
        next(one)
        with pytest.raises(BackendFailed, match="another process does the same job"):
            next(same)


def test_what_is_stored_nowhere_is_kept_until_all_is_done(documents, tmp_path):
    first, _ = documents()
    with closing(first):
        before = dict(next(first) for _ in range(56))
    rest, spread = documents()
    found = dict(rest)
    assert spread.costs.resumed >= 7
    assert sorted(found) == list(range(64))
    for place, row in before.items():
        assert isinstance(row, Row)
        assert (found[place].item, found[place].reasoning) == (row.item, row.reasoning)
    assert not any((tmp_path / "spool").glob("*/*"))


def test_a_shard_that_is_damaged_before_it_is_stored_says_what_to_do(documents, tmp_path, monkeypatch):
    monkeypatch.setattr(making, "_HELD", 0)

    def damage(event):
        if event.what == "done":
            for path in (tmp_path / "spool").glob("*/*.shard"):
                path.write_bytes(path.read_bytes()[:-1])

    damaged, _ = documents(events=damage)
    with pytest.raises(BackendFailed, match="run the same command again"):
        list(damaged)
    again, _ = documents()
    assert len(list(again)) == 64
