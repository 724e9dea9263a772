import torch

from mmtrain.mixing import Mixup

PRESENT = {"picture": torch.ones(40, dtype=torch.bool)}


def test_a_picture_is_blended_evenly() -> None:
    mix = Mixup({}, alpha=1.0)(PRESENT)
    assert mix.kept.shape == (40, 1, 1)
    assert torch.equal(mix.kept[:, 0, 0], mix.share)
    assert (mix.share < 1).all()


def test_never_is_never() -> None:
    mix = Mixup({}, probability=0.0)(PRESENT)
    assert mix.share.tolist() == [1.0] * 40
    assert mix.partner.tolist() == list(range(40))


def test_the_same_seed_draws_the_same() -> None:
    torch.manual_seed(3)
    first = Mixup({})(PRESENT)
    torch.manual_seed(3)
    second = Mixup({})(PRESENT)
    assert torch.equal(first.partner, second.partner)
    assert torch.equal(first.share, second.share)
