"""A small data set to mine, and judges on it: shared by tests of mining beside judges that misbehave."""

import json
from pathlib import Path

from ponder.evaluate.beir import Dataset, load_beir
from ponder.evaluate.corpus import Corpus, build_corpus
from ponder.evaluate.settings import Settings
from ponder.feedback.mining import MiningSettings
from ponder.index.cache import Cache
from ponder.protocols import Reranker
from ponder.testing import FakeModels, FakeReranker

NOUNS = ["crane", "kite", "whale", "cello", "harbour", "violin"]
COLOURS = ["red", "blue", "green"]
HOW = MiningSettings((1, 10), 120, 3, "ecr")


def write_towns(folder: Path, queries: int) -> Dataset:
    """A text for each colour and noun, the first of them twice; queries that ask for one after the other."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    texts = {f"{colour}-{noun}": f"a {colour} {noun} by the sea" for colour in COLOURS for noun in NOUNS}
    names = list(texts)
    rows = [{"_id": name, "text": text} for name, text in texts.items()]
    rows.append({"_id": "copy", "text": texts[names[0]]})
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    asked = [(f"q{n:03}", names[n % len(names)]) for n in range(queries)]
    lines = ({"_id": query, "text": f"{texts[name]} at noon"} for query, name in asked)
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    labels = "".join(f"{query}\t{name}\t1\n" for query, name in asked)
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + labels, "utf-8")
    return load_beir(folder, split="train")


def indexed(dataset: Dataset, folder: Path, judge: Reranker | None = None) -> Corpus:
    """Its documents beside the fakes, with `judge` for the first stage."""
    models = FakeModels()
    models.rerankers["ecr"] = judge or FakeReranker("ecr")
    with Cache(folder / "cache.sqlite") as cache:
        return build_corpus(dataset.items, models, cache, Settings())
