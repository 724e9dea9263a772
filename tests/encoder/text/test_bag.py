import torch
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import Bag
from mmtrain.spec import TextSpec

MASK = torch.ones(1, 4, dtype=torch.bool)


def test_a_token_is_the_vector_of_its_word() -> None:
    encoder = Bag(TextSpec(6), out_dim=3).eval()
    table = encoder.words.table.weight
    found = encoder(Text(torch.tensor([[2, 5, 2, 1]]), MASK, torch.zeros(*MASK.shape, 0, dtype=torch.int64))).values
    assert_close(found[0], table[[2, 5, 2, 1]])
    assert_close(found.mean(1)[0], (2 * table[2] + table[5] + table[1]) / 4)


def test_order_changes_the_order_alone() -> None:
    encoder = Bag(TextSpec(6)).eval()
    ids = torch.tensor([[2, 5, 3, 1]])
    assert torch.equal(encoder(Text(ids.flip(1), MASK, torch.zeros(*MASK.shape, 0, dtype=torch.int64))).values, encoder(Text(ids, MASK, torch.zeros(*MASK.shape, 0, dtype=torch.int64))).values.flip(1))


def test_a_narrow_table_is_widened_by_a_layer() -> None:
    encoder = Bag(TextSpec(6), out_dim=3, embedding_dim=2).eval()
    layer = encoder.layer
    found = encoder(Text(torch.tensor([[4, 5, 2, 1]]), MASK, torch.zeros(*MASK.shape, 0, dtype=torch.int64))).values
    assert encoder.words.table.weight.shape == (6, 2)
    assert isinstance(layer, torch.nn.Linear)
    assert_close(found[0, 0], layer.weight @ encoder.words.table.weight[4] + layer.bias)
