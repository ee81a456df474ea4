"""Data sets and teachers for the tests of training a reasoner: small, made here, learnable."""

import json
from pathlib import Path

from embedder_data import write_beir

from ponder.train.pairs import Pair, write_pairs

THINGS = {
    "cello": "music",
    "kite": "wind",
    "anvil": "smith",
    "rake": "garden",
    "sail": "boat",
    "oven": "bread",
    "lamp": "light",
    "comb": "hair",
    "sled": "snow",
    "rope": "knot",
    "tent": "camp",
    "fork": "meal",
    "loom": "cloth",
    "plow": "field",
    "harp": "tune",
    "mask": "play",
}
"""A thing, and the word that its queries use for it."""


def things(folder: Path, count: int = 16) -> Path:
    """Texts that name a thing, and queries that name what it is for."""
    some = list(THINGS.items())[:count]
    return write_beir(
        folder,
        [{"_id": f"d-{thing}", "text": f"a {thing}"} for thing, _ in some],
        [{"_id": f"q-{thing}", "text": use} for thing, use in some],
        [(f"q-{thing}", f"d-{thing}", 1) for thing, _ in some],
    )


def good(thing: str) -> str:
    """What a good teacher says."""
    return f"It is a {thing} for {THINGS[thing]}"


def ecrs(file: Path, said: dict[str, str], **more) -> Path:
    """A file of ECRs by document."""
    lines = [{"id": name, "reasoning": text, "model": "teacher", **more} for name, text in said.items()]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def taught(file: Path, count: int = 16) -> Path:
    """The good teacher's ECRs about all things."""
    return ecrs(file, {f"d-{thing}": good(thing) for thing in list(THINGS)[:count]})


def mined(file: Path, count: int = 16) -> Path:
    """Each query has the next thing as a hard negative."""
    names = list(THINGS)[:count]
    write_pairs(
        file,
        [Pair(f"q-{names[n]}", f"d-{names[(n + 1) % count]}", "hard-negative", rank=1) for n in range(count)],
    )
    return file


def reasoner_command(data, out, base, *more) -> list[str]:
    """A training that takes seconds."""
    told = ["--models", "fake", "--base", str(base), "--report-to", "none", "--rate", "3e-3"]
    told += ["--batch", "16", "--mini", "16", "--warmup", "0"]
    return ["train", "reasoner", str(data), "--out", str(out), *told, *more]
