"""What needs no model is looked up beside the models, and only what was indexed is shown."""

import asyncio
import threading

import httpx2
import pytest
from PIL import Image

from ponder.serve.engine import Busy
from ponder.serve.looking import Looks
from ponder.testing import FakeModels


class Held(FakeModels):
    """Judges wait until they are let go."""

    def __init__(self):
        super().__init__()
        self.asked, self.go = threading.Event(), threading.Event()
        for judge in self.rerankers.values():
            judge.rerank = self.held(judge.rerank)

    def held(self, rerank):
        def waiting(*args, **told):
            self.asked.set()
            assert self.go.wait(30)
            return rerank(*args, **told)

        return waiting


def pictured(client):
    return next(each for each in client.get("/v1/items").json()["items"] if each["kind"] == "image")


def test_pictures_and_lists_come_while_a_search_is_worked_on(own_server):
    models = Held()
    with own_server(models) as address, httpx2.Client(base_url=address, timeout=30) as client:
        body = {"text": "red kite", "budget": 64, "stream": True}
        with client.stream("POST", "/v1/search", json=body) as response:
            chunks = response.iter_bytes()
            assert next(chunks).startswith(b"event: stage")
            assert models.asked.wait(30)
            with httpx2.Client(base_url=address, timeout=30) as other:
                assert other.get(pictured(other)["media"]).status_code == 200
                assert other.get("/").status_code == 200
            models.go.set()
            assert b"event: done" in b"".join(chunks)


def test_what_was_put_in_an_items_place_is_not_shown(own_server, tmp_path):
    secret = tmp_path / "secret.png"
    Image.new("RGB", (50, 40), "blue").save(secret)
    with own_server() as address, httpx2.Client(base_url=address, timeout=30) as client:
        media = pictured(client)["media"]
        assert client.get(media).status_code == 200
        shown = tmp_path / "files" / "red.png"
        shown.rename(tmp_path / "kept.png")
        shown.symlink_to(secret)
        assert client.get(media).status_code == 404
        shown.unlink()
        assert client.get(media).status_code == 404
        (tmp_path / "kept.png").rename(shown)
        assert client.get(media).status_code == 200


def test_a_full_line_of_looks_says_when_to_come_again_and_empties():
    looks, gate = Looks(3), threading.Event()

    async def ask():
        waiting = [asyncio.create_task(looks.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await looks.run(lambda: 1)
        gate.set()
        await asyncio.gather(*waiting)
        return await looks.run(lambda: 2)

    assert asyncio.run(ask()) == 2
    looks.close()
