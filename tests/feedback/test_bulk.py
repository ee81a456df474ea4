"""Negatives of embeddings alone are those that the rules name, whoever judges."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ponder.errors import InputInvalid
from ponder.feedback.bulk import Rules, mine_embeddings
from ponder.index.scores import exact_scores
from ponder.train.pairs import read_pairs


def _unit(seed: int, count: int, width: int, spread: float) -> NDArray[np.float32]:
    """Rows around one direction."""
    rng = np.random.default_rng(seed)
    rows = np.ones(width) + spread * rng.normal(size=(count, width))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _oracle(
    asked: NDArray[np.float32], corpus: NDArray[np.float32], positives: list[list[int]], rules: Rules
) -> list[tuple[str, str]]:
    found = []
    scores = np.stack([exact_scores(corpus, each) for each in asked]).astype(np.float32)
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


def test_a_judge_that_says_the_same_only_of_what_is_kept_is_not_refused(tmp_path: Path) -> None:
    corpus, out = _unit(0, 30, 16, 5.0), tmp_path / "pairs.parquet"

    def halves(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.where(document % 2, 0.9, 0.5)

    count = mine_embeddings(corpus[:1], corpus, [[10]], Rules(last=30, high=0.6), out, judge=halves)
    assert count == 5
    assert {pair.judge for pair in read_pairs(out)} == {0.5}


def test_a_name_of_two_rows_is_refused(tmp_path: Path) -> None:
    corpus, names = _unit(0, 5, 4, 1.0), ["a", "b", "a", "d", "e"]
    with pytest.raises(InputInvalid, match="a names two rows"):
        mine_embeddings(corpus[:1], corpus, [[0]], Rules(), tmp_path / "p.parquet", document_ids=names)
    with pytest.raises(InputInvalid, match="a names two rows"):
        mine_embeddings(corpus, corpus, [[0]] * 5, Rules(), tmp_path / "p.parquet", query_ids=names)


def test_names_may_be_a_dictionary_but_not_be_missing(tmp_path: Path) -> None:
    corpus, out = _unit(0, 4, 4, 1.0), tmp_path / "p.parquet"
    mine_embeddings(
        corpus[:1], corpus, [[0]], Rules(), out, document_ids=pa.array(list("abcd")).dictionary_encode()
    )
    assert {pair.document_id for pair in read_pairs(out)} == set("abcd")
    with pytest.raises(InputInvalid, match="1 rows have no name"):
        mine_embeddings(corpus[:1], corpus, [[0]], Rules(), out, document_ids=pa.array(["a", "b", "c", None]))
