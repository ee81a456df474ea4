"""The real lite parts keep the protocols' contracts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ponder.models.registry import load
from ponder.presets.lite import LiteModels, build
from ponder.protocols import Chooser, Embedder, PricesQueries, Reasoner, Reranker
from ponder.records import Candidate, Content, Item, Reasoning, Row
from ponder.testing.contracts import EmbedderContract, ModelsContract, ReasonerContract, RerankerContract
from ponder.testing.examples import candidates_of, clip_content, page_content, picture_content, text_content

pytestmark = pytest.mark.lite


def drawing(shape: str) -> Content:
    """A picture of a shape, without writing."""
    image = Image.new("RGB", (96, 96), (225, 225, 235))
    draw = ImageDraw.Draw(image)
    if shape == "disc":
        draw.ellipse((20, 20, 76, 76), fill=(230, 120, 20))
    else:
        draw.polygon([(48, 12), (84, 84), (12, 84)], fill=(20, 90, 40))
    return Content("image", f"drawing of a {shape}", images=(image,))


MIXED = (
    drawing("disc"),
    text_content("The harbour crane lifts forty tonnes."),
    page_content("The cello is an instrument that is played sitting down."),
    clip_content((20, 20, 220), (20, 160, 20)),
)


class WithLite:
    """The models that all tests share."""

    lite: LiteModels

    @pytest.fixture(autouse=True)
    def _lite(self, lite_models: LiteModels) -> None:
        self.lite = lite_models


class TestLiteReasoner(WithLite, ReasonerContract):
    def make(self, folder: Path) -> Reasoner:
        return self.lite.reasoner

    def test_fingerprint_is_the_same_for_the_same_settings(self, tmp_path: Path) -> None:
        assert build().reasoner.fingerprint == self.lite.reasoner.fingerprint != ""

    @pytest.mark.parametrize("tokens", [97, 98, 140, 400])
    def test_picture_queries_stay_within_their_tokens(self, tokens: int) -> None:
        thought = self.lite.reasoner.reason([drawing("disc")], role="query", tokens=tokens)[0]
        assert thought.usage.spent <= tokens
        assert bool(thought.text) == (tokens > 98)

    def test_without_tokens_nothing_is_written(self) -> None:
        for reasoning in self.lite.reasoner.reason(self.contents(), role="document", tokens=0):
            assert reasoning.usage.written == 0


class TestLiteEmbedder(WithLite, EmbedderContract):
    def make(self, folder: Path) -> Embedder:
        return self.lite.embedder

    def reasonings(self, contents: Sequence[Content]) -> Sequence[Reasoning]:
        return self.lite.reasoner.reason(contents, role="document", tokens=64)

    def test_prices_queries(self) -> None:
        assert isinstance(self.lite.embedder, PricesQueries)


class Judged(WithLite, RerankerContract):
    """Candidates as lite stores them."""

    def contents(self) -> Sequence[Content]:
        return [*MIXED, drawing("triangle"), picture_content((220, 20, 20))]

    def candidates(self, folder: Path) -> Sequence[Candidate]:
        return self.stored(self.contents())

    def stored(self, contents: Sequence[Content]) -> list[Candidate]:
        reasonings = self.lite.reasoner.reason(contents, role="document", tokens=96)
        vectors = self.lite.embedder.embed_documents(contents, reasonings)
        return candidates_of(
            [
                Row(Item(str(i), content.kind, text=content.text), reasoning, embedded, content.digest)
                for i, (content, reasoning, embedded) in enumerate(
                    zip(contents, reasonings, vectors, strict=True)
                )
            ]
        )

    def test_an_instruction_or_a_picture_alone_asks_nothing(
        self, reranker: Reranker, found: Sequence[Candidate]
    ) -> None:
        judgement = reranker.rerank(picture_content((1, 2, 3)), found, limit=10_000)
        assert judgement.usage.spent == 0
        assert all(verdict.score is None and verdict.note for verdict in judgement.verdicts)


class TestLiteEcrJudge(Judged):
    def make(self, folder: Path) -> Reranker:
        return self.lite.rerankers["ecr"]


class TestLiteQueryAwareJudge(Judged):
    def make(self, folder: Path) -> Reranker:
        return self.lite.rerankers["query-aware"]

    def contents(self) -> Sequence[Content]:
        return [drawing("disc"), drawing("triangle"), picture_content((220, 20, 20))]

    def test_what_the_reasoner_stores_of_a_picture_is_what_this_judge_needs(
        self, reranker: Reranker, found: Sequence[Candidate]
    ) -> None:
        verdicts = reranker.rerank(self.query(), found, limit=10_000).verdicts
        assert [verdict.score is not None for verdict in verdicts] == [True] * len(found)

    @pytest.mark.parametrize("limit", [0, 30, 90, 200, 10_000])
    def test_kinds_mixed_keep_the_limit_too(self, reranker: Reranker, limit: int) -> None:
        found = self.stored(MIXED)
        judgement = reranker.rerank(self.query(), found, limit=limit)
        assert judgement.usage.spent <= limit
        ids = [verdict.id for verdict in judgement.verdicts]
        assert ids == [each.row.item.id for each in found if each.row.item.id in ids]


class TestLiteModels(WithLite, ModelsContract):
    def make(self, folder: Path) -> LiteModels:
        return self.lite

    def test_is_registered(self) -> None:
        assert isinstance(load("lite"), LiteModels)

    def test_has_the_stages_of_the_default_cascade_and_a_chooser(self) -> None:
        assert set(self.lite.rerankers) == {"ecr", "query-aware"}
        assert isinstance(self.lite.chooser, Chooser)

    def test_the_chooser_keeps_its_limit(self) -> None:
        seen = self.lite.reasoner.reason([drawing("disc")], role="document", tokens=96)[0]
        for limit in (0, 8, 20, 60, 500):
            choice = self.lite.chooser.choose(
                drawing("disc"), seen, "What colour is it?", ["orange", "dark blue"], limit=limit
            )
            assert choice.usage.spent <= limit
            assert len(choice.scores) == (2 if limit >= 20 else 0)


def test_building_and_fingerprints_load_nothing() -> None:
    code = """
import sys
from ponder.presets.lite import build
lite = build()
assert lite.reasoner.fingerprint and lite.embedder.fingerprint and lite.embedder.dim
assert all(judge.fingerprint for judge in lite.rerankers.values()) and lite.chooser.fingerprint
print(sorted({"torch", "transformers", "numpy", "onnxruntime"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
