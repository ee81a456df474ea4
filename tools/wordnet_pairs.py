"""Make data sets of what WordNet 3.0 says of things: descriptions as queries, names as documents.

    apt-get download wordnet-base && dpkg -x wordnet-base_*.deb wordnet
    python tools/wordnet_pairs.py --wordnet wordnet/usr/share/wordnet --out pairs
    ponder train embedder pairs/animal pairs/artifact pairs/food pairs/object --base minilm ...

Each lexicographers' file becomes a BEIR folder of its own, since a batch of ``ponder train embedder`` is of
one folder: an animal is then told from animals. A document is what ``lite`` knows of a class of pictures, as
`ponder.reason.knowledge.definition` words it: names, kin and gloss. The query is one clause of the gloss,
which the document then lacks; of a gloss of one clause it lacks all. An example sentence is a query too, with
the nearest kin for the name. Nothing but WordNet goes in, and its licence is copied beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from make_imagenet_knowledge import CATEGORIES, TAXON, Entry, ancestors, read_wordnet

PLACES = ("animal", "artifact", "food", "object")
"""What pictures show; plants are left out since most are herbs that only their Latin names tell apart."""

SHORTEST = 3
"""Words of a query: "a beam" tells nothing."""


def pairs_of(entry: Entry, entries: dict[str, Entry], draw: random.Random) -> Iterator[tuple[str, str]]:
    """Queries about a synset, each with its document."""
    names = ", ".join(entry.names)
    kin = [entries[key].names[0] for key in ancestors(entry, entries)[:3]]
    known = f"{names}, a kind of {', '.join(kin)}" if kin else names
    clauses = [clause for each in entry.gloss.split(";") if (clause := each.strip())]
    telling = [clause for clause in clauses if len(clause.split()) >= SHORTEST]
    if telling:
        asked = draw.choice(telling)
        others = "; ".join(clause for clause in clauses if clause is not asked)
        yield asked, f"{known}: {others}" if others else known
    for example in entry.examples:
        for name in entry.names if kin else ():
            hidden, found = re.subn(rf"\b{re.escape(name)}\b", kin[0], example, flags=re.IGNORECASE)
            if found and len(hidden.split()) > SHORTEST:
                yield hidden, f"{known}: {entry.gloss}"
                break


def wanted(entry: Entry, category: str) -> bool:
    """Whether it is a kind of thing: no taxon, no single thing ("Loch Ness"), not all above it."""
    return (
        CATEGORIES[entry.category] == f"noun.{category}"
        and bool(entry.to("@"))
        and not any(name.startswith(TAXON) for name in entry.names)
        and "genus" not in entry.gloss
    )


def write(folder: Path, pairs: list[tuple[str, str]]) -> None:
    """A BEIR folder with the split ``train``; what asks or says the same is one."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    queries = {text: f"q{number}" for number, text in enumerate(dict.fromkeys(asked for asked, _ in pairs))}
    documents = {text: f"d{number}" for number, text in enumerate(dict.fromkeys(told for _, told in pairs))}
    for name, texts in (("queries", queries), ("corpus", documents)):
        lines = (json.dumps({"_id": key, "text": text}, ensure_ascii=False) for text, key in texts.items())
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    rows = dict.fromkeys(f"{queries[asked]}\t{documents[told]}\t1\n" for asked, told in pairs)
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows), "utf-8")


def main() -> None:
    """Read the arguments, write the folders."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=5000, help="pairs of a folder, drawn")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn")
    told = parser.parse_args()
    entries = read_wordnet(told.wordnet)
    draw = random.Random(told.seed)
    for category in PLACES:
        chosen = [entry for entry in entries.values() if wanted(entry, category)]
        pairs = [pair for entry in chosen for pair in pairs_of(entry, entries, draw)]
        pairs = draw.sample(pairs, min(told.most, len(pairs)))
        write(told.out / category, pairs)
        print(f"{category}: {len(chosen)} synsets, {len(pairs)} pairs")
    head = (told.wordnet / "data.noun").read_text("utf-8").splitlines()
    licence = "\n".join(re.sub(r"^ +\d+ ?", "", line).rstrip() for line in head if line[:2] == "  ")
    (told.out / "LICENSE.wordnet.txt").write_text(f"{licence.strip()}\n", "utf-8")


if __name__ == "__main__":
    main()
