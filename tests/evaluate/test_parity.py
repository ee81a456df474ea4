"""Two sides that are the same agree; where they are not, the cause is named."""

import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from ponder.cli.main import run
from ponder.evaluate.parity import compare, read_inputs
from ponder.models import registry
from ponder.models.engine import Prompt, Turn
from ponder.models.local.engine import LocalEngine
from ponder.testing.tiny import make_tiny
from ponder.testing.tiny_embedder import make_tiny_embedder

PRESET = """
name: tiny
engines:
  one: {model: MODEL, dtype: float32, device: cpu}
  two: {model: OTHER, dtype: float32, device: cpu}
reasoner: {engine: one}
embedder: {kind: backbone, engine: two}
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
    def write(model, *, sees=False, embeds=None):
        text = PRESET.replace("MODEL", json.dumps(str(model))).replace("SEES", str(sees).lower())
        text = text.replace("OTHER", json.dumps(str(embeds or model)))
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


@pytest.fixture
def helper(made, tmp_path):
    """The same model, whose template calls the assistant by another name."""
    other = shutil.copytree(made / "llama-0", tmp_path / "helper")
    template = other / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_start|>assistant", "<|im_start|>helper"))
    return other


def test_a_changed_template_is_found_and_shown(preset, made, texts, helper):
    found = parity(preset(made / "llama-0"), preset(helper), texts)
    assert not found.agrees
    assert "ecr: the prompts differ from token" in found.diagnosis
    assert "assistant" in found.diagnosis
    assert "helper" in found.diagnosis


def test_a_changed_template_of_the_embedder_alone_is_found(preset, made, texts, helper):
    found = parity(preset(made / "llama-0"), preset(made / "llama-0", embeds=helper), texts)
    assert not found.agrees
    assert "embedder: the prompts differ from token" in found.diagnosis
    assert found.judges["ecr"].prompts is None


def test_a_changed_prompt_of_a_sentence_model_is_found(preset, made, texts, tmp_path):
    model = json.dumps(str(make_tiny_embedder(tmp_path / "gemma")))
    sides = []
    for prompt in ("title: none | text: ", "query: "):
        side = tmp_path / f"{len(sides)}.side.yaml"
        told = f"{{kind: sentence, model: {model}, prompts: {{document: '{prompt}'}}}}"
        side.write_text(f"base: {preset(made / 'llama-0')}\nembedder: {told}\n")
        sides.append(str(side))
    assert parity(sides[0], sides[0], texts).agrees
    found = parity(*sides, texts)
    assert "embedder: the prompts differ" in found.diagnosis


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


def test_a_difference_too_large_for_precision_is_not_called_that(preset, made, texts):
    other = f"{preset(made / 'llama-1')},engines.one.dtype=bfloat16"
    found = parity(preset(made / "llama-0"), other, texts)
    assert found.judges["ecr"].worst > 0.1
    assert "other weights" in found.diagnosis


def test_what_is_written_before_judging_is_not_compared(preset, made, texts):
    plain = preset(made / "llama-0")
    musing = Path(preset(made / "llama-0"))
    musing.write_text(
        musing.read_text().replace("question: yes-no", "question: yes-no, musing: {engine: one, answer: 24}")
    )
    found = [parity(one, f"{one},engines.one.dtype=bfloat16", texts) for one in (plain, str(musing))]
    assert found[1].judges["ecr"] == found[0].judges["ecr"]


def test_a_damaged_file_is_skipped_and_noted(preset, made, texts, tmp_path):
    folder = shutil.copytree(texts, tmp_path / "texts")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    one = preset(made / "llama-0")
    found = parity(one, one, folder)
    assert found.agrees
    assert any("broken.pdf" in note for note in found.notes)


def test_pictures_without_words_are_told_apart_by_judges_of_words(preset, made, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (200, 160), (80 * number, 20, 20)).save(folder / f"{number}.png")
    rows = read_inputs(folder, 8).rows
    assert len({row.reasoning.text for row in rows}) == 3


class Serve(BaseHTTPRequestHandler):
    """Chat completions of an engine that runs here."""

    engine: LocalEngine
    counts = True

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.path.endswith("/chat/completions"):
            self.send_error(404)
            return
        prompt = Prompt(tuple(Turn(each["role"], (each["content"],)) for each in body["messages"]))
        [likely] = self.engine.answer([prompt], ["yes", "no"])
        top = [{"token": w, "logprob": v} for w, v in zip(("yes", "no"), likely.values, strict=True)]
        told = {"message": {"content": "yes"}, "logprobs": {"content": [{**top[0], "top_logprobs": top}]}}
        found = {"choices": [told]}
        if self.counts:
            read = len(self.engine.renderer.render(prompt).ids)
            found["usage"] = {"prompt_tokens": read, "completion_tokens": 1}
        data = json.dumps(found).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.mark.parametrize(
    ("counts", "model", "says"),
    [
        (True, "llama-0", ""),
        (False, "llama-0", ""),
        (True, "llama-1", "weights"),
        (True, "helper", "the prompts differ in length"),
    ],
)
def test_a_server_is_compared_by_scores_and_lengths(
    preset, made, texts, helper, tmp_path, counts, model, says
):
    folder = helper if model == "helper" else made / model
    if model == "helper":
        template = folder / "chat_template.jinja"
        template.write_text(template.read_text().replace("helper", "helper of all those who ask"))
    handler = type("Handler", (Serve,), {"engine": LocalEngine(str(folder)), "counts": counts})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        far = tmp_path / "far.yaml"
        engine = (
            f"{{kind: remote, url: 'http://127.0.0.1:{server.server_port}/v1', model: m, concurrency: 1}}"
        )
        one = preset(made / "llama-0")
        far.write_text(f"base: {one}\nengines: {{one: {engine}}}\n")
        found = parity(one, str(far), texts)
        server.shutdown()
    assert found.agrees == (not says)
    assert says in found.diagnosis


def test_an_engine_that_is_down_is_told_as_json_too(preset, made, texts, tmp_path, capsys):
    one, dead = preset(made / "llama-0"), tmp_path / "dead.yaml"
    engine = "{kind: remote, url: 'http://127.0.0.1:9/v1', model: m, retries: 0}"
    dead.write_text(f"base: {one}\nengines: {{one: {engine}}}\n")
    assert run(["parity", one, str(dead), "--data", str(texts), "--json"]) == 6
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "failed"
    assert "no connection" in json.loads(out)["error"]
    assert "no connection" in err


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
