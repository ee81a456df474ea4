"""Two sides that are the same agree; where they are not, the cause is named."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ponder.cli.main import run
from ponder.evaluate.parity import compare, read_inputs
from ponder.models import registry
from ponder.testing.tiny import make_tiny

PRESET = """
name: tiny
engines: {one: {model: MODEL, dtype: float32, device: cpu}}
reasoner: {engine: one}
embedder: {kind: backbone, engine: one}
judges: {ecr: {engine: one, question: yes-no, shows: SHOWS, pictures: SEES}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity")
    for name, seed in (("llama", 0), ("llama", 1), ("qwen3-vl", 0)):
        make_tiny(name, folder / f"{name}-{seed}", seed=seed)
    return folder


@pytest.fixture
def preset(made, tmp_path):
    def write(model, *, sees=False):
        text = PRESET.replace("MODEL", json.dumps(str(model))).replace("SEES", str(sees).lower())
        path = tmp_path / f"{len(list(tmp_path.glob('*.yaml')))}.yaml"
        path.write_text(text.replace("SHOWS", "media" if sees else "reasoning"))
        return str(path)

    return write


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    said = [
        "The cello is played sitting down.",
        "Carrot soup wants ginger.",
        "A crane lifts steel at the port.",
    ]
    for number, text in enumerate(said):
        (folder / f"{number}.txt").write_text(text)
    return folder


def parity(one, other, folder):
    return compare(registry.load(one), registry.load(other), read_inputs(folder, 8))


def test_the_same_twice_agrees(preset, made, texts):
    found = parity(preset(made / "llama-0"), preset(made / "llama-0"), texts)
    assert found.agrees
    assert found.diagnosis == ""
    assert found.cosine[0] == pytest.approx(1, abs=1e-5)
    assert found.judges["ecr"].worst <= 1e-5
    assert found.judges["ecr"].pairs == 9


def test_a_changed_template_is_found_and_shown(preset, made, texts, tmp_path):
    other = shutil.copytree(made / "llama-0", tmp_path / "other")
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_start|>assistant", "<|im_start|>helper"))
    found = parity(preset(made / "llama-0"), preset(other), texts)
    assert not found.agrees
    assert "ecr: the prompts differ from token" in found.diagnosis
    assert "assistant" in found.diagnosis
    assert "helper" in found.diagnosis


def test_changed_answers_are_found(preset, made, texts):
    one, other = preset(made / "llama-0"), Path(preset(made / "llama-0"))
    asked = 'question: yes-no, answers: ["true", "no"]'
    other.write_text(other.read_text().replace("question: yes-no", asked))
    found = parity(one, str(other), texts)
    assert not found.agrees
    assert "the answers' tokens differ: 'yes' is token" in found.diagnosis


def test_other_weights_and_another_precision_are_told_apart(preset, made, texts):
    one = preset(made / "llama-0")
    weights = parity(one, preset(made / "llama-1"), texts)
    assert not weights.agrees
    assert "other weights" in weights.diagnosis
    precision = parity(one, f"{one},engines.one.dtype=bfloat16", texts)
    assert "precision differs: float32 and bfloat16" in precision.diagnosis
    assert precision.judges["ecr"].worst < weights.judges["ecr"].worst


def test_pixel_budgets_are_told_apart(preset, made, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (200, 160), (80 * number, 20, 20)).save(folder / f"{number}.png")
    one = preset(made / "qwen3-vl-0", sees=True)
    found = parity(one, f"{one},engines.one.max_pixels=6000", folder)
    assert not found.agrees
    assert "pixel budgets differ" in found.diagnosis
    assert parity(one, one, folder).agrees


def test_the_command_says_so_by_its_exit_code(preset, made, texts, capsys):
    one, other = preset(made / "llama-0"), preset(made / "llama-1")
    assert run(["parity", one, one, "--data", str(texts)]) == 0
    assert capsys.readouterr().out.startswith("agrees on 3 items")
    assert run(["parity", one, other, "--data", str(texts), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "differs"
    assert told["judges"]["ecr"]["pairs"] == 9
    assert run(["parity", one, other, "--data", str(texts / "nowhere")]) == 4
    assert run(["parity", one, one, "--data", str(texts), "--score", "-1"]) == 2
