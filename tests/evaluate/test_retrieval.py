import json
from dataclasses import replace
from pathlib import Path

import ir_measures
import pytest
from datasets_of_texts import CORPUS, write_dataset

import ponder
from ponder.cascade import parse_stages
from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import load_beir
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.evaluate.trec import TrecFolder
from ponder.records import Item
from ponder.testing import FakeModels

HANDBOOK = Path(ponder.__file__).parent / "demo" / "collection" / "handbook.pdf"

FIELDS = [
    "dataset", "split", "models", "budget", "reasoning", "allocate", "queries", "metrics", "ci95",
    "tokens_per_query", "tokens_per_document", "seconds_per_query", "ties", "skipped",
]  # fmt: skip


def run(dataset, cache, settings, models=None):
    corpus = build_corpus(dataset.items, models or FakeModels(), cache, settings)
    return corpus, list(run_budgets(dataset, corpus, settings))


def without_time(run):
    return {name: value for name, value in run.report.fields.items() if name != "seconds_per_query"}


def test_the_line_has_the_contracts_fields(dataset, cache):
    _, runs = run(dataset, cache, Settings(budgets=(0, 64)))
    assert [each.budget for each in runs] == [0, 64]
    for each in runs:
        fields = each.report.fields
        assert list(fields) == FIELDS
        assert (fields["dataset"], fields["split"], fields["models"]) == ("texts", "dev", "fake")
        assert fields["queries"] == 4
        assert fields["tokens_per_query"]["max"] <= each.budget
        for name, value in fields["metrics"].items():
            low, high = fields["ci95"][name]
            assert low <= value <= high
        json.dumps(fields, allow_nan=False)


def test_pools_are_the_whole_corpus_and_exclusions_hold(dataset, cache):
    _, [only] = run(dataset, cache, Settings(budgets=(64,)))
    found = {outcome.query.query.id: [hit.item.id for hit in outcome.ranking] for outcome in only.outcomes}
    assert sorted(found["q1"]) == sorted(CORPUS)
    assert sorted(found["q4"]) == ["a", "b", "c", "d"]


def test_a_common_pool_holds_over_all_queries_and_is_said(dataset, cache):
    settings = Settings(budgets=(0, 9), allocate="adaptive", pool="common")
    for outcome in run(dataset, cache, settings)[1]:
        spent = sum(each.ranking.usage.spent for each in outcome.outcomes)
        assert spent <= outcome.budget * len(dataset.queries)
        assert outcome.report.fields["pool"] == "common"
        assert [each.query for each in outcome.outcomes] == list(dataset.queries)
    assert spent > 0


def test_a_query_that_cannot_be_opened_does_not_end_a_common_pool(dataset, cache):
    lost = replace(dataset.queries[0], query=replace(dataset.queries[0].query, text=" "))
    settings = Settings(budgets=(30,), allocate="adaptive", pool="common")
    _, [found] = run(replace(dataset, queries=(lost, *dataset.queries[1:])), cache, settings)
    assert [each.query for each in found.outcomes] == list(dataset.queries[1:])
    assert [each["uri"] for each in found.report.fields["skipped"]] == [f"query {lost.query.id}"]


def test_queries_may_be_thought_about(dataset, cache):
    models = FakeModels(knowledge={"cello": "instrument"})
    settings = Settings(budgets=(200,), cascade=parse_stages("retrieve,think:50,ecr"), gates=False)
    _, [only] = run(dataset, cache, settings, models)
    told = [event.what for outcome in only.outcomes for event in outcome.ranking.trace]
    assert any(what.startswith("thought: ") for what in told)


def test_a_second_run_uses_no_model(dataset, cache):
    settings = Settings(budgets=(0,))
    _, [first] = run(dataset, cache, settings)
    # Every forbidden model raises when it is used; its fingerprints are the same.
    _, [again] = run(dataset, cache, settings, FakeModels(forbidden=True))
    assert without_time(first) == without_time(again)


def test_a_budget_costs_no_new_embedding(dataset, cache):
    models = FakeModels()
    run(dataset, cache, Settings(budgets=(0,)), models)
    calls = models.embedder.calls
    run(dataset, cache, Settings(budgets=(16, 256)), models)
    assert models.embedder.calls == calls


def test_reasoning_pays_and_another_documents_does_not(dataset, cache):
    models = FakeModels(knowledge={"sourdough": "bread"})
    by_mode = {}
    for mode in ("on", "off", "shuffled"):
        corpus, [only] = run(dataset, cache, Settings(budgets=(0,), reasoning=mode), models)
        assert only.report.fields["reasoning"] == mode
        by_mode[mode] = corpus
    written = {mode: corpus.tokens_per_document.written for mode, corpus in by_mode.items()}
    assert written["off"] == 0 < written["on"] == written["shuffled"]
    on, off, shuffled = (by_mode[mode].index.get(["c"])[0] for mode in ("on", "off", "shuffled"))
    assert "bread" in on.reasoning.text
    assert off.reasoning.text == ""
    assert shuffled.reasoning.text in {
        row.reasoning.text for row in by_mode["on"].index.get([doc for doc in CORPUS if doc != "c"])
    }
    # The content stays the document's own.
    assert shuffled.digest == on.digest


