"""Pairs go to Parquet and back as they were, and what is no file of pairs is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.records import Item, Query
from ponder.train.examples import examples_of
from ponder.train.pairs import DECISIONS, Pair, made_of, read_pairs, write_pairs, writing

_scores = st.none() | st.floats(-10, 10, width=32)
_pairs = st.builds(
    Pair,
    query_id=st.text(min_size=1, max_size=5),
    document_id=st.text(min_size=1, max_size=5),
    decision=st.sampled_from(DECISIONS),
    why=st.text(max_size=20),
    grade=st.integers(0, 3),
    rank=st.integers(0, 1000),
    retrieval=_scores,
    judge=_scores,
    chance=_scores,
    tokens=st.integers(0, 5000),
)


@given(st.lists(_pairs, max_size=20))
def test_pairs_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[Pair]
) -> None:
    file = tmp_path_factory.mktemp("pairs") / "pairs.parquet"
    write_pairs(file, pairs, {"seed": 3})
    assert list(read_pairs(file)) == pairs
    assert made_of(file)["seed"] == 3


def test_a_folder_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    write_pairs(tmp_path / "part-1.parquet", [Pair("q2", "d", "easy")])
    write_pairs(tmp_path / "part-0.parquet", [Pair("q1", "d", "easy")])
    assert [pair.query_id for pair in read_pairs(tmp_path)] == ["q1", "q2"]


def test_an_unfinished_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyError), writing(tmp_path / "pairs.parquet") as out:
        out.add([Pair("q1", "d", "easy")])
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_of_pairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputNotFound, match="ponder mine"):
        list(read_pairs(tmp_path))
    (tmp_path / "pairs.parquet").write_text("query,document\n")
    with pytest.raises(InputInvalid, match="not a Parquet file"):
        list(read_pairs(tmp_path))


def _dataset(**grades: dict[str, int]) -> Dataset:
    items = tuple(Item(id=name, kind="text", text=name) for name in "abcd")
    queries = tuple(JudgedQuery(Query(name, id=name), of) for name, of in grades.items())
    return Dataset("set", "train", items, queries, ())


def test_false_negatives_are_spared_or_promoted_by_choice() -> None:
    dataset = _dataset(q={"a": 1})
    pairs = [
        Pair("q", "c", "hard-negative", rank=3, judge=0.1),
        Pair("q", "b", "false-negative", rank=2),
        Pair("q", "d", "hard-negative", rank=1),
    ]
    [spared] = examples_of(dataset, pairs).kept
    assert [item.id for item in spared.positives] == ["a"]
    assert [item.id for item in spared.negatives] == ["d", "c"]
    assert spared.spared == {"a", "b"}
    assert spared.scores == {"c": 0.1}
    [promoted] = examples_of(dataset, pairs, promote=True).kept
    assert [item.id for item in promoted.positives] == ["a", "b"]


def test_suspect_positives_are_trained_on_unless_told() -> None:
    dataset = _dataset(q={"a": 1, "b": 1})
    pairs = [Pair("q", "b", "suspect-positive", grade=1)]
    [trusted] = examples_of(dataset, pairs).kept
    assert [item.id for item in trusted.positives] == ["a", "b"]
    [example] = examples_of(dataset, pairs, suspects=False).kept
    assert [item.id for item in example.positives] == ["a"]
    assert "b" in example.spared, "it may be right after all"


@pytest.mark.parametrize("suspects", [True, False])
def test_a_positive_that_a_person_denied_is_never_trained_on(suspects: bool) -> None:
    dataset = _dataset(q={"a": 1, "b": 1}, r={"c": 1})
    pairs = [
        Pair("q", "b", "suspect-positive", grade=1, decided_by="review"),
        Pair("r", "c", "suspect-positive", grade=1, decided_by="review"),
    ]
    found = examples_of(dataset, pairs, suspects=suspects)
    assert [[item.id for item in each.positives] for each in found.kept] == [["a"]]
    assert found.denied == ("r",)
    assert found.without_positives == ()


def test_why_a_query_is_left_out_is_told_truly() -> None:
    dataset = _dataset(q={"a": 1}, r={"gone": 1}, s={"b": 1}, t={"gone": 1, "c": 1})
    pairs = [Pair(query, name, "suspect-positive", grade=1) for query, name in ("rz", "sb", "tc")]
    found = examples_of(dataset, pairs, suspects=False)
    told = {each.uri: (each.error, each.chosen) for each in found.left_out()}
    suspect = ("its positives are suspect, or a person denied them", True)
    assert told == {
        "query r": ("no positive in the corpus", False),
        "query s": suspect,
        "query t": suspect,
        "document gone": ("labelled or mined, but not in the corpus", False),
    }
    pairs = [Pair("s", "b", "suspect-positive", grade=1)]
    with pytest.raises(InputInvalid, match="those of 1 of 1 queries are suspect") as refused:
        examples_of(_dataset(s={"b": 1}), pairs, suspects=False)
    assert "--suspects" in str(refused.value)


def test_queries_without_positives_and_lost_documents_are_told() -> None:
    found = examples_of(_dataset(q={"a": 1}, r={"gone": 1}, s={"b": 0}))
    assert [example.query.id for example in found.kept] == ["q"]
    assert found.without_positives == ("r", "s")
    assert found.lost == ("gone",)
    with pytest.raises(InputInvalid, match="none of 1 queries"):
        examples_of(_dataset(r={"gone": 1}))


def test_what_a_query_excludes_is_trained_neither_on_nor_against() -> None:
    dataset = _dataset(q={"a": 1, "b": 1})
    dataset = replace(dataset, queries=(replace(dataset.queries[0], exclude=frozenset("bcd")),))
    pairs = [
        Pair("q", "c", "hard-negative", rank=1),
        Pair("q", "d", "positive", decided_by="review"),
    ]
    [example] = examples_of(dataset, pairs, promote=True).kept
    assert [item.id for item in example.positives] == ["a"]
    assert example.negatives == ()
    assert example.spared == set("abcd")


@pytest.mark.parametrize("now", [{"a": 1, "b": 0}, {"a": 1, "b": -1}, {"a": 1}])
def test_a_label_that_was_withdrawn_after_mining_does_not_count_but_a_person_s_word_does(
    now: dict[str, int],
) -> None:
    pairs = [Pair("q", "b", "positive", grade=1), Pair("q", "c", "positive", decided_by="review")]
    [example] = examples_of(_dataset(q=now), pairs).kept
    assert [item.id for item in example.positives] == ["a", "c"]


def test_what_was_labelled_after_mining_is_no_negative() -> None:
    pairs = [Pair("q", "b", "hard-negative", rank=1), Pair("q", "c", "hard-negative", rank=2)]
    [example] = examples_of(_dataset(q={"a": 1, "b": 1}), pairs).kept
    assert [item.id for item in example.positives] == ["a", "b"]
    assert [item.id for item in example.negatives] == ["c"]


def test_pairs_of_another_set_are_refused() -> None:
    for pair in (Pair("other", "b", "hard-negative"), Pair("q", "elsewhere", "hard-negative")):
        with pytest.raises(InputInvalid, match="none is of a query and a document of this split"):
            examples_of(_dataset(q={"a": 1}), [pair])
