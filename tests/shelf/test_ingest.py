"""From items to rows, one step at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ponder.errors import BackendFailed, InputInvalid, MissingDependency
from ponder.index.codecs import encode_reasoning
from ponder.records import Content, Item, Reasoning, Row, Skipped
from ponder.shelf import Document, Ingest, MediaOpener
from ponder.shelf.refused import Blamed
from ponder.testing import FakeEmbedder, FakeModels


def text(name, words):
    return Item(name, "text", text=words)


@pytest.fixture
def items():
    return [text("a", "a red kite"), text("b", "the blue whale"), text("c", "green tea")]


def test_steps_give_what_the_whole_gives(cache, items):
    ingest = Ingest(FakeModels(), cache)
    rows = list(ingest.rows(items))
    stepwise = Ingest(FakeModels(forbidden=True), cache)
    for item, row in zip(items, rows, strict=True):
        assert isinstance(row, Row)
        document = stepwise.document(item)
        reasoning = stepwise.reason(document)
        assert (row.item, row.reasoning, row.digest) == (item, reasoning, document.digest)
        np.testing.assert_array_equal(stepwise.embed(document, reasoning).vectors, row.embedded.vectors)
    assert ingest.usage.written == stepwise.usage.cached > 0


def test_anothers_reasoning_gives_other_vectors_and_is_cached_by_itself(cache, items):
    models = FakeModels()
    ingest = Ingest(models, cache)
    documents = [ingest.document(item) for item in items]
    reasonings = [ingest.reason(document) for document in documents]
    own = ingest.embed(documents[0], reasonings[0])
    other = ingest.embed(documents[0], reasonings[1])
    assert not np.array_equal(own.vectors, other.vectors)
    calls = models.embedder.calls
    np.testing.assert_array_equal(ingest.embed(documents[0], reasonings[1]).vectors, other.vectors)
    assert models.embedder.calls == calls


@pytest.mark.parametrize("change", [{"reason_tokens": 3}, {"models": FakeModels(version="2")}])
def test_another_budget_or_model_is_computed_anew(cache, items, change):
    list(Ingest(FakeModels(), cache).rows(items))
    options = {"models": FakeModels(), "cache": cache} | change
    ingest = Ingest(options.pop("models"), options.pop("cache"), **options)
    list(ingest.rows(items))
    assert ingest.usage.cached == 0
    assert ingest.models.reasoner.calls == 3


def test_a_damaged_cache_entry_is_made_again(cache, items):
    ingest = Ingest(FakeModels(), cache)
    [row, *_] = ingest.rows(items)

    class Damaged:
        def get(self, key):
            found = cache.get(key)
            return found and found[:-5]

        put = cache.put

    again = Ingest(FakeModels(), Damaged())
    [remade, *_] = again.rows(items)
    assert remade.reasoning == row.reasoning
    assert again.usage.cached == 0


def test_vectors_do_not_depend_on_the_neighbours(tmp_path, items):
    class Memory(dict):
        def put(self, key, value):
            self[key] = value

    class Batching(FakeModels):
        """An embedder whose result depends on the size of its batch."""

        def __post_init__(self):
            super().__post_init__()
            fair = self.embedder.embed_documents

            def embed(contents, reasonings):
                embedded = fair(contents, reasonings)
                for each in embedded:
                    each.vectors[:] = np.roll(each.vectors, len(contents), axis=1)
                return embedded

            self.embedder.embed_documents = embed

    together = list(Ingest(Batching(), Memory()).rows(items))
    alone = [row for item in items for row in Ingest(Batching(), Memory()).rows([item])]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.embedded.vectors, other.embedded.vectors)


class Opening:
    """Opens texts; fails on "bad" as decoders do."""

    def __init__(self, error):
        self.error = error
        self.opened = 0

    def digest(self, item):
        return item.text

    def open(self, item):
        self.opened += 1
        if item.text == "bad":
            raise self.error
        return Content("text", item.text, text=item.text, text_source="given")


@pytest.mark.parametrize(
    "error",
    [
        InputInvalid("cut short", "x", "mend it"),
        MissingDependency("HEIC needs an extra", "x", "pip install it"),
        ZeroDivisionError("inside a decoder"),
        OSError(5, "Input/output error"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_one_bad_item_is_skipped_and_the_rest_go_on(cache, error, workers):
    items = [text("a", "good"), Item("b", "text", uri="/files/b", text="bad"), text("c", "better")]
    rows = list(Ingest(FakeModels(), cache, opener=Opening(error)).rows(items, workers=workers))
    assert [isinstance(row, Skipped) for row in rows] == [False, True, False]
    assert rows[1].uri == "/files/b"
    assert (getattr(error, "hint", "") or "cannot be opened") in rows[1].error


def test_a_failing_model_stops_the_work(cache, items):
    class Failing(FakeModels):
        def __post_init__(self):
            super().__post_init__()
            self.reasoner.reason = self.fail

        def fail(self, contents, *, role, tokens):
            raise BackendFailed("the engine is down", "http://engine", "start it")

    with pytest.raises(BackendFailed, match="start it"):
        list(Ingest(Failing(), cache).rows(items))


def test_nothing_is_decoded_when_all_is_cached(cache, items):
    opener = Opening(ValueError())
    list(Ingest(FakeModels(), cache, opener=opener).rows(items))
    assert opener.opened == 3
    for workers in (1, 2):
        list(Ingest(FakeModels(forbidden=True), cache, opener=opener).rows(items, workers=workers))
    assert opener.opened == 3


def test_a_document_is_decoded_once_and_late():
    opener = Opening(ValueError())
    document = Document(text("a", "words"), opener)
    assert opener.opened == 0
    assert document.content is document.content
    assert opener.opened == 1


class Written(MediaOpener):
    """Opens a file that somebody writes to after its digest was made: before it is opened, or just after."""

    after = False

    def open(self, item):
        if self.after:
            content = super().open(item)
        Path(item.path).write_text("the blue whale, and more")
        return content if self.after else super().open(item)


class WrittenLater(Written):
    after = True


@pytest.mark.parametrize("opener", [Written(), WrittenLater()])
@pytest.mark.parametrize("together", [1, 8])
def test_what_is_known_of_a_file_is_never_kept_for_what_it_was_before(cache, tmp_path, opener, together):
    models = FakeModels()
    models.reason_batch = together
    items = []
    for name in "ab":
        (tmp_path / name).with_suffix(".txt").write_text(f"a red kite {name}")
        items.append(Item(name, "text", path=str(tmp_path / f"{name}.txt")))
    rows = list(Ingest(models, cache, opener=opener).rows(items))
    assert [row.error for row in rows] == 2 * ["the file changed while it was read: index it again"]
    assert not any(isinstance(row, Blamed) for row in rows)
    for item in items:
        Path(item.path).write_text(f"a red kite {item.id}")
    again = Ingest(FakeModels(), cache)
    assert ["kite" in row.reasoning.text for row in again.rows(items)] == [True, True]
    assert again.usage.cached == 0


def test_fresh_and_cached_reasoning_are_the_same_to_the_embedder(cache, items):
    """Facts may hold tuples and arrays: what the embedder sees must not depend on the cache."""
    seen = []

    class Factual(FakeModels):
        def __post_init__(self):
            super().__post_init__()
            fair, embed = self.reasoner.reason, self.embedder.embed_documents

            def reason(contents, *, role, tokens):
                from dataclasses import replace

                [made] = fair(contents, role=role, tokens=tokens)
                facts = {"box": (1, 2), "classes": np.arange(3, dtype=np.float32)}
                return [replace(made, parts=(replace(made.parts[0], facts=facts), *made.parts[1:]))]

            def see(contents, reasonings):
                seen.append(encode_reasoning(reasonings[0]))
                return embed(contents, reasonings)

            self.reasoner.reason, self.embedder.embed_documents = reason, see

    ingest = Ingest(Factual(), cache)
    document = ingest.document(items[0])
    fresh, cached = ingest.reason(document), ingest.reason(document)
    ingest.embed(document, fresh)
    ingest.embed(document, cached)
    assert len(seen) == 1
    assert isinstance(fresh, Reasoning)
    assert fresh.parts[0].facts["box"] == cached.parts[0].facts["box"] == (1, 2)


class Told(FakeEmbedder):
    """Reads what a vector is for."""

    reads_instructions = True

    def embed_documents(self, contents, reasonings):
        said = [replace(each, text=f"{each.text} {each.instruction}") for each in contents]
        return super().embed_documents(said, reasonings)


@pytest.mark.parametrize(("embedder", "reads"), [(Told(), True), (FakeEmbedder(), False)])
def test_what_a_vector_is_for_counts_where_the_embedder_reads_it_and_no_reasoning_is_made_twice(
    cache, embedder, reads
):
    models = FakeModels()
    models.embedder = embedder
    ingest = Ingest(models, cache)
    items = [text("a", "a kite"), replace(text("b", "a kite"), instruction="find toys")] * 2
    rows = list(ingest.rows(items))
    assert models.reasoner.calls == 1
    assert np.array_equal(rows[0].embedded.vectors, rows[1].embedded.vectors) != reads
    assert np.array_equal(rows[1].embedded.vectors, rows[3].embedded.vectors)
    assert rows[0].digest == rows[1].digest
