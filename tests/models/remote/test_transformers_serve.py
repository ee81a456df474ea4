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


def decision(folder):
    path = folder / "decision.json"
    path.write_text(json.dumps({"labels": {"choice": ["yes", "no"]}, "chat_template": TEMPLATE}))
    return path


def serving(config):
    """Start the server; gives its process and url."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(weights.ensure("smollm2"))
    command = [Path(sys.executable).with_name("transformers"), "serve", model, "--port", str(port)]
    command += [
        "--host",
        "127.0.0.1",
        "--device",
        "cpu",
        "--dtype",
        "float32",
        "--decision-config",
        str(config),
    ]
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"}
    with (config.parent / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **quiet})
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return process, f"http://127.0.0.1:{port}/v1"
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    process.kill()
    raise AssertionError((config.parent / "log").read_text()[-2000:])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    process, url = serving(decision(tmp_path_factory.mktemp("serve")))
    yield url
    process.terminate()
    process.wait(20)


@pytest.fixture
def sides(server, tmp_path):
    """Presets over the weights here and behind HTTP."""
    model = json.dumps(str(weights.ensure("smollm2")))
    rest = f"""
reasoner: {{engine: one}}
embedder: {{kind: sentence, model: {json.dumps(str(weights.ensure("minilm")))}}}
judges: {{ecr: {{engine: one, question: yes-no, pictures: false}}}}
"""
    here, there = tmp_path / "here.yaml", tmp_path / "there.yaml"
    here.write_text(f"name: h\nengines: {{one: {{model: {model}, dtype: float32}}}}{rest}")
    remote = f"{{kind: remote, url: '{server}', model: {model}, able: [write, answer]}}"
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
    engine = RemoteEngine(RemoteSettings(server, str(weights.ensure("smollm2")), concurrency=1))
    asked = Prompt((Turn("user", ("Say one short sentence about the cello.",)),))
    [written] = engine.write([asked], Effort(answer=12))
    assert written.text
    assert written.truncated == (written.usage.written >= 12)
    assert written.usage.read > 10
    judged = Prompt((Turn("system", ("Answer yes or no.",)), Turn("user", ("Is water wet?",))))
    [likely] = engine.answer([judged], ["yes", "no"])
    assert engine.way == "systemone"
    assert likely.usage.read > 0
    assert all(value < 0 for value in likely.values)


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
    other.mkdir()
    for path in weights.ensure("smollm2").iterdir():
        (other / path.name).symlink_to(path)
    template = (other / "chat_template.jinja").read_text()
    (other / "chat_template.jinja").unlink()
    (other / "chat_template.jinja").write_text(template.replace("assistant", "assistant and friend"))
    path = Path(here)
    path.write_text(path.read_text().replace(str(weights.ensure("smollm2")), str(other), 1))
    found = compare(registry.load(here), registry.load(there), read_inputs(texts, 8))
    assert not found.agrees
    assert "the prompts differ in length" in found.diagnosis
