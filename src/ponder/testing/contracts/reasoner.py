"""What every `Reasoner` must do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ponder.protocols import Reasoner
from ponder.records import Content
from ponder.testing.examples import contents_of_every_kind, text_content


class ReasonerContract:
    """Subclass it and say how to `make` your reasoner."""

    def make(self, folder: Path) -> Reasoner:
        """A fresh reasoner; `folder` is empty and its own."""
        raise NotImplementedError

    def contents(self) -> Sequence[Content]:
        """What it is tried on."""
        return contents_of_every_kind()

    @pytest.fixture
    def reasoner(self, tmp_path: Path) -> Reasoner:
        return self.make(tmp_path)

    def test_is_a_reasoner(self, reasoner: Reasoner) -> None:
        assert isinstance(reasoner, Reasoner)

    def test_fingerprint_is_the_same_for_the_same_settings(self, tmp_path: Path) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        first.mkdir()
        second.mkdir()
        assert self.make(first).fingerprint == self.make(second).fingerprint != ""

    def test_nothing_in_nothing_out(self, reasoner: Reasoner) -> None:
        assert reasoner.reason([], role="document", tokens=64) == []

    def test_one_reasoning_for_each_content_in_order(self, reasoner: Reasoner) -> None:
        contents = self.contents()
        together = reasoner.reason(contents, role="document", tokens=64)
        alone = [reasoner.reason([content], role="document", tokens=64)[0] for content in contents]
        assert [r.text for r in together] == [r.text for r in alone]
        assert [r.parts for r in together] == [r.parts for r in alone]

    def test_some_reasoning_about_every_document(self, reasoner: Reasoner) -> None:
        for reasoning in reasoner.reason(self.contents(), role="document", tokens=64):
            assert reasoning.text.strip()
            assert reasoning.model == reasoner.fingerprint

    @pytest.mark.parametrize("tokens", [8, 32, 128])
    def test_documents_stay_within_their_tokens(self, reasoner: Reasoner, tokens: int) -> None:
        for reasoning in reasoner.reason(self.contents(), role="document", tokens=tokens):
            # What was perceived or given may be quoted beside what is written.
            assert 0 <= reasoning.usage.written <= tokens
            assert reasoning.tokens >= 0

    @pytest.mark.parametrize("tokens", [0, 1, 7, 40, 200])
    def test_queries_stay_within_their_tokens(self, reasoner: Reasoner, tokens: int) -> None:
        queries = [text_content("an instrument that is played sitting down")]
        for reasoning in reasoner.reason(queries, role="query", tokens=tokens):
            assert reasoning.usage.spent <= tokens
            assert min(reasoning.usage.read, reasoning.usage.written, reasoning.usage.cached) >= 0

    def test_the_first_part_is_the_whole_and_labels_differ(self, reasoner: Reasoner) -> None:
        for content, reasoning in zip(
            self.contents(), reasoner.reason(self.contents(), role="document", tokens=64), strict=True
        ):
            labels = [part.label for part in reasoning.parts]
            assert labels[:1] in ([], [""])
            assert len(set(labels)) == len(labels)
            fragment = "t=" if content.kind == "video" else "chars="
            assert all(label.startswith(fragment) for label in labels[1:])
