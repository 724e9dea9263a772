"""Rows of words."""

from collections.abc import Callable

import pytest
import torch

from mmtrain.batch import Text


@pytest.fixture
def make_text() -> Callable[..., Text]:
    """Builds rows of the given ids, 0 where there is no word, with the letters of each word, if any."""

    def build(ids: list[list[int]], letters: list[list[list[int]]] | None = None) -> Text:
        numbers = torch.tensor(ids)
        spelled = torch.zeros(*numbers.shape, 0, dtype=torch.int64) if letters is None else torch.tensor(letters)
        return Text(numbers, numbers > 0, spelled, (numbers > 0).cumsum(1) * (numbers > 0))

    return build
