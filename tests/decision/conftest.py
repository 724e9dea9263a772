"""What tests of decisions share: predictions of three views, of which rows lack some."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mmtrain.spec import TaskSpec

Given = tuple[dict[str, Tensor], dict[str, Tensor], Tensor]

SPECS = {
    "classes": TaskSpec(9, gaussian=False, prediction="classes", shape=(4,)),
    "binary": TaskSpec(9, gaussian=False, prediction="binary"),
    "numbers": TaskSpec(9, gaussian=True, prediction="numbers"),
}
PRIORS = {"classes": torch.tensor([0.1, 0.2, 0.3, 0.4]).log(), "binary": torch.tensor(-0.7), "numbers": torch.tensor(0.3)}
VIEWS = ["tone", "fused", "image"]


@pytest.fixture(params=list(SPECS))
def kind(request: pytest.FixtureRequest) -> str:
    """What the task predicts."""
    return str(request.param)


@pytest.fixture
def draw() -> Callable[..., Given]:
    """Draws predictions, presence and prior for eight rows: every set of the three views, of which the first has none."""

    def draw(kind: str, views: list[str] = VIEWS, dtype: torch.dtype = torch.float32) -> Given:
        predictions = {view: 2 * torch.randn(8, *SPECS[kind].shape, dtype=dtype) for view in views}
        present = {view: torch.tensor([bool(row >> place & 1) for row in range(8)]) for place, view in enumerate(views)}
        return predictions, present, PRIORS[kind].to(dtype)

    return draw


@pytest.fixture
def by_hand() -> Callable[..., Tensor]:
    """Decides row by row in numpy: `merge` is given what the present views say, and their names in the order of the alphabet."""

    def by_hand(given: Given, merge: Callable[..., object]) -> Tensor:
        predictions, present, prior = given
        rows = []
        for row in range(len(next(iter(predictions.values())))):
            names = sorted(view for view in predictions if present[view][row])
            said = [predictions[view][row].double().numpy() for view in names]
            rows.append(torch.as_tensor(merge(said, names)) if names else prior.double())
        return torch.stack(rows).float()

    return by_hand
