"""An adapter learns looks, spares whom it is told to spare, and begins as `lite` was."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

from ponder.cli.main import app
from ponder.embed.lite import DIM, meaning_of
from ponder.errors import BadArguments, InputInvalid
from ponder.models.lite.adapter import Adapter, save_adapter
from ponder.models.registry import load
from ponder.train.adapter import AdapterSettings, _Data, fit_adapter, likeness
from ponder.train.pictures import Pictures, lite_of

QUERIES, FEATURES = 24, 1280


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _pictures(**changed: object) -> Pictures:
    """Each query has a picture of its own, whose looks say which, and whose plain meaning says nothing."""
    rng = np.random.default_rng(0)
    meant = _unit(rng.normal(size=(QUERIES, 384)).astype(np.float32))
    queries = np.zeros((QUERIES, DIM), np.float32)
    queries[:, :384] = meant
    looks = _unit(np.abs(rng.normal(size=(QUERIES, FEATURES))).astype(np.float32))
    made = Pictures(
        queries,
        tuple(f"q{n}" for n in range(QUERIES)),
        tuple(f"d{n}" for n in range(QUERIES)),
        tuple(f"digest{n}" for n in range(QUERIES)),
        looks,
        looks.mean(axis=0),
        np.zeros((QUERIES, 384), np.float32),
        np.zeros((QUERIES, DIM), np.float32),
        tuple((n,) for n in range(QUERIES)),
        tuple(() for _ in range(QUERIES)),
        tuple(frozenset({n}) for n in range(QUERIES)),
        tuple({} for _ in range(QUERIES)),
    )
    return dataclasses.replace(made, **changed)


NONE = (np.ones((2, FEATURES), np.float32), np.ones((2, 384), np.float32))


def _loss(pictures: Pictures, queries: list[int], *, akin: float = 0.0, **settings: float) -> float:
    data = _Data(pictures, AdapterSettings(akin=(akin,), **settings))  # type: ignore[arg-type]
    return float(data.loss(queries, torch.zeros(FEATURES, 384), torch.zeros(FEATURES), akin=akin))


def test_what_looks_say_is_learned() -> None:
    pictures = _pictures()
    grid, mean = fit_adapter(pictures, NONE, AdapterSettings(classes=0, decay=0.1, steps=60))
    scores = pictures.queries[:, :384] @ ((pictures.looks - mean) @ grid).T
    assert (scores.argmax(axis=1) == np.arange(QUERIES)).all()


def test_the_same_seed_gives_the_same_map_and_another_another() -> None:
    pictures = _pictures()
    maps = [
        fit_adapter(pictures, NONE, AdapterSettings(classes=0, steps=3, batch=8, seed=seed))[0]
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(maps[0], maps[1])
    assert not np.allclose(maps[0], maps[2])


def test_of_several_shares_of_softened_labels_the_mean_is_taken() -> None:
    def fitted(*akin: float) -> NDArray[np.float32]:
        settings = AdapterSettings(classes=0, steps=5, batch=8, akin=akin)
        return fit_adapter(_pictures(), NONE, settings)[0]

    one, other = fitted(0.0), fitted(0.5)
    assert not np.allclose(one, other)
    np.testing.assert_allclose(fitted(0.0, 0.5), (one + other) / 2, atol=1e-6)


def test_features_that_are_not_seen_are_not_learned_from() -> None:
    pictures = _pictures()
    data = _Data(pictures, AdapterSettings(dropout=0.5))
    grid = torch.zeros(FEATURES, 384, requires_grad=True)
    drawing = torch.Generator().manual_seed(0)
    data.loss([0, 1], grid, torch.zeros(FEATURES), drawing=drawing).backward()  # type: ignore[no-untyped-call]
    seen = torch.rand((2, FEATURES), generator=torch.Generator().manual_seed(0)) >= 0.5
    learned = grid.grad.abs().sum(dim=1) > 0  # type: ignore[union-attr]
    assert 0 < learned.sum() < FEATURES
    assert not learned[~seen.any(dim=0)].any()


def test_without_a_map_the_loss_is_that_of_equal_scores() -> None:
    assert _loss(_pictures(), list(range(8))) == pytest.approx(np.log(8), abs=1e-5)


def test_who_is_spared_leaves_the_denominator() -> None:
    pictures = _pictures()
    spared = (frozenset({0, 1, 2}), *pictures.spared[1:])
    loss = _loss(dataclasses.replace(pictures, spared=spared), list(range(8)))
    assert loss == pytest.approx((np.log(6) + 7 * np.log(8)) / 8, abs=1e-5)


def test_copies_of_a_positive_leave_the_denominator() -> None:
    digests = ("same", "same", *_pictures().digests[2:])
    loss = _loss(_pictures(digests=digests), list(range(8)))
    assert loss == pytest.approx((2 * np.log(7) + 6 * np.log(8)) / 8, abs=1e-5)


def test_the_likelihood_of_several_positives_is_their_sum() -> None:
    positives = ((0, 1), *_pictures().positives[1:])
    spared = (frozenset({0, 1}), *_pictures().spared[1:])
    loss = _loss(_pictures(positives=positives, spared=spared), list(range(8)))
    assert loss == pytest.approx((np.log(8) - np.log(2) + 7 * np.log(8)) / 8, abs=1e-5)


def test_mined_negatives_join_the_batch() -> None:
    negatives = ((20, 21), *_pictures().negatives[1:])
    assert _loss(_pictures(negatives=negatives), list(range(8))) == pytest.approx(np.log(10), abs=1e-5)


def test_distillation_is_the_divergence_from_the_judge() -> None:
    scores = ({0: 2.0, 1: 0.0}, *_pictures().scores[1:])
    plain, distilled = (_loss(_pictures(scores=scores), [0, 1], distil=weight) for weight in (0.0, 1.0))
    said = np.array([2.0, 0.0]) / (np.std([2.0, 0.0], ddof=1) * 0.5)
    wanted = np.exp(said) / np.exp(said).sum()
    by_hand = (wanted * (np.log(wanted) - np.log(0.5))).sum() / 2
    assert distilled - plain == pytest.approx(by_hand, abs=1e-5)


def test_scores_are_those_of_the_embedder_with_the_adapter() -> None:
    """The cap on the meaning's length and the rest of the row are part of what is trained."""
    rng = np.random.default_rng(1)
    pictures = _pictures()
    vectors = _unit(rng.normal(size=(QUERIES, DIM)).astype(np.float32))
    meanings = np.stack([meaning_of(row) for row in vectors])
    pictures = dataclasses.replace(pictures, vectors=vectors, meanings=meanings)
    loss = _loss(pictures, list(range(QUERIES)), temperature=1.0)
    capped = meanings / np.maximum(1.0, np.linalg.norm(meanings, axis=1, keepdims=True))
    one = np.zeros(DIM, np.float32)
    one[0] = 1
    scale = meaning_of(one)[0]
    scores = pictures.queries @ vectors.T - pictures.queries[:, :384] @ (meanings - capped).T / scale
    by_hand = np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diag(scores))
    assert loss == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch": 1},
        {"temperature": 0.0},
        {"distil": -1.0},
        {"dropout": 1.0},
        {"akin": ()},
        {"akin": (0.5, 2.0)},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadArguments, match=f"--{next(iter(wrong))}"):
        AdapterSettings(**wrong)


