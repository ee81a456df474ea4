"""A shelf whose index is elsewhere is the same shelf; its manifest says where, and no secret."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import lancedb
import psycopg
import pytest
from qdrant_client import QdrantClient

from ponder.errors import BackendFailed, BadArguments, InputInvalid
from ponder.index import qdrant_points
from ponder.index.mirror import item_key
from ponder.index.stores import checked_store, named_store, same_store
from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.shelf.lost import IndexLost, made_again
from ponder.shelf.manifest import Manifest
from ponder.testing import FakeModels

KINDS = ["s3", "postgresql", "qdrant"]


@pytest.fixture
def address(request):
    """From the name of a store to its address, without a name where ponder gives one."""

    def give(kind):
        if kind == "s3":
            return f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"
        if kind == "postgresql":
            return request.getfixturevalue("postgres_url")
        return f"qdrant+{request.getfixturevalue('qdrant_url')}"

    return give


def rankings(shelf):
    asked = [("kite", None), ("whale sings", None), ("tea", "uri LIKE '%tea%'"), ("red", "kind = 'text'")]
    return [
        [(hit.item.id, hit.score, hit.part) for hit in shelf.search(text, budget=budget, where=where)]
        for text, where in asked
        for budget in (0, 200)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_shelf_elsewhere_answers_as_one_in_its_folder(kind, address, folder, tmp_path, cache):
    where = address(kind)
    place = tmp_path / "there"
    with (
        open_shelf(tmp_path / "here", FakeModels(), cache=cache) as here,
        open_shelf(place, FakeModels(), cache=cache, store=where) as there,
    ):
        here.add(folder)
        assert there.add(folder, commit_every=2).added == 3
        assert rankings(there) == rankings(here)
        assert there.info().store.partition("#")[0] == where.partition("#")[0]
        assert not (place / "index").exists()
    # The manifest leads back, whether the address is given again or not; what has not changed is left alone.
    for again in (None, where):
        with open_shelf(place, FakeModels(forbidden=True), cache=cache, store=again) as there:
            report = there.add(folder)
            assert (report.unchanged, report.added, report.updated, report.removed) == (3, 0, 0, 0)
    (folder / "kite.txt").write_text("a blue kite over the sea")
    (folder / "whale.md").unlink()
    with open_shelf(place, FakeModels(), cache=cache) as there:
        report = there.add(folder)
        assert (report.unchanged, report.updated, report.removed) == (1, 1, 1)
        assert there.remove(where="uri LIKE '%tea%'") == 1
        assert [hit.item.uri.rsplit("/", 1)[-1] for hit in there.search("blue kite")] == ["kite.txt"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_in_use_is_not_taken_for_a_new_shelf(kind, address, folder, tmp_path, cache):
    with open_shelf(tmp_path / "one", FakeModels(), cache=cache, store=address(kind)) as shelf:
        shelf.add(folder)
        taken = shelf.manifest.store
    with pytest.raises(InputInvalid, match="copy that shelf's manifest"):
        open_shelf(tmp_path / "two", FakeModels(version="2"), cache=cache, store=taken)
    # With the manifest it is the same shelf, as for a reader on another machine.
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "manifest.json").write_text((tmp_path / "one" / "manifest.json").read_text())
    with open_shelf(tmp_path / "three", FakeModels(), cache=cache) as reader:
        assert len(reader) == 3
    if kind != "s3":
        with open_shelf(tmp_path / "four", FakeModels(), cache=cache, store=address(kind)) as other:
            assert len(other) == 0


@pytest.fixture
def own(address, monkeypatch, tmp_path):
    """From the name of a store to an address of one that the test may damage."""

    def give(kind):
        if kind != "qdrant":
            return address(kind)
        # In the client's local mode: the stand-in that speaks HTTP does no more than ponder asks for.
        monkeypatch.setattr(qdrant_points, "connect", lambda _: QdrantClient(path=str(tmp_path / "qdrant")))
        return "qdrant+http://localhost:6333"

    return give


def drop(store):
    """What the store's owner may do to it."""
    url, _, name = store.partition("#")
    if store.startswith("s3:"):
        lancedb.connect(store).drop_table("rows")
    elif store.startswith("postgresql:"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP TABLE {name}_parts, {name}_items, {name}_state")
    else:
        with closing(qdrant_points.connect(url)) as client:
            client.delete_collection(name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_was_dropped_is_not_taken_for_an_empty_one(kind, own, folder, tmp_path, cache):
    place, other = tmp_path / "shelf", tmp_path / "other"
    with open_shelf(place, FakeModels(), cache=cache, store=own(kind)) as shelf:
        shelf.add(folder)
        truth, store = rankings(shelf), shelf.manifest.store
    drop(store)
    other.mkdir()
    (other / "tea.txt").write_text("black tea")
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        # Twice: what the first one asked for has not made it an empty one.
        for ask in (shelf.info, shelf.info, lambda: shelf.search("kite"), lambda: shelf.add(other)):
            with pytest.raises(IndexLost, match="the index has gone, which held 3 items") as error:
                ask()
            assert f"make it again: ponder index {place} {folder};" in error.value.hint
    [damage] = check_shelf(place).damages
    assert (damage.where, damage.repair) == (store, f"make it again: ponder index {place} {folder}")
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        report = shelf.add(folder)
        assert (report.added, report.tokens.spent) == (3, 0)
        assert rankings(shelf) == truth
    assert check_shelf(place).damages == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_was_emptied_on_purpose_is_empty(kind, own, folder, tmp_path, cache):
    with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache, store=own(kind)) as shelf:
        shelf.add(folder)
        assert shelf.remove(where="kind = 'text'") == 3
    with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache) as shelf:
        assert len(shelf) == 0
        assert shelf.search("kite").hits == ()


