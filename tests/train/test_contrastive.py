"""The embedder's loss: masks by hand, the library's where nothing is masked, the cache without a trace."""

import math

import pytest
import torch
from embedder_data import tiny_bert
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import (
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
)

from ponder.embed.conditioned import Input
from ponder.embed.sentence import SentenceEmbedder
from ponder.errors import BadArguments
from ponder.testing.examples import picture_content
from ponder.train.contrastive import Targets, info_nce, make_loss

NAN = float("nan")


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return SentenceEmbedder(str(tiny_bert(tmp_path_factory.mktemp("bert"))))


def targets(queries, documents, pairs=None, against=None, scores=None):
    """Targets over vectors that stand queries first; everyone stands against everyone unless told."""
    return Targets(
        torch.arange(queries),
        torch.arange(queries, queries + documents),
        torch.tensor(pairs or [[n, n] for n in range(queries)]),
        torch.tensor(against) if against else ~torch.eye(queries, documents, dtype=torch.bool),
        torch.tensor(scores) if scores else torch.full((queries, documents), NAN),
    ).fields()


def test_masks_change_the_loss_as_computed_by_hand():
    cosines = torch.tensor([[0.5, 0.4, 0.9], [0.1, 0.2, 0.6]])
    pairs = torch.tensor([[0, 0], [1, 2]])
    # Query 0 spares document 2; query 1 spares document 1.
    against = torch.tensor([[False, True, False], [True, False, False]])
    first = -math.log(math.exp(0.5 / 0.1) / (math.exp(0.5 / 0.1) + math.exp(0.4 / 0.1)))
    second = -math.log(math.exp(0.6 / 0.1) / (math.exp(0.6 / 0.1) + math.exp(0.1 / 0.1)))
    assert info_nce(cosines, pairs, against, 0.1).item() == pytest.approx((first + second) / 2, abs=1e-6)


@given(st.integers(0, 2), st.floats(-1, 1), st.floats(-1, 1))
def test_a_masked_document_moves_neither_loss_nor_gradient(place, before, after):
    pairs = torch.tensor([[0, place]])
    others = [n for n in range(3) if n != place]
    against = torch.zeros(1, 3, dtype=torch.bool)
    against[0, others[0]] = True
    found = []
    for value in (before, after):
        cosines = torch.tensor([[0.3, 0.3, 0.3]])
        cosines[0, others[1]] = value
        cosines.requires_grad_()
        loss = info_nce(cosines, pairs, against, 0.02)
        loss.backward()
        assert cosines.grad[0, others[1]] == 0
        found.append(loss.item())
    assert found[0] == found[1]


def test_a_pair_against_nobody_has_no_loss_and_no_gradient():
    cosines = torch.tensor([[0.3, 0.8]], requires_grad=True)
    loss = info_nce(cosines, torch.tensor([[0, 0]]), torch.zeros(1, 2, dtype=torch.bool), 0.02)
    loss.backward()
    assert loss.item() == 0
    assert not cosines.grad.any()


def features(embedder, *columns):
    return [embedder.model.preprocess(list(column)) for column in columns]


def test_without_masks_it_is_the_library_s_loss(bert):
    model = bert.model.eval()
    asked, held = ["one", "two three", "four"], ["a one", "a three of two", "some four"]
    ours = make_loss(model, cached=False)(features(bert, asked, held), targets(3, 3))
    theirs = MultipleNegativesRankingLoss(model, scale=50.0)(features(bert, asked, held), None)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)


def test_shorter_lengths_are_the_library_s_matryoshka(bert):
    model = bert.model.eval()
    asked, held = ["one", "two three", "four"], ["a one", "a three of two", "some four"]
    ours = make_loss(model, dims=[16, 8], cached=False)(features(bert, asked, held), targets(3, 3))
    plain = MultipleNegativesRankingLoss(model, scale=50.0)
    theirs = MatryoshkaLoss(model, plain, [32, 16, 8])(features(bert, asked, held), None)
    assert ours.item() == pytest.approx(theirs.item() / 3, abs=1e-5)
    with pytest.raises(BadArguments, match="64 of 32 dimensions"):
        make_loss(model, dims=[64])


@pytest.mark.parametrize(("mini_tokens", "checkpointing"), [(1, False), (40, False), (40, True)])
def test_cached_and_uncached_gradients_agree_over_words_and_pictures(tiny_folder, mini_tokens, checkpointing):
    embedder = SentenceEmbedder(str(tiny_folder("qwen3-vl")), dtype="float32")
    model = embedder.model.train()
    pictures = [picture_content(rgb).images for rgb in ((200, 20, 20), (20, 20, 200))]
    held = [Input("", pictures[0], "a thing"), Input("", (), "some words alone"), Input("", pictures[1], "")]

    def gradients(cached):
        model.zero_grad()
        read = features(embedder, ["one", "two of them", "three"])
        order = []
        for places, inputs in embedder.kinds(held):
            read.append(model.preprocess(inputs))
            order += places
        fields = targets(3, 3, scores=[[1.0, 0.0, NAN], [NAN, 2.0, 1.0], [0.0, 0.5, 1.0]])
        fields["documents"] = torch.tensor([3 + order.index(place) for place in range(3)])
        loss = make_loss(
            model, kl=0.5, cosent=0.5, dims=[16], mini_tokens=mini_tokens, cached=cached, temperature=0.1
        )(read, fields)
        loss.backward()
        moved = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        return loss.item(), moved

    plain_loss, plain = gradients(False)
    if checkpointing:
        model.transformers_model.activation_checkpointing_enable()
    loss, cached = gradients(True)
    assert loss == pytest.approx(plain_loss, abs=1e-5)
    assert cached.keys() == plain.keys()
    assert any(each.abs().max() > 1e-3 for each in plain.values())
    for name, gradient in cached.items():
        largest = max(1.0, plain[name].abs().max().item())
        assert torch.allclose(gradient / largest, plain[name] / largest, atol=1e-5), name
