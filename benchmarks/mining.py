"""Mining hard negatives over embeddings: ponder against sentence-transformers' ``mine_hard_negatives``.

    OMP_NUM_THREADS=2 python benchmarks/mining.py [--documents 500000] [--queries 5000] [--judge]

The same vectors, rules and threads for both, each in a fresh process that is given a file of vectors and
leaves a file of pairs. sentence-transformers mines texts with a model: here texts are names and the model's
answers the stored vectors, so that nothing is encoded. Timed is mining alone: from open files to pairs
written; imports are not counted. Memory is the process' greatest resident set, imports included.

With ``--judge`` a stub that costs next to nothing scores candidates and positives in the retriever's place.
Where a positive is not among the first 101, sentence-transformers looks at one more candidate than the 100 it
was told.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import finish, options, run  # type: ignore[import-not-found]
from numpy.typing import NDArray

WIDTH, CLUSTERS, SEED = 384, 1000, 11
LAST, NEGATIVES, RELATIVE = 100, 100, 0.05


def make(folder: Path, documents: int, queries: int) -> None:
    """Clustered unit vectors; a query is a positive with noise."""
    rng = np.random.default_rng(SEED)
    centres = rng.normal(size=(CLUSTERS, WIDTH)).astype(np.float32)
    corpus = np.lib.format.open_memmap(
        folder / "corpus.npy", "w+", dtype=np.float32, shape=(documents, WIDTH)
    )
    for start in range(0, documents, 50_000):
        count = min(50_000, documents - start)
        noise = rng.normal(size=(count, WIDTH), scale=0.9).astype(np.float32)
        corpus[start : start + count] = _unit(centres[rng.integers(0, CLUSTERS, count)] + noise)
    positive = rng.choice(documents, queries, replace=False)
    # Some positives are far nearer than any other document, some are not: the margin has work to do.
    far = rng.uniform(0.05, 0.35, size=(queries, 1))
    noise = (far * rng.normal(size=(queries, WIDTH))).astype(np.float32)
    np.save(folder / "queries.npy", _unit(np.asarray(corpus[positive]) + noise))
    np.save(folder / "positive.npy", positive)
    corpus.flush()


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def judged(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float32]:
    """A score of a pair, from 0 to 1, that depends on nothing but its places."""
    return np.asarray((query * 7919 + document * 104729) % 10007 / 10007, np.float32)


def ours(folder: Path, judge: bool) -> None:
    """As a user would: memory maps in, a Parquet file out."""
    from ponder.feedback.bulk import mine_embeddings
    from ponder.feedback.rules import Rules

    _warm()
    began, spent = time.perf_counter(), time.process_time()
    queries = np.load(folder / "queries.npy")
    corpus = np.load(folder / "corpus.npy", mmap_mode="r")
    positives = [[place] for place in np.load(folder / "positive.npy").tolist()]
    rules = Rules(last=LAST, negatives=NEGATIVES, relative=RELATIVE)
    by = judged if judge else None
    mine_embeddings(queries, corpus, positives, rules, folder / "ours.parquet", judge=by)
    _told(began, spent)


def peer(folder: Path, batch: int, judge: bool) -> None:
    """sentence-transformers with the settings that do the same, and nothing printed."""
    import torch
    from datasets import Dataset, disable_progress_bars
    from sentence_transformers import util

    class Stored:
        """What `mine_hard_negatives` asks of a model; texts are the rows' numbers."""

        device = torch.device("cpu")
        similarity = staticmethod(util.dot_score)
        similarity_pairwise = staticmethod(util.pairwise_dot_score)

        def encode_document(self, texts: list[str], **_: Any) -> NDArray[np.float32]:
            # A text that is among the positives comes once, in the corpus' order.
            return np.asarray(np.load(folder / "corpus.npy"))

        def encode_query(self, texts: list[str], **_: Any) -> NDArray[np.float32]:
            return np.asarray(np.load(folder / "queries.npy"))

    class Judge:
        """The same of texts."""

        def predict(self, pairs: list[tuple[str, str]], **_: Any) -> torch.Tensor:
            places = np.array([[int(text.split()[1]) for text in pair] for pair in pairs]).T
            return torch.from_numpy(judged(*places))

    disable_progress_bars()
    _warm()
    began, spent = time.perf_counter(), time.process_time()
    positive = np.load(folder / "positive.npy").tolist()
    documents = len(np.load(folder / "corpus.npy", mmap_mode="r"))
    labelled = Dataset.from_dict(
        {
            "query": [f"query {number}" for number in range(len(positive))],
            "positive": [f"document {place}" for place in positive],
        }
    )
    mined = util.mine_hard_negatives(
        labelled,
        Stored(),  # type: ignore[arg-type]
        cross_encoder=Judge() if judge else None,  # type: ignore[arg-type]
        corpus=[f"document {place}" for place in range(documents)],
        range_max=LAST,
        num_negatives=NEGATIVES,
        relative_margin=RELATIVE,
        output_format="triplet",
        faiss_batch_size=batch,
        verbose=False,
    )
    mined.to_parquet(folder / "peer.parquet")
    _told(began, spent)


