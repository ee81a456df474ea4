"""One thread, a bounded line: order, batches, back-pressure, faults, streams that nobody listens to."""

import asyncio
import threading
import time

import httpx2
import pytest

from ponder.errors import BackendFailed
from ponder.serve.engine import Busy, Engine
from ponder.testing import FakeModels


def test_work_is_done_in_order_in_one_thread_and_faults_stay_with_their_own():
    engine = Engine(100)
    seen = []

    def work(number):
        seen.append((number, threading.get_ident()))
        if number % 3 == 0:
            raise BackendFailed("broken", str(number))
        return number

    async def ask():
        return await asyncio.gather(
            *(engine.run(lambda n=n: work(n)) for n in range(9)), return_exceptions=True
        )

    found = asyncio.run(ask())
    engine.close()
    assert [each if isinstance(each, int) else type(each) for each in found] == [
        BackendFailed if n % 3 == 0 else n for n in range(9)
    ]
    assert [number for number, _ in seen] == list(range(9))
    assert len({thread for _, thread in seen}) == 1


def test_what_waits_for_the_same_is_done_together():
    engine, sizes = Engine(500), []
    gate = threading.Event()

    def batch(pieces):
        sizes.append(len(pieces))
        return [piece * 2 for piece in pieces]

    async def ask():
        first = asyncio.create_task(engine.run(gate.wait))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(engine.together(batch, n)) for n in range(100)]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(first, *rest)

    found = asyncio.run(ask())
    engine.close()
    assert found[1:] == [n * 2 for n in range(100)]
    assert sum(sizes) == 100 and max(sizes) > 10


def test_a_full_line_says_when_to_come_again_and_empties():
    engine, gate = Engine(2), threading.Event()

    async def ask():
        waiting = [asyncio.create_task(engine.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy) as refused:
            await engine.run(lambda: 1)
        assert refused.value.retry_after >= 1
        gate.set()
        await asyncio.gather(*waiting)
        return await engine.run(lambda: 1)

    assert asyncio.run(ask()) == 1
    assert engine.waiting == 0
    engine.close()


def test_who_has_an_answer_finds_room():
    engine = Engine(1)

    async def ask():
        # Each takes the only place of the line as soon as the one before it has its answer.
        return [await engine.run(lambda n=n: n) for n in range(3000)]

    assert asyncio.run(ask()) == list(range(3000))
    engine.close()


def test_a_batch_that_returns_too_few_is_an_error_and_not_an_endless_wait():
    engine = Engine(4)
    with pytest.raises(ValueError, match="0 results for 1 pieces"):
        asyncio.run(engine.together(lambda pieces: [], 1))
    engine.close()


def test_a_stream_that_nobody_listens_to_stops():
    engine, made = Engine(10), []

    def values():
        for number in range(1000):
            made.append(number)
            time.sleep(0.005)
            yield number

    async def ask():
        async for number in engine.stream(values):
            if number == 3:
                break
        return await engine.run(lambda: "next")

    assert asyncio.run(ask()) == "next"
    engine.close()
    assert len(made) < 100


def test_long_work_lets_others_go_first():
    engine, order = Engine(10), []

    def long():
        for number in range(50):
            order.append(f"piece {number}")
            time.sleep(0.005)
            engine.breathe()

    async def ask():
        done = engine.later(long)
        await asyncio.sleep(0.05)
        await engine.run(lambda: order.append("search"))
        await asyncio.wrap_future(done)

    asyncio.run(ask())
    engine.close()
    assert 0 < order.index("search") < 50


class Failing(FakeModels):
    """Judges fail every other time."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        for judge in self.rerankers.values():
            rerank = judge.rerank

            def sometimes(*args, rerank=rerank, **told):
                self.calls += 1
                if self.calls % 2:
                    raise BackendFailed("the judge is gone", "engine", "start it")
                return rerank(*args, **told)

            judge.rerank = sometimes


def test_a_failing_engine_is_a_clear_error_and_the_next_request_works(own_server):
    with own_server(Failing()) as address, httpx2.Client(base_url=address, timeout=60) as client:
        codes = []
        for _ in range(6):
            asked = {"text": "red kite", "budget": 64, "stages": "retrieve,ecr"}
            response = client.post("/v1/search", json=asked)
            codes.append(response.status_code)
            if response.status_code != 200:
                assert response.json()["error"]["message"] == "the judge is gone: start it"
        assert set(codes) == {200, 502}
        assert client.post("/v1/search", json={"text": "red kite", "budget": 0}).status_code == 200


def test_many_clients_get_what_one_gets(server):
    asked = [
        {"text": text, "budget": budget, "k": 5} for text in ("red kite", "oak", "sea") for budget in (0, 64)
    ]

    async def one(client, body):
        found = (await client.post("/v1/search", json=body)).json()
        return [(hit["id"], hit["score"]) for hit in found["hits"]], found["usage"]

    async def all_():
        async with httpx2.AsyncClient(base_url=server, timeout=60) as client:
            alone = [await one(client, body) for body in asked]
            together = await asyncio.gather(*(one(client, body) for _ in range(8) for body in asked))
            return alone, together

    alone, together = asyncio.run(all_())
    assert together == alone * 8


def test_a_full_server_answers_429(own_server):
    async def all_(address):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
            body = {"text": "red kite", "budget": 64}
            return await asyncio.gather(*(client.post("/v1/search", json=body) for _ in range(30)))

    with own_server(FakeModels(delay=0.05), max_queue=3) as address:
        found = asyncio.run(all_(address))
    assert {each.status_code for each in found} == {200, 429}
    assert all(int(each.headers["retry-after"]) >= 1 for each in found if each.status_code == 429)
