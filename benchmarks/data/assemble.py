"""Put a set of queries and the stamps corpus together into one folder that `ponder evaluate` reads."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
SETS = ("composed", "picture_to_picture")


def assemble(name: str, stamps: Path, out: Path) -> None:
    """Write a BEIR folder: corpus and pictures copied from `stamps`, queries and qrels from `name`.

    Args:
        name: One of SETS.
        stamps: The stamps corpus: corpus.jsonl, images/.
        out: The folder to make; files that are there already are replaced.

    Raises:
        ValueError: A query's picture or an answer isn't in the corpus, so this is another corpus.
    """
    corpus = [json.loads(line) for line in (stamps / "corpus.jsonl").read_text("utf-8").splitlines()]
    known = {row["_id"]: row["image"] for row in corpus}
    queries = [json.loads(line) for line in (HERE / name / "queries.jsonl").read_text("utf-8").splitlines()]
    qrels = (HERE / name / "qrels" / "dev.tsv").read_text("utf-8").splitlines()[1:]
    lost = {query["image"] for query in queries} - set(known.values())
    lost |= {line.split("\t")[1] for line in qrels} - set(known)
    if lost:
        raise ValueError(f"{stamps} lacks {len(lost)} pictures of {name}, e.g. {min(lost)}")
    (out / "qrels").mkdir(parents=True, exist_ok=True)
    shutil.copytree(stamps / "images", out / "images", copy_function=shutil.copyfile, dirs_exist_ok=True)
    # The corpus without its metadata: captions and categories have no business in a retrieval run.
    rows = [{"_id": row["_id"], "text": row["text"], "image": row["image"]} for row in corpus]
    (out / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shutil.copyfile(HERE / name / "queries.jsonl", out / "queries.jsonl")
    shutil.copyfile(HERE / name / "qrels" / "dev.tsv", out / "qrels" / "dev.tsv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SETS)
    parser.add_argument("stamps", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    assemble(arguments.name, arguments.stamps, arguments.out)
