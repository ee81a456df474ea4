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
from ponder.rerank.showing import Showing, Shown, ShowReasoning, unjudged

_VERSION = "remote-reranker-2"

# Query and document as a chat, which the server's template makes of them: system, user and assistant.
_PAIR = 3 * TURN


class RemoteReranker:
    """Has candidates scored by their words, as many as the limit surely pays for.

    Tokens are reckoned as bytes, which they are never more than; what is reported is the server's count.

    Args:
        name: As in ``--stages``.
        url: Where the API begins.
        model: As the server names it.
        showing: What is shown of a candidate; pictures are not sent, and what has some is not judged. None
            for its stored reasoning.
        route: "rerank" sends a query and documents, "score" pairs of texts.
        weight: Of the score in fusion.
        key_env: Environment variable with the key.
        timeout: Seconds for one request.
        retries: Tries after the first.
    """

    def __init__(
        self,
        name: str,
        url: str,
        model: str,
        showing: Showing | None = None,
        *,
        route: Literal["rerank", "score"] = "rerank",
        weight: float = 1.0,
        key_env: str = "OPENAI_API_KEY",
        timeout: float = 120.0,
        retries: int = 5,
    ) -> None:
        self.name, self.weight = name, weight
        self._model, self._route = model, route
        self._showing = showing or ShowReasoning()
        self._client = Client(url, key_env=key_env, timeout=timeout, retries=retries)
        self._url = self._client.url

    @property
    def reads(self) -> Reads:
        """As `showing` does."""
        return self._showing.reads

    @property
    def fingerprint(self) -> str:
        """Server, model, route, and what is shown."""
        return f"{self.name}/{_VERSION}/{self._url}/{self._model}/{self._route}/{self._showing.fingerprint}"

    def rerank(self, query: Content, candidates: Sequence[Candidate], *, limit: int) -> Judgement:
        """See `ponder.protocols.Reranker`.

        Raises:
            BackendFailed: The server has no answer, or one that cannot be read.
        """
        asked = _worded(self._showing.query(query))
        shown = [_worded(self._showing.candidate(candidate)) for candidate in candidates]
        if asked.missing:
            return unjudged(candidates, asked.missing)
        spent, count = 0, 0
        for each in shown:
            cost = 0 if each.missing else len(asked.text.encode()) + len(each.text.encode()) + _PAIR
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


def _worded(shown: Shown) -> Shown:
    """The same if it is all words: a picture that is left out would be judged in silence by what is left."""
    return Shown(missing="the server is sent words only") if shown.pictures else shown


def _verdict(id_: str, score: float) -> Verdict:
    if not math.isfinite(score):
        return Verdict(id_, None, note="the server's score is not finite")
    return Verdict(id_, score)
