"""The bundled collection: small, of every kind, openable, and each picture's origin on record."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import av
import pypdfium2 as pdfium
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "src" / "ponder" / "demo"
COLLECTION = DEMO / "collection"
PICTURES = sorted((COLLECTION / "pictures").iterdir())
CLIPS = sorted((COLLECTION / "clips").iterdir())
NOTES = sorted((COLLECTION / "notes").iterdir())
SEARCHES = yaml.safe_load((DEMO / "searches.yaml").read_text(encoding="utf-8"))


def provenance() -> dict[str, dict[str, str]]:
    with (DEMO / "pictures.tsv").open(encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}


def captions() -> dict[str, str]:
    lines = (DEMO / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["file"]: row["caption"] for row in map(json.loads, lines)}


def inside(path: Path) -> str:
    return path.relative_to(COLLECTION).as_posix()


def handbook_texts() -> list[str]:
    with pdfium.PdfDocument(COLLECTION / "handbook.pdf") as document:
        return [page.get_textpage().get_text_range() for page in document]


def test_the_whole_demo_is_under_eight_megabytes() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 8_000_000


def test_there_are_about_150_items_of_every_kind() -> None:
    counts = {
        "image": len(PICTURES),
        "video": len(CLIPS),
        "text": len(NOTES),
        "page": len(handbook_texts()),
    }
    assert counts == {"image": 131, "video": 10, "text": 10, "page": 9}


def test_nothing_else_lies_in_the_collection() -> None:
    known = {*PICTURES, *CLIPS, *NOTES, COLLECTION / "handbook.pdf"}
    assert {path for path in COLLECTION.rglob("*") if path.is_file()} == known


def test_every_picture_opens_and_its_name_tells_nothing() -> None:
    for number, path in enumerate(PICTURES, start=1):
        assert path.stem == f"p{number:03d}"
        with Image.open(path) as picture:
            picture.load()
            assert max(picture.size) <= 256


def test_every_picture_has_its_origin_and_is_the_file_that_was_vouched_for() -> None:
    origins = provenance()
    assert set(origins) == {inside(path) for path in PICTURES}
    for path in PICTURES:
        row = origins[inside(path)]
        assert row["licence"] == "public-domain"
        assert "public domain" in row["evidence"].lower()
        assert row["source_file"]
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_picture_is_there_twice() -> None:
    digests = Counter(row["sha256"] for row in provenance().values())
    assert digests.most_common(1)[0][1] == 1


def test_every_picture_and_clip_has_a_caption_of_its_own() -> None:
    written = captions()
    assert set(written) == {inside(path) for path in [*PICTURES, *CLIPS]}
    assert len(set(written.values())) == len(written)
    assert all(caption.endswith(".") and len(caption.split()) >= 3 for caption in written.values())


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.name)
def test_every_clip_decodes_to_three_to_eight_moving_seconds(path: Path) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        rate = float(stream.average_rate or 0)
        pictures = [frame.to_image() for frame in container.decode(stream)]
    assert 8 <= rate <= 12
    assert 3 <= len(pictures) / rate <= 8
    middle = len(pictures) // 2
    assert pictures[0].size == (320, 240)
    assert pictures[middle].tobytes() != pictures[0].tobytes()


def test_every_note_is_of_a_known_kind_and_a_readable_length() -> None:
    assert {path.suffix for path in NOTES} == {".md", ".txt", ".html"}
    for path in NOTES:
        assert 150 <= len(path.read_text(encoding="utf-8").split()) <= 500


def test_the_last_page_of_the_handbook_is_a_scan_and_the_others_have_text() -> None:
    *printed, scan = handbook_texts()
    assert scan == ""
    assert all(len(text) > 200 for text in printed)


def test_the_scan_has_ink_on_it() -> None:
    with pdfium.PdfDocument(COLLECTION / "handbook.pdf") as document:
        page = document[len(document) - 1].render(scale=1).to_pil().convert("L")
    dark = sum(page.histogram()[:128])
    assert 0.01 < dark / (page.width * page.height) < 0.2


def test_the_searches_cover_every_way_of_asking() -> None:
    ways = Counter((bool(row.get("text")), bool(row.get("image"))) for row in SEARCHES)
    assert ways[True, False] >= 4
    assert ways[False, True] >= 1
    assert ways[True, True] >= 1
    assert all(row["budget"] >= 0 and row["within"] >= 1 and row["title"] and row["why"] for row in SEARCHES)
    kinds = {expected.split("/")[0].split("#")[0] for row in SEARCHES for expected in row["expect"]}
    assert kinds == {"pictures", "clips", "notes", "handbook.pdf"}


@pytest.mark.parametrize("search", SEARCHES, ids=lambda row: row["title"])
def test_what_a_search_needs_and_expects_exists(search: dict[str, object]) -> None:
    expected = search["expect"]
    assert isinstance(expected, list) and expected
    for item in expected:
        file, _, fragment = item.partition("#page=")
        assert (COLLECTION / file).is_file()
        if fragment:
            assert 1 <= int(fragment) <= len(handbook_texts())
    if "image" in search:
        query = DEMO / str(search["image"])
        with Image.open(query) as picture:
            picture.load()
        stored = {row["sha256"] for row in provenance().values()}
        assert hashlib.sha256(query.read_bytes()).hexdigest() not in stored


def test_the_stored_collection_is_what_its_makers_make() -> None:
    script = ROOT / "tools" / "make_collection.py"
    done = subprocess.run([sys.executable, str(script), "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_knowledge_searches_do_not_name_what_they_look_for() -> None:
    written = captions()
    asked = [row for row in SEARCHES if row["title"].startswith("Knowledge")]
    assert asked
    small = {"a", "an", "and", "the", "has", "her", "is", "on", "of", "with", "red", "what", "to", "its"}
    for row in asked:
        for item in row["expect"]:
            shared = set(row["text"].lower().split()) & set(written[item].lower().rstrip(".").split())
            assert shared <= small
