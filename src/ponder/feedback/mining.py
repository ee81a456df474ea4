"""Mining a split's training pairs with the cascade's judge, block by block, so that it can be interrupted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ponder.cascade.cascade import Cascade, parse_stages
from ponder.cascade.stages import Rerank
from ponder.errors import BadArguments, InputInvalid
from ponder.evaluate.beir import Dataset, JudgedQuery
from ponder.evaluate.corpus import Corpus
from ponder.evaluate.media_sums import queries_media_sha256
from ponder.feedback.corrections import apply, corrections_of
from ponder.feedback.deciding import Thresholds
from ponder.feedback.finding import Finder
from ponder.feedback.judged import bench
from ponder.feedback.labels import odds_of
from ponder.feedback.mined import Mined, pairs_at
from ponder.feedback.pairing import pairs_of
from ponder.feedback.summary import Mining, sum_up
from ponder.models.folder import sha256_of
from ponder.records import Skipped
from ponder.train.pairs import Pair, write_pairs

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
            raise BadArguments(f"{first}-{last}", "--range", "give places from 1, as in 1:30")
        if self.budget < 0 or self.negatives < 0:
            raise BadArguments("a negative number", "--budget, --negatives", "give 0 or more")

    def cascade(self) -> Cascade:
        """Whose judges score the candidates and the labelled documents."""
        deep = self.ranks[1] + 20
        stages = [each.strip() for each in self.stages.split(",") if each.strip()]
        told = [each if ":" in each else f"{each}:{deep}" for each in stages]
        return parse_stages(",".join([f"retrieve:{deep}", *told]))

    def judges(self) -> list[Rerank]:
        """The cascade's judging stages."""
        return [stage for stage in self.cascade().stages if isinstance(stage, Rerank)]

    def fields(self) -> dict[str, Any]:
        """For a manifest."""
        return {**asdict(self), "ranks": list(self.ranks)}


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
        out: Becomes a folder: ``manifest.json`` and ``pairs/part-N.parquet``; or, with a name that ends in
            ``.parquet``, one file, whose parts are beside it until it is done.
        advance: Called with (queries done, queries).
        fresh: Begin anew. Corrections by a person stay.

    Raises:
        BadArguments: The stages do not fit the models.
        InputInvalid: Something else was begun in `out`; no query has a positive in the corpus; or the judge
            says the same of everything, or nothing at all.
    """
    settings.cascade().check(corpus.models)
    if not dataset.queries:
        raise InputInvalid(
            f"none of {len(dataset.skipped)} queries can be opened",
            f"{dataset.name}, split {dataset.split}",
            dataset.skipped[0].error if dataset.skipped else "",
        )
    place = Mined(out)
    manifest = _manifest(dataset, corpus, settings)
    left_out = [*dataset.skipped, *corpus.skipped]
    if not place.open(manifest, fresh=fresh):
        made = {"dataset": dataset.name, "folder": str(dataset.files[0].parent.absolute()), **manifest}
        _mine_blocks(dataset, corpus, settings, place, made, advance)
        sum_up(place.parts, dataset.queries, settings.budget, left_out)
        place.finish({**made, "manifest": manifest})
    corrected = corrections_of(out)
    if corrected:
        apply(pairs_at(out), corrected)
    return sum_up(place.result, dataset.queries, settings.budget, left_out)


def _mine_blocks(
    dataset: Dataset,
    corpus: Corpus,
    settings: MiningSettings,
    place: Mined,
    made: dict[str, Any],
    advance: Advance | None,
) -> None:
    queries = list(dataset.queries)
    finder: Finder | None = None
    odds: Mapping[tuple[str, str], float] | None = None
    for number, start in enumerate(range(0, len(queries), BLOCK)):
        part = place.part(number)
        if not part.is_file():
            finder = finder or Finder(corpus, [item.id for item in dataset.items], settings.lines.copy)
            odds = odds_of(queries, finder) if odds is None else odds
            found, lost = _block(queries[start : start + BLOCK], finder, corpus, settings, odds)
            write_pairs(part, found, {**made, "lost": lost})
        if advance:
            advance(min(start + BLOCK, len(queries)), len(queries))


def _block(
    queries: Sequence[JudgedQuery],
    finder: Finder,
    corpus: Corpus,
    settings: MiningSettings,
    odds: Mapping[tuple[str, str], float],
) -> tuple[list[Pair], dict[str, str]]:
    pairs: list[Pair] = []
    lost: dict[str, str] = {}
    for query, found in zip(queries, finder.find(queries, settings.ranks), strict=True):
        if isinstance(found, Skipped):
            lost[query.query.id] = found.error
            continue
        sat = bench(found, finder, corpus.models, settings.judges(), settings.budget)
        pairs += pairs_of(query.query.id, sat, settings.lines, settings.negatives, odds)
    return pairs, lost


def _manifest(dataset: Dataset, corpus: Corpus, settings: MiningSettings) -> dict[str, Any]:
    models = corpus.original
    calibration = getattr(models, "calibration", None)
    return {
        "part": "pairs",
        "data": {file.name: sha256_of(file) for file in dataset.files},
        "query_media": queries_media_sha256(dataset),
        "split": dataset.split,
        "corpus": corpus.contents_sha256,
        "models": models.name,
        "reasoner": models.reasoner.fingerprint,
        "embedder": models.embedder.fingerprint,
        "judges": {name: judge.fingerprint for name, judge in models.rerankers.items()},
        "calibration": "" if calibration is None else calibration.fingerprint,
        "reason_tokens": corpus.reason_tokens,
        "settings": settings.fields(),
    }
