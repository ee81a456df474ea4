"""What is kept of a vector."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ponder.errors import BadArguments
from ponder.evaluate.against.selection import (
    Selection,
    leading,
    principal_directions,
    random_directions,
)
from ponder.evaluate.against.truncated import TruncatedEmbedder
from ponder.testing import FakeEmbedder
from ponder.testing.contracts import EmbedderContract

DIM = 12


def unit_vectors(count, seed=0, dim=DIM):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class TestTruncatedToAll(EmbedderContract):
    def make(self, folder):
        return TruncatedEmbedder(FakeEmbedder(), 256)


class TestProjected(EmbedderContract):
    def make(self, folder):
        return TruncatedEmbedder(
            FakeEmbedder(), Selection(((0, 256),), "length", random_directions(128, 256))
        )


@given(st.integers(1, DIM), st.integers(0, 5))
def test_leading_dimensions_come_back_to_unit_norm(dim, seed):
    rows = unit_vectors(5, seed)
    kept = leading(dim).of(rows)
    assert kept.shape == (5, dim) and kept.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(kept, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(
        kept * np.linalg.norm(rows[:, :dim], axis=1, keepdims=True), rows[:, :dim], atol=1e-6
    )


@given(st.integers(1, DIM - 1), st.integers(0, 5))
def test_lengths_are_kept_and_order_by_the_dot_product_of_what_is_left(dim, seed):
    documents, [query] = unit_vectors(6, seed), unit_vectors(1, seed + 100)
    selection = Selection(((0, dim),), "length")
    kept = selection.of(documents)
    np.testing.assert_allclose(np.linalg.norm(kept, axis=1), 1, atol=1e-5)
    asked = selection.of(query[None], query=True)[0]
    assert asked[-1] == 0.0 and kept.shape[1] == selection.width == selection.dim + 1
    raw = documents[:, :dim] @ query[:dim]
    np.testing.assert_allclose(kept @ asked * np.linalg.norm(query[:dim]), raw, atol=1e-5)


def test_all_dimensions_are_the_vectors_themselves():
    rows = unit_vectors(4)
    np.testing.assert_allclose(leading(DIM).of(rows), rows, atol=1e-6)
    np.testing.assert_allclose(Selection(((0, DIM),), "length").of(rows)[:, :DIM], rows, atol=1e-6)


def test_blocks_are_taken_out_in_order():
    rows = unit_vectors(3)
    kept = Selection(((0, 2), (7, 9)), "length").of(rows)
    np.testing.assert_allclose(kept[:, :4], rows[:, [0, 1, 7, 8]], atol=1e-6)


def test_what_has_nothing_in_what_is_kept_finds_nothing():
    query = np.eye(1, DIM, DIM - 1, dtype=np.float32)
    for way in ("unit", "length"):
        assert not Selection(((0, 3),), way).of(query, query=True).any()


def test_int8_rounds_documents_by_half_a_step_and_leaves_queries_alone():
    rows, whole = unit_vectors(8), leading(DIM)
    rounded = whole.rounded().of(rows)
    step = np.abs(rows).max(axis=1, keepdims=True) / 127
    off = np.abs(rounded - rows)
    assert off.max() > 0 and (off <= 0.5 * step + 1e-6).all()
    np.testing.assert_array_equal(whole.rounded().of(rows, query=True), whole.of(rows, query=True))
    assert (whole.bytes, whole.rounded().bytes) == (4 * DIM, DIM + 4)


def test_a_full_turn_keeps_every_dot_product():
    documents, queries = unit_vectors(6), unit_vectors(3, 9)
    for turn in (random_directions(DIM, DIM), principal_directions([documents], DIM)):
        turned = Selection(((0, DIM),), "unit", turn)
        np.testing.assert_allclose(
            turned.of(documents) @ turned.of(queries, query=True).T, documents @ queries.T, atol=1e-5
        )


def test_principal_directions_lose_least():
    rng = np.random.default_rng(3)
    rows = (
        rng.normal(size=(200, 3)) @ rng.normal(size=(3, DIM)) + 0.01 * rng.normal(size=(200, DIM))
    ).astype("f4")

    def lost(turn):
        return float(np.linalg.norm(rows - rows @ turn.T @ turn))

    assert lost(principal_directions([rows[:100], rows[100:]], 3)) < 0.2 * lost(random_directions(3, DIM))


def test_fingerprints_tell_selections_apart():
    spans = ((0, 8),)
    ways = [
        leading(8),
        leading(4),
        leading(8).rounded(),
        Selection(spans, "length"),
        Selection(((0, 4), (6, 10))),
        Selection(spans, "unit", random_directions(4, 8)),
        Selection(spans, "unit", random_directions(4, 8, seed=1)),
    ]
    prints = {TruncatedEmbedder(FakeEmbedder(), way).fingerprint for way in ways}
    assert len(prints) == len(ways) and FakeEmbedder().fingerprint not in prints
    assert TruncatedEmbedder(FakeEmbedder("other"), 8).fingerprint not in prints


def test_more_than_there_is_cannot_be_kept():
    with pytest.raises(BadArguments, match="dimension 13"):
        leading(13).of(unit_vectors(1))
    with pytest.raises(BadArguments):
        leading(0)
