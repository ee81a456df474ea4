import asyncio

import pytest
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, QueryBundle, TextNode

from ponder.adapters.llama_index import PonderPostprocessor, PonderRetriever
from ponder.errors import BadArguments


def test_a_retriever_finds_what_the_shelf_finds(shelf, id_of):
    found = PonderRetriever(shelf, k=3, budget=200).retrieve("red kite")
    ranking = shelf.search("red kite", k=3, budget=200)
    assert [each.node.node_id for each in found] == [hit.item.id for hit in ranking]
    assert [each.score for each in found] == [hit.score for hit in ranking]
    node = found[0].node
    assert node.node_id == id_of("kite.txt")
    assert node.get_content(MetadataMode.NONE) == "a red kite over the hills"
    # A language model sees where the words come from, and no scores.
    shown = node.get_content(MetadataMode.LLM)
    assert "uri: " in shown and "kite.txt" in shown
    assert "score" not in shown and "tokens" not in shown


def test_pictures_are_image_nodes_and_are_asked_for(shelf, files, id_of):
    retriever = PonderRetriever(str(shelf.path), k=1, filter="kind = 'image'")
    asked = QueryBundle("", image_path=str(files / "plum.png"))
    [found] = asyncio.run(retriever.aretrieve(asked))
    assert isinstance(found.node, ImageNode)
    assert found.node.image_path == str(files / "plum.png")
    assert found.node.node_id == id_of("plum.png")


def test_a_query_engine_answers_from_what_was_found_and_reranked(shelf):
    engine = RetrieverQueryEngine(
        PonderRetriever(shelf, k=4, budget=0),
        get_response_synthesizer(llm=MockLLM()),
        node_postprocessors=[PonderPostprocessor(models="fake", top_n=1, budget=100)],
    )
    answer = engine.query("blue whale")
    # The mock repeats its prompt, which holds the one node that the postprocessor left.
    assert "the blue whale sings under water" in str(answer)
    assert "red kite" not in str(answer)
    assert len(answer.source_nodes) == 1
    assert answer.source_nodes[0].node.metadata["rank"] == 1


def test_a_postprocessor_passes_through_ids_and_metadata():
    nodes = [
        NodeWithScore(node=TextNode(id_="w", text="the blue whale", metadata={"by": "Ann"}), score=0.9),
        NodeWithScore(node=TextNode(id_="e", text=""), score=0.8),
        NodeWithScore(node=TextNode(id_="k", text="a red kite", metadata={"by": "Bo"}), score=0.7),
    ]
    found = PonderPostprocessor(models="fake").postprocess_nodes(nodes, query_str="red kite")
    assert [each.node.node_id for each in found] == ["k", "w", "e"]
    assert found[0].node.metadata["by"] == "Bo"
    assert found[0].score > found[1].score
    assert found[2].score is None and "empty" in found[2].node.metadata["note"]
    assert nodes[2].node.metadata == {"by": "Bo"}
    assert found[0].node.get_content(MetadataMode.LLM) == "by: Bo\n\na red kite"


@pytest.mark.parametrize(("pictures", "first"), [(True, "p"), (False, "g")])
def test_pictures_are_judged_only_when_asked_for(files, pictures, first):
    nodes = [
        NodeWithScore(node=ImageNode(id_="g", text="thing", image_path=str(files / "meadow.png"))),
        NodeWithScore(node=ImageNode(id_="p", text="thing", image_path=str(files / "plum.png"))),
    ]
    reranker = PonderPostprocessor(models="fake", pictures=pictures)
    assert reranker.postprocess_nodes(nodes, query_str="purple thing")[0].node.node_id == first


def test_a_postprocessor_needs_a_query():
    with pytest.raises(BadArguments, match="no query"):
        PonderPostprocessor(models="fake").postprocess_nodes([NodeWithScore(node=TextNode(text="a"))])
    assert PonderPostprocessor(models="fake").postprocess_nodes([], query_str="a") == []