def test_shuffling_follows_its_seed(dataset, cache):
    def texts(seed):
        corpus, _ = run(dataset, cache, Settings(budgets=(0,), reasoning="shuffled", seed=seed))
        return [row.reasoning.text for row in corpus.index.get(list(CORPUS))]

    assert texts(1) == texts(1)
    assert len({tuple(texts(seed)) for seed in range(5)}) > 1


def test_a_document_that_cannot_be_opened_is_listed(tmp_path, cache):
    folder = write_dataset(tmp_path / "texts")
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"_id": "broken", "image": "broken.png"}\n')
    (folder / "broken.png").write_bytes(b"no picture")
    dataset = load_beir(folder)
    corpus, [only] = run(dataset, cache, Settings(budgets=(0,)))
    assert len(corpus.index) == 5
    assert [each["uri"] for each in only.report.fields["skipped"]] == [str((folder / "broken.png").resolve())]


def test_nothing_to_open_is_an_error(tmp_path, cache):
    folder = write_dataset(tmp_path / "texts")
    (folder / "corpus.jsonl").write_text('{"_id": "broken", "image": "broken.png"}\n', "utf-8")
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InputInvalid, match="no document can be opened"):
        run(load_beir(folder), cache, Settings(budgets=(0,)))


def test_breakdown_adds_up(dataset, cache):
    _, [only] = run(dataset, cache, Settings(budgets=(0,), by="kind"))
    groups = only.report.fields["by"]
    assert {name: group["queries"] for name, group in groups.items()} == {"indirect": 2, "plain": 2}
    mean = sum(group["metrics"]["mrr@10"] for group in groups.values()) / 2
    assert mean == pytest.approx(only.report.metrics["mrr@10"], abs=1e-5)


def test_the_run_folder_tells_the_same_figures(dataset, cache, tmp_path):
    settings = Settings(budgets=(0, 64))
    corpus, runs = run(dataset, cache, settings)
    folder = TrecFolder(tmp_path / "run")
    folder.begin(dataset, corpus, settings, ["ponder", "evaluate"])
    for each in runs:
        folder.add(each)
    qrels = [
        ir_measures.Qrel(q.query.id, doc, grade) for q in dataset.queries for doc, grade in q.grades.items()
    ]
    for each in runs:
        lines = list(ir_measures.read_trec_run(str(folder.path / f"run-{each.budget}.trec")))
        official = ir_measures.calc_aggregate([ir_measures.nDCG @ 10, ir_measures.RR @ 10], qrels, lines)
        assert official[ir_measures.nDCG @ 10] == pytest.approx(each.report.metrics["ndcg@10"], abs=1e-5)
        assert official[ir_measures.RR @ 10] == pytest.approx(each.report.metrics["mrr@10"], abs=1e-5)
    manifest = json.loads((folder.path / "manifest.json").read_text("utf-8"))
    assert manifest["models"]["fingerprints"]["embedder"] == corpus.models.embedder.fingerprint
    assert set(manifest["dataset"]["files"]) == {"corpus.jsonl", "queries.jsonl", "dev.tsv"}
    assert manifest["settings"]["cascade"] == str(settings.cascade)
    rows = (folder.path / "queries-64.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["_id"] for row in rows] == ["q1", "q2", "q3", "q4"]


def test_ids_that_a_trec_run_cannot_carry_are_refused(tmp_path, cache):
    dataset = load_beir(
        write_dataset(tmp_path / "texts", {"a b": "one", "c": "two"}, {"q": ("one", {"c": 1}, {})})
    )
    settings = Settings(budgets=(0,))
    corpus, _ = run(dataset, cache, settings)
    with pytest.raises(InputInvalid, match="white space"):
        TrecFolder(tmp_path / "run").begin(dataset, corpus, settings, [])


def test_a_cascade_that_does_not_fit_is_refused(dataset, cache):
    with pytest.raises(BadArguments, match="unknown stage"):
        run(dataset, cache, Settings(budgets=(0,), cascade=parse_stages("retrieve,nosuch")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"budgets": ()},
        {"budgets": (-1,)},
        {"reasoning": "maybe"},
        {"allocate": "magic"},
        {"pool": "swimming", "allocate": "adaptive"},
        {"pool": "common"},
        {"reason_tokens": -1},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(BadArguments):
        Settings(**wrong)


def test_pages_without_their_text_layer_are_pictures(cache):
    item = Item("p7", "page", path=str(HANDBOOK), page=7)
    with_text, without = (
        build_corpus([item], FakeModels(), cache, Settings(text_layer=on)).index.get(["p7"])[0]
        for on in (True, False)
    )
    assert "water" in with_text.reasoning.text
    assert "water" not in without.reasoning.text
    assert with_text.digest != without.digest
