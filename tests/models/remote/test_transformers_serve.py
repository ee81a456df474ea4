"""SmolLM2's real weights behind a real server: it writes, judges, and agrees with the same weights here."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ponder.evaluate.parity import compare, read_inputs
from ponder.models import registry, weights
from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.remote.engine import RemoteEngine
from ponder.models.remote.settings import RemoteSettings

needs_server = pytest.mark.skipif(
    not importlib.util.find_spec("fastapi") or not importlib.util.find_spec("uvicorn"),
    reason="needs transformers[serving]",
)
pytestmark = [pytest.mark.lite, needs_server]

# The server is told to render the conversation that it gets as the model's own template does.
TEMPLATE = (
    "{% for message in state %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    # Said so because Jinja drops a template's last line break: one token, and scores differ by .1.
    "<|im_start|>assistant{{ '\n' }}"
)
SAID = ["The cello is played sitting down.", "Carrot soup wants ginger.", "A crane lifts steel at the port."]


class Server:
    """A running server; `told` is a model that reads a conversation as its own template has it.

    The same weights under their own folder's name have the server's own words around a question.
    """

    def __init__(self, folder):
        self.told = folder / "told"
        linked(self.told)
        decision = {"labels": {"choice": ["yes", "no"]}, "chat_template": TEMPLATE}
        (self.told / "decision.json").write_text(json.dumps(decision))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        command = [Path(sys.executable).with_name("transformers"), "serve", "--port", str(port)]
        command += ["--host", "127.0.0.1", "--device", "cpu", "--dtype", "float32"]
        quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **quiet})

    def wait(self):
        for _ in range(600):
            try:
                with urllib.request.urlopen(self.url.replace("/v1", "/health"), timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                break
        raise AssertionError(self.log.read_text()[-2000:])

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def linked(folder):
    """SmolLM2 under another name."""
    folder.mkdir()
    for path in weights.ensure("smollm2").iterdir():
        (folder / path.name).symlink_to(path)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("serve"))
    try:
        made.wait()
        yield made
    finally:
        made.stop()


@pytest.fixture
def sides(server, tmp_path):
    """Presets over the weights here and behind HTTP."""
    rest = f"""
reasoner: {{engine: one}}
embedder: {{kind: sentence, model: {json.dumps(str(weights.ensure("minilm")))}}}
judges: {{ecr: {{engine: one, question: yes-no, pictures: false}}}}
"""
    here, there = tmp_path / "here.yaml", tmp_path / "there.yaml"
    model = json.dumps(str(weights.ensure("smollm2")))
    here.write_text(f"name: h\nengines: {{one: {{model: {model}, dtype: float32}}}}{rest}")
    model = json.dumps(str(server.told))
    remote = f"{{kind: remote, url: '{server.url}', model: {model}, able: [write, answer]}}"
    there.write_text(f"name: t\nengines: {{one: {remote}}}{rest}")
    return str(here), str(there)


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(SAID):
        (folder / f"{number}.txt").write_text(text)
    return folder


def test_it_writes_and_judges(server):
    engine = RemoteEngine(RemoteSettings(server.url, str(server.told), concurrency=1))
    asked = Prompt((Turn("user", ("Say one short sentence about the cello.",)),))
    [written] = engine.write([asked], Effort(answer=12))
    assert written.text
    assert written.truncated == (written.usage.written >= 12)
    assert written.usage.read > 10
    judged = Prompt((Turn("system", ("Answer yes or no.",)), Turn("user", ("Is water wet?",))))
    [likely] = engine.answer([judged], ["yes", "no"])
    assert engine.mode == "systemone"
    assert likely.usage.read > 0
    assert all(value < 0 for value in likely.values)


def test_no_more_is_read_than_was_priced(server):
    # The server's own words around a question, not ours: they are what a price has to reckon with.
    engine = RemoteEngine(RemoteSettings(server.url, str(weights.ensure("smollm2"))))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for said, answers in [("a", letters), ('"\n' * 100, ["yes", "no"]), ("大提琴" * 40, ["yes", "no"])]:
        prompt = Prompt((Turn("user", (said,)),))
        [likely] = engine.answer([prompt], answers)
        assert not likely.error
        assert 0 < likely.usage.spent <= engine.prices([prompt])[0]
    assert engine.mode == "systemone"


def test_it_says_that_it_cannot_go_on(server):
    engine = RemoteEngine(RemoteSettings(server.url, str(server.told)))
    [written] = engine.write([Prompt((Turn("user", ("What is it?",)),), "The cello")], Effort(answer=4))
    assert "cannot go on where the assistant has begun" in written.error


def test_the_same_weights_here_and_behind_http_agree(sides, texts):
    here, there = (registry.load(side) for side in sides)
    found = compare(here, there, read_inputs(texts, 8))
    assert found.agrees, found
    assert found.judges["ecr"].worst <= 1e-4
    assert found.judges["ecr"].pairs == 9


def test_changed_answers_on_one_side_are_diagnosed(sides, texts):
    here, there = sides
    path = Path(here)
    asked = 'question: yes-no, answers: ["true", "false"]'
    path.write_text(path.read_text().replace("question: yes-no", asked))
    found = compare(registry.load(here), registry.load(there), read_inputs(texts, 8))
    assert not found.agrees
    assert "the answers' tokens differ: 'true'" in found.diagnosis


def test_a_changed_template_on_one_side_is_diagnosed(sides, texts, tmp_path):
    here, there = sides
    other = tmp_path / "other"
    linked(other)
    template = (other / "chat_template.jinja").read_text()
    (other / "chat_template.jinja").unlink()
    (other / "chat_template.jinja").write_text(template.replace("assistant", "assistant and friend"))
    path = Path(here)
    path.write_text(path.read_text().replace(str(weights.ensure("smollm2")), str(other), 1))
    found = compare(registry.load(here), registry.load(there), read_inputs(texts, 8))
    assert not found.agrees
    assert "the prompts differ in length" in found.diagnosis
