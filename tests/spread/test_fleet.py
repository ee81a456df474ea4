"""A shelf that a fleet fills is the one that a single process fills, whatever happens to the workers."""

from __future__ import annotations

import os
import signal

import pytest
from shelf_files import assert_same, write_files

from ponder.spread.maker import Spread
from ponder.spread.needs import Needs

pytestmark = pytest.mark.usefixtures("cluster")


def counts(report):
    return (report.added, report.updated, report.unchanged, report.removed, report.skipped)


def test_the_same_shelf_and_the_same_report(opened, tmp_path):
    folder = write_files(tmp_path / "files", 300)
    spread, seen = Spread(), []
    with opened("here") as here, opened("fleet") as fleet:
        mine = here.add(folder)
        theirs = fleet.add(folder, spread=spread, progress=lambda *told: seen.append(told))
        assert counts(mine) == counts(theirs)
        assert len(theirs.skipped) == 2
        assert mine.tokens == theirs.tokens
        assert_same(here, fleet)
        assert seen[-1] == (302, 302, 2)
        assert not any((tmp_path / "fleet" / "spool").glob("*/*"))
        # What cannot be used is known now: nothing is hired for it.
        before = len(spread.costs.workers)
        again = fleet.add(folder, spread=spread)
        assert (again.unchanged, again.added, len(again.skipped)) == (300, 0, 2)
        assert len(spread.costs.workers) == before
    cost = spread.costs.fields()
    assert sum(each["items"] for each in cost["workers"]) == 302
    assert sum(each["tokens"]["read"] for each in cost["workers"]) == mine.tokens.read
    assert cost["troubles"] == {}
    assert 0 < cost["model_seconds"] < cost["worker_seconds"]


def test_workers_and_a_node_that_die_on_the_way(opened, tmp_path, cluster):
    folder = write_files(tmp_path / "files", 2000)
    extra = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    working, done = {}, []

    def strike(event):
        if event.what == "began":
            working[event.worker] = event.pid
        if event.what != "done":
            return
        done.append(event.shard)
        if len(done) in (5, 12, 20):
            worker, pid = next((name, pid) for name, pid in working.items() if name != event.worker)
            del working[worker]
            os.kill(pid, signal.SIGKILL)
        if len(done) == 30:
            cluster.remove_node(extra, allow_graceful=False)

    spread = Spread(events=strike)
    with opened("here") as here, opened("fleet") as fleet:
        mine, theirs = here.add(folder), fleet.add(folder, spread=spread)
        assert counts(mine) == counts(theirs)
        assert_same(here, fleet)
    assert spread.costs.troubles["lost"] >= 3
    assert len(done) == len(set(done)) == 64


def test_files_are_opened_by_another_stage(opened, tmp_path):
    folder = write_files(tmp_path / "files", 200)
    with opened("here") as here, opened("fleet") as fleet:
        mine = here.add(folder)
        theirs = fleet.add(folder, spread=Spread(needs=Needs(workers=1, apart=True)))
        assert counts(mine) == counts(theirs)
        assert mine.tokens == theirs.tokens
        assert_same(here, fleet)
