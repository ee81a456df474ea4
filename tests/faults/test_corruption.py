"""Damage on disk is found, repaired or refused with the command that repairs it; never a wrong result."""

from __future__ import annotations

import shutil
import sqlite3
from random import Random

import pytest

from ponder.errors import BackendFailed, PonderError
from ponder.index import Cache
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels
from ponder.testing.faults import damage_file

ROUNDS = 40


@pytest.fixture
def made(tmp_path, texts, shelf_at, ask):
    """A shelf of several commits, a removal and an update, and what it answers."""
    with shelf_at(tmp_path / "shelf") as shelf:
        shelf.add(texts, commit_every=10)
        (texts / "03.txt").unlink()
        (texts / "04.txt").write_text("word1 word2 entirely new")
        shelf.add(texts)
        return tmp_path / "shelf", ask(shelf)


def answers(folder, ask, cache):
    """What a shelf answers, or the error that it refuses with."""
    try:
        with open_shelf(folder, FakeModels(), create=False, cache=cache) as shelf:
            return ask(shelf)
    except PonderError as error:
        return error


def test_a_damaged_file_of_the_index_never_gives_a_wrong_result(made, tmp_path, ask, kept):
    folder, truth = made
    files = sorted(path for path in (folder / "index").rglob("*") if path.is_file())
    chance, refused, found = Random(5), 0, 0
    for number in range(ROUNDS):
        victim = files[number % len(files)]
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(folder, copy)
        damage_file(copy / victim.relative_to(folder), chance)
        answer = answers(copy, ask, kept)
        checked = check_shelf(copy)
        if isinstance(answer, PonderError):
            refused += 1
            assert "ponder index" in answer.hint, answer
        else:
            assert answer == truth, victim
        # Whatever is refused is found by the check, and says how to repair it.
        if checked.damages:
            found += 1
            assert all("ponder index" in each.repair for each in checked.damages)
        else:
            assert not isinstance(answer, PonderError)
        shutil.rmtree(copy)
    assert refused > ROUNDS / 2
    assert found >= refused


@pytest.mark.parametrize("part", ["data", "_deletions", "_versions"])
def test_a_file_of_the_index_that_has_gone_never_gives_a_wrong_result(made, tmp_path, ask, kept, part):
    folder, truth = made
    for number, victim in enumerate(sorted((folder / "index" / "rows.lance" / part).iterdir())):
        copy = tmp_path / f"gone-{number}"
        shutil.copytree(folder, copy)
        (copy / victim.relative_to(folder)).unlink()
        answer = answers(copy, ask, kept)
        assert isinstance(answer, PonderError) or answer == truth, victim
    assert number >= 0


def test_an_index_that_has_gone_is_not_taken_for_an_empty_one(made, ask, kept, texts):
    folder, truth = made
    shutil.rmtree(folder / "index")
    error = answers(folder, ask, kept)
    assert isinstance(error, BackendFailed)
    assert f"ponder index {folder} {texts}" in error.hint
    # The command that it names: with the cache, no model is asked.
    with open_shelf(folder, FakeModels(forbidden=True), cache=kept) as shelf:
        shelf.add(texts)
    assert answers(folder, ask, kept) == truth
    assert check_shelf(folder).damages == ()


def test_the_repair_of_a_damaged_index_brings_everything_back(made, ask, kept, texts):
    folder, truth = made
    victim = max((folder / "index" / "rows.lance" / "data").iterdir(), key=lambda path: path.stat().st_size)
    damage_file(victim, Random(1), how="flip")
    [damage] = check_shelf(folder).damages
    assert (
        damage.repair
        == f"make it again: mv {folder}/index {folder}/index.damaged && ponder index {folder} {texts}"
    )
    (folder / "index").rename(folder / "index.damaged")
    with open_shelf(folder, FakeModels(forbidden=True), cache=kept) as shelf:
        assert shelf.add(texts).added == 39
    assert answers(folder, ask, kept) == truth


def test_a_row_that_is_not_what_was_written_is_found_by_its_own_sum(made, kept):
    """Past the files' sums: as when the damage was there before the file was written."""
    folder, _ = made
    with open_shelf(folder, FakeModels(), cache=kept) as shelf:
        table = shelf.index._rows.newest()
        [victim] = [row.item.id for row in shelf.get([shelf.search("word1 word2", k=1).hits[0].item.id])]
        table.update(where=f"id = '{victim}' AND part_no = 0", values={"part": "t=1,2"})
        shelf.index._sums.note()
        with pytest.raises(BackendFailed, match=r"not what was written.*ponder remove"):
            shelf.get([victim])
    [damage] = check_shelf(folder).damages
    assert damage.where == victim
    assert damage.repair.startswith(f"ponder remove {folder} {victim} && ponder index {folder}")
    with open_shelf(folder, FakeModels(), cache=kept) as shelf:
        assert shelf.remove([victim]) == 1
    assert check_shelf(folder).damages == ()