@pytest.mark.parametrize("kind", ["postgresql", "qdrant"])
def test_damaged_bookkeeping_elsewhere_is_told_with_its_item(kind, own, folder, tmp_path, cache):
    place = tmp_path / "shelf"
    with open_shelf(place, FakeModels(), cache=cache, store=own(kind)) as shelf:
        shelf.add(folder)
        victim = shelf.search("kite", k=1).hits[0].item.id
        url, _, name = shelf.manifest.store.partition("#")
    if kind == "postgresql":
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"UPDATE {name}_items SET source = '{{broken' WHERE id = %s", [victim])
    else:
        with closing(qdrant_points.connect(url)) as client:
            client.set_payload(name, {"source": "{broken"}, [str(item_key(victim))], wait=True)
    [damage] = check_shelf(place).damages
    assert damage.where == victim
    assert damage.repair == f"ponder remove {place} {victim} && ponder index {place} {folder}"
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        (folder / "new.txt").write_text("a violin")
        with pytest.raises(BackendFailed, match=f"ponder doctor {place} --deep"):
            shelf.add(folder)
        assert shelf.remove([victim]) == 1
        report = shelf.add(folder)
        assert (report.added, report.unchanged) == (1, 3)
    assert check_shelf(place).damages == ()


def test_a_damaged_store_elsewhere_is_made_again_beside_it(tmp_path, folder):
    made = Manifest.of(FakeModels(), 7, None, "postgresql://ann@db.example/media#photos")
    place = tmp_path / "ann's shelf"
    assert made_again(place, made) == (
        f"make it again at another place: ponder index '{tmp_path}/ann'\"'\"'s shelf.new' PATH "
        "--models fake --reason-tokens 7 --store postgresql://ann@db.example/media"
    )
    assert made_again(place, replace(made, store="s3://bucket/x")).endswith(" --store s3://bucket/x.new")


def test_another_store_than_the_shelfs_is_refused(folder, tmp_path, cache, address):
    open_shelf(tmp_path / "shelf", FakeModels(), cache=cache).close()
    with pytest.raises(InputInvalid, match="store lance there, s3://"):
        open_shelf(tmp_path / "shelf", FakeModels(), cache=cache, store="s3://bucket/prefix")
    with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache, store="lance") as shelf:
        assert len(shelf) == 0


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://ann:hush@db.example/media",
        "postgres://db.example/media?password=hush",
        "qdrant+http://hush@db.example:6333",
        "qdrant+https://:hush@db.example",
        "s3://key:hush@bucket/prefix",
    ],
)
def test_a_password_is_refused_and_not_repeated(given, tmp_path):
    with pytest.raises(BadArguments, match="PONDER_STORE_URL") as error:
        open_shelf(tmp_path / "shelf", FakeModels(), store=given)
    assert "hush" not in str(error.value)
    assert not (tmp_path / "shelf").exists()


@pytest.mark.parametrize(
    "given", ["", "ftp://host/x", "s3://bucket", "postgresql://h/d#Photos", "/some/where", "postgresql://[x"]
)
def test_what_is_no_store(given):
    with pytest.raises(BadArguments):
        checked_store(given)


def test_names_of_stores():
    assert checked_store("s3://bucket/some/where/") == "s3://bucket/some/where"
    assert named_store("s3://bucket/x") == "s3://bucket/x"
    one, two = (named_store("postgresql://h/d") for _ in range(2))
    assert one != two
    assert same_store("postgresql://h/d", one)
    assert not same_store(two, one)
    assert not same_store("postgresql://h/other", one)


def test_the_environment_gives_the_password(postgres_url, tmp_path, cache, folder, monkeypatch):
    # The server asks nobody for one: what counts is that it is used, and that it is not kept.
    host = postgres_url.partition("host=")[2]
    bare = f"postgresql://ponder@/postgres?host={host}&application_name=bare"
    whole = f"postgresql://ponder:hush@/postgres?host={host}&application_name=bare&password=hush"
    monkeypatch.setenv("PONDER_STORE_URL", whole)
    with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache, store=bare) as shelf:
        shelf.add(folder)
        assert "hush" in shelf.index._tables.url
    stored = (tmp_path / "shelf" / "manifest.json").read_text()
    assert "hush" not in stored
    monkeypatch.setenv("PONDER_STORE_URL", "postgresql://ponder:hush@/another")
    with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache) as shelf:
        assert len(shelf) == 3
        assert "hush" not in shelf.index._tables.url


def test_a_shelf_of_the_first_release_opens_and_its_manifest_stays(folder, tmp_path, cache):
    # As ponder 0.1 wrote it on 2026-11-26, without a word of stores.
    text = (Path(__file__).parent / "manifest_0_1.json").read_text()
    place = tmp_path / "shelf"
    place.mkdir()
    (place / "manifest.json").write_text(text)
    with open_shelf(place, FakeModels(), cache=cache) as shelf:
        assert shelf.add(folder).added == 3
        assert shelf.info().store == "lance"
        assert (place / "index").is_dir()
    assert (place / "manifest.json").read_text() == text
    # And a new one is written alike, with a sum that ponder 0.1 passes over, so that it reads it.
    open_shelf(tmp_path / "new", FakeModels(), cache=cache).close()
    new = json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert set(new) == set(json.loads(text)) | {"sum"}


def test_an_older_ponder_does_not_begin_an_empty_index_in_the_folder(postgres_url, tmp_path, cache):
    # It reads version 1 only, and would not look at where the store is.
    open_shelf(tmp_path / "shelf", FakeModels(), cache=cache, store=postgres_url).close()
    assert json.loads((tmp_path / "shelf" / "manifest.json").read_text())["version"] == 2
