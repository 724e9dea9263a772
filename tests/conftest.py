"""What every test shares: checked tensor shapes, two threads, fixed seeds, and a cache folder that is not the user's."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import install_import_hook

# Where tensors flow, each call is held against its annotations, shapes included; as for mypy, an int is a float.
TENSORS = (
    *("alignment", "augmentation", "balancing", "batch", "decision", "encoder", "fusion", "loss", "metric", "missing", "mixing"),
    *("modality", "modality_balance", "model", "objective", "optimizer", "sampler", "scheduler", "sharing", "task", "training"),
    "transformer",
)
install_import_hook([f"mmtrain.{name}" for name in TENSORS], "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")


from mmtrain.cli import main  # noqa: E402 - after the hook


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stores are built once a test session, under a folder that pytest clears away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    """Overrides of a run on generated data that takes a second: three steps an epoch, absent cells, missing labels."""
    rows = ["data.train=96", "data.val=96", "data.test=96", "data.absent=0.2", "data.unlabelled=0.2"]
    return [*rows, "training.epochs=2", "training.batch_size=32", "training.threads=1", "training.log_steps=1"]


@pytest.fixture(scope="session")
def run(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run, for tests that only read it."""
    folder = tmp_path_factory.mktemp("run") / "finished"
    assert main(["train", *tiny, f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture(autouse=True)
def _steady() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(2)
