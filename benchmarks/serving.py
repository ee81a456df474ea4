"""Searching through `ponder serve` with many clients, beside the same searches without it in one process.

A shelf of texts with the fakes, whose models take no time to speak of: what is measured is the server.
Clients ask over HTTP for --seconds, each answer held against a single client's. The peer is the engine's own
limit: the same searches, one after the other, in this process. Memory is looked at as it goes, and again over
--flat searches without tokens, most of them never asked before, after a tenth of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

from harness import PONDER, finish, options

QUERIES = [f"word{n} word{n + 7} word{n + 31}" for n in range(40)]
MEMORY = 1.1
"""How far memory may grow from a quarter of the way to the end."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--budget", type=int, default=64)
    parser.add_argument(
        "--flat", type=int, default=10_000, help="searches over which memory has to stay flat"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serving-") as made:
        folder = Path(made)
        os.environ["PONDER_CACHE"] = str(folder / "cache")
        shelf = fill(folder, arguments.items)
        alone = limit(shelf, arguments.budget)
        child, address = start(shelf)
        try:
            found = asyncio.run(load(address, arguments, child.pid))
            grown = asyncio.run(flat(address, arguments, child.pid))
        finally:
            child.terminate()
            child.wait()
    rate = found["answers"] / found["seconds"]
    quarter = found["memory"][len(found["memory"]) // 4]
    finish(
        arguments,
        "serving",
        ours=1000 / rate,
        peer=1000 / alone,
        peer_name="the same searches in one process, without HTTP",
        unit="ms a search",
        checks={
            "every answer is a single client's": found["wrong"] == 0 and found["answers"] > 0,
            "every refusal says when to come again": found["unclear"] == 0,
            "memory stays flat under load": found["memory"][-1] <= MEMORY * quarter,
            f"memory stays flat over {arguments.flat:,} searches": grown[-1] <= MEMORY * grown[0],
        },
        details={
            "clients": arguments.clients,
            "answers": found["answers"],
            "refused_429": found["refused"],
            "searches_a_second": round(rate, 1),
            "engine_searches_a_second": round(alone, 1),
            "p50_ms": round(found["p50"], 1),
            "p95_ms": round(found["p95"], 1),
            "memory_mb": [round(each) for each in found["memory"]],
            "flat_searches": arguments.flat,
            "flat_memory_mb": [round(each) for each in grown],
        },
        packages=("fastapi", "uvicorn", "lancedb"),
    )


def fill(folder: Path, items: int) -> Path:
    files = folder / "files"
    files.mkdir()
    for number in range(items):
        words = " ".join(f"word{(number * step) % 97}" for step in range(1, 9))
        (files / f"{number}.txt").write_text(words)
    shelf = folder / "shelf"
    command = [str(PONDER), "index", str(shelf), str(files), "--models", "fake", "--json"]
    subprocess.run(command, check=True, capture_output=True)
    return shelf


def limit(shelf: Path, budget: int) -> float:
    """Searches a second of the engine itself."""
    from ponder.shelf import open_shelf

    with open_shelf(shelf) as opened:
        opened.search(QUERIES[0], budget=budget)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < 5:
            opened.search(QUERIES[done % len(QUERIES)], budget=budget)
            done += 1
        return done / (time.perf_counter() - began)


def start(shelf: Path) -> tuple[subprocess.Popen[bytes], str]:
    command = [str(PONDER), "serve", str(shelf), "--port", "0", "--per-minute", "1000000"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told = shelf / "server.json"
    while not told.exists():
        if child.poll() is not None:
            sys.exit("the server did not start")
        time.sleep(0.05)
    return child, f"http://127.0.0.1:{json.loads(told.read_text())['port']}"


async def load(address: str, arguments: Any, pid: int) -> dict[str, Any]:
    import httpx2

    times: list[float] = []
    memory: list[float] = []
    count = {"wrong": 0, "refused": 0, "unclear": 0}
    limits = httpx2.Limits(max_connections=arguments.clients)
    async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as client:

        async def ask(query: str) -> Any:
            return await client.post("/v1/search", json={"text": query, "budget": arguments.budget})

        right = {query: (await ask(query)).json()["hits"] for query in QUERIES}
        ends = time.perf_counter() + arguments.seconds

        async def one(number: int) -> None:
            turn = number
            while (began := time.perf_counter()) < ends:
                query = QUERIES[turn % len(QUERIES)]
                turn += 1
                response = await ask(query)
                if response.status_code == 429:
                    count["refused"] += 1
                    count["unclear"] += "retry-after" not in response.headers
                    await asyncio.sleep(0.05)
                    continue
                times.append(time.perf_counter() - began)
                count["wrong"] += response.status_code != 200 or response.json()["hits"] != right[query]

        async def watch() -> None:
            while time.perf_counter() < ends:
                memory.append(resident(pid))
                await asyncio.sleep(max(0.5, arguments.seconds / 40))

        began = time.perf_counter()
        await asyncio.gather(watch(), *(one(number) for number in range(arguments.clients)))
        took = time.perf_counter() - began
    cut = quantiles(times, n=20) if len(times) > 1 else [0.0] * 19
    return {
        **count,
        "answers": len(times),
        "seconds": took,
        "p50": 1000 * cut[9],
        "p95": 1000 * cut[18],
        "memory": memory,
    }


async def flat(address: str, arguments: Any, pid: int) -> list[float]:
    """Megabytes after each tenth of the searches."""
    import httpx2

    memory: list[float] = []
    async with httpx2.AsyncClient(base_url=address, timeout=60) as client:

        async def one(number: int) -> None:
            asked = {"text": f"word{number % 97} {number}", "budget": 0}
            while (await client.post("/v1/search", json=asked)).status_code == 429:
                await asyncio.sleep(0.05)

        for tenth in range(10):
            numbers = iter(range(tenth * arguments.flat // 10, (tenth + 1) * arguments.flat // 10))

            async def worker(numbers: Iterator[int] = numbers) -> None:
                for number in numbers:
                    await one(number)

            await asyncio.gather(*(worker() for _ in range(8)))
            memory.append(resident(pid))
    return memory


def resident(pid: int) -> float:
    """Megabytes of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
