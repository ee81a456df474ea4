"""SIGKILL while the index is compacted, and while a server answers: all is there, and answers as before.

Killed while indexing and updating: tests/shelf/test_kill.py; while training and mining: tests/train and
tests/feedback.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from random import Random

import pytest

from ponder.shelf import open_shelf
from ponder.shelf.checking import check_shelf
from ponder.testing import FakeModels
from ponder.testing.faults import Killing

COMPACTIONS, SERVERS = 12, 2

COMPACTING = """
    import sys
    from datetime import timedelta
    import lancedb, pyarrow, ponder.cascade, ponder.media.content
    from dataclasses import replace
    from ponder.index import Cache
    from ponder.shelf import open_shelf
    from ponder.testing import FakeModels

    def work(shelf, cache):
        with Cache(cache) as kept, open_shelf(shelf, FakeModels(), cache=kept) as opened:
            index = opened.index
            index._upkeep._keep = timedelta(0)
            rows = index.get([source.id for source in index.sources()])
            while True:
                # Written again as they are: pieces and versions for the compaction to merge and drop.
                for row in rows[::7]:
                    index.add([row])
                index.compact()
"""


def test_killed_while_compacting(tmp_path, texts, shelf_at, ask):
    place, chance = tmp_path / "shelf", Random(9)
    with shelf_at(place) as shelf:
        shelf.add(texts)
        truth = ask(shelf)
    killed = 0
    with Killing(COMPACTING, [str(place), str(tmp_path / "cache.sqlite")]) as killing:
        while killed < COMPACTIONS:
            killed += killing.round(chance.uniform(0.02, 0.6))
            with shelf_at(place, FakeModels()) as shelf:
                assert ask(shelf) == truth
                assert len(shelf) == 40
            assert check_shelf(place).damages == ()
    with open_shelf(place, FakeModels()) as shelf:
        shelf.index.compact()
        assert ask(shelf) == truth
    assert check_shelf(place).unknown == 0


@pytest.fixture
def serve(tmp_path):
    """Begins `ponder serve` and waits until it is ready; ends what is left."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    begun = []

    def begin(shelf):
        import socket

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        said = tmp_path / f"said-{port}"
        with said.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "ponder", "serve", str(shelf), "--port", str(port)],
                stdout=file,
                stderr=file,
                env=os.environ | {"PONDER_CACHE": str(tmp_path / "served")},
            )
        begun.append(process)
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            if process.poll() is not None:
                raise AssertionError(said.read_text())
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
                return process, url
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server is never ready")

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def posted(url, told):
    request = urllib.request.Request(
        url, json.dumps(told).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def uploaded(url, files):
    """Have the server index texts in the background."""
    parts = [
        f'--edge\r\ncontent-disposition: form-data; name="files"; filename="{name}"\r\n\r\n{text}\r\n'
        for name, text in files.items()
    ]
    head = {"content-type": "multipart/form-data; boundary=edge"}
    body = "".join([*parts, "--edge--\r\n"]).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/v1/items/upload", body, head), timeout=30).close()


def told(url):
    """What the server answers to a few queries."""
    answers = [posted(f"{url}/v1/search", {"text": f"word{n} word{n + 1}", "k": 3}) for n in range(5)]
    return [[(hit["id"], hit["score"]) for hit in answer["hits"]] for answer in answers]


def test_a_server_killed_while_it_answers_and_indexes_comes_back_as_it_was(tmp_path, texts, shelf_at, serve):
    place, chance = tmp_path / "shelf", Random(3)
    with shelf_at(place) as shelf:
        shelf.add(texts)
    process, url = serve(place)
    truth = told(url)
    assert all(len(hits) == 3 for hits in truth)
    for number in range(SERVERS):
        stop = threading.Event()
        wrong = []

        def asking(url=url, stop=stop, wrong=wrong):
            while not stop.is_set():
                try:
                    if told(url) != truth:
                        wrong.append("another answer")
                except (OSError, ValueError, urllib.error.URLError):
                    return

        threads = [threading.Thread(target=asking) for _ in range(2)]
        for thread in threads:
            thread.start()
        # Words that nobody asks for: what is stored of them when the kill falls changes no answer.
        uploaded(url, {f"{number}-{each}.txt": f"unasked {each} " * 200 for each in range(60)})
        time.sleep(chance.uniform(0.1, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        process, url = serve(place)
        assert told(url) == truth
    assert check_shelf(place).damages == ()
