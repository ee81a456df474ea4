"""What is found in bfloat16 and bounded memory is what a brute-force search in float32 finds."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ponder.errors import BadArguments, InputInvalid
from ponder.feedback.bulk import Rules, mine_embeddings
from ponder.feedback.candidates import nearest
from ponder.train.pairs import read_pairs


def _unit(seed: int, count: int, width: int, spread: float) -> NDArray[np.float32]:
    """Rows around one direction: the closer, the harder it is to tell them apart in bfloat16."""
    rng = np.random.default_rng(seed)
    rows = np.ones(width) + spread * rng.normal(size=(count, width))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**31),
    st.integers(1, 12),
    st.integers(1, 90),
    st.integers(1, 100),
    st.integers(1, 40),
    st.sampled_from([0.01, 0.1, 1.0, 30.0]),
)
def test_the_nearest_are_those_of_an_exhaustive_search(
    seed: int, queries: int, documents: int, k: int, block: int, spread: float
) -> None:
    asked, corpus = _unit(seed, queries, 16, spread), _unit(seed + 1, documents, 16, spread)
    found = nearest(asked, corpus, k, block=block)
    keep = min(k, documents)
    assert found.query.tolist() == np.repeat(np.arange(queries), keep).tolist()
    scores = asked.astype(np.float64) @ corpus.astype(np.float64).T
    for query in range(queries):
        best = np.sort(scores[query])[::-1][:keep]
        mine = scores[query][found.document[found.query == query]]
        # Ties within float32's rounding may fall either way.
        np.testing.assert_allclose(mine, best, atol=1e-6)
        assert len(set(found.document[found.query == query].tolist())) == keep


def test_a_memory_map_is_searched_as_an_array(tmp_path: Path) -> None:
    corpus = _unit(3, 500, 24, 1.0)
    np.save(tmp_path / "corpus.npy", corpus)
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    one, other = nearest(corpus[:7], corpus, 9, block=64), nearest(corpus[:7], mapped, 9, block=33)
    assert one.document.tolist() == other.document.tolist()
    assert one.score.tolist() == other.score.tolist()


def test_what_cannot_be_searched_is_refused() -> None:
    corpus = _unit(0, 5, 4, 1.0)
    with pytest.raises(BadArguments, match="at least 1"):
        nearest(corpus, corpus, 0)
    with pytest.raises(InputInvalid, match="3 dimensions"):
        nearest(corpus[:, :3], corpus, 1)
    with pytest.raises(InputInvalid, match="a row of length 2"):
        nearest(corpus, 2 * corpus, 1)
    with pytest.raises(InputInvalid, match="not finite"):
        nearest(np.where(corpus > 0.5, np.nan, corpus), corpus, 1)


def _oracle(
    asked: NDArray[np.float32], corpus: NDArray[np.float32], positives: list[list[int]], rules: Rules
) -> list[tuple[str, str]]:
    found = []
    scores = asked @ corpus.T
    for query, known in enumerate(positives):
        order = [d for d in np.argsort(-scores[query], kind="stable").tolist() if d not in known]
        lowest = min((scores[query, d] for d in known), default=None)
        taken = 0
        for document in order[rules.first - 1 : rules.last]:
            score = scores[query, document]
            fits = lowest is not None and (rules.margin is None or score <= lowest - np.float32(rules.margin))
            fits = fits and (
                rules.relative is None or score <= lowest - abs(lowest) * np.float32(rules.relative)
            )
            fits = fits and (rules.high is None or score <= rules.high)
            if fits and (rules.low is None or score >= rules.low) and taken < rules.negatives:
                found.append((str(query), str(document)))
                taken += 1
    return found


_rules = st.builds(
    Rules,
    first=st.integers(1, 5),
    last=st.integers(5, 30),
    negatives=st.integers(0, 6),
    margin=st.none() | st.floats(0, 0.3),
    relative=st.none() | st.floats(0, 0.3),
    low=st.none() | st.floats(-0.3, 0.1),
    high=st.none() | st.floats(0, 0.9),
)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**31), _rules, st.lists(st.lists(st.integers(0, 59), max_size=3), min_size=1, max_size=8)
)
def test_negatives_are_those_of_the_rules(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rules: Rules, positives: list[list[int]]
) -> None:
    asked, corpus = _unit(seed, len(positives), 16, 5.0), _unit(seed + 1, 60, 16, 5.0)
    out = tmp_path_factory.mktemp("bulk") / "pairs.parquet"
    count = mine_embeddings(asked, corpus, positives, rules, out, block=17)
    pairs = list(read_pairs(out))
    hard = [(p.query_id, p.document_id) for p in pairs if p.decision == "hard-negative"]
    assert hard == _oracle(asked, corpus, positives, rules)
    assert count == len(hard)
    for pair in pairs:
        assert (pair.grade == 1) == (pair.decision == "positive")


def test_a_judge_decides_in_place_of_the_retriever(tmp_path: Path) -> None:
    corpus = _unit(0, 30, 16, 5.0)
    out = tmp_path / "pairs.parquet"

    def by_place(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(document / 30, np.float32)

    mine_embeddings(
        corpus[:2], corpus, [[10], [20]], Rules(last=30, negatives=4, margin=0), out, judge=by_place
    )
    hard = [p for p in read_pairs(out) if p.decision == "hard-negative"]
    assert [p.document_id for p in hard] == ["9", "8", "7", "6", "19", "18", "17", "16"]

    def constant(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.full(len(query), 0.5, np.float32)

    with pytest.raises(InputInvalid, match="says the same"):
        mine_embeddings(corpus[:2], corpus, [[10], [20]], Rules(), tmp_path / "no.parquet", judge=constant)
    assert not (tmp_path / "no.parquet").exists()


def test_positives_that_are_not_there_are_refused(tmp_path: Path) -> None:
    corpus = _unit(0, 5, 4, 1.0)
    with pytest.raises(InputInvalid, match="no document 9"):
        mine_embeddings(corpus[:1], corpus, [[9]], Rules(), tmp_path / "pairs.parquet")
    with pytest.raises(InputInvalid, match="positives of 2 queries"):
        mine_embeddings(corpus[:1], corpus, [[1], [2]], Rules(), tmp_path / "pairs.parquet")
