"""Indexing on a Ray cluster of local nodes, some of which are killed, beside the models' own time.

The fakes sleep for a while over an item, as a process waits for its GPU, so that more workers than this
machine has cores can be kept busy. Ours is wall time times workers; the peer is the sum of what the models
took, by the workers' clocks. What is between them is everything else: planning, hiring, opening, checking,
storing, and what the kills cost. With ``--lite N`` so many texts go through `lite` as well, with two workers,
beside one process.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import finish, options

LIMIT = 0.15
SAMPLE = 2_000
"""Rows that are made again in this process and compared."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--delay-ms", type=int, default=20, help="of the fakes, an item")
    parser.add_argument("--workers", type=int, default=8, help="one a node")
    parser.add_argument(
        "--kills", type=int, default=4, help="workers to kill on the way; a node too if not 0"
    )
    parser.add_argument("--lite", type=int, default=0, help="texts through lite, too")
    arguments = parser.parse_args()
    found = measure(
        arguments.items, f"fake,delay_ms={arguments.delay_ms}", arguments.workers, arguments.kills
    )
    checks = {
        "nothing missing, nothing twice": found["whole"],
        f"{found['compared']} rows are those of one process": found["equal"],
        "workers were lost on the way": found["lost"] >= arguments.kills,
    }
    if arguments.lite:
        found["lite"] = beside_one_process(arguments.lite)
        checks["lite: the same rows"] = found["lite"]["equal"]
    model = found["model_seconds"]
    ours = found["wall"] * arguments.workers
    checks[f"at most {LIMIT:.0%} over the models' time"] = ours / model - 1 <= LIMIT
    finish(
        arguments,
        "spread",
        ours=ours,
        peer=model,
        peer_name="the models' own time, summed",
        unit="seconds of workers",
        limit_share=(ours / model - 1) / LIMIT,
        checks=checks,
        details={**found, "overhead": round(ours / model - 1, 4)},
        packages=["ray", "lancedb"],
    )


