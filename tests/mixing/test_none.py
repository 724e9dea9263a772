import torch

from mmtrain.mixing import Nothing


def test_it_mixes_and_draws_nothing() -> None:
    before = torch.get_rng_state()
    assert Nothing({})({"picture": torch.ones(3, dtype=torch.bool)}) is None
    assert torch.equal(torch.get_rng_state(), before)
