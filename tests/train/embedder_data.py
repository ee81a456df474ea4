"""Data sets and models for the tests of training: small, made here, learnable."""

import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 40),
    "blue": (40, 60, 220),
    "yellow": (230, 210, 40),
    "purple": (140, 40, 170),
    "orange": (240, 140, 30),
    "black": (10, 10, 10),
    "cyan": (40, 210, 220),
}
SHAPES = {
    "disc": lambda pen, fill: pen.ellipse((12, 12, 52, 52), fill=fill),
    "square": lambda pen, fill: pen.rectangle((14, 14, 50, 50), fill=fill),
    "triangle": lambda pen, fill: pen.polygon([(32, 8), (56, 54), (8, 54)], fill=fill),
    "frame": lambda pen, fill: pen.rectangle((6, 6, 58, 58), outline=fill, width=8),
    "ring": lambda pen, fill: pen.ellipse((8, 8, 56, 56), outline=fill, width=8),
    "bar": lambda pen, fill: pen.rectangle((4, 24, 60, 40), fill=fill),
    "pillar": lambda pen, fill: pen.rectangle((24, 4, 40, 60), fill=fill),
    "diamond": lambda pen, fill: pen.polygon([(32, 4), (60, 32), (32, 60), (4, 32)], fill=fill),
}


def write_beir(folder: Path, corpus, queries, qrels, splits=("train", "dev")) -> Path:
    """A BEIR folder of rows as dicts and of (query, document, grade)."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = "".join(f"{query}\t{document}\t{grade}\n" for query, document, grade in qrels)
    for split in splits:
        (folder / "qrels" / f"{split}.tsv").write_text(lines)
    return folder


def coloured_shapes(folder: Path) -> Path:
    """64 pictures, and a query in words for each."""
    (folder / "images").mkdir(parents=True)
    names = [(colour, shape) for colour in COLOURS for shape in SHAPES]
    for colour, shape in names:
        picture = Image.new("RGB", (64, 64), "white")
        SHAPES[shape](ImageDraw.Draw(picture), COLOURS[colour])
        picture.save(folder / "images" / f"{colour}-{shape}.png")
    return write_beir(
        folder,
        [{"_id": f"{c}-{s}", "image": f"images/{c}-{s}.png"} for c, s in names],
        [{"_id": f"q-{c}-{s}", "text": f"a {c} {s}"} for c, s in names],
        [(f"q-{c}-{s}", f"{c}-{s}", 1) for c, s in names],
    )


def capitals(folder: Path, count: int = 12) -> Path:
    """Texts with a query each, of words that have nothing to do with each other."""
    known = ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st", "uv", "wx"][:count]
    return write_beir(
        folder,
        [{"_id": f"d{n}", "text": f"the town of {word}"} for n, word in enumerate(known)],
        [{"_id": f"q{n}", "text": f"where {word[::-1]} lies"} for n, word in enumerate(known)],
        [(f"q{n}", f"d{n}", 1) for n in range(count)],
    )


def tiny_bert(folder: Path, seed: int = 0) -> Path:
    """A text encoder with dropout, as a sentence-transformers folder: two layers, mean pooling."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    from ponder.models.quiet import quiet
    from ponder.testing.tiny import tokenizer_for

    backbone = tokenizer_for("llama").backend_tokenizer
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backbone, pad_token="<|endoftext|>", model_max_length=128
    )
    config = transformers.BertConfig(
        vocab_size=len(tokenizer) + 8,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
    )
    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        transformers.BertModel(config).save_pretrained(folder / "backbone")
        tokenizer.save_pretrained(folder / "backbone")
        made = SentenceTransformer(
            modules=[Transformer(str(folder / "backbone")), Pooling(32, "mean"), Normalize()], device="cpu"
        )
        made.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


def embedder_command(data, out, base, *more) -> list[str]:
    """A training of all weights that takes a second."""
    told = ["--models", "fake", "--base", str(base), "--report-to", "none", "--rate", "1e-3"]
    return ["train", "embedder", str(data), "--out", str(out), *told, *more]


if __name__ == "__main__":
    from ponder.cli.main import run

    sys.exit(run(sys.argv[1:]))
