"""What indexing a folder does not come to: hidden files, shelves, disks that are not mounted."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ponder.errors import InputInvalid
from ponder.media.limits import Limits
from ponder.media.scan import scan
from ponder.shelf import open_shelf
from ponder.testing import FakeModels


def counts(report):
    return (report.added, report.updated, report.unchanged, report.removed)


def test_what_was_given_by_its_hidden_name_stays_until_it_has_gone(opened, folder):
    (folder / ".notes").mkdir()
    (folder / ".notes" / "badger.txt").write_text("a badger")
    (folder / ".todo.txt").write_text("feed the otter")
    with opened() as shelf:
        assert counts(shelf.add(folder / ".notes", folder / ".todo.txt")) == (2, 0, 0, 0)
        assert counts(shelf.add(folder)) == (3, 0, 0, 0)
        assert counts(shelf.add(folder, folder / ".notes")) == (0, 0, 4, 0)
        (folder / ".notes" / "badger.txt").unlink()
        assert counts(shelf.add(folder)) == (0, 0, 3, 1)
        assert len(shelf) == 4


def test_a_disk_that_is_not_mounted_is_not_taken_for_an_empty_folder(opened, folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "coffee.txt").write_text("black coffee")
    with opened() as shelf:
        shelf.add(folder)
        shutil.rmtree(folder)
        folder.mkdir()
        for work in (shelf.add, shelf.plan):
            with pytest.raises(InputInvalid, match=r"the folder is empty now, 3 files .*mount its disk"):
                work(folder, tmp_path / "other")
        assert len(shelf) == 3
        # Mounted again, nothing has been lost; and nothing is refused that never held a file.
        (folder / "kite.txt").write_text("a red kite over the hills")
        assert counts(shelf.add(folder)) == (0, 0, 1, 2)


def test_a_folder_that_was_emptied_on_purpose_is_taken_out_with_the_command(opened, folder, tmp_path, cache):
    place = tmp_path / "ann's files"
    folder.rename(place)
    with opened() as shelf:
        shelf.add(place)
        shutil.rmtree(place)
        place.mkdir()
        with pytest.raises(InputInvalid) as error:
            shelf.add(place)
        script = f'ponder() {{ echo "$4"; }}; {error.value.hint.partition("take them out: ")[2]}'
        where = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True).stdout
        assert shelf.remove(where=where.strip()) == 3
        (place / "new.txt").write_text("a violin")
        assert counts(shelf.add(place)) == (1, 0, 0, 0)


@pytest.mark.parametrize("sub", ["shelf", "deep/shelf"])
def test_a_shelf_does_not_index_itself(folder, cache, sub):
    for expected in ((3, 0, 0, 0), (0, 0, 3, 0), (0, 0, 3, 0)):
        with open_shelf(folder / sub, FakeModels(), cache=cache) as shelf:
            assert counts(shelf.add(folder)) == expected
            assert len(shelf) == 3


def test_what_an_earlier_ponder_took_of_its_own_index_goes_and_uploads_stay(folder, cache):
    place = folder / "shelf"
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        shelf.add(folder)
        (place / "uploads").mkdir()
        (place / "uploads" / "upload.txt").write_text("an upload")
        assert shelf.add(place / "index" / "sums.txt", place / "uploads").added == 2
        assert counts(shelf.add(folder)) == (0, 0, 3, 1)
        assert {source.source["path"].rsplit("/", 1)[-1] for source in shelf.index.sources()} == {
            "kite.txt",
            "whale.md",
            "tea.txt",
            "upload.txt",
        }
        # The folder of the shelf itself, in which there is nothing to index.
        assert counts(shelf.add(place)) == (0, 0, 0, 0)
        assert len(shelf) == 4


def test_another_programs_manifest_hides_nothing(folder):
    for text in ('{"name": "an app", "version": "1"}', "[1]", "{", '{"ponder": "a word"}', "[" * 50_000):
        (folder / "manifest.json").write_text(text)
        found = scan([folder], limits=Limits())
        assert len(found.sources) >= 3
        assert found.shelves == ()
