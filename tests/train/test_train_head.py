"""``ponder train head``, from the command line: it learns on a frozen backbone, resumes, refuses."""

import hashlib
import json

import pytest
import torch
from embedder_data import write_beir
from safetensors.torch import load_file

from ponder.cli.main import run
from ponder.models.local.heads import POOLINGS
from ponder.models.registry import load


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def towns(tmp_path):
    """32 texts with a query each, of words that have nothing to do with each other."""
    words = [
        a + b for a in ("ab", "cd", "ef", "gh") for b in ("ij", "kl", "mn", "op", "qr", "st", "uv", "wx")
    ]
    return write_beir(
        tmp_path / "towns",
        [{"_id": f"d{n}", "text": f"the town of {word}"} for n, word in enumerate(words)],
        [{"_id": f"q{n}", "text": f"where {word[::-1]} lies"} for n, word in enumerate(words)],
        [(f"q{n}", f"d{n}", 1) for n in range(32)],
    )


@pytest.fixture
def models(tmp_path, tiny_folder):
    """One chat model that reasons, embeds and judges: TTE's unified line."""
    file = tmp_path / "one.yaml"
    file.write_text(
        f"name: one\nengines: {{one: {{model: {tiny_folder('llama')}}}}}\nreasoner: {{engine: one}}\n"
        "embedder: {kind: backbone, engine: one}\nreason_tokens: 12\n"
        "judges: {ecr: {engine: one}, query-aware: {engine: one}}\n"
    )
    return file


def command(data, out, models, *more):
    told = ["--models", str(models), "--report-to", "none", "--warmup", "0", "--rate", "1e-2"]
    return ["train", "head", str(data), "--out", str(out), *told, "--batch", "32", *more]


def digests(model):
    """Of all tensors of a model."""
    return {
        name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
        for name, tensor in model.state_dict().items()
    }


def hits(data, models, capsys):
    capsys.readouterr()
    assert run(["evaluate", str(data), "--models", str(models), "--budget", "0", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["metrics"]["hit@1"]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_head_is_trained_or_put_on_and_used(tmp_path, towns, models, pooling, capsys):
    out, learns = tmp_path / "out", pooling not in ("last", "mean")
    quick = pooling != "attention"
    told = ["--pooling", pooling, "--epochs", "2" if quick else "100", "--every", "1000", "--json"]
    assert run(command(towns, out, models, *told)) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["done"]
    assert outcome["steps"] == (0 if not learns else 2 if quick else 100)
    assert (out / "model" / "head.safetensors").is_file() == learns
    trained = load(str(out))
    # One model in memory reasons and embeds.
    assert trained.embedder.engine is trained.reasoner.engine
    assert f"Head: {pooling}" in (out / "model" / "README.md").read_text()
    if learns:
        assert outcome["losses"][1] < outcome["losses"][0]
    found = hits(towns, out, capsys)
    if not quick:
        assert hits(towns, models, capsys) < 0.2
        assert found == 1.0
        assert outcome["losses"][1] < 0.1
    assert not (out / "states").exists()


def test_the_backbone_is_the_same_to_the_bit(tmp_path, towns, models, tiny_folder, monkeypatch):
    from ponder.models.local import engine

    loaded = []
    real = engine.load

    def watched(settings):
        found = real(settings)
        loaded.append((found.model, digests(found.model)))
        return found

    monkeypatch.setattr(engine, "load", watched)  # looks on, changes nothing
    before = (tiny_folder("llama") / "model.safetensors").read_bytes()
    told = ["--pooling", "self-attention", "--epochs", "3"]
    assert run(command(towns, tmp_path / "out", models, *told)) == 0
    assert loaded
    for model, was in loaded:
        assert digests(model) == was
    assert (tiny_folder("llama") / "model.safetensors").read_bytes() == before
    # The head began as the backbone's own layers, and has left them.
    head = load_file(tmp_path / "out" / "model" / "head.safetensors")
    inner = loaded[0][0].model.layers.state_dict()
    assert head.keys() == {f"layers.{name}" for name in inner}
    assert not torch.equal(head["layers.0.mlp.up_proj.weight"], inner["0.mlp.up_proj.weight"])


def test_stopped_and_resumed_is_unbroken_to_the_bit(tmp_path, towns, models, capsys):
    told = ["--pooling", "q-former", "--batch", "8", "--epochs", "2", "--every", "3"]
    assert run(command(towns, tmp_path / "whole", models, *told)) == 0
    broken = command(towns, tmp_path / "broken", models, *told)
    assert run([*broken, "--stop-after", "4"]) == 0
    assert not (tmp_path / "broken" / "model").exists()
    states = {file: file.stat().st_mtime_ns for file in (tmp_path / "broken" / "states").iterdir()}
    assert len(states) == 64
    assert run([*broken, "--pooling", "attention"]) == 5
    assert 'settings.pooling was "q-former", is "attention"' in capsys.readouterr().err
    # How much is in a graph at a time changes nothing but rounding.
    assert run([*broken, "--stop-after", "5"]) == 0
    assert {file: file.stat().st_mtime_ns for file in states} == states
    assert run(broken) == 0
    one, two = (load_file(tmp_path / name / "model" / "head.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert run([*broken, "--fresh", "--stop-after", "1"]) == 0


def test_a_dry_run_reads_no_weights_and_what_cannot_be_trained_is_refused(tmp_path, towns, models, capsys):
    assert run([*command(towns, tmp_path / "out", models, "--epochs", "3", "--dry-run"), "--json"]) == 0
    price = json.loads(capsys.readouterr().out)
    assert (price["examples"], price["steps"]) == (32, 3)
    assert not (tmp_path / "out").exists()
    told = command(towns, tmp_path / "out", models, "--epochs", "3", "--dry-run", "--resume", "--json")
    told[2:3] = ["--data", str(towns)]
    assert run(told) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 3
    assert run(["train", "head", "--out", str(tmp_path / "out"), "--models", str(models)]) == 2
    assert "no data set" in capsys.readouterr().err
    assert run(["train", "head", str(towns), "--out", str(tmp_path / "out"), "--models", "fake"]) == 2
    assert "--base" in capsys.readouterr().err
    (towns / "qrels" / "train.tsv").write_text("q0\tgone\t1\n")
    assert run(command(towns, tmp_path / "out", models)) == 5
    assert "none of 1 queries has a positive" in capsys.readouterr().err
