"""The vendors' own clients, unmodified, against a live server."""

import base64
import io

import cohere
import httpx
import numpy as np
import openai
import pytest
from PIL import Image


@pytest.fixture
def gpt(server):
    with openai.OpenAI(base_url=f"{server}/v1", api_key="any") as client:
        yield client


def data_url(colour):
    out = io.BytesIO()
    Image.new("RGB", (20, 20), colour).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def test_openai_embeds_texts_and_counts_tokens(gpt):
    found = gpt.embeddings.create(model="fake", input=["red kite", "blue whale", "red kite"])
    rows = np.array([each.embedding for each in found.data])
    assert [each.index for each in found.data] == [0, 1, 2]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(rows[0], rows[2])
    assert rows[0] @ rows[1] < 0.99
    assert found.usage.total_tokens == found.usage.prompt_tokens > 0


def test_openai_gets_floats_and_base64_alike_and_fewer_dimensions(gpt):
    text = " ".join(f"word{number}" for number in range(80))
    floats = gpt.embeddings.create(model="fake", input=text, encoding_format="float")
    packed = gpt.embeddings.create(model="fake", input=text)  # its client asks for base64
    np.testing.assert_allclose(floats.data[0].embedding, packed.data[0].embedding, rtol=1e-6)
    short = gpt.embeddings.create(model="fake", input=text, dimensions=8).data[0].embedding
    whole = np.array(floats.data[0].embedding[:8])
    np.testing.assert_allclose(short, whole / np.linalg.norm(whole), rtol=1e-5)


def test_openai_gets_errors_that_it_understands(gpt):
    with pytest.raises(openai.BadRequestError, match="tokens instead of text"):
        gpt.embeddings.create(model="fake", input=[[1, 2, 3]])
    with pytest.raises(openai.BadRequestError, match="dimensions"):
        gpt.embeddings.create(model="fake", input="x", dimensions=60_000)
    with pytest.raises(openai.UnprocessableEntityError):
        gpt.embeddings.create(model="fake", input="x", encoding_format="pickle")
    assert [each.id for each in gpt.models.list()] == ["fake"]


def test_pictures_as_vllm_and_jina_take_them(client):
    url = data_url("red")
    content = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": url}}]
    asked = [{"messages": [{"role": "user", "content": content}]}, {"input": [{"text": "x", "image": url}]}]
    one, other = (client.post("/v1/embeddings", json={"model": "fake", **each}).json() for each in asked)
    assert one["data"][0]["embedding"] == other["data"][0]["embedding"]
    blue = client.post("/v1/embeddings", json={"input": {"text": "x", "image": data_url("blue")}}).json()
    assert blue["data"][0]["embedding"] != one["data"][0]["embedding"] or one["usage"] == blue["usage"]


def test_documents_are_reasoned_about(client):
    asked = {"input": ["a red kite"], "input_type": "document"}
    document = client.post("/v1/embeddings", json=asked).json()
    query = client.post("/v1/embeddings", json={"input": ["a red kite"]}).json()
    assert document["usage"]["total_tokens"] > query["usage"]["total_tokens"]


@pytest.mark.parametrize("version", [1, 2])
def test_cohere_reranks_within_the_budget(server, version):
    kind = cohere.Client if version == 1 else cohere.ClientV2
    documents = ["a blue whale", "a red kite", "an oak"]
    with httpx.Client(timeout=60) as http:
        client = kind(api_key="any", base_url=server, httpx_client=http)
        found = client.rerank(model="fake", query="red kite", documents=documents, top_n=2)
    assert found.results[0].index == 1
    assert len(found.results) == 2
    scores = [each.relevance_score for each in found.results]
    assert scores == sorted(scores, reverse=True)
    assert found.meta.tokens.input_tokens + found.meta.tokens.output_tokens <= 512


def test_jina_reranks_pictures_and_gets_documents_back(client):
    documents = [{"text": "a blue whale"}, {"image": data_url("red")}, "a red kite"]
    asked = {
        "model": "fake",
        "query": "red kite",
        "documents": documents,
        "return_documents": True,
        "budget": 64,
    }
    found = client.post("/v1/rerank", json=asked).json()
    assert sorted(each["index"] for each in found["results"]) == [0, 1, 2]
    assert found["results"][0]["document"] == {"text": "a red kite"}
    assert found["usage"]["total_tokens"] <= 64
    free = client.post("/v1/rerank", json={**asked, "budget": 0}).json()
    assert free["usage"]["total_tokens"] == 0
