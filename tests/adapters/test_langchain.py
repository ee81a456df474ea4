import asyncio

import pytest
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from PIL import Image

from ponder import Query
from ponder.adapters.langchain import PonderCompressor, PonderRetriever
from ponder.errors import InputInvalid, InputNotFound
from ponder.testing import FakeModels


def test_a_retriever_finds_what_the_shelf_finds(shelf, id_of):
    documents = PonderRetriever(shelf=shelf, k=3, budget=200).invoke("red kite")
    ranking = shelf.search("red kite", k=3, budget=200)
    assert [each.id for each in documents] == [hit.item.id for hit in ranking]
    first = documents[0]
    assert first.id == first.metadata["id"] == id_of("kite.txt")
    assert first.page_content == "a red kite over the hills"
    assert (first.metadata["rank"], first.metadata["score"]) == (1, ranking.hits[0].score)
    assert first.metadata["uri"].endswith("/kite.txt")
    assert first.metadata["reasoning"] == ranking.hits[0].reason
    assert 0 < first.metadata["tokens"]["read"] + first.metadata["tokens"]["written"] <= 200


def test_a_passage_of_a_long_text_is_the_content(shelf, id_of):
    first = PonderRetriever(shelf=shelf, k=1, budget=0).invoke("harbour crane lifts crates")[0]
    assert first.id == id_of("harbour.txt")
    assert 0 < len(first.page_content) < 1300
    assert first.metadata["part"].startswith("chars=")


def test_a_path_a_filter_stages_and_plain_retrieval(shelf):
    retriever = PonderRetriever(
        shelf=str(shelf.path), k=5, budget=0, stages="retrieve:5", filter="kind = 'image'"
    )
    found = retriever.invoke("green")
    assert {each.metadata["kind"] for each in found} == {"image"}
    assert len(found) == 2
    assert found[0].metadata["tokens"]["read"] == 0


def test_a_picture_is_asked_for(shelf, files, id_of):
    found = PonderRetriever(shelf=shelf, k=1).invoke(Query(image=str(files / "plum.png")))
    assert found[0].id == id_of("plum.png")
    assert found[0].metadata["path"] == str(files / "plum.png")


def test_a_chain_answers_from_what_was_found(shelf):
    retriever = PonderRetriever(shelf=shelf, k=1)
    prompt = ChatPromptTemplate.from_template("{context} | {question}")
    chain = (
        {
            "context": retriever | (lambda found: found[0].page_content),
            "question": RunnablePassthrough(),
        }
        | prompt
        | RunnableLambda(lambda value: value.to_messages()[0])
        | StrOutputParser()
    )
    assert chain.invoke("blue whale") == "the blue whale sings under water | blue whale"


def test_many_at_once_and_asynchronously(shelf, id_of):
    retriever = PonderRetriever(shelf=shelf, k=1)
    asked = ["red kite", "blue whale", "green tea"] * 4
    wanted = [id_of(name) for name in ("kite.txt", "whale.txt", "tea.txt")] * 4
    assert [found[0].id for found in retriever.batch(asked)] == wanted
    assert [found[0].id for found in asyncio.run(retriever.abatch(asked))] == wanted


def test_what_is_wrong_is_told(tmp_path, shelf):
    with pytest.raises(InputNotFound, match="there is no shelf"):
        PonderRetriever(shelf=str(tmp_path / "nosuch")).invoke("kite")
    with pytest.raises(InputInvalid, match="empty query"):
        PonderRetriever(shelf=shelf).invoke("  ")
    with pytest.raises(ValueError, match="bugdet"):
        PonderRetriever(shelf=shelf, bugdet=3)


def test_a_compressor_reranks_and_passes_through_what_it_does_not_know():
    documents = [
        Document(id="w", page_content="the blue whale sings", metadata={"author": "Ann"}),
        Document(id="e", page_content="  "),
        Document(id="k", page_content="a red kite", metadata={"author": "Bo", "score": 0.1}),
    ]
    found = PonderCompressor(models=FakeModels(), budget=100).compress_documents(documents, "red kite")
    assert [each.id for each in found] == ["k", "w", "e"]
    assert [each.metadata["rank"] for each in found] == [1, 2, 3]
    assert found[0].metadata["author"] == "Bo"
    assert found[0].metadata["score"] > found[1].metadata["score"]
    assert found[2].metadata["score"] is None
    assert "empty" in found[2].metadata["note"]
    assert documents[2].metadata == {"author": "Bo", "score": 0.1}
    assert PonderCompressor(models="fake").compress_documents([], "red kite") == []


def test_a_compressor_in_a_chain_after_a_retriever(shelf, files, id_of):
    retriever = PonderRetriever(shelf=shelf, k=6, budget=0)
    compressor = PonderCompressor(models="fake", top_n=2, medium="path")
    chain = RunnablePassthrough.assign(documents=lambda asked: retriever.invoke(asked["query"])) | (
        lambda got: compressor.compress_documents(got["documents"], got["query"])
    )
    found = chain.invoke({"query": "purple"})
    assert len(found) == 2
    assert found[0].id == id_of("plum.png")
    again = asyncio.run(compressor.acompress_documents(found, "purple"))
    assert [each.id for each in again] == [each.id for each in found]


@pytest.mark.parametrize(("medium", "first"), [("picture", "b"), (None, "a")])
def test_pictures_are_judged_only_when_asked_for(medium, first):
    documents = [
        Document(
            id="a", page_content="a thing", metadata={"picture": Image.new("RGB", (8, 8), (20, 20, 220))}
        ),
        Document(
            id="b", page_content="a thing", metadata={"picture": Image.new("RGB", (8, 8), (220, 20, 20))}
        ),
    ]
    found = PonderCompressor(models="fake", medium=medium).compress_documents(documents, "red thing")
    assert found[0].id == first