def measure(count: int, models: str, workers: int, kills: int) -> dict[str, Any]:
    """Index made-up texts on a cluster of one-CPU nodes, and strike now and then."""
    from ponder.index import Cache
    from ponder.shelf import open_shelf
    from ponder.spread.maker import Spread
    from ponder.spread.needs import Needs

    with tempfile.TemporaryDirectory(prefix="ponder-spread-") as name, cluster(workers) as (made, nodes):
        base = Path(name)
        write_texts(base / "files", count)
        shards = shards_of(count)
        strike = Striking(
            made, nodes, {shards * (each + 1) // (kills + 1) for each in range(kills)}, shards // 2
        )
        spread = Spread(needs=Needs(workers=workers), events=strike)
        with (
            Cache(base / "cache" / "cache.sqlite") as cache,
            open_shelf(base / "shelf", models, cache=cache) as shelf,
        ):
            began = time.perf_counter()
            report = shelf.add(base / "files", spread=spread)
            wall = time.perf_counter() - began
            ids = [source.id for source in shelf.index.sources()]
            size = shelf.info().bytes
            equal, compared = same_rows(shelf, ids)
        return {
            "items": count,
            "workers": workers,
            "wall": round(wall, 2),
            "whole": len(ids) == len(set(ids)) == report.added == count,
            "equal": equal,
            "compared": compared,
            "lost": sum(spread.costs.troubles.values()),
            "model_seconds": round(spread.costs.model_seconds, 2),
            "worker_seconds": round(spread.costs.seconds, 2),
            "shards": strike.done,
            "items_a_second": round(count / wall, 1),
            "index_bytes_an_item": round(size / count),
            "driver_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def shards_of(count: int) -> int:
    """Into how many shards `count` items are dealt."""
    return int(2 ** max(0, (round(count / 256) - 1).bit_length()))


class Striking:
    """Kills a worker whenever so many shards are done, and once a node.

    Args:
        made: The cluster.
        nodes: Its nodes, of one CPU each.
        workers: After how many shards a worker is killed.
        node: After how many a node is, and another takes its place; not at all if no worker is.
    """

    def __init__(self, made: Any, nodes: list[Any], workers: set[int], node: int) -> None:
        self._made, self._nodes, self._workers = made, nodes, workers
        self._node = node if workers else -1
        self._working: dict[str, int] = {}
        self.done = 0

    def __call__(self, event: Any) -> None:
        if event.what == "began":
            self._working[event.worker] = event.pid
        if event.what != "done":
            return
        self.done += 1
        others = [each for each in self._working if each != event.worker]
        if self.done in self._workers and others:
            os.kill(self._working.pop(others[0]), signal.SIGKILL)
        if self.done == self._node:
            self._made.remove_node(self._nodes.pop(), allow_graceful=False)
            self._nodes.append(self._made.add_node(num_cpus=1, object_store_memory=80 * 2**20))


def same_rows(shelf: Any, ids: list[str]) -> tuple[bool, int]:
    """Whether some of the rows are what this process makes of their files, and how many were looked at."""
    from ponder.index.cache import Overlay
    from ponder.shelf.ingest import Ingest
    from ponder.testing import FakeModels

    chosen = random.Random(0).sample(sorted(ids), min(SAMPLE, len(ids)))
    stored = shelf.get(chosen)
    made = Ingest(FakeModels(), Overlay(None)).rows([row.item for row in stored])
    return all(_same(one, other) for one, other in zip(stored, made, strict=True)), len(stored)


def _same(one: Any, other: Any) -> bool:
    return (
        (one.item, one.reasoning, one.digest) == (other.item, other.reasoning, other.digest)
        and one.embedded.labels == other.embedded.labels
        and bool((one.embedded.vectors == other.embedded.vectors).all())
    )


def beside_one_process(count: int) -> dict[str, Any]:
    """Texts through `lite`: one process, and two workers on a cluster, with empty caches.

    A worker is killed after a third of the shards, a node after two thirds.
    """
    from ponder.index import Cache
    from ponder.shelf import open_shelf
    from ponder.spread.maker import Spread
    from ponder.spread.needs import Needs

    with tempfile.TemporaryDirectory(prefix="ponder-spread-") as name, cluster(2) as (made, nodes):
        base = Path(name)
        write_texts(base / "files", count)
        seconds, shelves, shards = {}, [], shards_of(count)
        fleet = Spread(
            needs=Needs(workers=2),
            events=Striking(made, nodes, {max(1, shards // 3)}, max(1, 2 * shards // 3)),
        )
        for way, spread in (("one", None), ("fleet", fleet)):
            with (
                Cache(base / f"{way}.sqlite") as cache,
                open_shelf(base / way, "lite", cache=cache) as shelf,
            ):
                began = time.perf_counter()
                shelf.add(base / "files", spread=spread)
                seconds[way] = round(time.perf_counter() - began, 2)
                ids = sorted(source.id for source in shelf.index.sources())
                shelves.append(shelf.get(ids))
        equal = len(shelves[0]) == len(shelves[1]) == count
        equal = equal and all(_same(*pair) for pair in zip(*shelves, strict=True))
        lost = sum(fleet.costs.troubles.values())
        return {"items": count, "shards": shards, "lost": lost, "seconds": seconds, "equal": equal}


def write_texts(folder: Path, count: int) -> None:
    """Short texts, all different."""
    folder.mkdir()
    for number in range(count):
        words = " ".join(f"word{(number * step) % 997}" for step in range(1, 21))
        (folder / f"{number:07}.txt").write_text(f"text {number}: {words}")


@contextmanager
def cluster(nodes: int) -> Iterator[tuple[Any, list[Any]]]:
    """A cluster of so many local nodes with one CPU each, and a head that does no work."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**small, "num_cpus": 0, "include_dashboard": False})
    added = [made.add_node(num_cpus=1, **small) for _ in range(nodes)]
    ray.init(address=made.address, logging_level="ERROR", log_to_driver=False)
    try:
        yield made, added
    finally:
        ray.shutdown()
        made.shutdown()


if __name__ == "__main__":
    main()
