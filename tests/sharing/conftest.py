"""The layers of sharing, read off a state dict and written out in numpy."""

from math import erf

import numpy as np
import pytest
from torch import Tensor, nn


class ByHand:
    """Computes with the numbers of a module, by the names of its layers."""

    def __init__(self, sharing: nn.Module) -> None:
        self.state = {name: tensor.double().numpy() for name, tensor in sharing.state_dict().items()}

    def linear(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A linear map, with a bias where it has one."""
        return np.asarray(rows @ self.state[f"{name}.weight"].T + self.state.get(f"{name}.bias", 0.0))

    def layer(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A linear map, LayerNorm and GELU."""
        found = []
        for values in self.linear(f"{name}.0", rows):
            standard = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
            standard = standard * self.state[f"{name}.1.weight"] + self.state[f"{name}.1.bias"]
            found.append([0.5 * number * (1 + erf(number / 2**0.5)) for number in standard])
        return np.array(found)

    def perceptron(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A hidden layer and a linear map."""
        return self.linear(f"{name}.4", self.layer(name, rows))

    def softmax(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A softmax gate."""
        weights = np.exp(self.linear(name, rows))
        return np.asarray(weights / weights.sum(1, keepdims=True))


@pytest.fixture
def by_hand() -> type[ByHand]:
    return ByHand


def _answer(sharing: nn.Module, vector: Tensor, task: str) -> np.ndarray:
    own, _ = sharing.split(sharing.shared(vector), vector, task)  # type: ignore[operator]
    return np.asarray(own.detach().numpy())


@pytest.fixture
def answer() -> object:
    """What a task's head reads."""
    return _answer
