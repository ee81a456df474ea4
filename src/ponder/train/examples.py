"""What training sees of a data set: a query, its positives, its negatives, and whom to leave alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ponder.errors import InputInvalid
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.records import Item, Query, Skipped
from ponder.train.pairs import Pair

# Not the doubtful: where the positive stands low they are most of what is near, and with them masked there
# was little left to learn from (hit@10 on stamps' dev .507, labels alone .574; docs/log.md).
_SPARED = ("positive", "suspect-positive", "false-negative", "near-duplicate")


@dataclass(frozen=True, slots=True)
class Example:
    """A query with what is known of documents.

    Attributes:
        query: What is asked.
        positives: Relevant documents, at least one, in the order of the corpus.
        negatives: Hard negatives, the retriever's nearest first; may be none.
        scores: The judge's score by document id, of positives and negatives, where it gave one.
        spared: Ids of documents that must not be trained against, whoever brings them into the batch:
            positives, false negatives, and near-duplicates.
    """

    query: Query
    positives: tuple[Item, ...]
    negatives: tuple[Item, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    spared: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Examples:
    """All examples of a data set, and who had to be left out.

    Attributes:
        kept: In the data set's order.
        without_positives: Ids of queries that no document of the corpus answers.
        denied: Ids of queries of whose positives a person said that they are none, or, where suspects are not
            trained on, of whose positives all are suspect.
        lost: Labelled or mined ids that the corpus lacks.
    """

    kept: tuple[Example, ...]
    without_positives: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def left_out(self) -> Iterator[Skipped]:
        """Queries and documents that are not trained on, and why."""
        for name in self.without_positives:
            yield Skipped(f"query {name}", "no positive in the corpus")
        for name in self.denied:
            yield Skipped(f"query {name}", "its positives are suspect, or a person denied them", chosen=True)
        for name in self.lost:
            yield Skipped(f"document {name}", "labelled or mined, but not in the corpus")


def examples_of(
    dataset: Dataset, pairs: Iterable[Pair] = (), *, promote: bool = False, suspects: bool = True
) -> Examples:
    """Examples of a data set's labels and of mined pairs.

    Args:
        dataset: Queries, labels and documents.
        pairs: Mined; those of queries that the data set lacks are passed over. Labels are as the data set has
            them now, whatever they were when it was mined; what a query excludes is trained neither on nor
            against.
        promote: Take false negatives for positives instead of only sparing them.
        suspects: Train on suspect positives too, since most of them are right: leaving them out cost stamps a
            tenth of hit@10 (docs/log.md). One that a person denied is never trained on.

    Raises:
        InputInvalid: Not one query has a positive to train on; or there are pairs, none of these queries.
    """
    items = {item.id: item for item in dataset.items}
    order = {name: place for place, name in enumerate(items)}
    mined: dict[str, list[Pair]] = {}
    for pair in pairs:
        mined.setdefault(pair.query_id, []).append(pair)
    here = (pair for judged in dataset.queries for pair in mined.get(judged.query.id, ()))
    if mined and not any(pair.document_id in items for pair in here):
        raise InputInvalid(
            f"of the pairs of {len(mined)} queries none is of a query and a document of this split",
            f"{dataset.name}, split {dataset.split}",
            "give the --pairs that were mined for it, in the order of the DIRs",
        )
    kept: list[Example] = []
    without: list[str] = []
    denied: list[str] = []
    lost: set[str] = set()
    for judged in dataset.queries:
        of_query = mined.get(judged.query.id, [])
        relevant = {name for name, grade in judged.grades.items() if grade > 0} - judged.exclude
        spared = relevant | judged.exclude
        doubtful: set[str] = set()
        for pair in of_query:
            if pair.decision == "suspect-positive":
                if not suspects or pair.decided_by == "review":
                    doubtful.add(pair.document_id)
            elif _is_positive(pair, judged, promote=promote):
                relevant.add(pair.document_id)
            if pair.decision in _SPARED:
                spared.add(pair.document_id)
        hard = [
            pair
            for pair in of_query
            if pair.decision == "hard-negative" and pair.document_id not in relevant | judged.exclude
        ]
        lost |= {name for name in (*relevant, *(pair.document_id for pair in hard)) if name not in items}
        positives = _present(sorted(relevant - doubtful, key=lambda name: order.get(name, -1)), items)
        if not positives:
            (denied if _present(sorted(relevant), items) else without).append(judged.query.id)
            continue
        kept.append(
            Example(
                judged.query,
                positives,
                _present([pair.document_id for pair in sorted(hard, key=lambda pair: pair.rank)], items),
                {pair.document_id: pair.judge for pair in of_query if pair.judge is not None},
                frozenset(spared),
            )
        )
    if denied and not kept:
        raise InputInvalid(
            f"no positive is left: those of {len(denied)} of {len(dataset.queries)} queries are suspect",
            f"{dataset.name}, split {dataset.split}",
            "train on suspect positives too (--suspects), or correct them with ponder mine --review",
        )
    if not kept:
        raise InputInvalid(
            f"none of {len(dataset.queries)} queries has a positive in the corpus",
            f"{dataset.name}, split {dataset.split}",
            "check the qrels' document ids against corpus.jsonl",
        )
    return Examples(tuple(kept), tuple(without), tuple(denied), tuple(sorted(lost)))


def _is_positive(pair: Pair, judged: JudgedQuery, *, promote: bool) -> bool:
    """Whether a pair adds to what is labelled; where a rule went by a label, the label is to stand still."""
    if pair.document_id in judged.exclude:
        return False
    if pair.decision == "positive":
        withdrawn = judged.grades.get(pair.document_id, 0 if pair.grade > 0 else 1) <= 0
        return pair.decided_by == "review" or not withdrawn
    return promote and pair.decision == "false-negative"


def _present(names: Sequence[str], items: dict[str, Item]) -> tuple[Item, ...]:
    return tuple(items[name] for name in names if name in items)
