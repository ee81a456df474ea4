"""A live server over a small shelf, in a thread of its own, spoken to over real HTTP."""

import threading
import time
from contextlib import contextmanager

import uvicorn
from PIL import Image

from ponder.index.cache import Cache
from ponder.serve.app import create_app
from ponder.serve.settings import ServeSettings
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

TEXTS = {
    "kite.txt": "a red kite over the hills",
    "whale.txt": "a blue whale in the sea",
    "fox.txt": "a red red fox under a tree",
    "oak.txt": "an old oak tree",
}


def files(folder):
    folder.mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    Image.new("RGB", (64, 48), (200, 30, 30)).save(folder / "red.png")
    return folder


@contextmanager
def serving(tmp_path, models=None, index=True, **told):
    """The address of a server over the files; their folder is a root."""
    models = models or FakeModels()
    root = tmp_path / "files" if (tmp_path / "files").exists() else files(tmp_path / "files")
    with Cache(tmp_path / "cache.sqlite") as cache:
        with open_shelf(tmp_path / "shelf", FakeModels(), cache=cache) as shelf:
            if index:
                shelf.add(root)
        settings = ServeSettings(shelf=tmp_path / "shelf", port=0, roots=(root,), **told)
        config = uvicorn.Config(
            create_app(settings, models, cache), port=0, log_level="warning", access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive() and time.monotonic() < deadline
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