@pytest.mark.parametrize("text", ["", "0,", "half"])
def test_shares_that_are_no_numbers_are_refused(tmp_path: Path, text: str) -> None:
    arguments = ["train", "adapter", str(tmp_path), "--out", str(tmp_path / "out"), "--akin", text]
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, BadArguments)
    assert found.exception.where == "--akin"


def test_only_plain_lite_is_taught() -> None:
    with pytest.raises(BadArguments, match="ponder train embedder"):
        lite_of(load("fake"))


def test_other_models_refuse_an_adapter(tmp_path: Path) -> None:
    folder = tmp_path
    grid, mean = np.zeros((FEATURES, 384), np.float32), np.zeros(FEATURES, np.float32)
    save_adapter(folder, grid, mean, vision="eyes-1", text="words-1")
    adapter = Adapter(folder)
    adapter.fits("eyes-1", "words-1")
    with pytest.raises(InputInvalid, match="trained with vision 'eyes-1', used with 'eyes-2'"):
        adapter.fits("eyes-2", "words-1")
    (folder / "adapter.safetensors").write_bytes(b"no tensors here")
    with pytest.raises(InputInvalid, match="no safetensors"):
        Adapter(folder).fits("eyes-1", "words-1")


def test_softened_labels_are_a_cross_entropy_by_hand() -> None:
    pictures = _pictures()
    asked = pictures.queries[:4, :384]
    wanted = np.exp(asked @ asked.T / 0.1)
    wanted /= wanted.sum(axis=1, keepdims=True)
    # Without a map all scores are equal: a uniform guess costs log 4 whatever is wanted.
    assert _loss(pictures, [0, 1, 2, 3], akin=1.0) == pytest.approx(np.log(4), abs=1e-5)
    grid = torch.from_numpy(np.random.default_rng(1).normal(size=(FEATURES, 384)).astype(np.float32) / 40)
    data = _Data(pictures, AdapterSettings(akin=(1.0,)))
    learned = pictures.looks[:4] @ grid.numpy()
    learned /= np.maximum(np.linalg.norm(learned, axis=1, keepdims=True), 1.0)
    logits = asked @ learned.T / data.scale / AdapterSettings().temperature
    ours = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    found = float(data.loss([0, 1, 2, 3], grid, torch.zeros(FEATURES), akin=1.0))
    assert found == pytest.approx(float(-(wanted * ours).sum(axis=1).mean()), rel=1e-4)


def test_who_is_spared_leaves_the_softened_labels_too() -> None:
    pictures = _pictures()
    spared = (frozenset({0, 1, 2}), *pictures.spared[1:])
    loss = _loss(_pictures(spared=spared), list(range(8)), akin=1.0)
    assert loss == pytest.approx((np.log(6) + 7 * np.log(8)) / 8, abs=1e-5)


def test_what_answers_no_query_has_no_likeness_and_moves_no_softened_label() -> None:
    pictures = _pictures()
    queries = pictures.queries[:2].copy()
    queries[1] = 0.0
    few = dataclasses.replace(
        pictures,
        queries=queries,
        names=pictures.names[:2],
        positives=((0,), (1,)),
        negatives=((5,), ()),
        spared=pictures.spared[:2],
        scores=pictures.scores[:2],
    )
    found = likeness(few)
    assert found[0, 0] == pytest.approx(1.0, abs=1e-6)
    assert np.isnan(found[0, 1:]).all()
    assert np.isnan(found[1]).all()
    assert _loss(few, [0, 1], akin=1.0) == pytest.approx(0.0, abs=1e-6)
