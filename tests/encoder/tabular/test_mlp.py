import math

import torch
from torch.testing import assert_close

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular import MLP
from mmtrain.encoder.tabular.mlp import Categories, Periodic
from mmtrain.spec import TabularSpec


def test_each_column_has_categories_of_its_own() -> None:
    categories = Categories((3, 4), 2)
    found = categories(torch.tensor([[0, 0], [2, 3]]))
    table = categories.table.weight
    assert table.shape == (7, 2)
    assert_close(found, torch.stack([torch.cat([table[0], table[3]]), torch.cat([table[2], table[6]])]))


def test_waves_as_written_out() -> None:
    """Gorishniy et al. 2022: ReLU(Linear(concat(sin(2 pi c x), cos(2 pi c x)))), another linear map for each number."""
    periodic = Periodic(2, 3, 0.5, 4)
    numbers = torch.tensor([[0.7, -1.3]])
    found = periodic(numbers, torch.tensor([[True, True]]))[0].reshape(2, 4)
    for number in range(2):
        angles = [2 * math.pi * c * numbers[0, number].item() for c in periodic.frequencies[number].tolist()]
        waves = torch.tensor([*map(math.sin, angles), *map(math.cos, angles)])
        assert_close(found[number], (waves @ periodic.weight[number] + periodic.bias[number]).clamp(min=0))


def test_an_unknown_number_gives_no_waves() -> None:
    periodic = Periodic(2, 3, 0.5, 4)
    found = periodic(torch.zeros(1, 2), torch.tensor([[False, True]]))
    assert not found[0, :4].any()
    assert found[0, 4:].any()


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
