"""What every `Reranker` must do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ponder.protocols import PricesJudging, Reranker
from ponder.records import Candidate, Content
from ponder.testing.examples import candidates_of, rows_of, text_content

PLENTY = 1_000_000


class RerankerContract:
    """Subclass it and say how to `make` your reranker."""

    def make(self, folder: Path) -> Reranker:
        """A fresh reranker; `folder` is empty and its own."""
        raise NotImplementedError

    def query(self) -> Content:
        """What is asked."""
        return text_content("an instrument that is played sitting down")

    def candidates(self, folder: Path) -> Sequence[Candidate]:
        """At least three candidates. A reranker that opens media finds none in the stock ones."""
        texts = (
            "The harbour crane lifts forty tonnes.",
            "The cello is an instrument that is played sitting down.",
            "Carrot soup wants ginger.",
            "A violin is an instrument.",
        )
        return candidates_of(rows_of([text_content(text) for text in texts]))

    @pytest.fixture
    def reranker(self, tmp_path: Path) -> Reranker:
        folder = tmp_path / "reranker"
        folder.mkdir()
        return self.make(folder)

    @pytest.fixture
    def found(self, tmp_path: Path) -> Sequence[Candidate]:
        folder = tmp_path / "candidates"
        folder.mkdir()
        return self.candidates(folder)

    def test_says_what_it_is(self, reranker: Reranker) -> None:
        assert isinstance(reranker, Reranker)
        assert reranker.name
        assert not set(reranker.name) & set(",: ")
        assert reranker.fingerprint
        assert reranker.reads in ("ecr", "media")
        assert math.isfinite(reranker.weight)
        assert reranker.weight >= 0

    def test_no_candidates_no_verdicts(self, reranker: Reranker) -> None:
        judgement = reranker.rerank(self.query(), [], limit=PLENTY)
        assert judgement.verdicts == ()

    @pytest.mark.parametrize("limit", [0, 1, 5, 16, 40, 100, 333])
    def test_keeps_its_limit(self, reranker: Reranker, found: Sequence[Candidate], limit: int) -> None:
        judgement = reranker.rerank(self.query(), found, limit=limit)
        usage = judgement.usage
        assert min(usage.read, usage.written, usage.cached) >= 0
        assert usage.spent <= limit
        if any(verdict.score is not None for verdict in judgement.verdicts):
            assert usage.spent > 0

    def test_a_price_is_not_exceeded(self, reranker: Reranker, found: Sequence[Candidate]) -> None:
        if not isinstance(reranker, PricesJudging):
            pytest.skip("names no price")
        price = reranker.price(self.query(), found)
        if price is not None:
            judgement = reranker.rerank(self.query(), found, limit=price)
            assert len(judgement.verdicts) == len(found)
            assert judgement == reranker.rerank(self.query(), found, limit=PLENTY)

    def test_more_tokens_judge_no_fewer(self, reranker: Reranker, found: Sequence[Candidate]) -> None:
        judged = [
            len(reranker.rerank(self.query(), found, limit=limit).verdicts)
            for limit in (0, 20, 60, 200, PLENTY)
        ]
        assert judged == sorted(judged)

    def test_judges_each_candidate_once_given_plenty(
        self, reranker: Reranker, found: Sequence[Candidate]
    ) -> None:
        verdicts = reranker.rerank(self.query(), found, limit=PLENTY).verdicts
        assert sorted(v.id for v in verdicts) == sorted(c.row.item.id for c in found)
        for verdict in verdicts:
            assert verdict.note if verdict.score is None else math.isfinite(verdict.score)

    def test_judges_from_the_first_on(self, reranker: Reranker, found: Sequence[Candidate]) -> None:
        ids = [candidate.row.item.id for candidate in found]
        for limit in (20, 60, 200):
            judged = {v.id for v in reranker.rerank(self.query(), found, limit=limit).verdicts}
            assert judged == set(ids[: len(judged)])

    def test_says_the_same_again(self, reranker: Reranker, found: Sequence[Candidate]) -> None:
        first, second = (reranker.rerank(self.query(), found, limit=PLENTY) for _ in range(2))
        assert [(v.id, v.reasoning) for v in first.verdicts] == [(v.id, v.reasoning) for v in second.verdicts]
        for one, other in zip(first.verdicts, second.verdicts, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-4)

    def test_names_and_metadata_tell_it_nothing(self, reranker: Reranker, found: Sequence[Candidate]) -> None:
        hint = "an instrument that is played sitting down"
        hinted = [
            replace(
                c,
                row=replace(
                    c.row, item=replace(c.row.item, uri=f"/{hint}/{i}.png", metadata={"caption": hint})
                ),
            )
            for i, c in enumerate(found)
        ]
        plain, other = (reranker.rerank(self.query(), cs, limit=PLENTY) for cs in (found, hinted))
        assert plain.usage == other.usage
        for one, two in zip(plain.verdicts, other.verdicts, strict=True):
            assert one.score == pytest.approx(two.score, abs=1e-4)
