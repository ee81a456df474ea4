"""The demo's pictures: the public-domain ones of the stamps corpus, under neutral names."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

COLUMNS = ("file", "sha256", "stamp", "source_file", "licence", "evidence")


def copy(stamps: Path, target: Path, provenance: Path) -> None:
    """Copy the pictures of ``redistributable.txt``, byte by byte, and write where each comes from.

    Args:
        stamps: The stamps corpus: redistributable.txt, sources.tsv, images/.
        target: Folder of the collection's pictures.
        provenance: The table to write, one row a picture.

    Raises:
        ValueError: A listed picture isn't stated to be in the public domain.
    """
    with (stamps / "sources.tsv").open(encoding="utf-8", newline="") as file:
        sources = {row["id"]: row for row in csv.DictReader(file, delimiter="\t")}
    target.mkdir(parents=True, exist_ok=True)
    with provenance.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, delimiter="\t", lineterminator="\n")
        table.writeheader()
        listed = sorted((stamps / "redistributable.txt").read_text(encoding="utf-8").split())
        for number, stamp in enumerate(listed, start=1):
            source = sources[stamp]
            if source["licence"] != "public-domain":
                raise ValueError(f"{stamp} is {source['licence']}, not public-domain: leave it out")
            original = next((stamps / "images").glob(f"{stamp}.*"))
            name = f"p{number:03d}{original.suffix}"
            shutil.copyfile(original, target / name)
            table.writerow(
                {
                    "file": f"pictures/{name}",
                    "sha256": hashlib.sha256(original.read_bytes()).hexdigest(),
                    "stamp": stamp,
                    "source_file": source["source-file"],
                    "licence": source["licence"],
                    "evidence": source["evidence"],
                }
            )
