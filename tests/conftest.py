"""What every test shares: two threads, a fixed seed."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _steady() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
