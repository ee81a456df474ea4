"""What is mined over embeddings is what an exhaustive search finds, in whatever blocks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ponder.errors import BadArguments, InputInvalid
from ponder.feedback.bulk import mine_embeddings
from ponder.feedback.candidates import Found, Judge, candidates
from ponder.feedback.rules import Rules
from ponder.index.scores import exact_scores
from ponder.train.pairs import made_of, read_pairs

Floats = NDArray[np.float32]


def unit(seed: int, count: int, spread: float, kind: str = "float32") -> Floats:
    """Rows around one direction: the closer, the harder they are to tell apart in bfloat16."""
    rng = np.random.default_rng(seed)
    rows = np.ones(12) + spread * rng.normal(size=(count, 12))
    if count > 6:
        rows[-2:] = rows[:2]  # copies tie
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), kind)


def told(query: NDArray[np.int64], document: NDArray[np.int64]) -> NDArray[np.float64]:
    """A judge of its own mind, who sometimes says nothing."""
    mixed = (query * 7919 + document * 104729) % 101
    return np.where(mixed < 10, np.nan, mixed / 101)


def oracle(
    asked: Floats, corpus: Floats, positives: list[list[int]], rules: Rules, judge: Judge | None
) -> list[tuple[int, int, int, int]]:
    """Query, document, grade and rank, one by one, as the rules are worded."""
    found: list[tuple[int, int, int, int]] = []
    for query, labelled in enumerate(positives):
        scores = exact_scores(corpus, asked[query].astype(np.float32))
        ranking = sorted(range(len(corpus)), key=lambda each: (-scores[each], each))
        rank = {document: place for place, document in enumerate(ranking, 1)}
        by = scores
        if judge is not None:
            by = np.asarray(judge(np.full(len(corpus), query), np.arange(len(corpus))), np.float64)
        heard = [by[each] for each in labelled if np.isfinite(by[each])]
        order = [each for each in ranking if each not in labelled][rules.first - 1 : rules.last]
        kept = []
        for document in order if heard else []:
            score, lowest = by[document], min(heard)
            out = [
                not np.isfinite(score),
                rules.margin is not None and score > lowest - rules.margin,
                rules.relative is not None and score > lowest - abs(lowest) * rules.relative,
                rules.high is not None and score > rules.high,
                rules.low is not None and score < rules.low,
            ]
            if not any(out):
                kept.append(document)
        kept.sort(key=lambda each: (-by[each], rank[each]))
        found += [(query, each, 1, rank[each]) for each in sorted(set(labelled))]
        found += [(query, each, 0, rank[each]) for each in kept[: rules.negatives]]
    return found


def rows_of(parts: list[Found]) -> list[tuple[int, int, int, int]]:
    columns = ("query", "document", "grade", "rank")
    return [
        row for part in parts for row in zip(*(getattr(part, name).tolist() for name in columns), strict=True)
    ]


def negatives(rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    return [row for row in rows if not row[2]]


RULES = st.builds(
    Rules,
    first=st.integers(1, 5),
    last=st.integers(5, 50),
    negatives=st.integers(0, 9),
    margin=st.none() | st.floats(0, 0.3),
    relative=st.none() | st.floats(0, 0.3),
    high=st.none() | st.floats(0, 0.99),
    low=st.none() | st.floats(-0.3, 0.3),
)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**31),
    RULES,
    st.lists(st.lists(st.integers(0, 39), max_size=4), min_size=1, max_size=9),
    st.sampled_from([0.02, 0.3, 10.0]),
    st.sampled_from(["float32", "float16"]),
    st.integers(1, 9),
    st.sampled_from([None, told]),
)
def test_what_is_found_is_what_an_exhaustive_search_finds(
    seed: int,
    rules: Rules,
    positives: list[list[int]],
    spread: float,
    kind: str,
    batch: int,
    judge: Judge | None,
) -> None:
    asked, corpus = unit(seed, len(positives), spread, kind), unit(seed + 1, 40, spread, kind)
    parts = list(candidates(asked, corpus, positives, rules, judge=judge, batch=batch, block=17))
    rows, expected = rows_of(parts), oracle(asked, corpus, positives, rules, judge)
    assert negatives(rows) == negatives(expected)
    assert {row[:2] for row in rows if row[2]} == {row[:2] for row in expected if row[2]}
    ranks = {row[:2]: row[3] for row in expected}
    for query, document, grade, rank in rows:
        # A labelled document may be deeper than was searched.
        assert rank == ranks[query, document] or (grade and not rank)


def test_the_figures_are_those_of_the_pairs(tmp_path: Path) -> None:
    corpus = unit(1, 30, 5.0)
    rules = Rules(last=20, negatives=4, relative=0.05)
    names = [f"doc/{n}" for n in range(30)]
    out = tmp_path / "deep" / "pairs.parquet"
    done = mine_embeddings(
        corpus[:2], corpus, [[0, 9], [1]], rules, out, document_ids=names, judge=told, made={"data": "x"}
    )
    pairs = list(read_pairs(out))
    assert done == sum(not pair.grade for pair in pairs)
    assert len(pairs) == done + 3
    assert made_of(out)["rules"]["relative"] == 0.05
    assert made_of(out)["data"] == "x"
    for pair in pairs:
        query, document = int(pair.query_id), names.index(pair.document_id)
        assert pair.decision == ("positive" if pair.grade else "hard-negative")
        assert pair.retrieval == pytest.approx(corpus[query] @ corpus[document], abs=1e-5)
        said = told(np.array([query]), np.array([document]))[0]
        assert pair.judge is None if np.isnan(said) else pair.judge == pytest.approx(said)
        best = max(corpus[query] @ corpus[each] for each in ([0, 9] if query == 0 else [1]))
        assert (pair.threshold is None) == (pair.grade > 0)
        assert pair.threshold is None or pair.judge is None or pair.judge <= pair.threshold
        assert pair.positive_retrieval == pytest.approx(best, abs=1e-5)


def test_nothing_is_left_behind_when_a_judge_says_nothing(tmp_path: Path) -> None:
    corpus = unit(0, 20, 5.0)
    same: Judge = lambda query, document: np.full(len(query), 0.5)  # noqa: E731
    with pytest.raises(InputInvalid, match="says the same"):
        mine_embeddings(corpus[:2], corpus, [[3], [4]], Rules(), tmp_path / "a.parquet", judge=same)
    short: Judge = lambda query, document: np.zeros(1)  # noqa: E731
    with pytest.raises(InputInvalid, match="one score a pair"):
        mine_embeddings(corpus[:2], corpus, [[3], [4]], Rules(), tmp_path / "a.parquet", judge=short)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_mined_is_refused(tmp_path: Path) -> None:
    corpus = unit(0, 9, 5.0)
    with pytest.raises(BadArguments, match="first, last"):
        Rules(first=6, last=5)
    with pytest.raises(InputInvalid, match="no document 9"):
        list(candidates(corpus[:1], corpus, [[9]], Rules()))
    with pytest.raises(InputInvalid, match="positives of 2 queries"):
        list(candidates(corpus[:1], corpus, [[1], [2]], Rules()))
    with pytest.raises(InputInvalid, match="2 names of 9 rows"):
        mine_embeddings(corpus[:1], corpus, [[1]], Rules(), tmp_path / "a", document_ids=["a", "b"])


def test_progress_reaches_its_end() -> None:
    corpus = unit(0, 9, 5.0)
    seen: list[tuple[int, int]] = []
    list(candidates(corpus, corpus, [[0]] * 9, Rules(), batch=4, advance=lambda *step: seen.append(step)))
    assert [done for done, _ in seen] == [1, 2, 3]
    assert seen[-1] == (3, 3)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_a_file_wider_than_what_is_mapped_at_a_time(tmp_path: Path, kind: str) -> None:
    corpus = unit(2, 90_000, 5.0, kind)
    np.save(tmp_path / "corpus.npy", corpus)
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    rules = Rules(last=7, negatives=3, relative=0.05)
    positives = [[0], [89_999, 44_000], []]
    parts = [list(candidates(corpus[5:8], each, positives, rules, batch=2)) for each in (corpus, mapped)]
    assert rows_of(parts[0]) == rows_of(parts[1])
    scores = exact_scores(np.asarray(corpus, np.float32), np.asarray(corpus[6], np.float32))
    found = next(part for part in parts[1] if 1 in part.query)
    mine = found.query == 1
    assert found.retrieval[mine].tolist() == scores[found.document[mine]].tolist()


def test_a_positive_has_the_rank_that_it_has_in_a_block_of_its_own() -> None:
    corpus = unit(4, 40, 3.0)
    far = int(np.argmin(corpus @ corpus[0]))
    many = [each for each in range(40) if each != far][:25]
    both = np.concatenate([corpus[:1], corpus[:1]])
    together = list(candidates(both, corpus, [[far], many], Rules(last=20)))
    apart = list(candidates(both, corpus, [[far], many], Rules(last=20), batch=1))
    ranks = [
        {(int(q), int(d)): int(r) for f in found for q, d, r in zip(f.query, f.document, f.rank, strict=True)}
        for found in (together, apart)
    ]
    assert ranks[0] == ranks[1]
    assert ranks[0][0, far] == 0
