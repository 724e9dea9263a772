import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.batch import Vector
from mmtrain.encoder.vector import MLP
from mmtrain.spec import VectorSpec


def test_tokens_lie_side_by_side_in_the_last_layer() -> None:
    encoder = MLP(VectorSpec(4), out_dim=3, tokens=2, hidden=5).eval()
    values = torch.randn(6, 4)
    tokens = encoder(Vector(values))
    assert tokens.mask.shape == (6, 2)
    assert tokens.mask.all()
    assert tokens.grid is None
    assert_close(tokens.values.flatten(1), encoder.layers(values))


def test_as_many_layers_as_asked() -> None:
    """Hidden ones, and the one that reads them out."""
    encoder = MLP(VectorSpec(4), out_dim=3, hidden=5, layers=3)
    widths = [(layer.in_features, layer.out_features) for layer in encoder.modules() if isinstance(layer, nn.Linear)]
    assert widths == [(4, 5), (5, 5), (5, 5), (5, 3)]
