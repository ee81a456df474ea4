"""Multiply-adds, beside layers that were counted by hand."""

import pytest
import torch

from ponder.evaluate.against.counting import counted


def test_a_small_network_counted_by_hand():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, kernel_size=3, stride=2, padding=1, bias=False),  # 8 x 4 x 4 out, 3 x 3 x 3 in
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, kernel_size=5, padding=2, groups=8),  # depthwise: 1 x 5 x 5 in
        torch.nn.Conv2d(8, 16, kernel_size=1),  # 16 x 4 x 4 out, 8 in
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 10),
    ).eval()
    by_hand = 8 * 16 * 27 + 8 * 16 * 25 + 16 * 16 * 8 + 10 * 16
    with counted() as macs:
        network(torch.zeros(1, 3, 8, 8))
    assert macs.total == by_hand
    with counted() as macs:
        network(torch.zeros(3, 3, 8, 8))
    assert macs.total == 3 * by_hand


def test_only_what_is_called_within_counts_even_after_an_error():
    layer = torch.nn.Linear(4, 4)
    with pytest.raises(ZeroDivisionError), counted() as macs:
        layer(torch.zeros(1, 4))
        raise ZeroDivisionError
    layer(torch.zeros(9, 4))
    assert macs.total == 16


def test_counts_nest():
    layer = torch.nn.Linear(4, 4)
    with counted() as outer:
        layer(torch.zeros(1, 4))
        with counted() as inner:
            layer(torch.zeros(2, 4))
    assert (inner.total, outer.total) == (32, 48)


@pytest.mark.lite
def test_lite0_costs_what_its_makers_say(lite_models):
    """EfficientNet-Lite0 at 224 pixels: 407 million multiply-adds (TensorFlow's table)."""
    from PIL import Image

    with counted() as macs:
        lite_models._vision.look([Image.new("RGB", (300, 200))])
    assert macs.total == pytest.approx(407e6, rel=0.06)
