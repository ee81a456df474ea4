"""mteb's own evaluation, with a cascade as its model and a BEIR folder as its task."""

import json
from pathlib import Path

import pytest

pytest.importorskip("mteb")

import mteb
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol

import ponder.demo
from ponder.cli.main import run
from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import load_beir
from ponder.evaluate.corpus import build_corpus
from ponder.evaluate.mteb import MtebEncoder, MtebSearch, beir_task, write_task
from ponder.evaluate.mteb.rows import Rows
from ponder.evaluate.retrieval import run_budgets
from ponder.evaluate.settings import Settings
from ponder.index.cache import Cache
from ponder.testing import FakeModels

DEMO = Path(ponder.demo.__file__).parent if ponder.demo.__file__ else Path(next(iter(ponder.demo.__path__)))


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


def folder_of(tmp_path, count):
    """Pictures of the demo, each asked for by its caption."""
    rows = [json.loads(line) for line in (DEMO / "captions.jsonl").read_text().splitlines()[:count]]
    where = tmp_path / "pictures-by-caption"
    (where / "qrels").mkdir(parents=True)
    corpus, queries, qrels = [], [], []
    for number, row in enumerate(rows):
        name = f"p{number}{Path(row['file']).suffix}"
        (where / name).write_bytes((DEMO / "collection" / row["file"]).read_bytes())
        corpus.append({"_id": f"d{number}", "image": name})
        queries.append({"_id": f"q{number}", "text": row["caption"]})
        qrels.append(f"q{number}\td{number}\t1\n")
    for name, lines in (("corpus", corpus), ("queries", queries)):
        (where / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (where / "qrels" / "test.tsv").write_text("".join(qrels))
    return load_beir(where, split="test")


def scores(model, task, tmp_path):
    found = mteb.evaluate(
        model, task, cache=mteb.ResultCache(tmp_path / "results"), show_progress_bar=False, co2_tracker=False
    )
    [result] = found.task_results
    return result.scores["test"][0]


@pytest.mark.lite
def test_mteb_runs_lite_on_pictures_and_agrees_with_ponder(tmp_path, cache, lite_models):
    dataset = folder_of(tmp_path, 16)
    settings = Settings(budgets=(64,))
    [run] = run_budgets(dataset, build_corpus(dataset.items, lite_models, cache, settings), settings)
    model = MtebSearch(lite_models, cache, budget=64, folder=tmp_path / "pictures")
    found = scores(model, beir_task(dataset), tmp_path)
    # Pictures go through mteb as pixels: a JPEG opened is the picture it was.
    assert found["ndcg_at_5"] == pytest.approx(run.report.metrics["ndcg@5"], abs=1e-4)
    assert found["hit_rate_at_1"] == pytest.approx(run.report.metrics["hit@1"], abs=1e-4)
    assert found["hit_rate_at_1"] > 0.3
    assert 0 < model.usage.spent <= 64 * 16
    # mteb's own file of results, as its leaderboard takes it.
    [file] = (tmp_path / "results").rglob("*-test.json")
    written = json.loads(file.read_text())
    assert written["scores"]["test"][0]["main_score"] == found["main_score"] == found["ndcg_at_5"]


def test_both_models_are_what_mteb_asks_for_and_rank_texts(tmp_path, cache):
    dataset = texts(tmp_path)
    search, encoder = MtebSearch(FakeModels(), cache, budget=32), MtebEncoder(FakeModels(), cache)
    assert isinstance(search, SearchProtocol)
    assert isinstance(encoder, EncoderProtocol)
    for model in (search, encoder):
        assert scores(model, beir_task(dataset), tmp_path)["ndcg_at_5"] == 1.0


def texts(tmp_path):
    words = ["red kite", "blue whale", "grey fox", "tall oak"]
    where = tmp_path / "texts"
    (where / "qrels").mkdir(parents=True)
    documents = "".join(json.dumps({"_id": f"d{n}", "text": word}) + "\n" for n, word in enumerate(words))
    (where / "corpus.jsonl").write_text(documents)
    (where / "queries.jsonl").write_text(documents.replace('"d', '"q'))
    (where / "qrels" / "test.tsv").write_text("".join(f"q{n}\td{n}\t1\n" for n in range(len(words))))
    return load_beir(where, split="test")


def test_another_budget_is_another_system_to_mteb(cache):
    metas = [MtebSearch(FakeModels(), cache, budget=n).mteb_model_meta for n in (0, 64, 64)]
    assert metas[0].revision != metas[1].revision == metas[2].revision
    assert metas[0].name != metas[1].name


def test_a_reranking_task_ranks_what_it_is_given_and_nothing_else(cache):
    model = MtebSearch(FakeModels(), cache, budget=32)
    with pytest.raises(BadArguments, match="search before index"):
        model.search([{"id": "q", "text": "red"}], top_k=3)
    model.index([{"id": name, "text": f"{name} kite"} for name in ("red", "blue", "green")])
    found = model.search([{"id": "q", "text": "red kite"}], top_k=3, top_ranked={"q": ["blue", "green"]})
    assert set(found["q"]) == {"blue", "green"}


def test_rows_that_cannot_be_opened_are_refused(tmp_path):
    rows = Rows(tmp_path)
    with pytest.raises(InputInvalid, match="neither text nor a picture"):
        rows.item({"id": "a", "text": " "})
    with pytest.raises(InputInvalid, match="rows of audio"):
        rows.item({"id": "a", "audio": object()})
    assert rows.query(
        {"id": "q", "text": [{"role": "user", "content": "hi"}, {"content": "there"}]}
    ).text == ("hi\nthere")


def test_the_command_runs_a_folder_and_keeps_mtebs_results(tmp_path, monkeypatch, capsys):
    from ponder.cli.main import run

    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    texts(tmp_path)
    told = [
        "mteb",
        str(tmp_path / "texts"),
        "--models",
        "fake",
        "--budget",
        "32",
        "--out",
        str(tmp_path / "o"),
    ]
    assert run([*told, "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["metrics"]["ndcg_at_5"] == 1.0
    assert list((tmp_path / "o").rglob("texts-test.json"))
    assert run(["mteb", str(tmp_path / "nowhere"), "--models", "fake"]) == 4
    assert "no such task or folder" in capsys.readouterr().err


def test_a_task_becomes_the_folder_that_it_was(tmp_path):
    for dataset in (texts(tmp_path), folder_of(tmp_path, 3)):
        write_task(beir_task(dataset), tmp_path / "out" / dataset.name, split="test")
        again = load_beir(tmp_path / "out" / dataset.name, split="test")
        assert [(i.id, i.kind, i.text) for i in again.items] == [
            (i.id, i.kind, i.text) for i in dataset.items
        ]
        assert [(q.query.text, dict(q.grades)) for q in again.queries] == [
            (q.query.text, dict(q.grades)) for q in dataset.queries
        ]
        assert not again.skipped
    with pytest.raises(BadArguments, match="no judgements of the split 'dev'"):
        write_task(beir_task(dataset), tmp_path / "other", split="dev")
    with pytest.raises(BadArguments, match="a data set already"):
        write_task(beir_task(dataset), tmp_path / "out" / dataset.name, split="test")


def test_written_and_scored_on_the_command_line(tmp_path, capsys):
    texts(tmp_path)
    told = ["mteb", str(tmp_path / "texts"), "--beir", str(tmp_path / "out"), "--split", "test", "--json"]
    assert run(told) == 0
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["documents"], line["queries"]) == (4, 4)
    assert load_beir(Path(line["path"]), split="test").name == line["task"]
