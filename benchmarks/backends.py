"""Search in each store that a shelf may have, beside the store's own client on the same table.

Items of one vector, mutations of real embeddings, and real queries (`backends_vectors`): a million in LanceDB
and 100,000 elsewhere, on S3 20,000. What is measured is what ponder adds: more candidates, scores exact
to the last bit, grouping by item. Stores: LanceDB in a folder, LanceDB on a local S3 server (moto, which is
no measure of object storage's latency), PostgreSQL with pgvector, and Qdrant's client in local mode, which
scans in Python: its server is in no registry that is open here.

With ``--keep FOLDER`` LanceDB's index stays there and is taken as it is by the next run with as many items.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from backends_vectors import embedded, mutated, nearest, split
from harness import ROOT, finish, options, percentile
from numpy.typing import NDArray

from ponder.index.qdrant import QdrantIndex
from ponder.index.stored import StoredIndex
from ponder.index.stores import open_store
from ponder.index.versions import TABLE
from ponder.records import Embedded, Item, Reasoning, Row

K, QUERIES, AT_ONCE = 10, 150, 10_000
ITEMS = {"lance": 1_000_000, "s3": 20_000}
"""Of a store; 100,000 of the others. moto takes over ten minutes for so many, so S3 has what is scanned."""

COUNTED = 8
"""Queries whose requests are counted, of a store that has a server's log."""

FEWER = {"qdrant": 20, "s3": 40}
"""Queries of a store whose search takes seconds."""

_LANCES_OWN = (
    "lancedb, opened with read_consistency_interval=0 so that it sees what others write: id, part and"
    " distance of the ten nearest, as many nprobes, refine_factor 1"
)
PEERS = {
    "lance": _LANCES_OWN,
    "s3": _LANCES_OWN,
    "pgvector": "psycopg: item and part of the ten nearest, ORDER BY vector <#> query, the same ef_search",
    "qdrant": "qdrant-client: id of the ten nearest by query_points",
}
"""What a store's own client is asked for."""

LIMIT = 0.10
"""Of what ponder may add to the store's own client, as issue 9 has it."""

Raw = Callable[[NDArray[np.float32]], object]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--items", type=int, help="1,000,000 in LanceDB, 20,000 on S3, 100,000 elsewhere")
    parser.add_argument("--dim", type=int, default=384, help="of the 384 that the embeddings have")
    parser.add_argument("--stores", default="lance,s3,pgvector,qdrant", help="which of them")
    parser.add_argument("--keep", type=Path, help="folder for LanceDB's index")
    arguments = parser.parse_args()
    base, queries = split(embedded(), QUERIES)
    queries = mutated(queries, len(queries), arguments.dim)
    figures: dict[str, dict[str, Any]] = {}
    for store in arguments.stores.split(","):
        count = arguments.items or ITEMS.get(store, 100_000)
        vectors = mutated(base, count, arguments.dim)
        asked = queries[: FEWER.get(store)]
        best = nearest(vectors, asked, K)
        with opened(store, arguments.dim, arguments.keep) as (index, log):
            began = time.perf_counter()
            if len(index) != count:
                fill(index, vectors)
                index.compact()
            del vectors
            figures[store] = {"items": count, "build_seconds": round(time.perf_counter() - began, 1)}
            figures[store]["peer"] = PEERS[store]
            raw = raw_search(store, index)
            figures[store] |= measured(index, raw, asked, best)
            if log is not None:
                figures[store] |= counted(index, raw, asked[:COUNTED], log)
        print(f"{store}: {figures[store]}", file=sys.stderr)
    first, *_ = figures
    checks = {f"{name}: recall@{K} at least .95": each["recall"] >= 0.95 for name, each in figures.items()}
    checks |= {
        f"{name}: at most 10 % over its own client": each["overhead"] <= LIMIT
        for name, each in figures.items()
    }
    finish(
        arguments,
        "backends",
        ours=figures[first]["p50_ms"] / 1000,
        peer=figures[first]["raw_p50_ms"] / 1000,
        peer_name=f"{first}: {PEERS[first]}",
        unit="seconds a search, median",
        checks=checks,
        details={"dim": arguments.dim, "k": K, "stores": figures},
        packages=["lancedb", "pgvector", "psycopg", "qdrant-client", "numpy"],
    )


