"""Losses from a judge's scores, against computations by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ponder.train.distillation import gap_weighted_cosent, kl_divergence

NAN = float("nan")


def softmax(values):
    powers = [math.exp(each) for each in values]
    return [each / sum(powers) for each in powers]


def test_kl_over_the_judged_documents_by_hand():
    cosines = torch.tensor([[0.6, 0.2, 0.9, 0.5]])
    scores = torch.tensor([[3.0, 1.0, NAN, 2.0]])
    teacher = softmax([0.0, -4.0, -2.0])  # the margin of 2 is stretched to 4 logits
    student = softmax([0.6 / 0.1, 0.2 / 0.1, 0.5 / 0.1])
    wanted = sum(p * math.log(p / q) for p, q in zip(teacher, student, strict=True))
    assert kl_divergence(cosines, scores, 0.1).item() == pytest.approx(wanted, abs=1e-6)


def test_cosent_weighs_by_the_gap_by_hand():
    cosines = torch.tensor([[0.3, 0.4, 0.9, 0.1]])
    scores = torch.tensor([[3.0, 1.0, NAN, 2.0]])
    # (0 over 1, gap 2 of 2), (0 over 3, gap 1 of 2), (3 over 1, gap 1 of 2)
    terms = [
        1.0 * math.exp((0.4 - 0.3) / 0.1),
        0.5 * math.exp((0.1 - 0.3) / 0.1),
        0.5 * math.exp((0.4 - 0.1) / 0.1),
    ]
    wanted = math.log(1 + sum(terms))
    assert gap_weighted_cosent(cosines, scores, 0.1).item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("loss", [kl_divergence, gap_weighted_cosent])
@pytest.mark.parametrize("scores", [[NAN, NAN, NAN], [1.0, NAN, NAN], [1.0, 1.0, NAN]])
def test_a_query_without_a_difference_teaches_nothing(loss, scores):
    cosines = torch.tensor([[0.3, 0.4, 0.5]], requires_grad=True)
    found = loss(cosines, torch.tensor([scores]), 0.02)
    found.backward()
    assert found.item() == 0
    assert not cosines.grad.any()


@pytest.mark.parametrize("loss", [kl_divergence, gap_weighted_cosent])
@given(
    st.lists(st.integers(-5, 5), min_size=3, max_size=3, unique=True),
    st.floats(0.1, 100),
    st.floats(-50, 50),
)
def test_a_judge_s_unit_does_not_matter(loss, scores, scale, shift):
    cosines = torch.tensor([[0.3, 0.4, 0.5]], dtype=torch.float64)
    told = torch.tensor([scores], dtype=torch.float64)
    assert loss(cosines, told * scale + shift, 0.1).item() == pytest.approx(
        loss(cosines, told, 0.1).item(), rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize("loss", [kl_divergence, gap_weighted_cosent])
def test_descent_brings_the_judge_s_order(loss):
    scores = torch.tensor([[2.0, NAN, 0.0, 1.0]])
    cosines = torch.tensor([[0.1, 0.5, 0.4, 0.2]], requires_grad=True)
    for _ in range(60):
        gradient = torch.autograd.grad(loss(cosines, scores, 0.1), cosines)[0]
        assert gradient.isfinite().all()
        assert gradient[0, 1] == 0
        cosines = (cosines - 0.01 * gradient).detach().requires_grad_()
    assert cosines[0, 0] > cosines[0, 3] > cosines[0, 2]
