"""Mining a split's training pairs with the cascade's judge, block by block, so that it can be interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ponder.cascade.cascade import Cascade, parse_stages
from ponder.errors import BadArguments, InputInvalid, InputNotFound
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.feedback.deciding import Thresholds, Told, decide, diverse, doubt
from ponder.feedback.judged import Bench, Likeness, bench, with_closest
from ponder.models.folder import sha256_of
from ponder.records import Skipped
from ponder.train.checkpoints import TrainingFolder
from ponder.train.pairs import Pair, read_pairs, write_pairs

BLOCK = 32
"""Queries of a part: what an interruption costs at most."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class MiningSettings:
    """How to mine.

    Attributes:
        ranks: First and last place of the retriever's ranking to look at, from 1.
        budget: Tokens a query may cost; 0 decides by the retriever's scores alone.
        negatives: Most hard negatives of a query.
        stages: The judges, as in ``--stages`` without ``retrieve``; each judges as many as it is given.
        lines: Thresholds.
    """

    ranks: tuple[int, int] = (1, 30)
    budget: int = 1024
    negatives: int = 8
    stages: str = "ecr,query-aware:10"
    lines: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        first, last = self.ranks
        if not 1 <= first <= last:
            raise BadArguments(f"{first}-{last}", "--ranks", "give places from 1, as in 1-30")
        if self.budget < 0 or self.negatives < 0:
            raise BadArguments("a negative number", "--budget, --negatives", "give 0 or more")

    def cascade(self) -> Cascade:
        """Whose judges score the candidates and the labelled documents."""
        deep = self.ranks[1] + 20
        stages = [each.strip() for each in self.stages.split(",") if each.strip()]
        told = [each if ":" in each else f"{each}:{deep}" for each in stages]
        return parse_stages(",".join([f"retrieve:{deep}", *told]))

    def fields(self) -> dict[str, Any]:
        """For a manifest."""
        return {**asdict(self), "ranks": list(self.ranks)}


@dataclass(frozen=True, slots=True)
class Mining:
    """What was mined.

    Attributes:
        path: The folder of Parquet parts.
        decisions: Pairs by what was decided.
        queries: That were mined for.
        negatives: Hard negatives a query → number of queries.
        tokens: Read and written by the judges.
        left_out: Queries without a positive in the corpus, and what could not be opened.
    """

    path: Path
    decisions: Mapping[str, int]
    queries: int
    negatives: Mapping[int, int]
    tokens: int
    left_out: tuple[Skipped, ...]


def mine(
    dataset: Dataset,
    corpus: Corpus,
    settings: MiningSettings,
    out: Path,
    advance: Advance | None = None,
    *,
    fresh: bool = False,
) -> Mining:
    """Mine a split; interrupted and called again it goes on, with the same pairs as an unbroken run.

    Args:
        dataset: The split.
        corpus: Its documents, indexed by the retriever that is to learn.
        settings: How.
        out: Becomes a folder: ``manifest.json`` and ``pairs/part-N.parquet``.
        advance: Called with (queries done, queries).
        fresh: Begin anew.

    Raises:
        BadArguments: The stages do not fit the models.
        InputInvalid: Something else was begun in `out`; no query has a positive in the corpus; or the judge
            says the same of everything, or nothing at all.
    """
    cascade = settings.cascade()
    cascade.check(corpus.models)
    folder = TrainingFolder(out)
    folder.open(_manifest(dataset, corpus, settings), fresh=fresh)
    pairs = out / "pairs"
    if fresh:
        for part in pairs.glob("part-*.parquet"):
            part.unlink()
    left_out = [*dataset.skipped, *corpus.skipped]
    queries = list(dataset.queries)
    likeness = Likeness(dataset, corpus)
    told = {"dataset": dataset.name, "split": dataset.split, "models": corpus.models.name}
    for number, start in enumerate(range(0, len(queries), BLOCK)):
        part = pairs / f"part-{number:05d}.parquet"
        if not part.is_file():
            found, lost = _block(queries[start : start + BLOCK], corpus, likeness, cascade, settings)
            write_pairs(part, found, {**told, "settings": settings.fields(), "lost": lost})
        if advance:
            advance(min(start + BLOCK, len(queries)), len(queries))
    return _sum_up(pairs, queries, settings, left_out)