def measured(
    index: StoredIndex, raw: Raw, queries: NDArray[np.float32], best: list[set[int]]
) -> dict[str, Any]:
    """Times in turns, so that what else the machine does falls on both alike.

    Whoever searches for a query first finds the caches of the processor and the store cold: so each is the
    first for every other query.
    """
    for query in queries[: 10 if len(queries) > 50 else 1]:
        index.search(query, K)
        raw(query)
    ours, theirs, hits = [], [], 0
    for place, (query, wanted) in enumerate(zip(queries, best, strict=True)):
        began = time.perf_counter()
        if place % 2:
            raw(query)
            between = time.perf_counter()
        found = index.search(query, K)
        if not place % 2:
            between = time.perf_counter()
            raw(query)
        first, second = between - began, time.perf_counter() - between
        ours.append(second if place % 2 else first)
        theirs.append(first if place % 2 else second)
        hits += len({int(match.id) for match in found} & wanted)
    ours, theirs = sorted(ours), sorted(theirs)
    p50, raw_p50 = percentile(ours, 0.5), percentile(theirs, 0.5)
    return {
        "method": index.state().method,
        "effort": index.state().effort,
        "queries": len(queries),
        "recall": round(hits / (K * len(queries)), 4),
        "p50_ms": round(1000 * p50, 2),
        "p95_ms": round(1000 * percentile(ours, 0.95), 2),
        "raw_p50_ms": round(1000 * raw_p50, 2),
        "raw_p95_ms": round(1000 * percentile(theirs, 0.95), 2),
        "overhead": round(p50 / raw_p50 - 1, 3),
    }


def counted(index: StoredIndex, raw: Raw, queries: NDArray[np.float32], log: Path) -> dict[str, float]:
    """Requests a search, by the lines of the server's log; what is kept in memory has been read by then."""
    lines = [len(log.read_bytes().splitlines())]
    for search in (lambda query: index.search(query, K), raw):
        for query in queries:
            search(query)
        lines.append(len(log.read_bytes().splitlines()))
    ours, theirs = np.diff(lines) / len(queries)
    return {"requests": round(float(ours), 1), "raw_requests": round(float(theirs), 1)}


def raw_search(store: str, index: Any) -> Raw:
    """What a person would write for the same table, with the same effort."""
    effort = index.state().effort
    if store == "pgvector":
        tables = index._tables
        statement = tables.sql("SELECT item, part FROM {parts} ORDER BY vector <#> %s LIMIT 10")

        def ask(query: NDArray[np.float32]) -> object:
            with tables._connected().transaction(), tables._connected().cursor(binary=True) as cursor:
                if effort:
                    cursor.execute(f"SET LOCAL hnsw.ef_search = {effort}")
                return cursor.execute(statement, [query]).fetchall()

        return ask
    if store == "qdrant":
        client, name = index._client, index.name
        return lambda query: client.query_points(name, query=[query.tolist()], limit=K, with_payload=["id"])

    import lancedb

    # At zero it sees what others write, as ponder does. What its connection keeps is its own.
    database = lancedb.connect(index.path, read_consistency_interval=timedelta(0))
    table = database.open_table(TABLE)

    def search(query: NDArray[np.float32]) -> object:
        asked = table.search(query, vector_column_name="vector").distance_type("dot")
        asked = asked.nprobes(effort).refine_factor(1) if effort else asked
        return asked.select(["id", "part", "_distance"]).limit(K).to_list()

    return search


@contextmanager
def opened(store: str, dim: int, keep: Path | None) -> Iterator[tuple[StoredIndex, Path | None]]:
    """An index in a store that is started for it, empty unless it was kept; the server's log, if any."""
    sys.path.insert(0, str(ROOT / "tests"))
    from store_servers import postgres_server, s3_server

    with tempfile.TemporaryDirectory(prefix="ponder-backends-") as folder:
        if store == "lance":
            yield open_store("lance", keep or Path(folder), dim), None
        elif store == "s3":
            log = Path(folder) / "requests.log"
            with s3_server(log) as url:
                urllib.request.urlopen(urllib.request.Request(f"{url}/bench", method="PUT")).close()
                os.environ |= {
                    "AWS_ENDPOINT_URL": url,
                    "AWS_ACCESS_KEY_ID": "key",
                    "AWS_SECRET_ACCESS_KEY": "secret",
                    "AWS_REGION": "us-east-1",
                    "AWS_ALLOW_HTTP": "true",
                }
                yield open_store("s3://bench/index", Path(folder), dim), log
        elif store == "qdrant":
            from qdrant_client import QdrantClient

            with closing(QdrantIndex(QdrantClient(":memory:"), "bench", dim)) as index:
                yield index, None
        else:
            with postgres_server() as url, closing(open_store(f"{url}#bench", Path(folder), dim)) as index:
                yield index, None


def fill(index: StoredIndex, vectors: NDArray[np.float32]) -> None:
    for start in range(0, len(vectors), AT_ONCE):
        index.add([row(n, vectors[n]) for n in range(start, min(start + AT_ONCE, len(vectors)))])


def row(number: int, vector: NDArray[np.float32]) -> Row:
    text = f"a picture of thing {number % 1000}, seen from the side, in a room with a window and a lamp"
    item = Item(f"{number}", "text", uri=f"/files/{number:06}.txt", text=text)
    return Row(item, Reasoning(text=text, tokens=18), Embedded(("",), vector[None, :]), f"digest {number}")


if __name__ == "__main__":
    main()
