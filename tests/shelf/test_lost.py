"""An index that has gone is refused by everything that would take it for an empty one."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ponder.errors import BackendFailed
from ponder.shelf import Shard, merge_shelves, open_shelf
from ponder.shelf.checking import check_shelf
from ponder.shelf.lost import IndexLost
from ponder.shelf.upkeep import look
from ponder.testing import FakeModels


@pytest.fixture
def lost(opened, folder, tmp_path):
    """The folder of a shelf whose index has gone; it held three items."""
    with opened() as shelf:
        shelf.add(folder)
    shutil.rmtree(tmp_path / "shelf" / "index")
    return tmp_path / "shelf"


@pytest.fixture
def other(tmp_path):
    """A folder with another file."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "coffee.txt").write_text("black coffee")
    return tmp_path / "other"


def refused():
    return pytest.raises(IndexLost, match="the index has gone, which held 3 items")


ASKED = {
    "info": lambda shelf: shelf.info(),
    "length": len,
    "get": lambda shelf: shelf.get(["x"]),
    "search": lambda shelf: shelf.search("kite"),
    "search, faults kept": lambda shelf: shelf.search("kite", on_fault="keep"),
    "batch": lambda shelf: shelf.search_batch(["kite"]),
    "recommend": lambda shelf: shelf.recommend(["x"]),
    "remove": lambda shelf: shelf.remove(["x"]),
    "remove by filter": lambda shelf: shelf.remove(where="kind = 'text'"),
    "doctor index": look,
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_it_is_refused_and_stays_so(lost, opened, ask):
    for _ in range(2):
        with opened() as shelf, refused():
            ask(shelf)
    assert not (lost / "index").exists()
    assert [damage.what for damage in check_shelf(lost).damages] == ["the index has gone, which held 3 items"]


def test_another_folder_is_not_added_to_what_has_gone(lost, opened, other):
    with opened() as shelf:
        for work in (shelf.add, shelf.plan):
            with refused():
                work(other)
    assert not (lost / "index").exists()


def test_only_all_of_its_files_bring_it_back(lost, opened, folder, other):
    with opened(FakeModels(forbidden=True)) as shelf:
        for part in (folder / "deep", folder / "kite.txt"):
            with refused():
                shelf.add(part)
        with refused():
            shelf.add(folder, shard=Shard(1, 2))
        assert len(shelf.plan(folder).tasks) == 3
        assert not (lost / "index").exists()
        assert shelf.add(folder).added == 3
        assert len(shelf) == 3
    assert check_shelf(lost).damages == ()


def test_files_that_cannot_be_used_now_do_not_make_it_forgotten(lost, opened, folder):
    for path in ("kite.txt", "whale.md", "deep/tea.txt"):
        (folder / path).write_text("")
    with opened() as shelf:
        assert len(shelf.add(folder).skipped) == 3
    with opened() as shelf, refused():
        len(shelf)


def test_what_was_in_it_may_be_given_up(lost, opened, other):
    with opened() as shelf, refused() as error:
        shelf.add(other)
    assert f"rm {lost}/catalog.json" in error.value.hint
    (lost / "catalog.json").unlink()
    with opened() as shelf:
        assert shelf.add(other).added == 1


def test_a_part_whose_index_has_gone_is_not_merged_as_empty(lost, folder, tmp_path, cache, opened):
    with opened() as shelf, refused():
        shelf.info()
    with open_shelf(tmp_path / "whole", FakeModels(), cache=cache) as whole:
        whole.add(folder)
    for target, part in (("new", lost), (lost, tmp_path / "whole")):
        with refused():
            merge_shelves(tmp_path / target, [part])
    assert not (lost / "index").exists()


@pytest.mark.parametrize("there", [True, False])
def test_the_command_that_repairs_it_is_one(opened, folder, tmp_path, cache, there):
    """Also with blanks and quotes in its paths, a file that was given by its hidden name, and uploads."""
    place, files = tmp_path / "ann's shelf", tmp_path / "some files"
    folder.rename(files)
    (files / ".drafts").mkdir()
    (files / ".drafts" / "draft.txt").write_text("a draft")
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        for name in ("1", "2"):
            (place / "uploads" / name).mkdir(parents=True)
            (place / "uploads" / name / "upload.txt").write_text(f"an upload {name}")
        shelf.add(files, files / ".drafts", place / "uploads")
        assert len(shelf) == 6
    if there:
        victim = next((place / "index" / "rows.lance" / "data").iterdir())
        victim.write_bytes(b"")
    else:
        shutil.rmtree(place / "index")
    repair = check_shelf(place).damages[0].repair.removeprefix("make it again: ")
    assert ("mv " in repair) == there
    script = 'ponder() { shift; for each in "$@"; do echo "$each"; done; }; ' + repair
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    shelf_given, *paths = done.stdout.splitlines()
    assert shelf_given == str(place)
    with open_shelf(place, FakeModels(forbidden=True), cache=cache) as shelf:
        assert shelf.add(*paths).added == 6
    assert check_shelf(place).damages == ()


def test_a_row_that_is_damaged_is_told_with_a_command_for_any_path(opened, folder, tmp_path, cache):
    place = tmp_path / "ann's shelf"
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        shelf.add(folder)
        victim = shelf.search("kite", k=1).hits[0].item.id
        shelf.index._rows.newest().update(where=f"id = '{victim}'", values={"digest": "another"})
        shelf.index._sums.note()
        with pytest.raises(BackendFailed):
            shelf.get([victim])
    [damage] = check_shelf(place).damages
    named = f"""'{tmp_path}/ann'"'"'s shelf'"""
    assert damage.repair == f"ponder remove {named} {victim} && ponder index {named} {folder}"