def test_a_whole_shelf_has_nothing_to_report(made):
    folder, _ = made
    checked = check_shelf(folder)
    assert checked.damages == ()
    assert (checked.rows, checked.unsummed, checked.unknown) == (39, 0, 0)
    assert checked.files > 5


def test_a_shelf_that_was_killed_before_its_first_commit_is_whole(tmp_path, shelf_at):
    shelf_at(tmp_path / "shelf").close()
    assert check_shelf(tmp_path / "shelf").damages == ()


def test_a_damaged_manifest_or_catalog(made, ask, kept, texts):
    folder, truth = made
    chance = Random(2)
    for number in range(12):
        before = (folder / "catalog.json").read_bytes()
        damage_file(folder / "catalog.json", chance)
        # A copy of what the index says: at worst, it is made again.
        assert answers(folder, ask, kept) == truth
        (folder / "catalog.json").write_bytes(before)
        before = (folder / "manifest.json").read_bytes()
        damage_file(folder / "manifest.json", chance, how="truncate" if number % 2 else None)
        answer = answers(folder, ask, kept)
        assert answer == truth or (isinstance(answer, PonderError) and "index" in answer.hint)
        (folder / "manifest.json").write_bytes(before)


def test_damaged_cache_entries_are_made_again(texts, tmp_path, ask):
    place, chance = tmp_path / "own.sqlite", Random(4)
    with Cache(place) as cache, open_shelf(tmp_path / "one", FakeModels(), cache=cache) as shelf:
        shelf.add(texts)
        truth = ask(shelf)
    database = sqlite3.connect(place)
    entries = database.execute("SELECT key, value FROM entries ORDER BY key").fetchall()
    for key, value in entries[::2]:
        spoilt = bytearray(value)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        database.execute("UPDATE entries SET value = ? WHERE key = ?", (bytes(spoilt), key))
    database.commit()
    database.close()
    models = FakeModels()
    with Cache(place) as cache, open_shelf(tmp_path / "two", models, cache=cache) as shelf:
        shelf.add(texts)
        assert ask(shelf) == truth
        made_again = models.reasoner.calls
    assert 0 < made_again < len(entries)
    with (
        Cache(place) as cache,
        open_shelf(tmp_path / "three", FakeModels(forbidden=True), cache=cache) as shelf,
    ):
        assert shelf.add(texts).added == 40


def test_a_damaged_cache_file_costs_time_only(texts, tmp_path, ask):
    place = tmp_path / "own.sqlite"
    with Cache(place) as cache, open_shelf(tmp_path / "one", FakeModels(), cache=cache) as shelf:
        shelf.add(texts)
        truth = ask(shelf)
    for seed in range(6):
        damage_file(place, Random(seed), how="burst" if seed else "truncate")
        with Cache(place) as cache, open_shelf(tmp_path / f"s{seed}", FakeModels(), cache=cache) as shelf:
            shelf.add(texts)
            assert ask(shelf) == truth


def test_a_vector_that_was_damaged_on_disk_would_lose_a_hit_and_is_refused(made, ask, kept):
    """Why the files have sums: nobody reads the row that is not found any more."""
    folder, truth = made
    with open_shelf(folder, FakeModels(), create=False, cache=kept) as shelf:
        [best] = shelf.get([truth[0][0][0]])
        vector = best.embedded.vectors[0]
        assert shelf.index.search(vector, 1)[0].id == best.item.id
    for each in best.embedded.vectors:
        for path in (folder / "index" / "rows.lance" / "data").iterdir():
            path.write_bytes(path.read_bytes().replace(each.tobytes(), (-each).tobytes()))
    error = answers(folder, ask, kept)
    assert isinstance(error, BackendFailed)
    assert "ponder index" in error.hint
    (folder / "index" / "sums.txt").unlink()
    with open_shelf(folder, FakeModels(), create=False, cache=kept) as shelf:
        assert shelf.index.search(vector, 1)[0].id != best.item.id
    # The row's own sum finds it, once somebody reads the row.
    assert [damage.where for damage in check_shelf(folder).damages] == [best.item.id]
