from __future__ import annotations

import pytest

from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.testing import FakeModels


@pytest.fixture
def folder(tmp_path):
    """A folder with three texts to index."""
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "kite.txt").write_text("a red kite over the hills")
    (folder / "whale.md").write_text("# Whale\n\nthe blue whale sings")
    (folder / "deep" / "tea.txt").write_text("green tea in a pot")
    return folder


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache" / "cache.sqlite") as cache:
        yield cache


@pytest.fixture
def opened(tmp_path, cache):
    """Opens the test's shelf, by default with working fakes."""

    def open_it(models=None, **options):
        options.setdefault("cache", cache)
        return open_shelf(tmp_path / "shelf", FakeModels() if models is None else models, **options)

    return open_it
