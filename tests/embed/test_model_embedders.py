"""Embedders over chat models and over sentence-transformers keep the contract."""

from dataclasses import replace

import numpy as np
import pytest

from ponder.embed.backbone import BackboneEmbedder
from ponder.embed.conditioned import Format, document_inputs
from ponder.embed.sentence import SentenceEmbedder
from ponder.errors import BadArguments, InputInvalid, MissingDependency
from ponder.models import weights
from ponder.models.local.engine import LocalEngine
from ponder.models.local.heads import POOLINGS
from ponder.records import Reasoning
from ponder.testing.contracts import EmbedderContract
from ponder.testing.examples import clip_content, contents_of_every_kind, picture_content, text_content
from ponder.testing.tiny import FAMILIES
from ponder.testing.tiny_embedder import make_tiny_embedder

SEEING = [family for family in FAMILIES if family != "llama"]


ALIKE = Format(document="Represent it.", query="Represent it.")


class RandomContract(EmbedderContract):
    def test_a_text_is_nearest_to_itself(self, embedder):
        # Random weights know nothing of what reasoning says, but equal inputs have equal vectors.
        super().test_a_text_is_nearest_to_itself(embedder, reasoned=False)


class TestBackbone(RandomContract):
    @pytest.fixture(params=SEEING)
    def embedder(self, request, tiny_folder):
        return BackboneEmbedder(LocalEngine(str(tiny_folder(request.param))), form=ALIKE)


class TestHeads(RandomContract):
    @pytest.fixture(params=POOLINGS)
    def embedder(self, request, tiny_folder):
        return BackboneEmbedder(LocalEngine(str(tiny_folder("qwen3-vl"))), pooling=request.param, form=ALIKE)


class TestSentence(RandomContract):
    @pytest.fixture(params=FAMILIES)
    def embedder(self, request, tiny_folder):
        return SentenceEmbedder(str(tiny_folder(request.param)), dtype="float32")


@pytest.fixture(scope="session")
def gemma(tmp_path_factory):
    return str(make_tiny_embedder(tmp_path_factory.mktemp("gemma")))


class TestEmbeddingGemma(RandomContract):
    @pytest.fixture
    def embedder(self, gemma):
        return SentenceEmbedder(gemma, dtype="float32")

    def test_pictures_and_matryoshka(self, embedder, gemma):
        red, blue = (picture_content(rgb) for rgb in ((200, 20, 20), (20, 20, 200)))
        rows = embedder.embed_queries([red, blue], [None, None])
        assert not np.allclose(rows[0], rows[1])
        short = SentenceEmbedder(gemma, dim=8).embed_queries([red], [None])
        assert short.shape == (1, 8)
        np.testing.assert_allclose(short[0], rows[0][:8] / np.linalg.norm(rows[0][:8]), atol=1e-4)


@pytest.mark.lite
class TestMiniLM(EmbedderContract):
    @pytest.fixture
    def embedder(self):
        return SentenceEmbedder(str(weights.ensure("minilm")))


@pytest.mark.lite
def test_any_sentence_transformers_model_finds_by_meaning():
    embedder = SentenceEmbedder(str(weights.ensure("minilm")))
    texts = [text_content(text) for text in ("a cello in the orchestra", "carrot soup", "a crane of steel")]
    stored = [each.vectors[0] for each in embedder.embed_documents(texts, [Reasoning()] * 3)]
    [asked] = embedder.embed_queries([text_content("a vegetable dish that one eats hot")], [None])
    assert int(np.argmax([asked @ vector for vector in stored])) == 1


def test_reasoning_moves_a_picture_s_vector(tiny_folder):
    embedder = BackboneEmbedder(LocalEngine(str(tiny_folder("qwen3-vl"))))
    picture = picture_content((200, 20, 20))
    plain, said, other = (
        embedder.embed_documents([picture], [Reasoning(text)])[0].vectors[0]
        for text in ("", "a red square", "a harbour crane")
    )
    assert len({tuple(np.round(vector, 4)) for vector in (plain, said, other)}) == 3


