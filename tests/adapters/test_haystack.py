import io

import pytest
from haystack import Document, Pipeline
from haystack.components.builders import PromptBuilder
from haystack.dataclasses import ByteStream
from haystack.telemetry import _telemetry
from PIL import Image

from ponder.adapters.haystack import PonderRanker, PonderRetriever
from ponder.cascade import parse_stages
from ponder.testing import FakeModels

ALLOWED = ["ponder.adapters.haystack"]


def pipeline_on(shelf):
    pipeline = Pipeline()
    pipeline.add_component("retriever", PonderRetriever(shelf, top_k=6, budget=0))
    pipeline.add_component("ranker", PonderRanker("fake", top_k=2, budget=100, medium="file_path"))
    template = "{% for each in documents %}{{ each.content }};{% endfor %} {{ query }}"
    pipeline.add_component("prompt", PromptBuilder(template, required_variables=["documents", "query"]))
    pipeline.connect("retriever.documents", "ranker.documents")
    pipeline.connect("ranker.documents", "prompt.documents")
    return pipeline


def ask(pipeline, query):
    asked = {name: {"query": query} for name in ("retriever", "ranker", "prompt")}
    return pipeline.run(asked, include_outputs_from={"retriever", "ranker"})


def test_telemetry_is_off():
    assert _telemetry.telemetry is None


def test_a_pipeline_retrieves_reranks_and_prompts(shelf, id_of):
    got = ask(pipeline_on(shelf), "blue whale")
    found = got["ranker"]["documents"]
    assert found[0].id == id_of("whale.txt")
    assert found[0].score >= found[1].score
    assert [each.meta["rank"] for each in found] == [1, 2]
    assert got["prompt"]["prompt"].startswith("the blue whale sings under water;")
    assert 0 < got["ranker"]["tokens"]["read"] + got["ranker"]["tokens"]["written"] <= 100
    assert got["retriever"]["tokens"]["read"] == 0


def test_a_pipeline_comes_back_from_its_file(shelf):
    pipeline = pipeline_on(shelf)
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=ALLOWED)
    assert again.to_dict()["components"] == pipeline.to_dict()["components"]
    before, after = ask(pipeline, "green"), ask(again, "green")
    assert [each.id for each in after["ranker"]["documents"]] == [
        each.id for each in before["ranker"]["documents"]
    ]


def test_settings_survive_being_written():
    stages = parse_stages("retrieve:5,ecr:3")
    retriever = PonderRetriever("shelf", top_k=4, budget=9, stages=stages, filters="kind = 'text'")
    assert PonderRetriever.from_dict(retriever.to_dict()).to_dict() == retriever.to_dict()
    assert retriever.to_dict()["init_parameters"]["stages"] == "retrieve:5,ecr:3"
    ranker = PonderRanker(FakeModels(), top_k=4, budget=9, stages=stages, medium="file_path")
    assert PonderRanker.from_dict(ranker.to_dict()).to_dict() == ranker.to_dict()
    assert ranker.to_dict()["init_parameters"]["models"] == "fake"


def test_a_retriever_alone(shelf, files, id_of):
    retriever = PonderRetriever(str(shelf.path))
    retriever.warm_up()
    found = retriever.run(image=str(files / "plum.png"), top_k=1, filters="kind = 'image'")["documents"]
    assert [each.id for each in found] == [id_of("plum.png")]
    assert found[0].meta["file_path"] == str(files / "plum.png")
    assert retriever.run("red kite", budget=100)["tokens"]["read"] > 0


def test_a_ranker_passes_through_ids_and_meta(files):
    documents = [
        Document(id="w", content="the blue whale", meta={"by": "Ann"}),
        Document(id="e", content=None),
        Document(id="k", content="a red kite", meta={"by": "Bo"}),
    ]
    found = PonderRanker("fake").run("red kite", documents)["documents"]
    assert [each.id for each in found] == ["k", "w", "e"]
    assert found[0].meta["by"] == "Bo"
    assert found[2].score is None and "empty" in found[2].meta["note"]
    assert documents[2].meta == {"by": "Bo"} and documents[2].score is None
    assert PonderRanker("fake").run("red kite", [])["documents"] == []


@pytest.mark.parametrize("medium", ["blob", "file"])
def test_pictures_are_judged(files, medium):
    def picture(name):
        if medium == "file":
            return Document(id=name, meta={"file_path": str(files / name)})
        file = io.BytesIO()
        Image.open(files / name).save(file, "PNG")
        return Document(id=name, blob=ByteStream(file.getvalue(), mime_type="image/png"))

    ranker = PonderRanker("fake", medium="file_path")
    found = ranker.run("purple", [picture("meadow.png"), picture("plum.png")])["documents"]
    assert [each.id for each in found] == ["plum.png", "meadow.png"]
    assert (found[0].blob is not None) == (medium == "blob")
