"""Files that are broken or meant to harm: indexing ends, and each is a hit or listed as skipped."""

from __future__ import annotations

import resource
from pathlib import Path
from random import Random

import pytest

from ponder.media import Limits, items_of, scan
from ponder.media.isolated import decoders
from ponder.testing import FakeModels
from ponder.testing.faults import hostile_files, sample_media
from ponder.testing.faults.hostile import BOMBS

FILES = 60
MEMORY = 2 * 1024**3


def accounted(shelf, report, paths):
    """Each file is stored, whole, or listed; the pages that are neither."""
    stored = {Path(row.item.path) for row in shelf.get([source.id for source in shelf.index.sources()])}
    listed = {Path(skip.uri.partition("#page=")[0]) for skip in report.skipped}
    return [path for path in paths if path not in stored | listed]


def test_mutations_are_hits_or_listed(tmp_path, shelf_at, isolated):
    paths = hostile_files(tmp_path / "bad", FILES, sample_media(tmp_path / "made"), seed=20)
    isolated("on", seconds=8)
    # The largest child so far may have been another test's.
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with shelf_at(tmp_path / "shelf") as shelf:
        report = shelf.add(tmp_path / "bad", workers=2)
        assert accounted(shelf, report, paths) == []
        assert report.added > FILES / 10
        assert len(report.skipped) > FILES / 10
        for skip in report.skipped:
            assert skip.error
            assert "Traceback" not in skip.error
        # Nothing is tried again, and no model is asked.
        again = shelf.add(tmp_path / "bad")
        assert (again.added, again.unchanged) == (0, report.added)
        assert len(again.skipped) == len(report.skipped)
    with shelf_at(tmp_path / "shelf", FakeModels()) as shelf:
        assert shelf.search("a red kite", k=3).hits
    isolated("off")
    # What a decoder took at most is known when it has ended.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < max(MEMORY, before + 1)
    assert decoders() == ()


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_hits_or_listed(tmp_path, shelf_at, isolated, name):
    folder = tmp_path / "bombs"
    folder.mkdir()
    path = folder / name
    path.write_bytes(BOMBS[name](Random(1)))
    (folder / "whale.txt").write_text("the blue whale sings")
    isolated("on", seconds=3)
    with shelf_at(tmp_path / "shelf") as shelf:
        report = shelf.add(folder)
        assert accounted(shelf, report, [path, folder / "whale.txt"]) == []
        assert any(hit.item.uri.endswith("whale.txt") for hit in shelf.search("blue whale", k=5))


def test_the_samples_are_what_they_claim(tmp_path):
    made = sample_media(tmp_path / "made")
    assert {source.kind for source in scan(made, limits=Limits()).sources} == {
        "image",
        "page",
        "video",
        "text",
    }
    assert all(items_of(source, Limits()) for source in scan(made, limits=Limits()).sources)