@pytest.mark.parametrize("instructed", [True, False])
def test_an_instruction_stands_in_place_of_the_prompt_where_the_model_was_trained_so(tiny_folder, instructed):
    folder = str(tiny_folder("qwen3-vl"))
    prompts = {"document": "Represent it.", "query": "Find it."}
    embedder = SentenceEmbedder(folder, dtype="float32", prompts=prompts, instructed=instructed)
    picture = picture_content((200, 20, 20))
    asked = [picture, replace(picture, instruction="Find the clip."), text_content("a cello")]
    plain, told, _ = embedder.embed_queries(asked, [None] * 3)
    assert np.allclose(plain, told) != instructed
    # The same words as a prompt of the model's own: that is where they go.
    own = SentenceEmbedder(folder, dtype="float32", prompts={"query": "Find the clip."})
    [wanted] = own.embed_queries([picture], [None])
    assert np.allclose(told, wanted, atol=1e-5) == instructed
    given = embedder.embed_documents(asked[:2], [Reasoning("red")] * 2)
    assert np.allclose(given[0].vectors, given[1].vectors) != instructed
    assert embedder.reads_instructions == instructed
    assert (embedder.query_tokens(asked[1], None) > embedder.query_tokens(picture, None)) == instructed


def test_a_clip_s_segments_have_vectors_of_their_own(tiny_folder):
    embedder = BackboneEmbedder(LocalEngine(str(tiny_folder("qwen2-vl"))))
    clip = clip_content((200, 20, 20), (20, 20, 200))
    [found] = embedder.embed_documents([clip], [Reasoning("two colours")])
    assert found.labels == ("", "t=0,2", "t=2,4")
    assert not np.allclose(found.vectors[1], found.vectors[2])


@pytest.mark.parametrize("pooling", ["attention", "q-former", "self-attention"])
def test_a_trained_head_is_read_back(tiny_folder, tmp_path, pooling):
    from safetensors.torch import save_file

    engine = LocalEngine(str(tiny_folder("llama")))
    text = text_content("a cello")
    first = BackboneEmbedder(engine, pooling=pooling)
    before = first.embed_documents([text], [Reasoning()])[0].vectors
    state = {name: tensor * 1.5 for name, tensor in first._head.state_dict().items()}
    save_file(state, tmp_path / "head.safetensors")
    trained = BackboneEmbedder(engine, pooling=pooling, weights=str(tmp_path / "head.safetensors"))
    assert not np.allclose(trained.embed_documents([text], [Reasoning()])[0].vectors, before)
    assert trained.fingerprint != first.fingerprint
    with pytest.raises(InputInvalid, match="no weights of a"):
        wrong = "attention" if pooling != "attention" else "self-attention"
        BackboneEmbedder(engine, pooling=wrong, weights=str(tmp_path / "head.safetensors")).embed_documents(
            [text], [Reasoning()]
        )


def test_the_self_attention_head_begins_as_the_last_layers(tiny_folder):
    engine = LocalEngine(str(tiny_folder("qwen3-vl")))
    head = BackboneEmbedder(engine, pooling="self-attention")._head
    layers = engine.loaded.inner.language_model.layers
    assert len(head.layers) == len(layers)
    for mine, theirs in zip(head.layers, layers, strict=True):
        assert (mine.mlp.up_proj.weight == theirs.mlp.up_proj.weight).all()
        assert mine.mlp.up_proj.weight is not theirs.mlp.up_proj.weight


def test_what_cannot_be_used_is_said(tmp_path, tiny_folder):
    with pytest.raises(BadArguments, match="no pooling"):
        BackboneEmbedder(LocalEngine(str(tiny_folder("llama"))), pooling="sum").embed_queries(
            [text_content("a")], [None]
        )
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises((InputInvalid, MissingDependency), match=str(tmp_path)):
        SentenceEmbedder(str(tmp_path)).embed_queries([text_content("a")], [None])


def test_item_and_reasoning_are_joined_as_the_format_says():
    form = Format(joined="{text} || {reasoning}")
    assert form.text("a cello", "an instrument") == "a cello || an instrument"
    assert form.text("a cello", "a cello") == "a cello"
    assert form.text("", "an instrument") == "an instrument"
    page = contents_of_every_kind()[1]
    whole, *parts = document_inputs(page, Reasoning("an invoice"), form, sees=True)
    assert whole.text.endswith("|| an invoice")
    assert parts
    assert all(part.label.startswith("chars=") and part.text.endswith("|| an invoice") for part in parts)
