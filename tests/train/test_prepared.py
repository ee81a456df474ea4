"""From labels and mined pairs to rows and masks: duplicates, spared documents, files that cannot be read."""

import pytest
import torch
from embedder_data import coloured_shapes, tiny_bert, write_beir

from ponder.errors import InputInvalid
from ponder.evaluate.beir import load_beir
from ponder.shelf.ingest import Ingest
from ponder.testing.fakes import FakeModels
from ponder.train.base import Base, Ruler
from ponder.train.collating import Collator
from ponder.train.evaluating import Overlay
from ponder.train.examples import examples_of
from ponder.train.pairs import Pair
from ponder.train.prepared import Preparing


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return Base(str(tiny_bert(tmp_path_factory.mktemp("bert"))))


def prepare(folder, base, pairs=(), negatives=4, knowledge=None):
    dataset = load_beir(folder, split="train")
    found = examples_of(dataset, pairs)
    ingest = Ingest(FakeModels(knowledge=knowledge or {}), Overlay(None))
    tasks = [(dataset.name, found.kept, dataset.items)]
    return Preparing(ingest, Ruler(base), negatives).of(tasks, lambda done, total: None), ingest


def texts(*said):
    return [{"_id": f"d{number}", "text": text} for number, text in enumerate(said)]


def queries(*said):
    return [{"_id": f"q{number}", "text": text} for number, text in enumerate(said)]


def mined(query, document, decision, rank=1, judge=None):
    return Pair(query, document, decision, rank=rank, judge=judge)


def batch_of(prepared, ingest, base):
    """All rows as one batch: who stands against whom, by the documents' ids, and the scores."""
    made = Collator(prepared, base.embedder(), ingest)([{"row": n} for n in range(len(prepared.rows))])
    label = made["label"]
    asked = list(dict.fromkeys(row.query for row in prepared.rows))
    held = list(dict.fromkeys(number for row in prepared.rows for number in row.documents))
    names = [prepared.documents[number].item.id for number in held]
    against = {
        prepared.queries[number].query.id: {names[n] for n in range(len(names)) if label["against"][place, n]}
        for place, number in enumerate(asked)
    }
    return made, names, against


def test_what_is_spared_is_in_no_denominator(tmp_path, base):
    folder = write_beir(
        tmp_path,
        texts("zero", "one", "two", "three", "four", "five"),
        queries("ask zero", "ask three"),
        [("q0", "d0", 1), ("q1", "d3", 1)],
    )
    pairs = [
        mined("q0", "d3", "false-negative"),
        mined("q0", "d2", "near-duplicate"),
        mined("q0", "d1", "hard-negative"),
        mined("q1", "d2", "hard-negative"),
        mined("q1", "d5", "suspect-positive"),
    ]
    prepared, ingest = prepare(folder, base, pairs)
    _, names, against = batch_of(prepared, ingest, base)
    assert set(names) == {"d0", "d1", "d2", "d3"}
    assert against == {"q0": {"d1"}, "q1": {"d0", "d1", "d2"}}


def test_equal_contents_are_one_document_and_equal_questions_one_query(tmp_path, base):
    folder = write_beir(
        tmp_path,
        texts("the same", "the same", "another", "a third"),
        queries("what", "what", "who"),
        [("q0", "d0", 1), ("q1", "d2", 1), ("q2", "d1", 1)],
    )
    # d1 has d0's content: mined as q0's negative it is no negative.
    prepared, ingest = prepare(
        folder, base, [mined("q0", "d1", "hard-negative"), mined("q2", "d3", "hard-negative")]
    )
    made, names, against = batch_of(prepared, ingest, base)
    assert set(names) == {"d0", "d2", "d3"}
    assert len(prepared.queries) == 2
    # q0 and q1 ask the same, so neither's positive is against the other.
    assert against == {"q0": {"d3"}, "q2": {"d2", "d3"}}
    assert len(made["label"]["pairs"]) == 3


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_any_number_of_negatives_the_nearest_first(tmp_path, base, wanted):
    folder = write_beir(
        tmp_path, texts(*"abcde"), queries("ask a", "ask b"), [("q0", "d0", 1), ("q1", "d1", 1)]
    )
    pairs = [
        mined("q0", "d4", "hard-negative", 1),
        mined("q0", "d3", "hard-negative", 2),
        mined("q0", "d2", "easy", 3),
    ]
    prepared, _ = prepare(folder, base, pairs, wanted)
    first, second = prepared.rows
    assert [prepared.documents[n].item.id for n in first.documents] == ["d0", "d4", "d3"][: 1 + wanted]
    assert len(second.documents) == 1


