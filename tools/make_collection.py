"""Make the collection that ships with ponder for ``make demo``: pictures, a handbook, clips.

The notes (``collection/notes``) and the pictures' captions (``captions.jsonl``) are written by hand and
only checked here. Run it with the project's Python::

    .venv/bin/python tools/make_collection.py pictures STAMPS   copy the public-domain pictures
    .venv/bin/python tools/make_collection.py handbook clips queries    make those anew
    .venv/bin/python tools/make_collection.py check             is what is stored what would be made?
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pypdfium2 as pdfium
from demo_maker import clips, handbook, pictures
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "src" / "ponder" / "demo"
COLLECTION = DEMO / "collection"
CAPTIONS = DEMO / "captions.jsonl"

# Query pictures: (file, picture of the collection, box of the part that is kept, as shares of the
# width and height). Mirrored as well, so that no query is a stored picture's bytes or pixels.
QUERIES = (
    ("q01.jpg", "p079", (0.05, 0.08, 0.97, 0.95)),
    ("q02.jpg", "p012", (0.0, 0.03, 1.0, 0.98)),
)


def make_clips(target: Path) -> None:
    """Encode every clip of clips.yaml and bring the clips' lines of captions.jsonl up to date."""
    planned = clips.plan()
    for name, clip in planned.items():
        clips.build(clip, COLLECTION / "pictures", target / f"{name}.mp4")
    written = [line for line in read_captions() if not line["file"].startswith("clips/")]
    written += [{"file": f"clips/{name}.mp4", "caption": clip.caption} for name, clip in planned.items()]
    CAPTIONS.write_text(
        "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in written), encoding="utf-8"
    )


def make_queries(target: Path) -> None:
    """Crop and mirror the pictures that the demo searches with."""
    for file, picture, box in QUERIES:
        original = Image.open(next((COLLECTION / "pictures").glob(f"{picture}.*"))).convert("RGB")
        left, top, right, bottom = box
        width, height = original.size
        part = original.crop(
            (round(left * width), round(top * height), round(right * width), round(bottom * height))
        )
        ImageOps.mirror(part).save(target / file, quality=88)


def read_captions() -> list[dict[str, str]]:
    """The lines of captions.jsonl."""
    return [json.loads(line) for line in CAPTIONS.read_text(encoding="utf-8").splitlines()]


def check() -> list[str]:
    """What is stored but would be made differently, a line each; encoders' bytes are not compared.

    The handbook is compared by its pages' text, the clips by their captions and their number of
    frames: the bytes of MP4 and JPEG depend on the encoder's version, these don't.
    """
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "handbook.pdf"
        handbook.build(made)
        if page_texts(made) != page_texts(COLLECTION / "handbook.pdf"):
            wrong.append("handbook.pdf differs from handbook.yaml: run `make_collection.py handbook`")
    captions = {line["file"]: line["caption"] for line in read_captions()}
    for name, clip in clips.plan().items():
        if captions.get(f"clips/{name}.mp4") != clip.caption:
            wrong.append(f"captions.jsonl differs from clips.yaml for {name}: run `make_collection.py clips`")
    files = {path.relative_to(COLLECTION).as_posix() for path in COLLECTION.rglob("*.*")}
    pictured = {file for file in files if file.startswith(("pictures/", "clips/"))}
    if pictured != set(captions):
        wrong.append(f"captions.jsonl and the collection differ in {sorted(pictured ^ set(captions))}")
    return wrong


def page_texts(pdf: Path) -> list[str]:
    """The text layer of each page, "" where there is none."""
    with pdfium.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named steps in their order; 1 when `check` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "steps", nargs="+", metavar="STEP", help="pictures STAMPS, handbook, clips, queries, check"
    )
    steps = iter(parser.parse_args(arguments).steps)
    for step in steps:
        match step:
            case "pictures":
                stamps = next(steps, None) or parser.error("pictures needs the folder of the stamps corpus")
                pictures.copy(Path(stamps), COLLECTION / "pictures", DEMO / "pictures.tsv")
            case "handbook":
                handbook.build(COLLECTION / "handbook.pdf")
            case "clips":
                make_clips(COLLECTION / "clips")
            case "queries":
                make_queries(DEMO / "queries")
            case "check":
                wrong = check()
                print("\n".join(wrong) or "the stored collection is what would be made")
                if wrong:
                    return 1
            case _:
                parser.error(f"{step!r} is no step")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
