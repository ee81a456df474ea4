"""Judges keep the budget whatever they do, and see the labelled documents first where they judge apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from ponder.cascade.stages import Rerank
from ponder.cascade.standing import Standing
from ponder.feedback.judging import judge_all
from ponder.protocols import Reranker
from ponder.records import Candidate, Content, Judgement, Match, StageScore
from ponder.testing import FakeModels, FakeShelf
from ponder.testing.examples import text_content
from ponder.testing.judges import BrokenReranker, ConstantReranker, FakeReranker, GreedyReranker

TEXTS = [f"a {colour} {kind}" for colour in ("red", "blue", "green") for kind in ("kite", "whale", "crane")]
JUDGES = [
    FakeReranker("ecr"),
    FakeReranker("ecr", thinks=True),
    FakeReranker("ecr", spread=None),
    ConstantReranker("ecr"),
    GreedyReranker("ecr"),
    *(BrokenReranker("ecr", breakage=each) for each in ("none", "nan", "text", "strangers", "twice")),
    BrokenReranker("ecr", breakage="negative-usage"),
]


QUERY: Content = text_content("a red kite")


def _standings() -> list[Standing]:
    shelf = FakeShelf(TEXTS)
    vector = shelf.models.embedder.embed_queries([QUERY], [None])[0]
    out = []
    for place, match in enumerate(shelf.index.search(vector, len(TEXTS)), 1):
        [row] = shelf.index.get([match.id])
        score = 1 - place / 10
        found = [StageScore("retrieve", score, place)]
        out.append(Standing(row, Match(match.id, score), place, score, found))
    return out


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 120),
    st.lists(st.tuples(st.sampled_from(JUDGES), st.integers(1, 12)), min_size=1, max_size=3),
    st.sets(st.integers(0, 8), max_size=3),
)
def test_no_query_costs_more_than_its_budget(
    budget: int, judges: list[tuple[Reranker, int]], labelled: set[int]
) -> None:
    standings = _standings()
    first = {standings[n].id for n in labelled}
    stages = [Rerank("ecr", keep=keep, reranker=judge) for judge, keep in judges]
    sat = judge_all(stages, FakeModels(), QUERY, standings, first, budget)
    assert 0 <= sat.tokens <= budget
    assert set(sat.judged) == {each.id for each in standings}
    for each in standings:
        found = sat.judged[each.id]
        assert found.verdict is not None or found.score == each.score


@dataclass(eq=False)
class Recorder(FakeReranker):
    """Remembers whom it was shown, in order."""

    shown: list[str] = field(default_factory=list)

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        self.shown += [each.row.item.id for each in candidates]
        return super().rerank(query, candidates, limit=limit)


def test_the_labelled_are_judged_first_where_order_says_nothing() -> None:
    standings = _standings()
    names = [each.id for each in standings]
    apart, together = Recorder("ecr"), Recorder("ecr", spread=None)
    for judge in (apart, together):
        judge_all([Rerank("ecr", reranker=judge)], FakeModels(), QUERY, standings, {names[5], names[7]}, 500)
    assert apart.shown == [names[5], names[7], *(name for name in names if name not in (names[5], names[7]))]
    assert together.shown == names


def test_a_positive_far_down_is_judged_however_short_the_budget() -> None:
    standings = _standings()
    last = standings[-1].id
    sat = judge_all([Rerank("ecr")], FakeModels(), QUERY, standings, {last}, 30)
    judged = [name for name, each in sat.judged.items() if each.verdict is not None]
    assert last in judged
    assert len(judged) < len(standings)
