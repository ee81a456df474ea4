import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.cascade import Cascade, Rerank, Retrieve, Think, default_cascade, parse_stages
from ponder.errors import BadArguments
from ponder.testing import FakeEmbedder, FakeModels, FakeReranker, FakeShelf

A, B = Rerank("ecr", 3), Rerank("query-aware", 2)


def test_joining_is_associative():
    left, right = (Retrieve(3) >> A) >> B, Retrieve(3) >> (A >> B)
    assert left == right == Cascade((Retrieve(3), A, B))
    assert left >> Rerank("x") == Retrieve(3) >> (A >> (B >> Rerank("x")))


def test_joining_with_something_else_is_a_type_error():
    with pytest.raises(TypeError):
        Retrieve(3) >> "ecr"


def test_a_single_stage_can_be_searched_with():
    assert [hit.item.id for hit in Retrieve(3).on(FakeShelf(["kite", "whale"]))("whale")] == ["1", "0"]


@pytest.mark.parametrize(
    ("cascade", "says"),
    [
        (Cascade(()), "begins with retrieve"),
        (A >> B, "begins with retrieve"),
        (A >> Retrieve(3), "begins with retrieve"),
        (Retrieve(3) >> Retrieve(2), "2 stages are named 'retrieve'"),
        (Retrieve(3) >> A >> A, "2 stages are named 'ecr'"),
        (
            Retrieve(3) >> Rerank("oracle", 1),
            "unknown stage 'oracle'.*known: retrieve, think, ecr, query-aware",
        ),
        (Retrieve(0), "too small: 0"),
        (Retrieve(2.5), "not a whole number: 2.5"),
        (Retrieve(True), "not a whole number: True"),
        (Retrieve(3) >> Rerank("ecr", 0), "too small: 0"),
        (Retrieve(3) >> Rerank("ecr", -1), "too small: -1"),
        (Retrieve(3) >> Rerank("ecr", 4), "ecr judges 4, but retrieve passes on 3"),
        (Retrieve(9) >> Rerank("ecr", 2) >> Rerank("query-aware", 3), "query-aware judges 3, but ecr"),
        (Retrieve(3) >> Rerank("ecr", 3, weight=-0.1), "weight -0.1"),
        (Retrieve(3) >> Rerank("ecr", 3, weight=float("nan")), "weight nan"),
        (Retrieve(3) >> Rerank("ecr", 3, weight=1e300), "weight 1e\\+300"),
        (Retrieve(3) >> Rerank("ecr", 3, reranker=FakeReranker(weight=float("nan"))), "weight nan"),
        (Retrieve(3) >> Rerank("ecr", 3, share=1.5), "share 1.5"),
        (Retrieve(3) >> Rerank("ecr", 3, share=float("nan")), "share nan"),
        (Retrieve(3) >> Rerank("ecr", 3, normalise="rank"), "normalise 'rank'"),
        (Retrieve(3) >> A >> Think(), "think right after retrieve"),
        (Retrieve(3) >> Think(0), "too small: 0"),
    ],
)
def test_what_cannot_run_is_found_before_it_runs(cascade, says):
    models = FakeModels(forbidden=True)
    with pytest.raises(BadArguments, match=says):
        cascade.check(models)
    with pytest.raises(BadArguments, match=says):
        cascade.on(FakeShelf(models=models))


def test_thinking_needs_an_embedder_that_names_its_price():
    class Silent(FakeEmbedder):
        query_tokens = None

    models = FakeModels()
    (Retrieve(3) >> Think()).check(models)
    models.embedder = Silent()
    with pytest.raises(BadArguments, match="cannot say what a query costs"):
        (Retrieve(3) >> Think()).check(models)


def test_on_fault_is_one_of_two():
    with pytest.raises(BadArguments, match="on_fault"):
        Retrieve(3).on(FakeShelf(), on_fault="ignore")


def test_stages_from_the_command_line():
    assert parse_stages("retrieve,ecr,query-aware") == default_cascade()
    assert parse_stages("retrieve:100,ecr:20,query-aware:10") == default_cascade()
    assert parse_stages(" retrieve:7 , think:9 , mine ") == Retrieve(7) >> Think(9) >> Rerank("mine", 7)
    assert parse_stages("retrieve:100,ecr:3,query-aware") == (
        Retrieve(100) >> Rerank("ecr", 3) >> Rerank("query-aware", 3)
    )


@pytest.mark.parametrize(
    "text", ["", ",", "retrieve,", "retrieve:", "retrieve:x", "ecr:-1", ":5", "a:1:2", "a:²"]
)
def test_stages_that_are_not_understood(text):
    with pytest.raises(BadArguments, match="not understood"):
        parse_stages(text)


@given(
    st.integers(1, 500),
    st.lists(st.tuples(st.sampled_from(["ecr", "query-aware", "x-1"]), st.integers(1, 99)), max_size=4),
)
def test_a_cascade_reads_back_what_it_prints(k, reranks):
    cascade = Cascade((Retrieve(k), *(Rerank(name, keep) for name, keep in reranks)))
    assert parse_stages(str(cascade)) == cascade
