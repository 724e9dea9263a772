import numpy as np
import torch

from mmtrain.sampler import Shuffle


def test_every_row_comes_once_in_the_order_that_numpy_gives() -> None:
    """Of a generator seeded by seed and epoch; a run can be repeated by any version that keeps to it."""
    sampler = Shuffle(50, {}, {})
    assert sorted(sampler(0, 0).tolist()) == list(range(50))
    assert sampler(3, 4).tolist() == np.random.default_rng([3, 4]).permutation(50).tolist()


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    sampler = Shuffle(5, {}, {})
    first = sampler(0, 0).tolist()
    np.random.seed(7)
    torch.manual_seed(7)
    before = str(np.random.get_state()), torch.get_rng_state().tolist()
    assert sampler(0, 0).tolist() == first
    assert (str(np.random.get_state()), torch.get_rng_state().tolist()) == before
    assert len({str(sampler(seed, epoch)) for seed in range(3) for epoch in range(3)}) >= 8
