import torch
from torch.testing import assert_close

from mmtrain.batch import Vector
from mmtrain.encoder.vector import Embedding
from mmtrain.spec import VectorSpec


def test_each_token_is_a_linear_map_of_the_vector() -> None:
    encoder, values = Embedding(VectorSpec(4), out_dim=3, tokens=2), torch.randn(6, 4)
    weight, bias = encoder.embedding.parameters()
    found = encoder(Vector(values))
    assert found.mask.shape == (6, 2)
    assert found.mask.all()
    for token, part in enumerate([slice(3), slice(3, 6)]):
        assert_close(found.values[:, token], values @ weight[part].T + bias[part])
