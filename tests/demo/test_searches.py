"""What `make demo` promises: its searches find what they should, on the real lite models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ponder.cli.demo import read_searches
from ponder.index import Cache
from ponder.presets.lite import LiteModels
from ponder.shelf import open_shelf

DEMO = Path(__file__).resolve().parents[2] / "src" / "ponder" / "demo"
COLLECTION = DEMO / "collection"
SEARCHES = read_searches(DEMO / "searches.yaml")
OTHERS = 36


def some_of_the_collection() -> list[Path]:
    """All that a search expects, and every so many of the rest: the whole takes a minute to index."""
    wanted = {COLLECTION / name.split("#")[0] for search in SEARCHES for name in search.expect}
    rest = sorted({path for path in COLLECTION.rglob("*") if path.is_file()} - wanted)
    return sorted(wanted) + rest[:: len(rest) // OTHERS]


# One test, so that the files are indexed once however tests are spread over processes.
@pytest.mark.lite
def test_each_search_finds_what_it_should(lite_models: LiteModels, tmp_path: Path) -> None:
    folder = tmp_path / "collection"
    for path in some_of_the_collection():
        copy = folder / path.relative_to(COLLECTION)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    missed = {}
    with (
        Cache(tmp_path / "cache.sqlite") as cache,
        open_shelf(tmp_path / "s", lite_models, cache=cache) as shelf,
    ):
        assert shelf.add(folder).skipped == ()
        for search in SEARCHES:
            ranking = shelf.search(search.query, k=max(10, search.within), budget=search.budget)
            assert ranking.usage.spent <= search.budget
            assert all(hit.reason for hit in ranking.hits[:3])
            found = [str(Path(hit.item.uri).relative_to(folder)) for hit in ranking.hits]
            if not set(search.expect) & set(found[: search.within]):
                missed[search.title] = found
    assert missed == {}
