import socket

import PIL.Image
import pytest

from ponder.index.cache import Cache
from ponder.shelf import open_shelf
from ponder.testing import FakeModels

TEXTS = {
    "kite.txt": "a red kite over the hills",
    "whale.txt": "the blue whale sings under water",
    "tea.txt": "green tea in a pot",
    "harbour.txt": "a harbour crane lifts crates of tea " + "and ropes and barrels and boxes " * 40,
}


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No framework calls home: nothing is connected to over the network."""
    calls = []

    class Watched(socket.socket):
        def connect(self, address):
            if self.family != socket.AF_UNIX:
                calls.append(address)
                raise OSError(f"a test has no network: {address}")
            return super().connect(address)

    monkeypatch.setattr(socket, "socket", Watched)
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    yield
    assert not calls


@pytest.fixture
def files(tmp_path):
    """Four texts and two pictures."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    PIL.Image.new("RGB", (64, 64), (20, 160, 20)).save(folder / "meadow.png")
    PIL.Image.new("RGB", (64, 64), (140, 20, 160)).save(folder / "plum.png")
    return folder


@pytest.fixture
def shelf(files, tmp_path):
    """The files on a shelf of the fakes."""
    with (
        Cache(tmp_path / "made.sqlite") as cache,
        open_shelf(tmp_path / "shelf", FakeModels(), cache=cache) as shelf,
    ):
        shelf.add(files)
        yield shelf


@pytest.fixture
def id_of(shelf, files):
    """From a file's name to its item's id."""
    from ponder.media.items import item_id

    return lambda name: item_id(str(files / name))
