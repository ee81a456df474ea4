"""Parts of the files: each file is in one of them, the same everywhere, and no part touches another's."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import make_pdf
from shelf_files import WORDS, write_files

from ponder.errors import BadArguments
from ponder.shelf import Shard, open_shelf
from ponder.testing import FakeModels

NAMES = st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1), min_size=1, max_size=4)


@given(st.lists(NAMES, max_size=20), st.integers(1, 9))
def test_every_file_is_in_one_part_wherever_its_folder_is(names, of):
    parts = [Shard(number, of) for number in range(1, of + 1)]
    for name in names:
        path = "/".join(name)
        takes = [part.takes(f"/mnt/a/{path}", ["/mnt/a"]) for part in parts]
        assert sum(takes) == 1
        assert takes == [part.takes(f"/data/{path}", ["/", "/data/"]) for part in parts]
        # A Mac writes an accent as a character of its own.
        other = unicodedata.normalize("NFD", path)
        assert takes == [part.takes(f"/Volumes/b/{other}", ["/Volumes/b"]) for part in parts]


def test_parts_are_of_about_one_size():
    paths = [f"/files/{number:05}.jpg" for number in range(10_000)]
    for number in range(1, 9):
        assert 1050 < sum(Shard(number, 8).takes(path, ["/files"]) for path in paths) < 1450


def test_a_file_that_is_given_itself_has_its_name():
    part = Shard(1, 3)
    assert part.takes("/a/kite.txt", ["/a/kite.txt"]) == part.takes("/b/kite.txt", ["/b"])


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "1.5/3"])
def test_what_is_no_part(text):
    with pytest.raises(BadArguments, match="write NUMBER/OF"):
        Shard.parse(text)


@pytest.fixture
def shelf_of(tmp_path, cache):
    """Opens the shelf of this name."""

    def open_it(name, models=None):
        return open_shelf(tmp_path / str(name), models or FakeModels(), cache=cache)

    return open_it


def ids(shelf):
    return {source.id for source in shelf.index.sources()}


def test_parts_are_disjoint_and_together_everything(shelf_of, tmp_path):
    folder = write_files(tmp_path / "files", 30, bad=4)
    for number in range(4):
        make_pdf(folder / f"book-{number}.pdf", WORDS[number : number + 3])
    (folder / "nowhere.txt").symlink_to(tmp_path / "gone.txt")
    with shelf_of("whole") as whole:
        everything = whole.add(folder)
        all_ids = ids(whole)
    found, skipped = [], []
    for number in (1, 2, 3):
        with shelf_of(number) as part:
            report = part.add(folder, shard=Shard(number, 3))
            assert part.plan(folder, shard=Shard(number, 3)).unchanged == report.added
            skipped += [skip.uri for skip in report.skipped]
            found.append(ids(part))
            books = {row.item.path: row.source["of"] for row in part.get(list(found[-1])) if row.item.page}
            assert sum(books.values()) == sum(row.item.kind == "page" for row in part.get(list(found[-1])))
    assert sum(map(len, found)) == len(all_ids) == 42
    assert set.union(*found) == all_ids
    # Each broken file is listed by its part; what leads nowhere may be anything, so all parts list it.
    assert len(everything.skipped) == 5
    assert sorted(skipped) == sorted(
        [skip.uri for skip in everything.skipped] + 2 * [str(folder / "nowhere.txt")]
    )


def test_a_part_with_no_file_is_an_empty_shelf(shelf_of, folder):
    added = []
    for number in range(1, 21):
        with shelf_of(number) as shelf:
            added.append(shelf.add(folder, shard=Shard(number, 20)).added)
            assert len(shelf) == added[-1]
    assert sum(added) == 3
    assert added.count(0) >= 17


def test_what_has_gone_or_changed_elsewhere_is_not_this_parts_business(shelf_of, tmp_path):
    folder = write_files(tmp_path / "files", 20, bad=4)
    part = Shard(2, 3)
    with shelf_of("one") as shelf:
        shelf.add(folder)
        for path in folder.iterdir():
            if path.name < "00010.txt":
                path.unlink()
            elif path.suffix == ".txt":
                path.write_text(f"another text, {path.name}")
        mine = sum(part.takes(str(folder / f"{number:05}.txt"), [str(folder)]) for number in range(20))
        gone = sum(part.takes(str(folder / f"{number:05}.txt"), [str(folder)]) for number in range(10))
        assert 0 < gone < mine < 20
        report = shelf.add(folder, shard=part)
        assert (report.removed, report.updated, report.added) == (gone, mine - gone, 0)
        assert len(shelf) == 20 - gone
        # What the other parts could not use is still known, and not listed here.
        assert len(report.skipped) < 4
        assert len(json.loads((tmp_path / "one" / "catalog.json").read_text())["refused"]) == 4
        report = shelf.add(folder)
        assert (report.removed, report.updated, report.unchanged) == (
            10 - gone,
            10 - mine + gone,
            mine - gone,
        )
        assert len(report.skipped) == 4


def test_a_folder_that_has_been_emptied(shelf_of, tmp_path):
    folder = write_files(tmp_path / "files", 12, bad=0)
    with shelf_of("one") as shelf:
        shelf.add(folder)
        for path in folder.iterdir():
            path.unlink()
        (folder / "later").mkdir()
        removed = [shelf.add(folder, shard=Shard(number, 2)).removed for number in (1, 2)]
        assert sum(removed) == 12
        assert 0 < removed[0] < 12
        assert len(shelf) == 0