def _warm() -> None:
    """Both begin with a matrix library that has started its threads."""
    import pyarrow.parquet  # noqa: F401
    import torch

    torch.ones(256, 256) @ torch.ones(256, 256)


def _told(began: float, spent: float) -> None:
    seconds, processor = time.perf_counter() - began, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "peak_mb": peak}), flush=True)


def same(folder: Path, judge: bool) -> dict[str, float]:
    """How far the pairs are the same, and why some are not."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "ours.parquet", columns=["query_id", "doc_id", "grade"])
    mine = {(int(row["query_id"]), int(row["doc_id"])) for row in table.to_pylist() if row["grade"] == 0}
    rows = pq.read_table(folder / "peer.parquet", columns=["query", "negative"]).to_pylist()
    theirs = {(int(row["query"].split()[1]), int(row["negative"].split()[1])) for row in rows}
    corpus = np.load(folder / "corpus.npy", mmap_mode="r")
    queries, positive = np.load(folder / "queries.npy"), np.load(folder / "positive.npy")
    edge = 0.0
    other = mine ^ theirs
    ends: dict[int, float] = {}
    for query, document in mine:
        ends[query] = min(ends.get(query, 1.0), float(queries[query] @ corpus[document]))
    for query, document in () if judge else other:
        score = float(queries[query] @ corpus[document])
        line = float(queries[query] @ corpus[positive[query]]) * (1 - RELATIVE)
        edge = max(edge, min(abs(score - line), abs(score - ends.get(query, 1.0))))
    return {
        "ours": len(mine),
        "peers": len(theirs),
        "same": round(len(mine & theirs) / max(1, len(mine | theirs)), 6),
        "farthest_from_a_line": edge,
    }


def _child(which: str, folder: Path, *more: str) -> dict[str, float]:
    told = run([sys.executable, __file__, "--child", which, "--folder", str(folder), *more])
    return dict(json.loads(told.strip().splitlines()[-1]))


def main() -> None:
    """Make the data, mine with both, compare."""
    parser = options(__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--peer-batch", type=int, default=16384, help="its faiss_batch_size; its default")
    parser.add_argument("--judge", action="store_true", help="a stub scores in the retriever's place")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--child", choices=["make", "ours", "peer"])
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    if arguments.child == "make":
        make(arguments.folder, arguments.documents, arguments.queries)
        return
    if arguments.child == "ours":
        ours(arguments.folder, arguments.judge)
        return
    if arguments.child == "peer":
        peer(arguments.folder, arguments.peer_batch, arguments.judge)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        # Not in this process: a child's greatest resident set begins with its parent's.
        size = ["--documents", str(arguments.documents), "--queries", str(arguments.queries)]
        run([sys.executable, __file__, "--child", "make", "--folder", str(folder), *size])
        told: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
        load = []
        for _ in range(arguments.repeat):
            for which, found in told.items():
                load.append(round(os.getloadavg()[0], 1))
                more = ["--peer-batch", str(arguments.peer_batch)]
                more += ["--judge"] if arguments.judge else []
                found.append(_child(which, folder, *more))
        pairs = same(folder, arguments.judge)
    # Other programs only ever add to a time.
    mine, theirs = ({key: min(each[key] for each in told[w]) for key in told[w][0]} for w in told)
    memory = theirs["peak_mb"] / mine["peak_mb"]
    finish(
        arguments,
        "mining",
        ours=mine["seconds"],
        peer=theirs["seconds"],
        peer_name=f"sentence-transformers mine_hard_negatives, faiss_batch_size={arguments.peer_batch}",
        unit="s",
        checks={
            "at least 3 times as fast": theirs["seconds"] >= 3 * mine["seconds"],
            "at most a quarter of the memory": memory >= 4,
            "the same pairs, but for ties": pairs["same"] > (0.99 if arguments.judge else 0.999)
            and pairs["farthest_from_a_line"] < 2e-6,
        },
        details={
            "documents": arguments.documents,
            "queries": arguments.queries,
            "dimensions": WIDTH,
            "judge": "stub" if arguments.judge else "none",
            "processor_ratio": round(theirs["processor"] / mine["processor"], 2),
            "memory_ratio": round(memory, 2),
            "pairs": pairs,
            "load_before": load,
            "ours": {key: round(value, 2) for key, value in mine.items()},
            "peer": {key: round(value, 2) for key, value in theirs.items()},
        },
        packages=("sentence-transformers", "torch", "numpy"),
        # ponder holds to a quarter of the peer's memory.
        limit_share=4 * mine["peak_mb"] / theirs["peak_mb"],
    )


if __name__ == "__main__":
    main()
