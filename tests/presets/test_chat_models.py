"""Each family, tiny and random, indexes and searches every kind of thing through the whole cascade."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ponder.errors import BadArguments, InputInvalid, InputNotFound, ModelInvalid
from ponder.models import registry
from ponder.presets.reading import packaged, read
from ponder.shelf import open_shelf
from ponder.testing.contracts import ModelsContract
from ponder.testing.tiny import FAMILIES
from ponder.testing.tiny_embedder import make_tiny_embedder

SEEING = [family for family in FAMILIES if family != "llama"]

PRESET = """
name: tiny
engines: {one: {model: MODEL, max_pixels: 10000, frames: 2, dtype: float32, device: cpu}}
reasoner: {engine: one, trace: 0.5, frames: 2, words: 60}
embedder: {kind: backbone, engine: one, format: {frames: 2, words: 60}}
judges:
  ecr: {engine: one, question: p-true, shows: reasoning, words: 40}
  query-aware:
    {engine: one, question: yes-no, shows: media, words: 40, frames: 2, musing: {engine: one, answer: 24}}
  listwise: {engine: one, question: listwise, shows: reasoning, words: 20}
reason_tokens: 16
"""


@pytest.fixture(scope="session")
def presets(tiny_folder, tmp_path_factory):
    """From a family to a preset's file over its tiny model."""
    made = {}

    def give(family):
        if family not in made:
            made[family] = tmp_path_factory.mktemp("preset") / f"{family}.yaml"
            made[family].write_text(PRESET.replace("MODEL", json.dumps(str(tiny_folder(family)))))
        return str(made[family])

    return give


@pytest.fixture(scope="session")
def things(tmp_path_factory):
    """A folder with a picture, a page, a clip and a text."""
    import av
    from reportlab.pdfgen.canvas import Canvas

    folder = tmp_path_factory.mktemp("things")
    Image.new("RGB", (80, 60), (200, 30, 30)).save(folder / "red.png")
    (folder / "cello.txt").write_text("The cello is an instrument that is played sitting down.")
    page = Canvas(str(folder / "page.pdf"), pagesize=(200, 200))
    page.drawString(20, 100, "Invoice for one crane")
    page.save()
    with av.open(str(folder / "clip.mp4"), "w") as clip:
        stream = clip.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(12):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 64), (20, 20, 20 * number)))
            clip.mux(stream.encode(frame))
        clip.mux(stream.encode(None))
    return folder


@pytest.mark.parametrize("family", SEEING)
def test_a_family_goes_through_the_whole_cascade(presets, things, tmp_path, family):
    shelf = open_shelf(tmp_path / "shelf", models=presets(family))
    report = shelf.add(things)
    assert (report.added, report.skipped) == (4, ())
    ranking = shelf.search("a red thing", budget=4000, stages="retrieve:4,ecr:4,query-aware:2", k=4)
    assert sorted(Path(hit.item.uri).name.partition("#")[0] for hit in ranking) == [
        "cello.txt",
        "clip.mp4",
        "page.pdf",
        "red.png",
    ]
    assert 0 < ranking.usage.spent <= 4000
    assert {"ecr", "query-aware"} <= set(ranking.by_stage)
    judged = [stage for hit in ranking for stage in hit.stages if stage.name == "query-aware"]
    assert sum(stage.score is not None for stage in judged) == 2
    # Nonsense may be short, even nothing; but no prompt was refused and no picture left out.
    notes = {stage.note for hit in ranking for stage in hit.stages}
    assert notes <= {"", "thought cut", "no verdict could be read: nothing is stored of it"}


