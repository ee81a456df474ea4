"""A disk that is full or read-only, and clocks that jump: refused clearly or noticed, nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time

import pytest

from ponder.errors import BackendFailed
from ponder.index import Cache
from ponder.index.lance import LanceIndex
from ponder.serve.warm import announce, find
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels

YEAR = 365 * 86_400 * 10**9

ADDING = """
    import sys
    from ponder.errors import PonderError
    from ponder.shelf import open_shelf
    from ponder.testing import FakeModels
    try:
        print("added", open_shelf(sys.argv[1], FakeModels()).add(sys.argv[2], commit_every=8).added)
    except PonderError as error:
        print("refused:", error)
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if not mounted or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only, and not in every container")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def adding(shelf, files, cache, **options):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ADDING), str(shelf), str(files)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PONDER_CACHE": str(cache)},
        **options,
    )
    return done.stdout.strip(), done.stderr


def test_a_disk_that_fills_loses_nothing(small_disk, tmp_path, texts, shelf_at, ask):
    for number in range(300):
        (texts / f"more-{number}.txt").write_text(f"word{number} word{number + 1} " * 300)
    said, errors = adding(small_disk / "shelf", texts, small_disk / "cache")
    assert said.startswith("refused:"), errors
    assert "space" in said
    with open_shelf(small_disk / "shelf", FakeModels(), create=False) as shelf:
        stored = len(shelf)
        assert 0 < stored < 340
    assert check_shelf(small_disk / "shelf").damages == ()
    # With more room, the same command completes it.
    room = ["mount", "-o", "remount,size=200m", str(small_disk)]
    subprocess.run(room, check=True, capture_output=True)
    said, errors = adding(small_disk / "shelf", texts, small_disk / "cache")
    assert said == f"added {340 - stored}", errors
    with open_shelf(small_disk / "shelf", FakeModels()) as shelf, shelf_at(tmp_path / "whole") as whole:
        whole.add(texts)
        assert ask(shelf) == ask(whole)


@pytest.fixture
def read_only(tmp_path):
    """Makes a folder read-only, for root too."""
    mounted = []

    def make(folder):
        if os.geteuid() != 0:
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & 0o555)
            return
        bind = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False)
        if bind.returncode:
            pytest.skip("root writes everywhere, and nothing can be mounted here")
        mounted.append(folder)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True, capture_output=True)

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_shelf_is_searched_and_not_written(tmp_path, texts, shelf_at, ask, read_only):
    with shelf_at(tmp_path / "shelf") as shelf:
        shelf.add(texts)
        truth = ask(shelf)
    (texts / "new.txt").write_text("something new")
    read_only(tmp_path / "shelf")
    with shelf_at(tmp_path / "shelf") as shelf:
        assert ask(shelf) == truth
        for change in (lambda: shelf.add(texts), lambda: shelf.remove(where="kind = 'text'")):
            with pytest.raises(
                BackendFailed, match=r"cannot be written: (Read-only|Permission).*permissions"
            ):
                change()
        assert ask(shelf) == truth
    assert check_shelf(tmp_path / "shelf").damages == ()
    # A server on it is not found by the command line, and serves.
    announce(tmp_path / "shelf", 9)
    assert find(tmp_path / "shelf") is None


@pytest.mark.parametrize("jump", [-30 * YEAR, -1, 1, 30 * YEAR])
def test_a_changed_file_is_noticed_however_the_clock_jumps(tmp_path, texts, shelf_at, jump):
    victim = texts / "07.txt"
    with shelf_at(tmp_path / "shelf") as shelf:
        shelf.add(texts)
        old = victim.read_text()
        was = victim.stat()
        # As long as before, so that only the time can tell.
        victim.write_text("zzz" + old[3:])
        os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns + jump))
        report = shelf.add(texts)
        assert (report.updated, report.unchanged) == (1, 39)
        # Back again, with a time that was seen before.
        victim.write_text(old)
        os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))
        assert shelf.add(texts).updated == 1
        assert shelf.add(texts).unchanged == 40


@pytest.mark.parametrize("jump", [-30 * YEAR, 30 * YEAR])
def test_versions_from_another_time_are_searched_and_compacted(tmp_path, texts, jump, ask):
    with (
        Cache(tmp_path / "c.sqlite") as cache,
        open_shelf(tmp_path / "s", FakeModels(), cache=cache) as shelf,
    ):
        shelf.add(texts, commit_every=5)
        truth = ask(shelf)
        for path in (tmp_path / "s" / "index").rglob("*"):
            now = time.time_ns()
            os.utime(path, ns=(now + jump, now + jump))
    with (
        Cache(tmp_path / "c.sqlite") as cache,
        open_shelf(tmp_path / "s", FakeModels(), cache=cache) as shelf,
    ):
        assert ask(shelf) == truth
        assert isinstance(shelf.index, LanceIndex)
        shelf.index.compact()
        assert ask(shelf) == truth
        (texts / "01.txt").write_text("word1 entirely new")
        assert shelf.add(texts).updated == 1
        shelf.index.compact()
    assert check_shelf(tmp_path / "s").damages == ()
