"""A reranker behind HTTP: ``/rerank`` (Jina's and Cohere's, served by vLLM too) or vLLM's ``/score``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ponder.errors import BackendFailed
from ponder.models.remote.client import Client, Problem
from ponder.models.remote.talk import TURN, usage
from ponder.protocols import Reads
from ponder.records import Candidate, Content, Judgement, Verdict
from ponder.rerank.showing import ShowReasoning, unjudged

_VERSION = "remote-reranker-1"


class RemoteReranker:
    """Has candidates scored by their stored reasoning, as many as the limit surely pays for.

    Args:
        name: As in ``--stages``.
        url: Where the API begins.
        model: As the server names it.
        route: "rerank" sends a query and documents, "score" pairs of texts.
        weight: Of the score in fusion.
        words: Longest text that is sent, in words.
        key_env: Environment variable with the key.
        timeout: Seconds for one request.
        retries: Tries after the first.
    """

    reads: Reads = "ecr"

    def __init__(
        self,
        name: str,
        url: str,
        model: str,
        *,
        route: Literal["rerank", "score"] = "rerank",
        weight: float = 1.0,
        words: int = 160,
        key_env: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        retries: int = 5,
    ) -> None:
        self.name, self.weight = name, weight
        self._url, self._model, self._route = url, model, route
        self._showing = ShowReasoning(words=words)
        self._client = Client(url, key_env=key_env, timeout=timeout, retries=retries)

    @property
    def fingerprint(self) -> str:
        """Server, model, route, and what is shown."""
        where = f"{self._client.server}/{self._model}/{self._route}"
        return f"{self.name}/{_VERSION}/{where}/{self._showing.fingerprint}"

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`.

        Raises:
            BackendFailed: The server has no answer, or one that cannot be read.
        """
        asked = self._showing.query(query)
        shown = [self._showing.candidate(candidate) for candidate in candidates]
        if asked.missing or not asked.text:
            return unjudged(candidates, asked.missing or "the query has no words")
        spent, count = 0, 0
        for each in shown:
            cost = 0 if each.missing else len(asked.text.encode()) + len(each.text.encode()) + TURN
            if spent + cost > limit:
                break
            spent, count = spent + cost, count + 1
        texts = [each.text for each in shown[:count] if not each.missing]
        scores: Iterator[float] = iter(())
        used = usage({}, 0)
        if texts:
            answer = self._client.post(f"/{self._route}", self._body(asked.text, texts))
            if isinstance(answer, Problem):
                raise answer.error(self._url)
            scores, used = iter(self._scores(answer, len(texts))), usage(answer, spent)
        return Judgement(
            tuple(
                Verdict(c.row.item.id, None, note=each.missing)
                if each.missing
                else _verdict(c.row.item.id, next(scores))
                for c, each in zip(candidates[:count], shown, strict=False)
            ),
            used,
        )

    def _body(self, query: str, texts: list[str]) -> dict[str, Any]:
        if self._route == "score":
            return {"model": self._model, "text_1": query, "text_2": texts}
        return {"model": self._model, "query": query, "documents": texts, "top_n": len(texts)}

    def _scores(self, answer: dict[str, Any], count: int) -> list[float]:
        rows, field = ("data", "score") if self._route == "score" else ("results", "relevance_score")
        try:
            found = {int(each["index"]): float(each[field]) for each in answer[rows]}
            return [found[number] for number in range(count)]
        except (KeyError, TypeError, ValueError) as error:
            raise BackendFailed(f"the answer lacks the field {rows}[].{field}", self._url) from error


def _verdict(id_: str, score: float) -> Verdict:
    if not math.isfinite(score):
        return Verdict(id_, None, note="the server's score is not finite")
    return Verdict(id_, score)
