"""Attention against torch's own, and what masks promise."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.errors import ConfigError
from mmtrain.transformer import Attention, CrossLayer, Transformer, positions

MASK = torch.tensor([[True, True, True, False], [True, False, False, False], [False, False, False, False]])


def torchs_own(attention: Attention) -> nn.MultiheadAttention:
    """The same weights in torch's own module."""
    own = nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        own.in_proj_weight.copy_(torch.cat([attention.query.weight, attention.key_value.weight]))
        own.in_proj_bias.copy_(torch.cat([attention.query.bias, attention.key_value.bias]))
        own.out_proj.load_state_dict(attention.output.state_dict())
    return own


def test_attention_is_torchs_own_where_something_can_be_seen() -> None:
    attention = Attention(8, heads=2)
    nn.init.normal_(attention.query.bias)
    values, others = torch.randn(3, 5, 8), torch.randn(3, 4, 8)
    expected = torchs_own(attention)(values, others, others, key_padding_mask=~MASK)[0]
    assert_close(attention(values, others, MASK)[:2], expected[:2], atol=1e-6, rtol=1e-5)
    assert_close(attention(values, others), torchs_own(attention)(values, others, others)[0], atol=1e-6, rtol=1e-5)


def test_a_row_that_sees_nothing_gets_zero() -> None:
    attention, values = Attention(8, heads=2), torch.randn(3, 5, 8)
    assert not attention(values, torch.randn(3, 4, 8), MASK)[2].any()
    assert not attention(values, torch.randn(3, 0, 8), MASK[:, :0]).any()


def test_a_cross_layer_adds_what_attention_and_perceptron_give() -> None:
    layer = CrossLayer(8, heads=2)
    values, others = torch.randn(3, 5, 8), torch.randn(3, 4, 8)
    seen = values + layer.attention(layer.before_attention(values), layer.others(others), MASK)
    assert_close(layer(values, others, MASK), seen + layer.perceptron(layer.before_perceptron(seen)))
    changed = torch.where(MASK[..., None], others, 7.0)
    assert torch.equal(layer(values, others, MASK), layer(values, changed, MASK))


def test_layers_are_torchs_own() -> None:
    """The pre-norm encoder layer of torch, with the same weights."""
    ours = Transformer(8, layers=1, heads=2, expansion=3)
    layer: Any = ours.layers[0]
    own = nn.TransformerEncoderLayer(8, 2, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    own.self_attn = torchs_own(layer.attention)
    own.linear1.load_state_dict(layer.perceptron[0].state_dict())
    own.linear2.load_state_dict(layer.perceptron[2].state_dict())
    values = torch.randn(2, 4, 8)
    assert_close(ours(values), ours.normalisation(own(values)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("noise", [float("inf"), float("nan"), 3.0])
def test_masked_places_change_nothing_and_are_zero(noise: float) -> None:
    model = Transformer(8, layers=2, heads=2)
    values = torch.randn(3, 4, 8)

    def outcome(values: Tensor) -> tuple[Tensor, list[Tensor]]:
        model.zero_grad()
        found = model(values, MASK)
        found.square().sum().backward()
        return found, [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]

    clean, gradients = outcome(torch.where(MASK[..., None], values, 0))
    noisy, noisy_gradients = outcome(torch.where(MASK[..., None], values, noise))
    assert torch.equal(clean, noisy)
    assert not clean[~MASK].any()
    assert all(torch.equal(one, other) for one, other in zip(gradients, noisy_gradients, strict=True))
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_padding_changes_nothing_but_rounding() -> None:
    model = Transformer(8, layers=2, heads=2)
    values = torch.randn(3, 4, 8)
    padded = torch.cat([values, torch.zeros(3, 5, 8)], 1), torch.cat([MASK, torch.zeros(3, 5, dtype=torch.bool)], 1)
    assert_close(model(*padded)[:, :4], model(values, MASK), atol=1e-6, rtol=1e-5)


def test_positions_tell_places_apart() -> None:
    found = positions(50, 7, torch.device("cpu"))
    assert found.shape == (50, 7)
    assert_close(found[0], torch.tensor([0.0, 0, 0, 0, 1, 1, 1]))
    assert torch.cdist(found, found).fill_diagonal_(1).min() > 0.1


def test_heads_that_do_not_fit_are_named() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 8 numbers evenly"):
        Attention(8, heads=3)
