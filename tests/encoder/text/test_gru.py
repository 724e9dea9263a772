from collections.abc import Callable

import pytest
import torch
from torch import nn

from mmtrain.batch import Text
from mmtrain.encoder.text import GRU
from mmtrain.spec import TextSpec


def test_its_cells_are_those_of_torch() -> None:
    encoder = GRU(TextSpec(9), embedding_dim=6, hidden=5, layers=2)
    assert encoder.layers.backwards is not None
    cells = [*encoder.layers.forwards, *encoder.layers.backwards]
    assert [(type(cell), cell.input_size, cell.hidden_size) for cell in cells] == 2 * [(nn.GRU, 6, 5), (nn.GRU, 10, 5)]


def test_order_matters(make_text: Callable[..., Text]) -> None:
    encoder = GRU(TextSpec(9)).eval()
    turned = encoder(make_text([[4, 3, 2]])).values.flip(1)
    assert (turned - encoder(make_text([[2, 3, 4]])).values).abs().max() > 1e-3


@pytest.mark.parametrize(("bidirectional", "moved"), [(False, [2, 3]), (True, [0, 1, 2, 3])])
def test_the_direction_decides_who_hears_of_a_change(bidirectional: bool, moved: list[int], make_text: Callable[..., Text]) -> None:
    encoder = GRU(TextSpec(9), bidirectional=bidirectional).eval()
    difference = encoder(make_text([[2, 3, 6, 5]])).values - encoder(make_text([[2, 3, 4, 5]])).values
    assert torch.equal(difference[0].abs().sum(1).nonzero().flatten(), torch.tensor(moved))
