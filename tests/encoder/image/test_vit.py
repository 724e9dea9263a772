from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.batch import Image
from mmtrain.encoder.image import ViT
from mmtrain.errors import ConfigError
from mmtrain.spec import ImageSpec


def test_it_is_torchs_encoder_of_the_patches() -> None:
    """With the weights of one of our layers, torch's own pre-norm layer gives the same."""
    encoder = ViT(ImageSpec(3, 8, 12), patch=4, hidden=16, layers=1, heads=2, out_dim=16)
    ours: Any
    [ours] = encoder.transformer.layers
    layer = nn.TransformerEncoderLayer(16, 2, 64, dropout=0, activation="gelu", batch_first=True, norm_first=True)
    attention, perceptron = ours.attention, ours.perceptron
    layer.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat([attention.query.weight, attention.key_value.weight]),
            "self_attn.in_proj_bias": torch.cat([attention.query.bias, attention.key_value.bias]),
            "self_attn.out_proj.weight": attention.output.weight,
            "self_attn.out_proj.bias": attention.output.bias,
            "linear1.weight": perceptron[0].weight,
            "linear1.bias": perceptron[0].bias,
            "linear2.weight": perceptron[2].weight,
            "linear2.bias": perceptron[2].bias,
            **{f"norm{place}.{name}": torch.ones(16) * (name == "weight") for place in (1, 2) for name in ("weight", "bias")},
        }
    )
    inputs = Image(torch.randn(3, 3, 8, 12))
    tokens = encoder(inputs)
    expected = encoder.readout(encoder.transformer.normalisation(layer(encoder.patches(inputs).values)))
    assert_close(tokens.values, expected, atol=1e-5, rtol=1e-5)
    assert tokens.grid == (2, 3)


def test_stages_are_its_layers() -> None:
    encoder = ViT(ImageSpec(1, 8, 8), layers=3)
    assert encoder.stages == list(encoder.transformer.layers)


def test_heads_have_to_divide_the_width() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 128 numbers evenly"):
        ViT(ImageSpec(1, 8, 8), heads=3)
