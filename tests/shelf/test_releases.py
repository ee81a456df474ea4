"""A shelf of every release opens, and answers as when it was made. Never change what is in releases/."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.shelf.manifest import FORMAT, Manifest
from ponder.testing import FakeModels

RELEASES = Path(__file__).parent / "releases"
NAMES = sorted(path.name for path in RELEASES.iterdir() if (path / "rankings.json").exists())

sys.path.insert(0, str(RELEASES))

from make_release import KNOWLEDGE, TEXTS, rankings  # noqa: E402


@pytest.fixture(params=NAMES)
def release(request, tmp_path):
    """A copy of a release's shelf, and what it answered."""
    shutil.copytree(RELEASES / request.param / "shelf", tmp_path / "shelf")
    return tmp_path / "shelf", json.loads((RELEASES / request.param / "rankings.json").read_text())


def opened(folder, cache):
    return open_shelf(folder, FakeModels(knowledge=KNOWLEDGE), create=False, cache=cache)


def test_there_is_one_for_the_first_release():
    assert "0.1.0" in NAMES


def test_it_answers_as_when_it_was_made(release, tmp_path):
    folder, expected = release
    with Cache(tmp_path / "c.sqlite") as cache, opened(folder, cache) as shelf:
        assert len(shelf) == len(TEXTS)
        assert rankings(shelf) == expected
        assert Manifest.read(folder).version <= FORMAT


def test_it_is_whole(release):
    folder, _ = release
    checked = check_shelf(folder)
    assert checked.damages == ()
    assert checked.rows == len(TEXTS)


def test_it_is_written_to_and_then_answers_with_both(release, tmp_path):
    folder, expected = release
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "cello.txt").write_text("a cello is larger than a violin")
    with Cache(tmp_path / "c.sqlite") as cache, opened(folder, cache) as shelf:
        assert shelf.add(tmp_path / "new").added == 1
        shelf.index.compact()
        assert Path(shelf.search("cello", k=1).hits[0].item.uri).name == "cello.txt"
        assert shelf.remove([shelf.search("cello", k=1).hits[0].item.id]) == 1
        assert rankings(shelf) == expected
    assert check_shelf(folder).damages == ()
