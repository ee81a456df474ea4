"""Puts this folder on the path: `datasets_of_texts` serves the tests in the folders below too."""

import pytest
from datasets_of_texts import write_dataset

from ponder.evaluate.beir import load_beir
from ponder.index.cache import Cache


@pytest.fixture
def dataset(tmp_path):
    """Four queries over a few texts."""
    return load_beir(write_dataset(tmp_path / "texts"))


@pytest.fixture
def cache(tmp_path):
    """Its own, empty."""
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened
