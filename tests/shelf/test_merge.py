"""Shelves that were made apart and merged are the shelf that one machine would have made."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_files import make_pdf
from shelf_files import WORDS, assert_same, hits, write_files

from ponder.errors import BackendFailed, BadArguments, InputInvalid, InputNotFound
from ponder.index import Cache
from ponder.index.lance import LanceIndex
from ponder.media.items import item_id
from ponder.media.limits import Limits
from ponder.shelf import Shard, merge_shelves, open_shelf
from ponder.shelf.adding import stored_catalog
from ponder.shelf.refused import Refusal
from ponder.testing import FakeModels

BROKEN = b"\x89PNG\r\n\x1a\nno picture"


@pytest.fixture
def shelf_of(tmp_path, cache):
    """Opens the shelf of this name."""

    def open_it(name, models=None, **options):
        return open_shelf(tmp_path / str(name), models or FakeModels(), cache=cache, **options)

    return open_it


def counts(report):
    return (report.added, report.replaced, report.unchanged, report.kept, report.removed)


def texts(shelf):
    """What the shelf holds, by the files' names."""
    rows = shelf.get([source.id for source in shelf.index.sources()])
    return {row.item.uri.rsplit("/", 1)[-1]: row.reasoning.text for row in rows}


FILES = st.dictionaries(
    st.from_regex(r"([a-c]/){0,2}[a-h]{1,3}\.txt", fullmatch=True),
    st.lists(st.sampled_from(WORDS[:40]), min_size=1, max_size=60).map(" ".join),
    min_size=1,
    max_size=9,
)


@settings(max_examples=8)
@given(FILES, st.integers(1, 4), st.randoms(use_true_random=False))
def test_parts_indexed_apart_and_merged_are_one_add_of_the_whole(files, of, chance):
    place = Path(tempfile.mkdtemp())
    try:
        for name, text in files.items():
            (place / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "files" / name).write_text(text)
        with Cache(place / "cache.sqlite") as cache:
            with open_shelf(place / "whole", FakeModels(), cache=cache) as whole:
                whole.add(place / "files")
            for number in range(1, of + 1):
                with open_shelf(place / f"{number}", FakeModels(), cache=cache) as part:
                    part.add(place / "files", shard=Shard(number, of))
            order = [place / f"{number}" for number in range(1, of + 1)]
            chance.shuffle(order)
            report = merge_shelves(place / "merged", order, on_conflict="error")
            assert counts(report) == (len(files), 0, 0, 0, 0)
            with (
                open_shelf(place / "whole", FakeModels(), cache=cache) as whole,
                open_shelf(place / "merged", FakeModels(), cache=cache) as merged,
            ):
                assert_same(whole, merged)
    finally:
        shutil.rmtree(place)


def test_no_model_is_asked_and_everything_is_known_afterwards(shelf_of, tmp_path):
    folder = write_files(tmp_path / "files", 40, bad=5)
    make_pdf(folder / "book.pdf", WORDS[:7])
    with shelf_of("whole") as whole:
        listed = whole.add(folder).skipped
    for number in (1, 2, 3):
        with shelf_of(number) as part:
            part.add(folder, shard=Shard(number, 3))
    forbidden = FakeModels(forbidden=True)
    seen = []
    with shelf_of(1, forbidden) as one, shelf_of(2, forbidden) as two, shelf_of(3, forbidden) as three:
        before = len(one)
        report = one.merge(two, three, progress=lambda *told: seen.append(told))
        assert counts(report) == (47 - before, 0, 0, 0, 0)
        assert seen[-1] == (47 - before, 47 - before)
        assert seen == sorted(seen)
        assert 0 < len(report.skipped) <= 5
        # What could not be used is known too: neither a model nor a decoder is asked.
        again = one.add(folder)
        assert (again.unchanged, again.added, again.removed) == (47, 0, 0)
        assert again.skipped == listed
    with shelf_of("whole") as whole, shelf_of(1) as one:
        assert_same(whole, one)


def test_a_second_time_changes_nothing(shelf_of, folder, tmp_path):
    with shelf_of("one") as one, shelf_of("two") as two:
        one.add(folder)
        two.merge(one)
        stamp = two.stamp
        assert counts(two.merge(one)) == (0, 0, 3, 0, 0)
        assert counts(two.merge(one, one, on_conflict="error")) == (0, 0, 6, 0, 0)
        assert two.stamp == stamp
        assert_same(one, two)


@pytest.mark.parametrize("kind", ["s3", "postgresql", "qdrant"])
def test_from_and_into_every_store(kind, shelf_of, tmp_path, request):
    if kind == "s3":
        where = f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"
    elif kind == "postgresql":
        where = request.getfixturevalue("postgres_url")
    else:
        where = f"qdrant+{request.getfixturevalue('qdrant_url')}"
    folder = write_files(tmp_path / "files", 30, bad=1)
    for number in (1, 2):
        with shelf_of(number) as part:
            part.add(folder, shard=Shard(number, 2))
    parts = [tmp_path / "1", tmp_path / "2"]
    assert merge_shelves(tmp_path / "there", parts, store=where).added == 30
    # The address may be given again; and what is there comes back as it was.
    assert merge_shelves(tmp_path / "there", parts[:1], store=where).added == 0
    assert merge_shelves(tmp_path / "back", [tmp_path / "there"]).added == 30
    with shelf_of("whole") as whole, shelf_of("there") as there, shelf_of("back") as back:
        whole.add(folder)
        assert there.info().store.partition("#")[0] == where.partition("#")[0]
        assert_same(whole, there)
        assert_same(whole, back)
        with pytest.raises(BadArguments, match="into itself"):
            copy = tmp_path / "copy"
            copy.mkdir()
            shutil.copy(tmp_path / "there" / "manifest.json", copy)
            there.merge(open_shelf(copy))


@pytest.mark.parametrize(
    ("models", "options", "said"),
    [
        (FakeModels(version="2"), {}, "other models.*reasoner fake-reasoner-2-none there, fake-reasoner-1"),
        (FakeModels(dim=64), {}, "other models.*dim 64 there, 256 here"),
        (FakeModels(), {"reason_tokens": 7}, "other settings.*reason-tokens 7 there, 64 here"),
        (FakeModels(), {"limits": Limits(max_pages=3)}, "other settings.*max_pages 3 there, "),
    ],
)
def test_other_models_and_settings_are_refused(shelf_of, folder, tmp_path, models, options, said):
    with shelf_of("mine") as mine, shelf_of("theirs", models, **options) as theirs:
        theirs.add(folder)
        with pytest.raises(InputInvalid, match=said) as error:
            mine.merge(theirs)
        assert "ponder index NEW PATH --models fake --reason-tokens 64" in error.value.hint
        assert len(mine) == 0
    # Nor is a shelf made for two that do not go together.
    with pytest.raises(InputInvalid, match=said):
        merge_shelves(tmp_path / "new", [tmp_path / "mine", tmp_path / "theirs"])
    assert not (tmp_path / "new").exists()


def test_another_name_for_the_same_models_is_no_matter(shelf_of, folder):
    with shelf_of("mine") as mine, shelf_of("theirs", FakeModels(name="fake,delay_ms=1")) as theirs:
        theirs.add(folder)
        assert mine.merge(theirs).added == 3
        assert mine.manifest.models == "fake"


@pytest.fixture
def two(shelf_of, folder):
    """Two shelves of which the second knows a later kite, an earlier whale, and the same tea."""
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        whale, kite = folder / "whale.md", folder / "kite.txt"
        first = whale.read_text()
        whale.write_text("a whale of later days")
        os.utime(whale, ns=(9, 2_000_000_000_000_000_000))
        os.utime(kite, ns=(9, 1_000_000_000_000_000_000))
        mine.add(folder)
        whale.write_text(first)
        os.utime(whale, ns=(9, 1_000_000_000_000_000_000))
        kite.write_text("a kite of later days")
        os.utime(kite, ns=(9, 2_000_000_000_000_000_000))
        theirs.add(folder)
        yield mine, theirs


@pytest.mark.parametrize(
    ("rule", "expected", "later"),
    [
        ("newer", (0, 1, 1, 1, 0), {"kite.txt", "whale.md"}),
        ("keep", (0, 0, 1, 2, 0), {"whale.md"}),
        ("replace", (0, 2, 1, 0, 0), {"kite.txt"}),
    ],
)
def test_whose_content_is_kept(two, rule, expected, later):
    mine, theirs = two
    assert counts(mine.merge(theirs, on_conflict=rule)) == expected
    assert len(mine) == 3
    assert {name for name, text in texts(mine).items() if "later" in text} == later
    # Whatever was decided is decided in the same way again.
    held = texts(mine)
    mine.merge(theirs, on_conflict=rule)
    assert texts(mine) == held


def test_a_conflict_may_stop_before_anything_is_changed(two, shelf_of, tmp_path):
    mine, theirs = two
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "fresh.txt").write_text("a fresh text")
    theirs.add(tmp_path / "more")
    held, stamp = texts(mine), mine.stamp
    with pytest.raises(InputInvalid, match=r"2 files .* in two shelves, the first is .*kite"):
        mine.merge(theirs, on_conflict="error")
    assert (texts(mine), mine.stamp) == (held, stamp)
    # Also when it is the others that disagree.
    with shelf_of("new") as new, pytest.raises(InputInvalid, match="2 files"):
        new.merge(mine, theirs, on_conflict="error")
    assert not (tmp_path / "new" / "index").exists()


def test_of_several_shelves_the_last_replaces_and_the_first_is_kept(two, shelf_of):
    mine, theirs = two
    for rule, winner in (("replace", theirs), ("keep", mine), ("newer", None)):
        with shelf_of(rule) as new:
            new.merge(mine, theirs, on_conflict=rule)
            if winner is None:
                assert sum("later" in text for text in texts(new).values()) == 2
            else:
                assert_same(new, winner)


def test_a_file_that_was_only_copied_is_no_conflict(shelf_of, folder):
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        mine.add(folder)
        times = {path: path.stat().st_mtime_ns for path in (folder / "kite.txt", folder / "whale.md")}
        for (path, time), later in zip(times.items(), (-1, 1), strict=True):
            os.utime(path, ns=(time + later, time + later))
        theirs.add(folder)
        assert counts(mine.merge(theirs, on_conflict="error")) == (0, 0, 3, 0, 0)
        assert mine.plan(folder).touched
        # The later of the times goes along, so that the file is known by it where it was changed last.
        mine.merge(theirs)
        held = {
            row.item.path: row.source["mtime_ns"] for row in mine.get([s.id for s in mine.index.sources()])
        }
        assert held[str(folder / "whale.md")] == times[folder / "whale.md"] + 1
        assert held[str(folder / "kite.txt")] == times[folder / "kite.txt"]


@pytest.mark.parametrize(("rule", "pages"), [("newer", 2), ("keep", 4), ("replace", 2)])
def test_a_books_pages_are_taken_together(shelf_of, tmp_path, rule, pages):
    folder = tmp_path / "files"
    folder.mkdir()
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        make_pdf(folder / "book.pdf", ["first", "second", "third", "fourth"])
        os.utime(folder / "book.pdf", ns=(9, 1_000_000_000_000_000_000))
        mine.add(folder)
        make_pdf(folder / "book.pdf", ["first", "another"])
        theirs.add(folder)
        report = mine.merge(theirs, on_conflict=rule)
        assert report.removed == 4 - pages
        assert len(mine) == pages
        assert {row.source["of"] for row in mine.get([s.id for s in mine.index.sources()])} == {pages}
        if pages == 2:
            assert_same(mine, theirs)
            assert mine.add(folder).unchanged == 2


def test_what_could_not_be_used_is_not_held_against_what_is_stored(shelf_of, folder):
    picture = folder / "picture.png"
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        from PIL import Image

        picture.write_bytes(BROKEN)
        theirs.add(folder)
        Image.new("RGB", (9, 9)).save(picture)
        mine.add(folder)
        assert [skip.uri for skip in mine.merge(theirs).skipped] == [str(picture)]
        assert mine.add(folder).skipped == ()
        assert len(mine) == 4


def test_a_page_that_one_machine_could_not_read_and_another_could_is_there(shelf_of, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    make_pdf(folder / "book.pdf", WORDS[:3])
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        mine.add(folder)
        theirs.add(folder)
        # As if the second page had taken that machine's decoder too long.
        [row] = theirs.get([item_id(f"{folder / 'book.pdf'}#page=2")])
        theirs.remove([row.item.id])
        refusal = Refusal(row.item.id, row.item.uri, "took too long", *list(row.source.values())[:3])
        catalog = stored_catalog(theirs)
        catalog.refused[refusal.id] = refusal
        catalog.write(theirs.path / "catalog.json")
        assert [skip.error for skip in theirs.add(folder).skipped] == ["took too long"]
        assert mine.merge(theirs).skipped == ()
        assert json.loads((tmp_path / "mine" / "catalog.json").read_text())["refused"] == []
        assert len(theirs.merge(mine).skipped) == 0
        assert theirs.add(folder).unchanged == 3
        assert_same(mine, theirs)


def test_refusals_of_other_decoders_are_not_believed(shelf_of, folder, tmp_path):
    (folder / "broken.png").write_bytes(BROKEN)
    with shelf_of("theirs") as theirs, shelf_of("mine") as mine:
        theirs.add(folder)
        catalog = tmp_path / "theirs" / "catalog.json"
        catalog.write_text(json.dumps({**json.loads(catalog.read_text()), "decoders": "pillow 1.0"}))
        assert mine.merge(theirs).skipped == ()
        assert len(mine.add(folder).skipped) == 1


def test_the_others_are_not_touched(shelf_of, folder, tmp_path):
    with shelf_of("theirs") as theirs:
        theirs.add(folder)
    shelf_of("empty").close()

    def state():
        places = [*(tmp_path / "theirs").rglob("*"), *(tmp_path / "empty").rglob("*")]
        return {path: path.stat().st_mtime_ns for path in places}

    before = state()
    assert merge_shelves(tmp_path / "new", [tmp_path / "theirs", tmp_path / "empty"]).added == 3
    assert state() == before


def test_files_that_lie_elsewhere_here(shelf_of, tmp_path):
    far, here = tmp_path / "far" / "pictures", tmp_path / "here"
    far.parent.mkdir()
    write_files(far, 12, bad=2)
    make_pdf(far / "book.pdf", WORDS[:3])
    with shelf_of("theirs") as theirs:
        theirs.add(far)
    shutil.copytree(far, here)
    shutil.rmtree(far)
    with shelf_of("mine", FakeModels(forbidden=True)) as mine, shelf_of("theirs") as theirs:
        assert mine.merge(theirs, moved={str(far): str(here)}).added == 15
        report = mine.add(here)
        assert (report.unchanged, report.added, report.removed, len(report.skipped)) == (15, 0, 0, 2)
        assert {Path(row.item.path).parent for row in mine.get([s.id for s in mine.index.sources()])} == {
            here
        }
        assert counts(mine.merge(theirs, moved={str(far): str(here)})) == (0, 0, 15, 0, 0)
    with shelf_of("mine") as mine, shelf_of("whole") as whole:
        whole.add(here)
        assert_same(whole, mine)


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"far": "/here"}, "not an absolute path: 'far'"),
        ({"/a": "b=/data"}, "not an absolute path: 'b=/data'"),
        ({"/a": "/c", "/b": "/c"}, "the same place"),
    ],
)
def test_folders_that_cannot_be_moved_so(shelf_of, folder, tmp_path, moved, said):
    with shelf_of("theirs") as theirs, shelf_of("mine") as mine:
        theirs.add(folder)
        shutil.copytree(folder, tmp_path / "b")
        theirs.add(tmp_path / "b")
        places = {"/a": str(folder), "/b": str(tmp_path / "b")}
        with pytest.raises(BadArguments, match=said):
            mine.merge(theirs, moved={places.get(old, old): new for old, new in moved.items()})
        assert len(mine) == 0


def test_items_that_are_of_no_file(shelf_of, folder):
    with shelf_of("theirs") as theirs, shelf_of("mine") as mine:
        theirs.add(folder)
        rows = theirs.get([source.id for source in theirs.index.sources()])
        theirs.index.add([replace(row, source={}) for row in rows])
        assert counts(mine.merge(theirs)) == (3, 0, 0, 0, 0)
        assert counts(mine.merge(theirs)) == (0, 0, 3, 0, 0)
        mine.index.add([replace(row, digest="another", source={}) for row in rows[:1]])
        assert counts(mine.merge(theirs)) == (0, 0, 2, 1, 0)
        assert counts(mine.merge(theirs, on_conflict="replace")) == (0, 1, 2, 0, 0)


def test_what_cannot_be_merged(shelf_of, folder, tmp_path):
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs:
        theirs.add(folder)
        for others, error, said in [
            ((), BadArguments, "no shelf to merge"),
            ((mine,), BadArguments, "into itself"),
        ]:
            with pytest.raises(error, match=said):
                mine.merge(*others)
        with pytest.raises(BadArguments, match="no rule"):
            mine.merge(theirs, on_conflict="later")
    with pytest.raises(InputNotFound, match="there is no shelf"):
        merge_shelves(tmp_path / "new", [tmp_path / "theirs", tmp_path / "none"])
    with pytest.raises(BadArguments, match="no shelf"):
        merge_shelves(tmp_path / "new", [])
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputInvalid, match="holds other things"):
        merge_shelves(folder, [tmp_path / "theirs"])
    # An index that has gone would be merged as if nothing had ever been in it.
    shutil.rmtree(tmp_path / "theirs" / "index")
    gone = pytest.raises(BackendFailed, match="the index has gone, which held 3 items")
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs, gone:
        mine.merge(theirs)


def test_a_damaged_row_is_told_with_its_shelf(shelf_of, folder, tmp_path):
    import lancedb

    with shelf_of("theirs") as theirs:
        theirs.add(folder)
        table = lancedb.connect(tmp_path / "theirs" / "index").open_table("rows")
        table.update(where="part_no = 0", values={"digest": "'another'"})
        theirs.index._sums.note()
    told = pytest.raises(BackendFailed, match=f"damaged.*{tmp_path / 'theirs'}")
    with shelf_of("mine") as mine, shelf_of("theirs") as theirs, told:
        mine.merge(theirs)


def test_rows_of_any_size_come_over_whole(shelf_of, tmp_path):
    # Many parts a row, and more rows than are read at once.
    folder = write_files(tmp_path / "files", 600, bad=0)
    (folder / "long.txt").write_text(" ".join(WORDS * 120))
    with shelf_of("theirs") as theirs, shelf_of("mine", FakeModels(forbidden=True)) as mine:
        theirs.add(folder)
        assert mine.merge(theirs).added == 601
        assert mine.index.parts == theirs.index.parts > 1000
        asked = [" ".join(WORDS[number : number + 3]) for number in range(0, 60, 6)]
    with shelf_of("theirs") as theirs, shelf_of("mine") as mine:
        assert [hits(mine.search(text)) for text in asked] == [hits(theirs.search(text)) for text in asked]


def test_the_approximate_index_is_built_where_it_is_due(shelf_of, tmp_path):
    folder = write_files(tmp_path / "files", 60, bad=0)
    with shelf_of("theirs") as theirs, shelf_of("mine") as mine:
        theirs.add(folder)
        mine._index = LanceIndex(tmp_path / "mine" / "index", mine.manifest.dim, exact_rows=50)
        mine.merge(theirs)
        assert mine.index.state().method == "IVF_SQ"
        assert not mine.index.state().untidy
