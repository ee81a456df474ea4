"""Parts over an engine keep their contracts, whoever the engine is."""

import pytest

from ponder.models.engine import Effort
from ponder.reason.chat import ChatReasoner
from ponder.rerank.listwise import ListwiseJudge
from ponder.rerank.musing import Musing
from ponder.rerank.p_true import PTrue
from ponder.rerank.pointwise import PointwiseJudge
from ponder.rerank.query_likelihood import QueryLikelihood
from ponder.rerank.showing import ShowReasoning
from ponder.rerank.tournament import TournamentJudge
from ponder.rerank.yes_no import YesNo
from ponder.testing import FakeEngine
from ponder.testing.contracts import ReasonerContract, RerankerContract


class TestChatReasoner(ReasonerContract):
    def make(self, folder):
        return ChatReasoner(FakeEngine(knowledge={"cello": "instrument"}))


class TestThinkingReasoner(ReasonerContract):
    def make(self, folder):
        return ChatReasoner(FakeEngine(), trace=0.5, least=4)


class TestYesNo(RerankerContract):
    def make(self, folder):
        return PointwiseJudge("ecr", FakeEngine(), YesNo(), ShowReasoning())


class TestMusing(RerankerContract):
    def make(self, folder):
        musing = Musing(FakeEngine(), Effort(answer=24), least=8)
        return PointwiseJudge("query-aware", FakeEngine(), PTrue(), ShowReasoning(), musing=musing)


class TestQueryLikelihood(RerankerContract):
    def make(self, folder):
        return PointwiseJudge("ql", FakeEngine(), QueryLikelihood(), ShowReasoning())


class TestListwise(RerankerContract):
    def make(self, folder):
        return ListwiseJudge("listwise", FakeEngine(), ShowReasoning(), window=3)


class TestTournament(RerankerContract):
    def make(self, folder):
        return TournamentJudge("tournament", FakeEngine(), ShowReasoning(), group=2)


@pytest.mark.parametrize("make", [TestListwise, TestTournament, TestYesNo, TestQueryLikelihood])
def test_the_best_one_comes_first(make, tmp_path):
    suite = make()
    found = suite.candidates(tmp_path)
    judged = suite.make(tmp_path).rerank(suite.query(), found, limit=10_000).verdicts
    assert max(judged, key=lambda verdict: verdict.score).id == "1"


@pytest.mark.parametrize("make", [TestYesNo, TestQueryLikelihood])
def test_a_verdict_that_is_no_number_is_no_score(make, tmp_path):
    suite = make()
    judge = suite.make(tmp_path)
    judge._engine.nan = 2
    verdicts = judge.rerank(suite.query(), suite.candidates(tmp_path), limit=10_000).verdicts
    assert [verdict.score is None for verdict in verdicts] == [False, True, False, True]
    assert all("not finite" in verdict.note for verdict in verdicts[1::2])
