from collections.abc import Callable

import torch
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import Bag
from mmtrain.spec import TextSpec


def test_a_token_is_the_vector_of_its_word(make_text: Callable[..., Text]) -> None:
    encoder = Bag(TextSpec(6), out_dim=3).eval()
    table = encoder.words.table.weight
    found = encoder(make_text([[2, 5, 2, 1]])).values
    assert_close(found[0], table[[2, 5, 2, 1]])
    assert_close(found.mean(1)[0], (2 * table[2] + table[5] + table[1]) / 4)


def test_order_changes_the_order_alone(make_text: Callable[..., Text]) -> None:
    encoder = Bag(TextSpec(6)).eval()
    found = encoder(make_text([[2, 5, 3, 1]])).values
    assert torch.equal(encoder(make_text([[1, 3, 5, 2]])).values, found.flip(1))


def test_a_narrow_table_is_widened_by_a_layer(make_text: Callable[..., Text]) -> None:
    encoder = Bag(TextSpec(6), out_dim=3, embedding_dim=2).eval()
    layer = encoder.layer
    found = encoder(make_text([[4, 5, 2, 1]])).values
    assert encoder.words.table.weight.shape == (6, 2)
    assert isinstance(layer, torch.nn.Linear)
    assert_close(found[0, 0], layer.weight @ encoder.words.table.weight[4] + layer.bias)