def _manifest(dataset: Dataset, corpus: Corpus, settings: MiningSettings) -> dict[str, Any]:
    models = corpus.original
    calibration = getattr(models, "calibration", None)
    return {
        "part": "pairs",
        "data": {file.name: sha256_of(file) for file in dataset.files},
        "split": dataset.split,
        "corpus": corpus.contents_sha256,
        "embedder": models.embedder.fingerprint,
        "judges": {name: judge.fingerprint for name, judge in models.rerankers.items()},
        "calibration": "" if calibration is None else calibration.fingerprint,
        "reason_tokens": corpus.reason_tokens,
        "settings": settings.fields(),
    }


def _block(
    queries: Sequence[JudgedQuery],
    corpus: Corpus,
    likeness: Likeness,
    cascade: Cascade,
    settings: MiningSettings,
) -> tuple[list[Pair], list[str]]:
    pairs: list[Pair] = []
    lost: list[str] = []
    for query in queries:
        try:
            found = judged(query, corpus, likeness, cascade, settings)
        except (InputInvalid, InputNotFound) as error:
            lost.append(f"query {query.query.id}: {error}")
            continue
        if found is not None:
            pairs += pairs_of(query.query.id, found, settings)
    return pairs, lost


def judged(
    query: JudgedQuery, corpus: Corpus, likeness: Likeness, cascade: Cascade, settings: MiningSettings
) -> Bench | None:
    """A query's documents as these settings have them looked at; see `bench`."""
    return bench(query, corpus, likeness, cascade, settings.ranks, settings.budget, settings.lines.copy)


def pairs_of(query: str, found: Bench, settings: MiningSettings) -> Iterator[Pair]:
    """Every document of a query with its decision, the best score first."""
    lines, documents = settings.lines, found.documents
    labelled = [each for each in documents if each.grade > 0 and each.scored.judged]
    positive = labelled[0] if labelled else None
    beside = None if positive is None else positive.scored
    told: dict[int, Told] = {}
    best = next((each.scored for each in documents if each.scored.judged), None)
    for place, each in enumerate(documents):
        if each.grade > 0:
            told[place] = doubt(each.scored, best, lines)
        else:
            told[place] = decide(with_closest(found, place), beside, lines)
    hard = [place for place, (decision, _) in told.items() if decision == "hard-negative"]
    told |= diverse(hard, found.close, settings.negatives, lines)
    tokens, rest = divmod(found.tokens, len(documents))
    for place, each in enumerate(documents):
        decision, why = told[place]
        yield Pair(
            query,
            each.id,
            decision,
            why,
            each.grade,
            each.scored.rank,
            each.retrieval,
            each.scored.score if each.scored.judged else None,
            each.scored.chance,
            positive.retrieval if positive else None,
            positive.scored.score if positive else None,
            positive.scored.chance if positive else None,
            # A judge is paid for a query, not for a pair: shared out evenly.
            tokens + (place < rest),
        )


def _sum_up(
    path: Path, queries: Sequence[JudgedQuery], settings: MiningSettings, left_out: list[Skipped]
) -> Mining:
    decisions: Counter[str] = Counter()
    negatives: Counter[str] = Counter()
    seen: dict[str, None] = {}
    tokens = 0
    said: dict[str, set[float]] = {}
    for pair in read_pairs(path):
        decisions[pair.decision] += 1
        seen[pair.query_id] = None
        negatives[pair.query_id] += pair.decision == "hard-negative"
        tokens += pair.tokens
        if pair.judge is not None and pair.retrieval is not None:
            said.setdefault(pair.query_id, set()).add(round(pair.judge - pair.retrieval, 6))
    left_out += [
        Skipped(f"query {each.query.id}", "no positive in the corpus, or it cannot be opened")
        for each in queries
        if each.query.id not in seen
    ]
    if not seen:
        raise InputInvalid("no query has a positive in the corpus", str(path), "check the qrels' ids")
    if settings.budget and not any(len(scores) > 1 for scores in said.values()):
        raise InputInvalid(
            "the judge says the same of everything, or nothing",
            str(path.parent),
            "nothing can be mined by it: choose other --stages, or --budget 0 to go by retrieval alone",
        )
    each = Counter(negatives[name] for name in seen)
    return Mining(path, dict(decisions), len(seen), dict(sorted(each.items())), tokens, tuple(left_out))
