"""Workers that hang, lie and fail, and a driver that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ray import cloudpickle
from shelf_files import assert_same, write_files

from ponder.errors import BackendFailed, InputInvalid
from ponder.spread.maker import Spread
from ponder.spread.needs import Needs
from ponder.spread.worker import Worker

pytestmark = pytest.mark.usefixtures("cluster")

# Workers get these classes by value: their processes cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def first_time(worker, name):
    """Whether no other worker of this job has been here."""
    try:
        (Path(worker.job.folder) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class Hangs(Worker):
    def make(self, ingest, items):
        if first_time(self, "hung"):
            time.sleep(600)
        return super().make(ingest, items)


class Lies(Worker):
    def make(self, ingest, items):
        rows, skipped = super().make(ingest, items)
        if len(rows) > 1 and first_time(self, "lied"):
            one, other = list(rows)[:2]
            rows[one] = replace(rows[other], item=rows[one].item)
        return rows, skipped


class Fails(Worker):
    """Over every shard, once one is finished: which is the first depends on the path of the files."""

    def make(self, ingest, items):
        rows, skipped = super().make(ingest, items)
        if list(self.spool.folder.glob("*.shard")):
            raise BackendFailed("the GPU is out of memory", "here", "")
        return rows, skipped


class Dies(Worker):
    def make(self, ingest, items):
        if any(item.path.endswith("00007.txt") for item in items):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().make(ingest, items)


class DiesBeforeItAnswers(Worker):
    def run(self, *told):
        answer = super().run(*told)
        if first_time(self, "died"):
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


class IsOtherwise(Worker):
    def __init__(self, job, spool, mark):
        super().__init__(job, spool, mark)
        self.job = replace(self.job, embedder="another")


@pytest.mark.parametrize(("worker", "trouble", "seconds"), [(Hangs, "late", 8.0), (Lies, "refused", 600.0)])
def test_the_result_is_the_same(opened, tmp_path, monkeypatch, worker, trouble, seconds):
    monkeypatch.chdir(tmp_path)
    folder = write_files(tmp_path / "files", 150)
    spread = Spread(needs=Needs(workers=2, seconds=seconds), worker=worker)
    with opened("here") as here, opened("fleet") as fleet:
        here.add(folder)
        fleet.add(folder, spread=spread)
        assert_same(here, fleet)
    assert spread.costs.troubles == {trouble: 1}


@pytest.mark.parametrize("apart", [False, True])
def test_what_a_worker_finished_before_it_died_is_not_done_again_nor_blamed(
    opened, tmp_path, monkeypatch, apart
):
    monkeypatch.chdir(tmp_path)
    folder = write_files(tmp_path / "files", 200)
    happened = []
    needs = Needs(workers=1, apart=apart)
    spread = Spread(needs=needs, worker=DiesBeforeItAnswers, events=happened.append)
    with opened("here") as here, opened("fleet") as fleet:
        here.add(folder)
        fleet.add(folder, spread=spread)
        assert_same(here, fleet)
    assert spread.costs.troubles == {"lost": 1}
    done = [event.shard for event in happened if event.what == "done"]
    assert sorted(done) == sorted(set(done)) and len(done) > 1
    dead = next(event.worker for event in happened if event.what == "lost")
    assert [event.shard for event in happened if event.what == "done" and event.worker == dead]


def test_what_fails_again_and_again_ends_the_run_and_what_is_finished_is_kept(opened, tmp_path):
    folder = write_files(tmp_path / "files", 150, bad=0)
    with opened("fleet") as fleet:
        with pytest.raises(BackendFailed, match=r"failed 4 times.*out of memory"):
            fleet.add(folder, spread=Spread(needs=Needs(workers=2), worker=Fails))
        assert fleet.models.reasoner.calls == 0
        spread = Spread(needs=Needs(workers=2))
        fleet.add(folder, spread=spread)
        assert spread.costs.resumed > 0
        with opened("here") as here:
            here.add(folder)
            assert_same(here, fleet)


@pytest.mark.parametrize("apart", [False, True])
def test_a_file_that_ends_workers_is_skipped_and_listed(opened, tmp_path, apart):
    folder = write_files(tmp_path / "files", 100, bad=1)
    spread = Spread(needs=Needs(workers=1, apart=apart), worker=Dies)
    with opened("here") as here, opened("fleet") as fleet:
        report = fleet.add(folder, spread=spread)
        assert report.added == 99
        assert [Path(each.uri).name for each in report.skipped] == ["00007.txt", "broken-0.png"]
        assert "ended every worker" in report.skipped[0].error
        # It is known now, as other bad files are: nobody dies of it again.
        assert len(fleet.add(folder, spread=spread).skipped) == 2
        assert spread.costs.troubles == {"lost": 3}
        (folder / "00007.txt").unlink()
        here.add(folder)
        fleet.add(folder)
        assert_same(here, fleet)


def test_workers_with_other_models_are_refused_with_what_they_lack(opened, tmp_path):
    folder = write_files(tmp_path / "files", 20, bad=0)
    with opened("fleet") as fleet:
        with pytest.raises(InputInvalid, match=r"other models or software.*install there"):
            fleet.add(folder, spread=Spread(worker=IsOtherwise))
        assert len(fleet) == 0


DRIVER = """
    import sys, ray
    from ponder.index import Cache
    from ponder.shelf import open_shelf
    from ponder.spread.needs import Needs
    from ponder.spread.maker import Spread

    address, folder, shelf, cache = sys.argv[1:]

    def tell(event):
        if event.what in ("began", "done"):
            print(event.what, event.shard, flush=True)

    with open_shelf(shelf, "fake,delay_ms=5", cache=Cache(cache)) as opened:
        opened.add(folder, spread=Spread(address=address, needs=Needs(workers=2), events=tell))
"""


def test_after_a_killed_driver_at_most_a_shard_a_worker_is_done_again(opened, tmp_path, cluster):
    folder = write_files(tmp_path / "files", 600, bad=0)
    driver = subprocess.Popen(
        [
            *(sys.executable, "-c", textwrap.dedent(DRIVER), cluster.address, str(folder)),
            *(str(tmp_path / "fleet"), str(tmp_path / "fleet-cache" / "cache.sqlite")),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    told = {"began": set(), "done": set()}
    with driver:
        for line in driver.stdout:
            what, number = line.split()
            told[what].add(int(number))
            if len(told["done"]) == 20:
                os.kill(driver.pid, signal.SIGKILL)
    assert driver.returncode == -signal.SIGKILL
    begun, again = told["began"], []
    spread = Spread(
        needs=Needs(workers=2),
        events=lambda event: again.append(event.shard) if event.what == "done" else None,
    )
    with opened("fleet", "fake,delay_ms=5") as fleet, opened("here") as here:
        stored = len(fleet)
        report = fleet.add(folder, spread=spread)
        assert 0 < stored < 600
        assert (report.unchanged, report.added) == (stored, 600 - stored)
        here.add(folder)
        assert_same(here, fleet)
    # Each of the 64 was done once; what was done again is what was begun before and finished now.
    assert 0 <= len(begun) + len(again) - 64 <= 2
