"""Losses of rerankers, against values reckoned by hand."""

import math

import pytest
import torch

from ponder.train.ranking import Lists, kl, lambda_loss, listwise, margin_mse, pointwise, ranking_loss

NAN = math.nan


def lists(sizes, gains, scores=None):
    given = [NAN] * len(gains) if scores is None else scores
    return Lists(tuple(sizes), torch.tensor(gains), torch.tensor(given))


def test_pointwise_is_the_mean_cross_entropy_of_all_pairs():
    found = pointwise(torch.tensor([2.0, -1.0, 0.5]), lists([2, 1], [1, 0, 2]))
    wanted = [math.log1p(math.exp(-2.0)), math.log1p(math.exp(-1.0)), math.log1p(math.exp(-0.5))]
    assert found.item() == pytest.approx(sum(wanted) / 3, rel=1e-5)


def test_listwise_is_minus_the_log_of_the_positives_shares_by_gain():
    logits = [1.0, 0.0, -1.0, 0.5, 2.0]
    found = listwise(torch.tensor(logits), lists([3, 2], [2, 1, 0, 1, 0]))
    first = math.log(sum(map(math.exp, logits[:3])))
    second = math.log(sum(map(math.exp, logits[3:])))
    wanted = (2 / 3 * (first - 1.0) + 1 / 3 * (first - 0.0) + (second - 0.5)) / 2
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_margins_are_compared_within_a_query_and_only_where_both_were_judged():
    logits = torch.tensor([3.0, 1.0, 0.0, 5.0, 0.0])
    known = lists([3, 2], [1, 0, 0, 1, 0], [4.0, 1.0, NAN, NAN, 0.0])
    # One pair: own margin 2, the judge's 3.
    assert margin_mse(logits, known).item() == pytest.approx(1.0)
    assert margin_mse(logits, lists([3, 2], [1, 0, 0, 1, 0])).item() == 0.0


def test_kl_is_the_divergence_of_two_softmaxes():
    found = kl(torch.tensor([0.0, 0.0, 9.0]), lists([3], [1, 0, 0], [8.0, 0.0, NAN]))
    # The judge's margin counts 4 logits, whatever its unit.
    high = math.exp(4) / (1 + math.exp(4))
    wanted = high * math.log(high / 0.5) + (1 - high) * math.log((1 - high) / 0.5)
    assert found.item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("loss", [pointwise, listwise, lambda_loss])
def test_a_better_order_has_a_smaller_loss_and_a_gradient_towards_it(loss):
    known = lists([3, 2], [1, 0, 0, 1, 0])
    good, bad = torch.tensor([2.0, 0.0, -1.0, 2.0, 0.0]), torch.tensor([-2.0, 0.0, 1.0, -2.0, 0.0])
    assert loss(good, known) < loss(bad, known)
    logits = bad.clone().requires_grad_()
    loss(logits, known).backward()
    assert (logits.grad[[0, 3]] < 0).all()


def test_lists_of_one_document_and_unjudged_ones_give_no_nan():
    logits = torch.zeros(3, requires_grad=True)
    loss = ranking_loss(logits, lists([1, 2], [1, 1, 0]), labels="listwise", distill="kl", weight=2.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_both_losses_are_added_with_the_weight():
    logits, known = torch.tensor([1.0, 0.0]), lists([2], [1, 0], [5.0, 1.0])
    both = ranking_loss(logits, known, labels="pointwise", distill="margin", weight=0.5)
    assert both.item() == pytest.approx((pointwise(logits, known) + 0.5 * 9.0).item())
    alone = ranking_loss(logits, known, labels="none", distill="margin", weight=1.0)
    assert alone.item() == pytest.approx(9.0)
