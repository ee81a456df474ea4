"""A model that gives garbage, dies or stops answering is named, and nothing of what it gave is kept."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import get_args

import pytest

from ponder.errors import BackendFailed
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels, FakeReasoner
from ponder.testing.faults import Garbage, garbage_models


def entries(place):
    database = sqlite3.connect(place)
    try:
        return database.execute("SELECT count(*) FROM entries").fetchone()[0]
    finally:
        database.close()


@pytest.mark.parametrize("garbage", get_args(Garbage))
def test_garbage_is_refused_and_never_stored(texts, tmp_path, shelf_at, ask, garbage):
    place = tmp_path / "shelf"
    with shelf_at(place, garbage_models(garbage)) as shelf:
        with pytest.raises(BackendFailed, match="fake-") as caught:
            shelf.add(texts)
        assert "nothing of this is kept" in caught.value.hint
        assert len(shelf) == 0
    # A good reasoning before a bad vector is kept in the cache; nothing else is.
    assert entries(tmp_path / "cache.sqlite") == (1 if garbage.startswith("embed") else 0)
    # With the model put right, the same command goes on, and garbage has left no trace.
    with shelf_at(place) as shelf, open_shelf(tmp_path / "new", FakeModels(), cache=_Nothing()) as fresh:
        assert shelf.add(texts).added == fresh.add(texts).added == 40
        assert ask(shelf) == ask(fresh)
    assert check_shelf(place).damages == ()


class _Nothing:
    """A cache that keeps nothing."""

    def get(self, key):
        return None

    def put(self, key, value):
        pass


@dataclass(eq=False)
class Dying(FakeReasoner):
    """Works for a while, and then fails as engines do."""

    left: int = 17
    error: type[BaseException] = RuntimeError

    def reason(self, contents, *, role, tokens):
        if self.left == 0:
            raise self.error("CUDA error: device-side assert triggered")
        self.left -= 1
        return super().reason(contents, role=role, tokens=tokens)


@pytest.mark.parametrize("error", [BackendFailed, RuntimeError, MemoryError, KeyboardInterrupt])
def test_what_was_done_before_a_model_died_stays(texts, tmp_path, shelf_at, ask, error):
    models = FakeModels()
    models.reasoner = Dying(models.reasoner.fingerprint, error=error)
    with shelf_at(tmp_path / "shelf", models) as shelf:
        with pytest.raises(error):
            shelf.add(texts, commit_every=4)
        assert len(shelf) == 17
    working = FakeModels()
    with shelf_at(tmp_path / "shelf", working) as shelf, shelf_at(tmp_path / "whole") as whole:
        assert shelf.add(texts).added == 23
        assert working.reasoner.calls == 23
        whole.add(texts)
        assert ask(shelf) == ask(whole)


def test_saying_nothing_is_no_garbage_where_there_is_nothing_to_say(tmp_path, shelf_at):
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "dots.txt").write_text("... !!! ???")
    (folder / "words.txt").write_text("some words")
    with shelf_at(tmp_path / "shelf") as shelf:
        assert shelf.add(folder).added == 2
    with shelf_at(tmp_path / "plain", reason_tokens=0) as shelf:
        assert shelf.add(folder).added == 2
