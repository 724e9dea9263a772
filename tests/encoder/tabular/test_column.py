import math

import torch
from torch.testing import assert_close

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular.column import Categories, Columns, Periodic, Row
from mmtrain.spec import TabularSpec

INPUTS = Tabular(torch.tensor([[0.5, math.nan], [-2.0, 3.0]]), torch.tensor([[True, False], [True, True]]), torch.tensor([[2], [0]]))
SPEC = TabularSpec(2, (3,))


def test_each_column_has_categories_of_its_own() -> None:
    categories = Categories((3, 4), 2)
    found = categories(torch.tensor([[0, 0], [2, 3]]))
    table = categories.table.weight
    assert table.shape == (7, 2)
    assert_close(found, torch.stack([torch.stack([table[0], table[3]]), torch.stack([table[2], table[6]])]))


def test_waves_as_written_out() -> None:
    """Gorishniy et al. 2022: ReLU(Linear(concat(sin(2 pi c x), cos(2 pi c x)))), another linear map for each number."""
    periodic = Periodic(2, 3, 0.5, 4)
    numbers = torch.tensor([[0.7, -1.3]])
    found = periodic(numbers, torch.tensor([[True, True]]))[0]
    for number in range(2):
        angles = [2 * math.pi * c * numbers[0, number].item() for c in periodic.frequencies[number].tolist()]
        waves = torch.tensor([*map(math.sin, angles), *map(math.cos, angles)])
        assert_close(found[number], (waves @ periodic.weight[number] + periodic.bias[number]).clamp(min=0))


def test_an_unknown_number_gives_no_waves() -> None:
    periodic = Periodic(2, 3, 0.5, 4)
    found = periodic(torch.zeros(1, 2), torch.tensor([[False, True]]))
    assert not found[0, 0].any()
    assert found[0, 1].any()


def test_a_row_as_written_out() -> None:
    row = Row(TabularSpec(2, (3,)), category_dim=2, frequencies=3, frequency_scale=1.0, number_dim=4)
    assert row.periodic is not None
    assert row.categories is not None
    known = torch.tensor([[True, False]])
    found = row(Tabular(torch.tensor([[1.5, math.nan]]), known, torch.tensor([[2]])))
    waves = row.periodic(torch.tensor([[1.5, 0.0]]), known).flatten()
    assert_close(found[0], torch.cat([torch.tensor([1.5, 0, 1, 0]), waves, row.categories.table.weight[2]]))
    assert found.shape == (1, row.width)


def test_a_cell_is_number_times_weight_or_category_and_a_bias() -> None:
    """T = b + x W for numbers, T = b + e for categories; a vector of the column's own where a number is not known."""
    columns = Columns(SPEC, 4, None, 1.0)
    found = columns(INPUTS)
    assert columns.weight is not None
    assert columns.unknown is not None
    assert columns.categories is not None
    bias, table = columns.bias, columns.categories.table.weight
    expected = [
        [bias[0] + 0.5 * columns.weight[0], bias[1] + columns.unknown[1], bias[2] + table[2]],
        [bias[0] - 2 * columns.weight[0], bias[1] + 3 * columns.weight[1], bias[2] + table[0]],
    ]
    assert_close(found, torch.stack([torch.stack(row) for row in expected]))


def test_numbers_may_be_waves() -> None:
    columns = Columns(SPEC, 4, 3, 1.0)
    assert columns.periodic is not None
    assert columns.unknown is not None
    found = columns(INPUTS) - columns.bias
    assert columns.weight is None
    assert_close(found[:, 0], columns.periodic(INPUTS.numeric, INPUTS.known)[:, 0])
    assert_close(found[0, 1], columns.unknown[1])