def test_what_a_short_context_hides_is_recorded(presets, things, tmp_path):
    # Pages and clips lose pictures or area before any word goes; the rule is fitting's.
    name = presets("qwen2-vl") + ",engines.one.context=215,engines.one.max_pixels=78000"
    shelf = open_shelf(tmp_path / "shelf", models=name)
    assert shelf.add(things).added == 4
    ranking = shelf.search("red", budget=4000, stages="retrieve:4,ecr:4,query-aware:4", k=4)
    notes = {hit.item.kind: {stage.name: stage.note for stage in hit.stages} for hit in ranking}
    assert "reasoned about in part: a picture shrunk to 1/" in notes["page"]["retrieve"]
    assert "a picture shrunk to 1/" in notes["page"]["query-aware"]
    assert not notes["text"]["retrieve"]
    [page] = [hit.item.id for hit in ranking if hit.item.kind == "page"]
    assert "shrunk" in shelf.get([page])[0].reasoning.cut


def test_an_answer_that_is_not_one_token_ends_the_search_whatever_is_allowed(presets, things, tmp_path):
    name = presets("llama") + ',embedder.pooling=mean,judges.ecr.answers=["certainly so", "no"]'
    shelf = open_shelf(tmp_path / "shelf", models=name)
    shelf.add(things / "cello.txt")
    with pytest.raises(InputInvalid, match=r"'certainly so' is \d+ tokens .*ask for another word"):
        shelf.search("a cello", budget=4000, stages="retrieve,ecr", on_fault="keep")


def test_a_small_seer_under_embedding_gemma(presets, things, tmp_path):
    embedder = json.dumps(str(make_tiny_embedder(tmp_path / "gemma")))
    laptop = tmp_path / "laptop.yaml"
    laptop.write_text(
        f"base: {presets('smolvlm')}\nembedder: {{kind: sentence, model: {embedder}, dtype: float32}}\n"
    )
    shelf = open_shelf(tmp_path / "shelf", models=str(laptop))
    assert shelf.add(things).added == 4
    ranking = shelf.search("a red thing", budget=3000, k=4)
    assert len(ranking.hits) == 4
    assert 0 < ranking.usage.spent <= 3000


def test_a_second_search_and_a_second_shelf_say_the_same(presets, things, tmp_path):
    rankings = []
    for name in ("one", "two"):
        shelf = open_shelf(tmp_path / name, models=presets("qwen3-vl"))
        shelf.add(things)
        ranking = shelf.search("a red thing", budget=3000, k=4)
        rankings.append([(hit.item.id, hit.score) for hit in ranking])
    assert rankings[0] == rankings[1]


class TestLlama(ModelsContract):
    @pytest.fixture
    def models(self, presets):
        name = (
            presets("llama") + ",embedder.pooling=mean,embedder.format.document=It,embedder.format.query=It"
        )
        return registry.load(name)


@pytest.mark.parametrize("name", packaged())
def test_a_packaged_preset_is_registered_and_built_without_its_weights(name):
    assert name in registry.names()
    assert read(name).name == name
    models = registry.load(name)
    assert models.name == name
    assert {"ecr", "query-aware"} <= set(models.preset.judges)


