"""``ponder train reranker``, from the command line: it learns to order, distils, resumes, refuses."""

import json

import pytest
import torch
from embedder_data import write_beir
from reasoner_data import THINGS, mined, things
from safetensors.torch import load_file

from ponder.cli.main import run
from ponder.models.registry import load
from ponder.testing.examples import candidates_of, rows_of, text_content
from ponder.testing.tiny_cross_encoder import make_tiny_cross_encoder
from ponder.train.pairs import Pair, write_pairs


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    return make_tiny_cross_encoder(tmp_path_factory.mktemp("cross"))


def command(data, out, base, *more):
    told = ["--models", "fake", "--base", str(base), "--report-to", "none", "--warmup", "0"]
    told += ["--rate", "3e-3", "--batch", "8", "--mini", "8"]
    return ["train", "reranker", str(data), "--out", str(out), *told, *more]


def result(out):
    return load_file(out / "model" / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def before(out, base):
    """The preset that the training wrote, with the base in the place of its result."""
    file = out.parent / "before.yaml"
    file.write_text((out / "preset.yaml").read_text().replace("./model", str(base)))
    return file


def scores(models, queries, documents):
    """The ecr judge's, a row a query."""
    judge = load(str(models)).rerankers["ecr"]
    rows = candidates_of(rows_of([text_content(text) for text in documents]))
    judged = [judge.rerank(text_content(query), rows, limit=10**6) for query in queries]
    return torch.tensor([[verdict.score for verdict in each.verdicts] for each in judged])


def right(found):
    """Queries whose own document is above all others."""
    others = found.masked_fill(torch.eye(len(found), dtype=torch.bool), -torch.inf)
    return int((found.diagonal() > others.max(1).values).sum())


@pytest.mark.parametrize("loss", ["pointwise", "listwise", "lambda"])
def test_a_cross_encoder_orders_all_after_training_and_not_before(tmp_path, cross, capsys, loss):
    data, out, some = things(tmp_path / "things", 6), tmp_path / "out", list(THINGS)[:6]
    told = ["--loss", loss, "--epochs", "110", "--every", "1000", "--negatives", "5", "--licence", "CC0"]
    assert run([*command(data, out, cross, *told), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["queries"] == 6
    documents, queries = [f"a {thing}" for thing in some], [THINGS[thing] for thing in some]
    assert right(scores(before(out, cross), queries, documents)) < 4
    assert right(scores(out, queries, documents)) == 6
    card = (out / "model" / "README.md").read_text()
    for wanted in (str(cross), "licence: CC0", f"loss: {loss}", "6 queries, 30 negatives"):
        assert wanted in card
    found = ["evaluate", str(data), "--models", str(out), "--stages", "retrieve:9,ecr:6", "--budget", "999"]
    assert run([*found, "--json"]) == 0


@pytest.mark.parametrize("question", ["yes-no", "p-true"])
def test_a_chat_model_orders_all_after_training_and_not_before(tmp_path, tiny_folder, question):
    base, out = tiny_folder("llama"), tmp_path / "out"
    data, some = things(tmp_path / "things", 3), list(THINGS)[:3]
    models = tmp_path / "models.yaml"
    models.write_text(
        f"parts_of: fake\nname: x\nengines: {{judge: {{model: {base}}}}}\n"
        f"judges: {{ecr: {{engine: judge, question: {question}}}}}\n"
    )
    told = ["--models", str(models), "--epochs", "40", "--every", "1000", "--rank", "8", "--rate", "1e-2"]
    arguments = ["train", "reranker", str(data), "--out", str(out), "--report-to", "none", "--warmup", "0"]
    assert run([*arguments, *told, "--mini", "3", "--batch", "3"]) == 0
    documents, queries = [f"a {thing}" for thing in some], [THINGS[thing] for thing in some]
    assert right(scores(models, queries, documents)) < 3
    assert right(scores(out, queries, documents)) == 3
    moved = {
        name
        for name, tensor in result(out).items()
        if not torch.equal(tensor, load_file(base / "model.safetensors")[name])
    }
    assert moved
    assert all("layers" in name for name in moved)


def test_a_larger_judge_s_margins_are_learned(tmp_path, cross, capsys):
    data, out, some = things(tmp_path / "things", 4), tmp_path / "out", list(THINGS)[:4]
    wanted = {}
    for n, thing in enumerate(some):
        for m, other in enumerate(some):
            wanted[thing, other] = 3.0 - (n + m) % 3 if n != m else 4.0
    pairs = [
        Pair(f"q-{q}", f"d-{d}", "positive" if q == d else "hard-negative", rank=n, judge=score)
        for n, ((q, d), score) in enumerate(wanted.items(), 1)
    ]
    write_pairs(tmp_path / "pairs.parquet", pairs)
    told = ["--pairs", str(tmp_path / "pairs.parquet"), "--loss", "none", "--distill", "margin"]
    told += ["--epochs", "150", "--every", "1000"]
    assert run([*command(data, out, cross, *told), "--json"]) == 0
    losses = json.loads(capsys.readouterr().out)["losses"]
    assert losses[1] < 0.6 < 2 < losses[0]  # dropout makes some of it
    model = load(str(out)).rerankers["ecr"].model
    given = [(THINGS[q], f"a {d}") for q, d in wanted]
    logits = model.predict(given, activation_fn=torch.nn.Identity(), show_progress_bar=False).reshape(4, 4)
    own = torch.tensor(logits.diagonal()[:, None] - logits)
    judged = torch.tensor([[wanted[q, q] - wanted[q, d] for d in some] for q in some])
    assert (own - judged).abs().mean() < 0.6
    assert run([*command(data, tmp_path / "kl", cross, *told[:-6], "--distill", "kl", "--epochs", "2")]) == 0


def test_stopped_and_resumed_is_unbroken_to_the_bit(tmp_path, cross, capsys):
    # A cross-encoder has dropout, so that the generators' states count too.
    data = things(tmp_path / "things", 6)
    told = ["--batch", "3", "--mini", "2", "--epochs", "3", "--every", "2"]
    assert run(command(data, tmp_path / "whole", cross, *told)) == 0
    broken = command(data, tmp_path / "broken", cross, *told)
    assert run([*broken, "--stop-after", "3"]) == 0
    assert not (tmp_path / "broken" / "model").exists()
    assert run([*broken, "--negatives", "3"]) == 5
    assert "settings.negatives was 7, is 3" in capsys.readouterr().err
    assert run(broken) == 0
    assert same(result(tmp_path / "whole"), result(tmp_path / "broken"))
    assert not same(result(tmp_path / "whole"), load_file(cross / "model.safetensors"))


def test_queries_without_positives_or_negatives_are_listed_or_refused(tmp_path, cross, capsys):
    rows = [{"_id": f"d{n}", "text": text} for n, text in enumerate(("one", "two"))]
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "bad.png").write_bytes(b"no picture")
    rows.append({"_id": "d2", "image": "images/bad.png"})
    asked = [{"_id": f"q{n}", "text": f"ask {n}"} for n in range(4)]
    grades = [("q0", "d0", 1), ("q1", "gone", 1), ("q2", "d0", 1), ("q2", "d1", 2), ("q3", "d2", 1)]
    data = write_beir(tmp_path / "data", rows, asked, grades, splits=("train",))
    assert run([*command(data, tmp_path / "out", cross), "--json"]) == 7
    captured = capsys.readouterr()
    assert json.loads(captured.out)["queries"] == 1
    assert "query q1: no positive in the corpus" in captured.err
    assert "query q2: there is no negative for it" in captured.err
    assert "query q3: none of its positives can be opened" in captured.err
    assert "bad.png" in captured.err
    assert run(command(data, tmp_path / "none", cross, "--mined-only")) == 5
    assert "no query has both a positive and a negative" in capsys.readouterr().err
    assert run(command(data, tmp_path / "kl", cross, "--distill", "kl")) == 2
    assert "no query has two documents that a judge scored" in capsys.readouterr().err
    assert run(["train", "reranker", str(data), "--out", str(tmp_path / "x"), "--models", "fake"]) == 2
    assert "--base" in capsys.readouterr().err
    assert run(command(data, tmp_path / "x", cross, "--loss", "none")) == 2


def test_mined_negatives_come_first_and_false_ones_never(tmp_path, cross, capsys):
    data = things(tmp_path / "things", 6)
    names = list(THINGS)[:6]
    spared = [Pair(f"q-{names[0]}", f"d-{other}", "false-negative") for other in names[2:]]
    file = mined(tmp_path / "pairs.parquet", 6)
    from ponder.train.pairs import read_pairs

    write_pairs(tmp_path / "more.parquet", [*read_pairs(file), *spared])
    told = ["--pairs", str(tmp_path / "more.parquet"), "--negatives", "3", "--epochs", "1"]
    assert run([*command(data, tmp_path / "out", cross, *told, "--dry-run", "--tflops", "1"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1
    assert not (tmp_path / "out").exists()
    assert run(command(data, tmp_path / "out", cross, *told)) == 0
    # The first query has its one mined negative, the others three each.
    assert "6 queries, 16 negatives" in (tmp_path / "out" / "model" / "README.md").read_text()
