"""Make the adapter that comes with ``lite`` for drawings, from the stamps that may be passed on.

    python tools/make_drawings_adapter.py ../shared/data/stamps

Of the train split only what is listed in ``redistributable.txt``: 108 pictures in the public domain, and our
captions. Labels alone: mined negatives pay nothing there (docs/feedback.md). The card beside it has the
settings and what it does on the dev splits of the sets that ``--dev`` names.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src" / "ponder" / "presets" / "files" / "drawings"
LICENCE = "public domain; captions: Apache-2.0"


def allowed(stamps: Path, target: Path) -> None:
    """A BEIR folder of the train split's pictures that may be passed on, and of what is asked of them."""
    names = set((stamps / "redistributable.txt").read_text("utf-8").split())
    (target / "qrels").mkdir(parents=True)
    # A header names no picture.
    rows = (stamps / "qrels" / "train.tsv").read_text("utf-8").splitlines()
    rows = [row for row in rows if row.split("\t")[1] in names]
    (target / "qrels" / "train.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    queries, shown = ({row.split("\t")[place] for row in rows} for place in (0, 1))
    kept = _lines(stamps / "corpus.jsonl", shown)
    (target / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in kept), "utf-8")
    asked = _lines(stamps / "queries.jsonl", queries)
    (target / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in asked), "utf-8")
    for row in kept:
        (target / row["image"]).parent.mkdir(exist_ok=True)
        shutil.copyfile(stamps / row["image"], target / row["image"])


def _lines(file: Path, names: set[str]) -> list[dict[str, str]]:
    rows = map(json.loads, file.read_text("utf-8").splitlines())
    return [row for row in rows if row["_id"] in names]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stamps", type=Path, help="the corpus")
    parser.add_argument(
        "--dev", type=Path, action="append", default=[], help="measure on its dev split, for the card"
    )
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args()
    ponder = Path(sys.executable).parent / "ponder"
    with tempfile.TemporaryDirectory() as made:
        data, trained = Path(made) / "drawings", Path(made) / "trained"
        allowed(given.stamps, data)
        measured = given.dev or [given.stamps]
        dev = [part for folder in measured for part in ("--dev", str(folder))]
        command = [ponder, "train", "adapter", data, "--out", trained, "--licence", LICENCE, *dev]
        subprocess.run(command, check=True)
        given.out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(trained / "model" / "adapter.safetensors", given.out / "adapter.safetensors")
        card = (trained / "README.md").read_text("utf-8")
    shown = " ".join(f"--dev ../shared/data/{folder.name}" for folder in measured)
    remade = f"python tools/make_drawings_adapter.py ../shared/data/stamps {shown}"
    begin, end = card.index("ponder train adapter", card.index("## How to make it again")), card.rindex("```")
    card = card[:begin] + remade + "\n" + card[end:]
    card = card.replace("lite,adapter=FOLDER/model", "lite,adapter=drawings")
    (given.out / "README.md").write_text(card, "utf-8")


if __name__ == "__main__":
    main()