def test_a_file_may_build_on_another(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("base: qwen3-vl-2b\nname: mine\nengines: {judge: {model: /models/judge}}\n")
    preset = read(f"{mine},reason_tokens=99")
    assert preset.engines["judge"].model == "/models/judge"
    assert preset.engines["judge"].context == read("qwen3-vl-2b").engines["judge"].context
    assert preset.reason_tokens == 99


@pytest.mark.parametrize(
    ("told", "error", "says"),
    [
        ("no-such.yaml", InputNotFound, "no such preset"),
        ("laptop,reason_tokens", BadArguments, "PART.FIELD=VALUE"),
        ("laptop,embedder.dim=[1", BadArguments, "values are as in YAML"),
        ("laptop,reason_tokens=soon", InputInvalid, "reason_tokens"),
        ("laptop,reasoner.engine=big", InputInvalid, "no engine 'big'"),
        ("laptop,embedder.size=7", InputInvalid, "size"),
    ],
)
def test_what_cannot_be_read_is_said(told, error, says):
    with pytest.raises(error, match=says):
        registry.load(told)


def test_items_are_reasoned_about_together_and_a_bad_one_alone(tmp_path):
    from ponder.index.cache import Cache
    from ponder.reason.chat import ChatReasoner
    from ponder.records import Item, Row
    from ponder.shelf.ingest import Ingest
    from ponder.testing import FakeEngine, FakeModels

    calls = []

    class Counting(FakeEngine):
        def write(self, prompts, effort):
            calls.append(len(prompts))
            return super().write(prompts, effort)

    models = FakeModels()
    models.reasoner = ChatReasoner(Counting(failing="poison"))
    models.reason_batch = 4
    texts = ["a cello", "soup", "poison ivy", "a crane", "a bow", "ginger"]
    items = [Item(str(i), "text", text=text) for i, text in enumerate(texts)]
    ingest = Ingest(models, Cache(tmp_path / "cache.sqlite"))
    rows = list(ingest.rows(items))
    assert calls == [4, 1, 1, 1, 1, 2]
    assert [isinstance(row, Row) for row in rows] == [True, True, False, True, True, True]
    assert "made to fail" in rows[2].error
    assert ingest.usage.written > 0
    assert ingest.usage.cached == 0
    again = Ingest(models, ingest.cache)
    assert [row.reasoning.text for row in again.rows(items[:2])] == [row.reasoning.text for row in rows[:2]]
    assert again.usage.written == 0
    assert again.usage.cached > 0


@pytest.mark.parametrize(("part", "says"), [("engines.one", "no tokenizer"), ("embedder", "not an embed")])
def test_a_model_that_cannot_be_used_is_said_once_and_not_of_each_file(presets, things, tmp_path, part, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text('{"model_type": "llama"}')
    name = f"{presets('llama')},{part}.model={tmp_path / 'empty'}"
    if part == "embedder":
        (tmp_path / "empty" / "config.json").write_text("{}")
        name = f"{presets('llama')},embedder={{kind: sentence, model: {tmp_path / 'empty'}}}"
    with pytest.raises(ModelInvalid, match=says):
        open_shelf(tmp_path / "shelf", models=name).add(things / "cello.txt")


def test_a_preset_takes_what_it_does_not_say_from_another_set(tmp_path, tiny_folder):
    mine = tmp_path / "mine.yaml"
    model = json.dumps(str(tiny_folder("llama")))
    mine.write_text(f"name: mine\nparts_of: fake\nembedder: {{kind: sentence, model: {model}}}\n")
    models, fake = registry.load(str(mine)), registry.load("fake")
    assert models.reasoner.fingerprint == fake.reasoner.fingerprint
    assert {k: each.fingerprint for k, each in models.rerankers.items()} == {
        k: each.fingerprint for k, each in fake.rerankers.items()
    }
    assert models.embedder.fingerprint != fake.embedder.fingerprint
    own = f"engines: {{one: {{model: {model}}}}}\njudges: {{ecr: {{engine: one}}}}\n"
    mine.write_text(mine.read_text() + own)
    ecr, aware = (registry.load(str(mine)).rerankers[name].fingerprint for name in ("ecr", "query-aware"))
    assert ecr != fake.rerankers["ecr"].fingerprint
    assert aware == fake.rerankers["query-aware"].fingerprint
    mine.write_text(mine.read_text().replace("parts_of: fake\n", ""))
    with pytest.raises(InputInvalid, match="no reasoner"):
        read(str(mine))
    # A judge alone is enough, where all else is another set's; a folder that holds it stands for the file.
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "preset.yaml").write_text(f"name: judge\nparts_of: fake\n{own}")
    judge = registry.load(str(tmp_path / "out"))
    assert judge.embedder.fingerprint == fake.embedder.fingerprint
    assert judge.rerankers["ecr"].fingerprint == ecr
    assert registry.load(f"{tmp_path / 'out'},reason_tokens=7").reason_tokens == 7
    (tmp_path / "out" / "preset.yaml").write_text(f"name: judge\nreasoner: {{engine: one}}\n{own}")
    with pytest.raises(InputInvalid, match="no embedder"):
        registry.load(str(tmp_path / "out"))
