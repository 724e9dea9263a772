"""Passes made by hand, so that a formula can be followed on paper."""

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from mmtrain.batch import FUSED, Batch, Tokens
from mmtrain.modality_balance import Pass

Coalition = tuple[str, ...]


def by_hand(
    answer: Callable[[Coalition], Mapping[str, Tensor]],
    targets: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    *,
    tokens: Mapping[str, Tensor] | None = None,
    labelled: Mapping[str, Tensor] | None = None,
) -> Pass:
    """A pass whose model answers from a coalition of modalities (sorted, those with any row) what `answer` says.

    A target of integers is of classes, of numbers else, with cross entropy and the squared error; `tokens` hold a vector a row.
    """
    rows = len(next(iter(targets.values())))
    labelled = labelled or dict.fromkeys(targets, torch.ones(rows, dtype=torch.bool))
    anything = torch.stack(list(present.values())).any(0)
    index = {name: there.nonzero()[:, 0] for name, there in present.items()}
    scored = {
        task: {FUSED: (labels & anything).nonzero()[:, 0]} | {name: (labels & there).nonzero()[:, 0] for name, there in present.items()}
        for task, labels in labelled.items()
    }
    batch = Batch({}, present, index, targets, labelled, scored, torch.arange(rows))

    def losses(predictions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {}
        for task, prediction in predictions.items():
            places, target = scored[task][FUSED], targets[task]
            kind = functional.mse_loss if target.is_floating_point() else functional.cross_entropy
            if len(places):
                found[task] = kind(prediction[places], target[places], reduction="none")
        return found

    def coalition(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return answer(tuple(sorted(name for name, there in given.items() if there.any())))

    vectors = tokens or {name: torch.zeros(rows, 1) for name in present}
    made = {name: Tokens(values[:, None], present[name][:, None]) for name, values in vectors.items()}
    return Pass(batch, answer(tuple(sorted(present))), made, present, present, coalition, losses)


@pytest.fixture
def passed() -> Callable[..., Pass]:
    """`by_hand`, for tests."""
    return by_hand
