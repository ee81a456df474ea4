"""Files that cannot be used are listed every time and tried once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ponder.errors import InputInvalid, MissingDependency
from ponder.index.cache import Cache
from ponder.media.items import items_of
from ponder.media.limits import Limits
from ponder.media.scan import scan
from ponder.records import Content, Skipped
from ponder.shelf.ingest import Ingest
from ponder.shelf.refused import Blamed, bytes_are_to_blame
from ponder.testing import FakeModels

CUT_OFF = b"\x89PNG\r\n\x1a\n nothing more"


@pytest.fixture
def broken(folder):
    path = folder / "broken.png"
    path.write_bytes(CUT_OFF)
    return path


@pytest.fixture
def openings(monkeypatch):
    """Names of the files whose content is opened."""
    from ponder.media import content

    opened = []
    real = content.open_content

    def counting(item, limits, **options):
        opened.append(item.path.rsplit("/", 1)[-1])
        return real(item, limits, **options)

    monkeypatch.setattr(content, "open_content", counting)
    return opened


def test_it_is_listed_again_without_being_tried(opened, folder, broken, openings):
    with opened() as shelf:
        first = shelf.add(folder)
    assert "broken.png" in openings
    openings.clear()
    with opened(FakeModels(forbidden=True)) as shelf:
        for _ in range(2):
            again = shelf.add(folder)
            assert again.skipped == first.skipped
            assert [skip.uri for skip in again.skipped] == [str(broken)]
            assert again.unchanged == 3
    assert openings == []


def test_it_is_tried_again_when_it_has_changed(opened, folder, broken):
    from PIL import Image

    with opened() as shelf:
        shelf.add(folder)
        Image.new("RGB", (9, 9)).save(broken)
        report = shelf.add(folder)
        assert (report.added, report.skipped) == (1, ())
        broken.write_bytes(CUT_OFF)
        os.utime(broken, ns=(1, 1))
        assert len(shelf.add(folder).skipped) == 1
        # What was stored of it stays, and a second time changes nothing.
        assert len(shelf.add(folder).skipped) == 1
        assert len(shelf) == 4


def test_it_is_forgotten_when_it_has_gone(opened, folder, broken, tmp_path):
    with opened() as shelf:
        shelf.add(folder)
        broken.unlink()
        assert shelf.add(folder).skipped == ()
        assert json.loads((tmp_path / "shelf" / "catalog.json").read_text())["refused"] == []


def test_adding_another_folder_does_not_forget_it(opened, folder, broken, tmp_path, openings):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("a note")
    with opened() as shelf:
        shelf.add(folder)
        assert shelf.add(tmp_path / "other").skipped == ()
        openings.clear()
        assert len(shelf.add(folder).skipped) == 1
    assert openings == []


def test_other_decoders_try_again(opened, folder, broken, tmp_path, openings):
    catalog = tmp_path / "shelf" / "catalog.json"
    with opened() as shelf:
        shelf.add(folder)
        stored = json.loads(catalog.read_text())
        catalog.write_text(json.dumps({**stored, "decoders": "pillow 1.0"}))
        openings.clear()
        assert len(shelf.add(folder).skipped) == 1
    assert openings == ["broken.png"]


def test_again_loads_no_database(opened, folder, broken, tmp_path):
    with opened() as shelf:
        shelf.add(folder)
    script = (
        "import sys\n"
        "from ponder.shelf import open_shelf\n"
        "from ponder.testing import FakeModels\n"
        "with open_shelf(sys.argv[1], FakeModels()) as shelf:\n"
        "    print(len(shelf.add(sys.argv[2]).skipped), 'lancedb' in sys.modules)\n"
    )
    environment = {**os.environ, "PONDER_CACHE": str(tmp_path / "users")}
    command = [sys.executable, "-c", script, str(tmp_path / "shelf"), str(folder)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["1", "False"]


class Failing:
    """An opener that fails as it is told."""

    def __init__(self, error):
        self.error = error

    def digest(self, item):
        return item.id

    def open(self, item) -> Content:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InputInvalid("cut off"), Blamed),
        (OSError("image file is truncated"), Blamed),
        (ValueError("a decoder's bug"), Blamed),
        (OSError(5, "Input/output error"), Skipped),
        (MemoryError(), Skipped),
        (MissingDependency("HEIC pictures need pillow-heif"), Skipped),
    ],
)
def test_only_what_lies_in_the_bytes_is_blamed_on_them(folder, tmp_path, error, kind):
    [source] = scan([folder / "kite.txt"], limits=Limits()).sources
    with Cache(tmp_path / "other.sqlite") as cache:
        ingest = Ingest(FakeModels(), cache, opener=Failing(error))
        [row] = ingest.rows(items_of(source, Limits()))
    assert type(row) is kind


def test_a_cause_that_is_hidden_from_the_reader_counts():
    with pytest.raises(InputInvalid) as caught:
        try:
            raise OSError(5, "Input/output error")
        except OSError:
            raise InputInvalid("not a readable picture") from None
    assert not bytes_are_to_blame(caught.value)
