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
from PIL import Image, ImageChops, ImageOps, ImageStat

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "src" / "ponder" / "demo"
COLLECTION = DEMO / "collection"
CAPTIONS = DEMO / "captions.jsonl"

# Mean difference of a channel, of 255, that encoding may cause: at most 3.5 in today's clips, 4.8 in the
# query pictures. An actor that is missing or elsewhere gives more in some frame; a shift of a pixel or two
# goes unseen.
ENCODING_LOSS = 6.0

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


def query_pictures() -> dict[str, Image.Image]:
    """The pictures that the demo searches with: cropped and mirrored, by file name."""
    made = {}
    for file, picture, (left, top, right, bottom) in QUERIES:
        original = Image.open(next((COLLECTION / "pictures").glob(f"{picture}.*"))).convert("RGB")
        width, height = original.size
        box = (round(left * width), round(top * height), round(right * width), round(bottom * height))
        made[file] = ImageOps.mirror(original.crop(box))
    return made


def read_captions(file: Path = CAPTIONS) -> list[dict[str, str]]:
    """The lines of captions.jsonl."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def check(demo: Path = DEMO) -> list[str]:
    """What is stored but would be made differently, a line each.

    The handbook is compared by its pages' text layers, clips and query pictures by their pixels within
    what encoding loses (`ENCODING_LOSS`): the bytes of MP4 and JPEG depend on the encoder's version. The
    scan's pixels are not compared.

    Args:
        demo: The folder to check: collection/, queries/, captions.jsonl.
    """
    collection = demo / "collection"
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "handbook.pdf"
        handbook.build(made)
        if page_texts(made) != page_texts(collection / "handbook.pdf"):
            wrong.append("handbook.pdf differs from handbook.yaml: run `make_collection.py handbook`")
    captions = {line["file"]: line["caption"] for line in read_captions(demo / "captions.jsonl")}
    for name, clip in clips.plan().items():
        file = f"clips/{name}.mp4"
        if captions.get(file) != clip.caption:
            wrong.append(f"captions.jsonl differs from clips.yaml for {name}: run `make_collection.py clips`")
        stored = clips.decoded(collection / file)
        planned = list(clips.frames(clip, collection / "pictures"))
        if len(stored) != len(planned) or not all(map(alike, stored, planned)):
            wrong.append(f"{file} differs from clips.yaml: run `make_collection.py clips`")
    for name, picture in query_pictures().items():
        if not alike(Image.open(demo / "queries" / name).convert("RGB"), picture):
            wrong.append(f"queries/{name} differs from its recipe: run `make_collection.py queries`")
    files = {path.relative_to(collection).as_posix() for path in collection.rglob("*.*")}
    pictured = {file for file in files if file.startswith(("pictures/", "clips/"))}
    if pictured != set(captions):
        wrong.append(f"captions.jsonl and the collection differ in {sorted(pictured ^ set(captions))}")
    return wrong


def alike(stored: Image.Image, made: Image.Image) -> bool:
    """Whether two pictures are the same but for encoding: size, and mean difference of the channels."""
    if stored.size != made.size:
        return False
    return max(ImageStat.Stat(ImageChops.difference(stored, made)).mean) <= ENCODING_LOSS


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
                for name, picture in query_pictures().items():
                    picture.save(DEMO / "queries" / name, quality=88)
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
