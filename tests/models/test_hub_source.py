"""The `hf:` source against a hub of one repository on this machine."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from ponder.errors import MissingDependency
from ponder.models import weights

COMMIT = "a" * 40
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"numbers",
    "modeling.py": b"raise SystemExit",
    "model.bin": b"x",
}


class Hub(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        if path.startswith("/api/models/org/model/revision/" + COMMIT):
            data = json.dumps(
                {"id": "org/model", "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]}
            ).encode()
        elif path.startswith(f"/api/models/org/model/tree/{COMMIT}"):
            data = json.dumps(
                [{"type": "file", "path": name, "size": len(d), "oid": "0"} for name, d in FILES.items()]
            ).encode()
        elif (name := path.removeprefix(f"/org/model/resolve/{COMMIT}/")) in FILES:
            data = FILES[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header(
            "Content-Type", "application/json" if path.startswith("/api") else "application/octet-stream"
        )
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PONDER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("PONDER_OFFLINE", raising=False)
    yield server.server_name
    server.shutdown()
    server.server_close()


def test_a_snapshot_brings_weights_and_no_code(hub: str) -> None:
    source = f"hf:org/model@{COMMIT}"
    folder = weights.ensure(source)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"config.json", "model.safetensors", "weights.json"}
    assert weights.verify(source).problems == ()
    asked = len(Hub.asked)
    assert weights.ensure(source) == folder
    assert len(Hub.asked) == asked


def test_a_repository_that_is_not_there_is_a_missing_dependency(hub: str) -> None:
    with pytest.raises(MissingDependency, match="org/other"):
        weights.pull(f"hf:org/other@{COMMIT}")
    assert not [path for path in weights.root().iterdir() if not path.name.endswith(".lock")]
