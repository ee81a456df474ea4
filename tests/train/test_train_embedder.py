"""``ponder train embedder``, from the command line: it learns, resumes to the bit, refuses, and is used."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from embedder_data import capitals, coloured_shapes, embedder_command, tiny_bert, write_beir
from safetensors.torch import load_file

from ponder.cli.main import run
from ponder.train.pairs import Pair, write_pairs


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def towns(tmp_path):
    return capitals(tmp_path / "towns")


def result(out):
    return load_file(out / "model" / "model.safetensors")


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def in_another_process(arguments, limit=None):
    """The command as a process; with a limit on a file's size, as a full disk would set it."""
    command = [sys.executable, str(Path(__file__).with_name("embedder_data.py")), *arguments]
    if limit is not None:
        program = f"import os, resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit},) * 2); "
        command = [sys.executable, "-c", f"{program}os.execv({sys.executable!r}, {command!r})"]
    return subprocess.Popen(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True
    )


def test_a_model_that_sees_learns_pictures_with_lora_and_is_used(tmp_path, tiny_folder, capsys):
    data, out = coloured_shapes(tmp_path / "shapes"), tmp_path / "out"
    base = tiny_folder("qwen3-vl")
    told = ["--models", "fake", "--base", str(base), "--epochs", "36", "--rate", "3e-3", "--every", "12"]
    told += ["--mini-tokens", "400", "--licence", "CC0"]
    assert run(["train", "embedder", str(data), "--out", str(out), *told, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["done"]
    assert outcome["before"]["shapes"]["hit@1"] < 0.2
    assert outcome["after"]["shapes"]["hit@1"] == 1.0
    assert (
        run(["evaluate", str(data), "--models", str(out / "preset.yaml"), "--budget", "0,64", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out.splitlines()[0])["metrics"]["hit@1"] == 1.0
    # The eye and the word embeddings stay as they were.
    before, after = load_file(base / "model.safetensors"), result(out)
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[f"model.{name}"])}
    assert moved
    assert all("language_model.layers" in name and name.endswith("proj.weight") for name in moved)
    assert list((out / "runs").rglob("events.out.tfevents*"))
    card = (out / "model" / "README.md").read_text()
    for said in (
        str(base),
        "LoRA, rank 16, alpha 64, merged",
        "licence: CC0",
        "→ 1.000",
        "ponder train embedder",
    ):
        assert said in card
    losses = [line["loss"] for line in log_of(out) if "loss" in line]
    assert losses[-1] < 0.1 < losses[0]


def test_stopped_killed_and_resumed_is_unbroken_to_the_bit(tmp_path, towns, bert):
    # BERT has dropout, so that the generators' states count too. The process that is killed would take one
    # thread, these two or more where there are as many processors.
    told = ["--batch", "4", "--epochs", "30", "--every", "4"]
    assert run(embedder_command(towns, tmp_path / "whole", bert, *told)) == 0
    broken = embedder_command(towns, tmp_path / "broken", bert, *told)
    assert run([*broken, "--stop-after", "6"]) == 0
    assert not (tmp_path / "broken" / "model").exists()
    child = in_another_process(broken)
    there = tmp_path / "broken" / "checkpoints"
    deadline = time.monotonic() + 120
    while not any(int(each.name[5:]) > 6 for each in there.glob("step-*")):
        assert child.poll() is None, child.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stderr.close()
    assert not (tmp_path / "broken" / "model").exists()
    assert run(broken) == 0
    assert same(result(tmp_path / "whole"), result(tmp_path / "broken"))
    assert not same(result(tmp_path / "whole"), load_file(bert / "model.safetensors"))
    evals = [[line for line in log_of(tmp_path / name) if "eval" in line] for name in ("whole", "broken")]
    assert evals[0] == evals[1]


def test_an_adapter_is_resumed_to_the_bit_and_bound_to_its_base(tmp_path, towns, capsys):
    base, other = tiny_bert(tmp_path / "base"), tiny_bert(tmp_path / "other", seed=1)
    told = ["--tuning", "lora", "--batch", "4", "--epochs", "2", "--adapter", "kept"]
    assert run(embedder_command(towns, tmp_path / "whole", base, *told)) == 0
    broken = embedder_command(towns, tmp_path / "broken", base, *told)
    assert run([*broken, "--stop-after", "2"]) == 0
    assert run(broken) == 0
    kept = [load_file(tmp_path / n / "model" / "adapter_model.safetensors") for n in ("whole", "broken")]
    assert same(*kept)
    assert run(embedder_command(towns, tmp_path / "merged", base, *told[:-1], "merged")) == 0
    capsys.readouterr()
    found = []
    for name in ("whole", "merged"):
        preset = str(tmp_path / name / "preset.yaml")
        assert run(["evaluate", str(towns), "--models", preset, "--budget", "0", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["metrics"])
    assert found[0] == found[1]
    (base / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    preset = str(tmp_path / "whole" / "preset.yaml")
    asked = tmp_path / "asked.jsonl"  # a query that no cache has the vector of
    asked.write_text('{"_id": "q0", "text": "what nobody asked"}\n')
    told = ["--models", preset, "--budget", "0", "--queries", str(asked)]
    assert run(["evaluate", str(towns), *told]) == 5
    assert "the adapter fits" in capsys.readouterr().err


def test_a_full_disk_leaves_a_checkpoint_to_go_on_from(tmp_path, towns, bert):
    told = ["--batch", "4", "--epochs", "3", "--every", "2"]
    assert run(embedder_command(towns, tmp_path / "whole", bert, *told)) == 0
    broken = embedder_command(towns, tmp_path / "broken", bert, *told)
    assert run([*broken, "--stop-after", "4"]) == 0
    checkpoint = tmp_path / "broken" / "checkpoints" / "step-00000004"
    size = {file.name: file.stat().st_size for file in checkpoint.iterdir()}
    child = in_another_process(broken, limit=(size["weights.safetensors"] + size["optimizer.pt"]) // 2)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 6, said
    assert "step 4 is kept" in said
    assert [each.name for each in checkpoint.parent.iterdir()] == [checkpoint.name]
    assert run(broken) == 0
    assert same(result(tmp_path / "whole"), result(tmp_path / "broken"))


def test_going_on_with_other_data_or_settings_is_refused(tmp_path, towns, bert, capsys):
    command = embedder_command(towns, tmp_path / "out", bert, "--batch", "4")
    assert run([*command, "--stop-after", "1"]) == 0
    assert run([*command, "--temperature", "0.05"]) == 5
    assert "settings.temperature was 0.02, is 0.05" in capsys.readouterr().err
    corpus = towns / "corpus.jsonl"
    corpus.write_text(corpus.read_text().replace("town of ab", "town of xy"))
    assert run(command) == 5
    said = capsys.readouterr().err
    assert "training set was" in said
    assert "data.towns.corpus.jsonl was" in said
    assert run([*command, "--fresh"]) == 0
    # What is done is not done again, nor is it taken for something else.
    before = (tmp_path / "out" / "model" / "model.safetensors").stat().st_mtime_ns
    assert run(command) == 0
    assert (tmp_path / "out" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_two_tasks_with_pairs_and_a_judge_s_scores(tmp_path, towns, bert, capsys):
    more = capitals(tmp_path / "more", 5)
    pairs = [Pair(f"q{n}", f"d{n}", "positive", grade=1, judge=2.0) for n in range(12)]
    pairs += [Pair(f"q{n}", f"d{(n + 1) % 12}", "hard-negative", rank=1, judge=-1.0) for n in range(0, 12, 2)]
    write_pairs(tmp_path / "pairs.parquet", pairs)
    told = ["--pairs", str(tmp_path / "pairs.parquet"), "--pairs", "none", "--kl", "0.5", "--cosent", "0.5"]
    command = embedder_command(
        towns, tmp_path / "out", bert, *told, "--dims", "16,8", "--batch", "4", "--json"
    )
    command.insert(3, str(more))
    assert run([*command, "--dry-run"]) == 0
    estimate = json.loads(capsys.readouterr().out)
    assert (estimate["examples"], estimate["queries"], estimate["documents"]) == (17, 17, 17)
    assert estimate["steps"] == 5
    assert not (tmp_path / "out").exists()
    assert run(command) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["steps"] == outcome["total"] == 5
    assert set(outcome["after"]) == {"towns", "more"}


def test_suspects_are_trained_on_or_left_out_without_a_failure(tmp_path, towns, bert, capsys):
    write_pairs(tmp_path / "pairs.parquet", [Pair("q0", "d0", "suspect-positive", grade=1)])
    told = ["--pairs", str(tmp_path / "pairs.parquet"), "--epochs", "1", "--json"]
    assert run(embedder_command(towns, tmp_path / "with", bert, *told)) == 0
    kept = json.loads(capsys.readouterr().out)
    assert kept["skipped"] == kept["left_out"] == []
    assert run(embedder_command(towns, tmp_path / "without", bert, *told, "--no-suspects")) == 0
    captured = capsys.readouterr()
    told_of = {"uri": "query q0", "error": "its positives are suspect, or a person denied them"}
    left = json.loads(captured.out)
    assert (left["skipped"], left["left_out"]) == ([], [told_of])
    assert "left out: query q0: its positives are suspect" in captured.err


def test_what_cannot_be_trained_on_is_listed_or_refused(tmp_path, bert, capsys):
    rows = [{"_id": f"d{n}", "text": text} for n, text in enumerate(("one", "two"))]
    asked = [{"_id": f"q{n}", "text": text} for n, text in enumerate(("ask one", "ask two", "ask three"))]
    grades = [("q0", "d0", 1), ("q1", "gone", 1), ("q2", "d1", 0)]
    data = write_beir(tmp_path / "data", rows, asked, grades, splits=("train",))
    assert run(embedder_command(data, tmp_path / "out", bert)) == 7
    said = capsys.readouterr().err
    assert "query q1: no positive in the corpus" in said
    assert "query q2: no positive in the corpus" in said
    assert "document gone" in said
    none = write_beir(tmp_path / "none", rows, asked, grades[1:], splits=("train",))
    assert run(embedder_command(none, tmp_path / "none-out", bert)) == 5
    assert "none of 2 queries has a positive" in capsys.readouterr().err
    assert run(embedder_command(data, tmp_path / "kl", bert, "--kl", "1")) == 2
    assert "no query has two documents that a judge scored" in capsys.readouterr().err
    assert run(["train", "embedder", str(data), "--out", str(tmp_path / "lite")]) == 2
    assert "--base" in capsys.readouterr().err


def test_what_is_not_installed_is_named(tmp_path, towns, bert, capsys, monkeypatch):
    command = embedder_command(towns, tmp_path / "out", bert)
    assert run([*command, "--report-to", "a pigeon"]) == 2
    assert "nothing reports to 'a pigeon'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tensorboardX", None)  # as where it is not installed
    assert run(command) == 3
    assert "pip install 'ponder[train]'" in capsys.readouterr().err


def test_a_dry_run_reasons_about_nothing(tmp_path, towns, bert, capsys):
    command = embedder_command(towns, tmp_path / "out", bert, "--json")
    found = []
    for more in (["--dry-run"], ["--stop-after", "1"], ["--dry-run"]):
        assert run([*command, *more]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert (found[0]["unreasoned"], found[2]["unreasoned"]) == (12, 0)
    assert found[0]["tokens"] > found[2]["tokens"]


def test_a_seed_of_its_own_gives_other_weights_and_the_same_seed_the_same(tmp_path, towns, bert):
    for name, seed in (("one", "1"), ("again", "1"), ("two", "2")):
        assert run(embedder_command(towns, tmp_path / name, bert, "--batch", "4", "--seed", seed)) == 0
    one, again, two = (result(tmp_path / name) for name in ("one", "again", "two"))
    assert same(one, again)
    assert not same(one, two)
