"""The adapter that comes with lite."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from ponder.errors import InputNotFound
from ponder.evaluate.beir import load_beir
from ponder.presets.lite import ADAPTERS, LiteModels
from ponder.testing.examples import picture_content, text_content

FOLDER = ADAPTERS["drawings"]
MAKER = Path(__file__).parents[2] / "tools" / "make_drawings_adapter.py"


def test_it_is_what_its_card_says():
    card = (FOLDER / "README.md").read_text("utf-8")
    told = re.search(r"sha256 `([0-9a-f]{64})`", card)
    assert told is not None
    assert hashlib.sha256((FOLDER / "adapter.safetensors").read_bytes()).hexdigest() == told[1]
    assert "public domain" in card
    assert "python tools/make_drawings_adapter.py" in card


def test_it_is_chosen_by_name_and_keeps_what_was_measured_of_judges():
    models, plain = LiteModels(adapter="drawings"), LiteModels()
    assert models.name == "lite,adapter=drawings"
    assert models.adapter is not None
    assert models.embedder.fingerprint == f"{plain.embedder.fingerprint}/{models.adapter.fingerprint}"
    assert models.calibration is not None
    assert models.calibration.embedder == models.embedder.fingerprint


def test_what_is_no_name_is_a_folder(tmp_path):
    with pytest.raises(InputNotFound, match="no adapter here"):
        LiteModels(adapter=str(tmp_path / "drawings"))


def test_it_is_made_of_what_may_be_passed_on(tmp_path):
    stamps = tmp_path / "stamps"
    (stamps / "qrels").mkdir(parents=True)
    (stamps / "images").mkdir()
    for name in "abc":
        (stamps / "images" / f"{name}.png").write_bytes(name.encode())
    rows = [{"_id": name, "image": f"images/{name}.png"} for name in "abc"]
    (stamps / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    asked = [{"_id": f"q{name}", "text": name} for name in "abc"]
    (stamps / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in asked))
    (stamps / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nqa\ta\t1\nqb\tb\t1\n")
    (stamps / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nqc\tc\t1\n")
    (stamps / "redistributable.txt").write_text("a\nc\n")
    told = runpy.run_path(str(MAKER))
    told["allowed"](stamps, tmp_path / "made")
    made = load_beir(tmp_path / "made", split="train")
    assert [item.id for item in made.items] == ["a"]
    assert [each.query.id for each in made.queries] == ["qa"]
    assert [file.name for file in (tmp_path / "made" / "images").iterdir()] == ["a.png"]


@pytest.mark.lite
def test_pictures_get_other_vectors_and_queries_the_same():
    models, plain = LiteModels(adapter="drawings"), LiteModels()
    shown, asked = picture_content((200, 30, 30)), text_content("a windmill")
    query, same = (each.embedder.embed_queries([asked], [None]) for each in (models, plain))
    np.testing.assert_array_equal(query, same)
    said = models.reasoner.reason([shown], role="document", tokens=models.reason_tokens)
    one, other = (each.embedder.embed_documents([shown], said)[0].vectors for each in (models, plain))
    assert not np.allclose(one, other)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1.0, atol=1e-5)
