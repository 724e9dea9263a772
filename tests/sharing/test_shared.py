"""All tasks get the fused vector itself."""

import torch

from mmtrain.sharing import Shared


def test_every_task_reads_the_same_tensor() -> None:
    """The same object, so that a balancer that cuts there sees what every head reads."""
    sharing = Shared(5, ["shape", "size"])
    vector = torch.randn(3, 5)
    features = sharing.shared(vector)
    assert features is vector
    for task in ("shape", "size"):
        own, gate = sharing.split(features, vector, task)
        assert own is features
        assert gate is None


def test_the_width_stays() -> None:
    assert Shared(5, ["shape"]).out_dim == 5


def test_there_is_nothing_to_learn_or_to_save() -> None:
    assert Shared(5, ["shape"]).state_dict() == {}
