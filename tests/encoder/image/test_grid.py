import numpy as np
import torch
from torch import nn
from torch.testing import assert_close

from mmtrain.encoder.image.grid import GridReadout, PlaceLinear


def test_each_place_has_its_own_linear_map() -> None:
    layer = PlaceLinear(3, 4, 2)
    values = torch.randn(5, 3, 4)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = [[row[place] @ weight[place] + bias[place, 0] for place in range(3)] for row in values.numpy()]
    np.testing.assert_allclose(layer(values).detach().numpy(), expected, atol=1e-6)


def test_the_mean_of_the_tokens_is_one_linear_map_of_the_grid() -> None:
    layer = PlaceLinear(4, 3, 6)
    whole = nn.Linear(12, 6)
    with torch.no_grad():
        whole.weight.copy_(layer.weight.reshape(12, 6).T / 4)
        whole.bias.copy_(layer.bias.mean((0, 1)))
    values = torch.randn(2, 4, 3)
    assert_close(layer(values).mean(1), whole(values.flatten(1)))


def test_places_are_means_of_their_part_of_the_map() -> None:
    readout = GridReadout(1, 1, grid=2, dropout=0.0)
    with torch.no_grad():
        readout.places.weight.fill_(1)
        readout.places.bias.zero_()
    tokens = readout(torch.arange(24.0).reshape(1, 1, 4, 6))
    corners = [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11], [12, 13, 14, 18, 19, 20], [15, 16, 17, 21, 22, 23]]
    assert_close(tokens.values[0, :, 0], torch.tensor([float(np.mean(corner)) for corner in corners]))
    assert (tokens.grid, tokens.mask.tolist()) == ((2, 2), [[True] * 4])
