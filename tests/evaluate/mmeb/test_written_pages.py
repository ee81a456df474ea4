"""Page pictures come out of their tables once, whole, and never from other data."""

import io
import shutil

import PIL.Image
import pytest
from benchmark_data import change, parsed, tiny

from ponder.errors import InputInvalid
from ponder.evaluate.mmeb.asking import asking
from ponder.evaluate.mmeb.loading import load
from ponder.evaluate.mmeb.tasks import task_named
from ponder.media.content import open_content
from ponder.testing.mmeb.things import drawn

CORPUS = "hf/vidore/arxivqa_test_subsampled_beir/corpus/test-00000-of-00001.parquet"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("PONDER_CACHE", str(tmp_path / "cache"))
    return tiny(tmp_path / "data")


def pixels(file):
    with PIL.Image.open(file) as image:
        return image.convert("RGB").tobytes()


def shown(loaded):
    """From a page's name to its picture's pixels."""
    return {each.name: pixels(loaded.root / each.side.media[0]) for each in loaded.parsed.candidates}


def test_pages_are_the_pictures_of_the_table_under_the_official_names(data):
    loaded = load(data, task_named("ViDoRe_arxivqa"))
    assert not loaded.root.is_relative_to(data)
    assert loaded.parsed.candidates[0].side.media == ("data_basedir/visdoc-tasks/ViDoRe_arxivqa/0.png",)
    for number, there in shown(loaded).items():
        assert there == pixels(io.BytesIO(drawn(number, kind="PNG")))


def test_names_that_end_in_jpg_are_jpegs_as_officially(data):
    loaded = load(data, task_named("VisRAG_ChartQA"))
    with PIL.Image.open(loaded.root / loaded.parsed.candidates[0].side.media[0]) as image:
        assert image.format == "JPEG"


def test_parsing_alone_writes_nothing(data, tmp_path):
    parsed(data, "ViDoRe_arxivqa")
    assert not (tmp_path / "cache").exists()


def test_a_second_time_nothing_is_written_and_lost_pages_come_back(data):
    loaded = load(data, task_named("ViDoRe_arxivqa"))
    file = loaded.root / loaded.parsed.candidates[0].side.media[0]
    before = file.stat().st_mtime_ns
    seen = []
    assert load(data, task_named("ViDoRe_arxivqa"), advance=lambda *at: seen.append(at)).root == loaded.root
    assert (file.stat().st_mtime_ns, seen) == (before, [])
    # As if killed before the end: no mark, a page missing.
    file.unlink()
    file.parent.with_name(f"{file.parent.name}.complete").unlink()
    load(data, task_named("ViDoRe_arxivqa"), advance=lambda *at: seen.append(at))
    assert file.exists() and seen[-1] == (5, 5)


def test_pages_of_other_data_are_never_used(data):
    before = load(data, task_named("ViDoRe_arxivqa"))
    stale = data / "data_basedir/visdoc-tasks/ViDoRe_arxivqa/0.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(drawn(9, kind="PNG"))

    def turned(rows):
        return [row | {"image": rows[-1 - at]["image"]} for at, row in enumerate(rows)]

    change(data / CORPUS, turned)
    after = load(data, task_named("ViDoRe_arxivqa"))
    assert after.root != before.root
    assert list(shown(after).values()) == list(shown(before).values())[::-1]


def test_a_broken_page_is_named(data):
    change(data / CORPUS, lambda rows: [rows[0] | {"image": {"bytes": b"none", "path": None}}, *rows[1:]])
    with pytest.raises(InputInvalid, match="page 0"):
        load(data, task_named("ViDoRe_arxivqa"))


def test_every_task_is_ready_to_be_run(data):
    shutil.rmtree(data / "hf" / "VLM2Vec" / "QVHighlight")
    for name in ("ViDoRe_arxivqa", "RefCOCO-Matching", "MSVD", "MomentSeeker", "NExTQA"):
        task = task_named(name)
        loaded = load(data, task)
        ready = asking(name, loaded.parsed, loaded.root, local=task.local)
        for item in ready.items:
            content = open_content(item, ready.limits)
            assert bool(content.images) == (item.kind != "text"), name
