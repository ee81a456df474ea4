"""``ponder train reasoner``, from the command line: it learns, prefers, filters, resumes, refuses."""

import json
import sys

import pytest
import torch
from embedder_data import COLOURS, SHAPES, coloured_shapes
from reasoner_data import THINGS, ecrs, good, mined, reasoner_command, taught, things
from safetensors.torch import load_file

from ponder.cli.main import run
from ponder.media.content import open_content
from ponder.media.limits import Limits
from ponder.models.registry import load
from ponder.records import Item
from ponder.testing.examples import text_content


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def data(tmp_path):
    return things(tmp_path / "things")


def result(out):
    return load_file(out / "model" / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def said_by(out):
    """What the reasoner of a preset says of all things."""
    contents = [text_content(f"a {thing}") for thing in THINGS]
    found = load(str(out)).reasoner.reason(contents, role="document", tokens=48)
    return [each.text for each in found]


def report(out):
    return [json.loads(line) for line in (out / "ecrs.jsonl").read_text().splitlines()]


def test_a_student_learns_to_write_what_its_teacher_wrote(tmp_path, data, tiny_folder, capsys):
    out, base = tmp_path / "out", tiny_folder("llama")
    told = [
        "--ecrs",
        str(taught(tmp_path / "ecrs.jsonl")),
        "--epochs",
        "150",
        "--rate",
        "5e-3",
        "--every",
        "1000",
    ]
    command = reasoner_command(data, out, base, *told, "--licence", "CC0", "--json")
    assert run([*command, "--report-to", "tensorboard"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["done"]
    assert outcome["losses"][1] < 0.2 < 2 < outcome["losses"][0]
    assert said_by(out) == [good(thing) for thing in THINGS]
    assert list((out / "runs").rglob("events.out.tfevents*"))
    card = (out / "model" / "README.md").read_text()
    for wanted in (str(base), "licence: CC0", "16 ECRs", "`teacher`", "ponder train reasoner"):
        assert wanted in card
    # A search has the student reason, and a shelf may be made with it.
    assert run(["evaluate", str(data), "--models", str(out), "--budget", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["hit@1"] > 0.9  # words may share a hash


def test_a_model_that_sees_learns_of_pictures_with_its_eye_shut(tmp_path, tiny_folder):
    data, out, base = coloured_shapes(tmp_path / "shapes"), tmp_path / "out", tiny_folder("qwen3-vl")
    names = [(colour, shape) for colour in list(COLOURS)[:2] for shape in list(SHAPES)[:2]]
    file = ecrs(tmp_path / "e.jsonl", {f"{c}-{s}": f"a {c} {s} here" for c, s in names})
    told = ["--ecrs", str(file), "--epochs", "100", "--useful", "none", "--batch", "4", "--rate", "5e-3"]
    assert run(reasoner_command(data, out, base, *told, "--every", "1000")) == 0
    paths = [data / "images" / f"{c}-{s}.png" for c, s in names]
    contents = [open_content(Item(str(path), "image", path=str(path)), Limits()) for path in paths]
    found = load(str(out)).reasoner.reason(contents, role="document", tokens=32)
    assert [each.text for each in found] == [f"a {c} {s} here" for c, s in names]
    before, after = load_file(base / "model.safetensors"), result(out)
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert any("language_model" in name for name in moved)
    assert not any("visual" in name for name in moved)


def test_preferring_raises_the_useful_ecr_over_the_other(tmp_path, data, tiny_folder, capsys):
    out, base = tmp_path / "out", tiny_folder("llama")
    names = list(THINGS)
    bad = {f"d-{thing}": f"It is a {thing} for {THINGS[names[n - 1]]}" for n, thing in enumerate(names)}
    # The next thing's query has this one's document for a hard negative.
    told = ["--ecrs", str(taught(tmp_path / "good.jsonl")), "--ecrs", str(ecrs(tmp_path / "bad.jsonl", bad))]
    told += ["--pairs", str(mined(tmp_path / "pairs.parquet")), "--prefer", "--epochs", "12"]
    command = reasoner_command(
        data, out, base, *told, "--rate", "4e-3", "--mini", "8", "--every", "6", "--json"
    )
    assert run([*command, "--stop-after", "6"]) == 0
    assert not json.loads(capsys.readouterr().out)["done"]
    assert run(command) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["done"]
    assert outcome["losses"][0] == pytest.approx(0.6931, abs=1e-3)  # log 2: the student is the base
    assert outcome["losses"][1] < 0.5

    def leads(models):
        """By how much the good ECR is likelier than the bad one, for each thing."""
        reasoner = models.reasoner
        prompts = [reasoner.prompt(text_content(f"a {thing}"), "document") for thing in names]
        likely = [
            reasoner.engine.likelihood(prompts, [text[f"d-{thing}"] for thing in names])
            for text in ({f"d-{thing}": good(thing) for thing in names}, bad)
        ]
        return [sum(g.values) - sum(b.values) for g, b in zip(*likely, strict=True)]

    plain = tmp_path / "plain.yaml"
    plain.write_text((out / "preset.yaml").read_text().replace("./model", str(base)))
    before, after = leads(load(str(plain))), leads(load(str(out)))
    assert all(high > low for low, high in zip(before, after, strict=True))
    # Broken off and gone on with, it is an unbroken one's result.
    whole = [each if each != str(out) else str(tmp_path / "whole") for each in command]
    assert run(whole) == 0
    assert same(result(out), result(tmp_path / "whole"))


def test_stopped_and_resumed_is_unbroken_to_the_bit(tmp_path, data, tiny_folder):
    base = tiny_folder("llama")
    told = ["--ecrs", str(taught(tmp_path / "ecrs.jsonl")), "--epochs", "3", "--batch", "6", "--mini", "4"]
    for tuning in ("full", "lora"):
        more = [*told, "--tuning", tuning, "--adapter", "kept", "--every", "2"]
        outs = [tmp_path / f"{tuning}-{name}" for name in ("whole", "broken")]
        assert run(reasoner_command(data, outs[0], base, *more)) == 0
        broken = reasoner_command(data, outs[1], base, *more)
        assert run([*broken, "--stop-after", "3"]) == 0
        assert not (outs[1] / "model").exists()
        assert run(broken) == 0
        name = "model.safetensors" if tuning == "full" else "adapter_model.safetensors"
        assert same(*(load_file(out / "model" / name) for out in outs))
        assert not (outs[1] / "checkpoints").exists()


def test_a_kept_adapter_says_what_a_merged_one_says_and_fits_its_base_alone(
    tmp_path, data, tiny_folder, capsys
):
    from ponder.testing.tiny import make_tiny

    base = make_tiny("llama", tmp_path / "base")
    told = ["--ecrs", str(taught(tmp_path / "ecrs.jsonl")), "--epochs", "20", "--tuning", "lora"]
    for adapter in ("kept", "merged"):
        assert run(reasoner_command(data, tmp_path / adapter, base, *told, "--adapter", adapter)) == 0
    assert (tmp_path / "kept" / "model" / "adapter_model.safetensors").is_file()
    assert said_by(tmp_path / "kept") == said_by(tmp_path / "merged")
    other = make_tiny("llama", tmp_path / "other", seed=1)
    (base / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    capsys.readouterr()
    assert run(["reason", str(data), "--models", str(tmp_path / "kept"), "--limit", "1"]) == 5
    assert "the adapter fits" in capsys.readouterr().err


def test_going_on_with_other_ecrs_or_settings_is_refused(tmp_path, data, tiny_folder, capsys):
    file = taught(tmp_path / "ecrs.jsonl")
    command = reasoner_command(
        data, tmp_path / "out", tiny_folder("llama"), "--ecrs", str(file), "--batch", "4"
    )
    assert run([*command, "--stop-after", "1"]) == 0
    assert run([*command, "--rate", "1e-3"]) == 5
    assert "settings.rate was 0.003, is 0.001" in capsys.readouterr().err
    file.write_text(file.read_text().replace("for music", "for dance music"))
    assert run(command) == 5
    assert "lessons was" in capsys.readouterr().err
    assert run([*command, "--fresh"]) == 0


def test_what_was_filtered_is_counted_and_told(tmp_path, data, tiny_folder, capsys):
    said = {f"d-{thing}": good(thing) for thing in THINGS}
    said |= {"d-kite": "It is a kite for music", "d-rake": "...", "d-sail": "<think>a sail", "d-oven": "hot"}
    (data / "images").mkdir()
    (data / "images" / "broken.png").write_bytes(b"no picture")
    with (data / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "d-broken", "image": "images/broken.png"}\n')
    said |= {"d-broken": "something that nobody can see", "d-gone": "a thing that is nowhere"}
    told = ["--ecrs", str(ecrs(tmp_path / "e.jsonl", said)), "--pairs", str(mined(tmp_path / "p.parquet"))]
    command = reasoner_command(
        data, tmp_path / "out", tiny_folder("llama"), *told, "--shortest", "6", "--json"
    )
    assert run(command) == 7
    captured = capsys.readouterr()
    assert json.loads(captured.out)["ecrs"] == {"format": 2, "harmful": 1, "kept": 12, "length": 1}
    assert "broken.png" in captured.err
    assert "ECR of d-gone: no such document" in captured.err
    decided = {each["id"]: each for each in report(tmp_path / "out")}
    assert decided["d-kite"]["decision"] == "harmful"
    assert decided["d-kite"]["usefulness"] < 0 < decided["d-cello"]["usefulness"]
    assert decided["d-rake"]["why"] == "no words"
    assert "below 0" in decided["d-kite"]["why"]


def test_what_teaches_nothing_is_refused(tmp_path, data, tiny_folder, capsys):
    base = tiny_folder("llama")
    assert run(reasoner_command(data, tmp_path / "out", base)) == 2
    assert "nobody to learn from" in capsys.readouterr().err
    empty = ecrs(tmp_path / "e.jsonl", {f"d-{thing}": "..." for thing in THINGS})
    assert run(reasoner_command(data, tmp_path / "out", base, "--ecrs", str(empty))) == 5
    assert "no usable ECR is left: 16 format" in capsys.readouterr().err
    one = ["--ecrs", str(taught(tmp_path / "one.jsonl")), "--prefer"]
    assert run(reasoner_command(data, tmp_path / "out", base, *one)) == 5
    assert "no two ECRs about an item differ" in capsys.readouterr().err
    assert run(["train", "reasoner", str(data), "--out", str(tmp_path / "lite"), *one]) == 2
    assert "--base" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_teacher_writes_and_a_dry_run_neither_writes_nor_trains(tmp_path, data, tiny_folder, capsys):
    command = reasoner_command(data, tmp_path / "out", tiny_folder("llama"), "--teacher", "fake", "--json")
    assert run(["reason", str(data), "--models", "fake", "--out", str(tmp_path / "made.jsonl")]) == 0
    capsys.readouterr()
    assert run([*command, "--dry-run", "--epochs", "3", "--tflops", "1", "--shortest", "2"]) == 0
    price = json.loads(capsys.readouterr().out)
    assert (price["examples"], price["steps"]) == (16, 3)
    assert price["tokens"] > 16 * 3 * 40
    assert not (tmp_path / "out").exists()
    assert run([*command, "--shortest", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["ecrs"] == {"kept": 16}


def test_what_is_not_installed_is_named(tmp_path, data, tiny_folder, capsys, monkeypatch):
    told = ["--ecrs", str(taught(tmp_path / "ecrs.jsonl"))]
    command = reasoner_command(data, tmp_path / "out", tiny_folder("llama"), *told)
    monkeypatch.setitem(sys.modules, "trl", None)  # as where it is not installed
    assert run([*command, "--prefer"]) == 3
    assert "trl is not installed (ponder train): pip install 'ponder[train]'" in capsys.readouterr().err
    assert run([*command, "--dry-run", "--tflops", "1"]) == 0
