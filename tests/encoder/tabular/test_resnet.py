import numpy as np
import torch
from numpy.testing import assert_allclose

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular import ResNet
from mmtrain.spec import TabularSpec


def normalised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(1, keepdims=True)) / np.sqrt(values.var(1, keepdims=True) + 1e-5)


def test_the_papers_formula_in_numpy() -> None:
    """x + Linear(ReLU(Linear(Norm(x)))) after a linear map, Linear(ReLU(Norm(x))) behind; a fresh norm has weight 1 and bias 0."""
    encoder = ResNet(TabularSpec(3, ()), out_dim=4, hidden=6, blocks=2, expansion=3, dropout=0.5).eval()
    numbers = torch.randn(5, 3)
    weights = {name: value.detach().numpy() for name, value in encoder.named_parameters()}

    def linear(name: str, values: np.ndarray) -> np.ndarray:
        return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    values = linear("entrance", np.concatenate([numbers.numpy(), np.ones((5, 3), np.float32)], 1))
    for block in range(2):
        inside = linear(f"blocks.{block}.added.1", normalised(values)).clip(0)
        assert inside.shape == (5, 18)
        values = values + linear(f"blocks.{block}.added.4", inside)
    expected = linear("exit.2", normalised(values).clip(0))
    found = encoder(Tabular(numbers, torch.ones(5, 3, dtype=torch.bool), torch.zeros(5, 0, dtype=torch.int64)))
    assert_allclose(found.values[:, 0].detach().numpy(), expected, atol=1e-5)
    assert found.mask.all()


def test_stages_from_input_to_output() -> None:
    encoder = ResNet(TabularSpec(3, (4,)), blocks=2)
    assert encoder.stages == [encoder.row, encoder.entrance, *encoder.blocks]
