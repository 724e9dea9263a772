import torch
from torch.testing import assert_close

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular import Embedding
from mmtrain.spec import TabularSpec

NUMBERS, KNOWN = torch.tensor([[0.5, -3.0]]), torch.tensor([[True, True]])


def test_a_token_a_column() -> None:
    """b + x W for a number, b + e for a category."""
    encoder = Embedding(TabularSpec(2, (3,)), out_dim=4)
    weights = encoder.state_dict()
    bias = weights["columns.bias"]
    number, category = weights["columns.weight"], weights["columns.categories.table.weight"]
    found = encoder(Tabular(NUMBERS, KNOWN, torch.tensor([[2]])))
    assert found.mask.tolist() == [[True, True, True]]
    assert_close(found.values[0], torch.stack([bias[0] + 0.5 * number[0], bias[1] - 3 * number[1], bias[2] + category[2]]))


def test_no_column_hears_of_another() -> None:
    encoder = Embedding(TabularSpec(2, (3,)), frequencies=4)
    first, second = (encoder(Tabular(NUMBERS, torch.tensor([[True, there]]), torch.tensor([[2]]))).values for there in (True, False))
    assert (first - second)[0].abs().sum(1).nonzero().flatten().tolist() == [1]
