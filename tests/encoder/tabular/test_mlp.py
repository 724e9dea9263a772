import torch

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular import MLP
from mmtrain.spec import TabularSpec


def test_an_unknown_number_is_not_zero() -> None:
    encoder = MLP(TabularSpec(1, ())).eval()
    nothing = torch.zeros(2, 0, dtype=torch.int64)
    found = encoder(Tabular(torch.zeros(2, 1), torch.tensor([[True], [False]]), nothing)).values
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_one_token_a_row() -> None:
    encoder = MLP(TabularSpec(2, (3,)), out_dim=5)
    tokens = encoder(Tabular(torch.zeros(3, 2), torch.ones(3, 2, dtype=torch.bool), torch.zeros(3, 1, dtype=torch.int64)))
    assert tokens.values.shape == (3, 1, 5)
    assert tokens.mask.all()
    assert tokens.grid is None
