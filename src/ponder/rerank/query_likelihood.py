"""Query likelihood: how well a candidate explains the query (UPR, arXiv:2204.07496)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ponder.models.engine import Engine, Likely, Prompt, Turn
from ponder.rerank.musing import digest
from ponder.rerank.showing import Shown

ASK = "Please write a question based on this passage."


class QueryLikelihood:
    """Score: the mean log-probability of the query's tokens behind the candidate, natural, at most 0.

    The query is what is predicted, so it must have words; its pictures are not looked at. Candidates share
    no beginning but the wording: the cheapest judge for short candidates.

    Args:
        ask: What the model is asked to write.
    """

    def __init__(self, *, ask: str = ASK) -> None:
        self._ask = ask

    @property
    def fingerprint(self) -> str:
        """Wording."""
        return f"query-likelihood-1-{digest(self._ask)}"

    def prompt(self, query: Shown, instruction: str, shown: Shown, thought: str) -> Prompt:
        """The wording first, because all share it."""
        told = (f"\n{thought}",) if thought else ()
        return Prompt((Turn("system", (self._ask,)), Turn("user", ("Passage: ", *shown.parts, *told))))

    def prices(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[int]:
        """A target is read but for its last token, which is no more than the same words read."""
        return engine.prices([replace(prompt, opening=query.text) for prompt in prompts])

    def ask(self, engine: Engine, query: Shown, prompts: Sequence[Prompt]) -> list[Likely]:
        """Log-probability of each of the query's tokens."""
        if not query.text:
            return [Likely(error="the query has no words") for _ in prompts]
        return engine.likelihood(prompts, [query.text] * len(prompts))

    def score(self, values: Sequence[float]) -> float:
        """Nats a token."""
        return math.fsum(values) / len(values)
