"""From a query's judged documents to its training pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ponder.feedback.deciding import Thresholds, decide, diverse, doubt
from ponder.feedback.judged import Bench, Document
from ponder.train.pairs import Pair


def pairs_of(
    query: str, found: Bench, lines: Thresholds, negatives: int, odds: Mapping[tuple[str, str], float]
) -> Iterator[Pair]:
    """Every document of a query with its decision, the best score first.

    Args:
        query: Its id.
        found: Its documents.
        lines: Thresholds.
        negatives: Most hard negatives.
        odds: Against labels, by query and document; see `ponder.feedback.labels.odds_of`.
    """
    documents = found.documents
    told = {
        place: doubt(each.scored, odds.get((query, each.id), 0.0), lines)
        for place, each in enumerate(documents)
        if each.grade > 0
    }
    # Nothing is held against a label that is doubted itself.
    sound = [place for place, each in told.items() if each.decision == "positive"]
    positive = next((documents[place] for place in sound if documents[place].scored.judged), None)
    beside = None if positive is None else positive.scored
    for place, each in enumerate(documents):
        if each.grade <= 0:
            told[place] = decide(each.scored, beside, lines)
    hard = [place for place, each in told.items() if each.decision == "hard-negative"]
    too_many = diverse(range(len(hard)), found.closeness(hard), negatives, lines)
    told |= {hard[number]: each for number, each in too_many.items()}
    shares = _shares(found)
    for place, document in enumerate(documents):
        decision, why, threshold, figure = told[place]
        yield Pair(
            query,
            document.id,
            decision,
            why,
            document.grade,
            document.scored.rank,
            document.retrieval,
            _heard(document),
            document.scored.chance,
            positive.retrieval if positive else None,
            _heard(positive) if positive else None,
            positive.scored.chance if positive else None,
            shares[place],
            threshold=threshold,
            figure=figure,
        )


def _heard(document: Document) -> float | None:
    """The score after the judges, where one said anything: else it is the retriever's."""
    return None if document.judge is None else document.scored.score


def _shares(found: Bench) -> list[int]:
    """Tokens by document: a judge is paid for a query, so those that it judged share them evenly."""
    paid = [place for place, each in enumerate(found.documents) if each.judge is not None]
    paid = paid or list(range(len(found.documents)))
    share, rest = divmod(found.tokens, len(paid))
    out = [0] * len(found.documents)
    for number, place in enumerate(paid):
        out[place] = share + (number < rest)
    return out