def test_scores_stand_where_the_judge_gave_some(tmp_path, base):
    folder = write_beir(
        tmp_path, texts(*"abc"), queries("ask a", "ask b"), [("q0", "d0", 1), ("q1", "d1", 1)]
    )
    pairs = [mined("q0", "d0", "positive", 1, 2.0), mined("q0", "d2", "hard-negative", 2, -1.0)]
    prepared, ingest = prepare(folder, base, pairs)
    made, names, _ = batch_of(prepared, ingest, base)
    row = dict(zip(names, made["label"]["scores"][0].tolist(), strict=True))
    assert (row["d0"], row["d2"]) == (2.0, -1.0)
    assert made["label"]["scores"].isnan().tolist()[1] == [True] * 3
    assert prepared.scored == 1


def test_what_cannot_be_read_is_left_out_and_listed(tmp_path, base):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/broken.png").write_bytes(b"no picture")
    folder = write_beir(
        tmp_path,
        [*texts("a", "b"), {"_id": "d9", "image": "images/broken.png"}],
        queries("ask a", "ask the picture", "ask b"),
        [("q0", "d0", 1), ("q1", "d9", 1), ("q2", "d1", 1), ("q2", "d9", 1)],
    )
    prepared, ingest = prepare(folder, base, [mined("q0", "d9", "hard-negative")])
    assert [skipped.uri for skipped in prepared.skipped] == [str(tmp_path / "images/broken.png")]
    assert prepared.alone == ("q1",)
    assert [len(row.documents) for row in prepared.rows] == [1, 1]
    batch_of(prepared, ingest, base)


def test_nothing_to_train_on_is_refused(tmp_path, base):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/broken.png").write_bytes(b"no picture")
    corpus = [*texts("a"), {"_id": "d9", "image": "images/broken.png"}]
    folder = write_beir(tmp_path, corpus, queries("ask"), [("q0", "d9", 1)])
    with pytest.raises(InputInvalid, match="nothing is left to train on"):
        prepare(folder, base)


def test_documents_are_trained_on_as_the_embedder_sees_them(tmp_path, base):
    folder = write_beir(tmp_path, texts("a cello"), queries("what"), [("q0", "d0", 1)])
    prepared, ingest = prepare(folder, base, knowledge={"cello": "an instrument of the orchestra"})
    embedder = base.embedder()
    made = Collator(prepared, embedder, ingest)([{"row": 0}])
    document = ingest.document(prepared.documents[0].item)
    with torch.no_grad():
        trained = embedder.model.eval()(made["features"][1])["sentence_embedding"]
    reasoning = ingest.reason(document)
    assert "orchestra" in reasoning.text
    [stored] = embedder.embed_documents([document.content], [reasoning])
    assert torch.allclose(trained[0], torch.tensor(stored.vectors[0]), atol=1e-6)
    [plain] = embedder.embed_documents([document.content], [type(reasoning)()])
    assert not torch.allclose(trained[0], torch.tensor(plain.vectors[0]), atol=1e-3)


@pytest.mark.parametrize("family", ["qwen3-vl", "qwen3.5", "smolvlm", "internvl", "bert"])
def test_the_ruler_knows_lengths_without_weights(tmp_path, tiny_folder, base, family):
    model = base if family == "bert" else Base(str(tiny_folder(family)), prompts={"query": "Find."})
    prepared, ingest = prepare(coloured_shapes(tmp_path / "shapes"), model)
    embedder = model.embedder()
    made = Collator(prepared, embedder, ingest)([{"row": n} for n in range(8)])
    read = [int(mask.sum()) for each in made["features"] for mask in each["attention_mask"]]
    rows = prepared.rows[:8]
    told = sum(prepared.queries[r.query].tokens + prepared.documents[r.documents[0]].tokens for r in rows)
    assert told == sum(read)
