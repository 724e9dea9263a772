import torch

from mmtrain.augmentation.draw import chance, place, span, uniform, whole

HERE = torch.device("cpu")
ROWS = 20_000


def test_uniform() -> None:
    drawn = uniform(ROWS, -1, 3, HERE)
    assert drawn.min() >= -1 and drawn.max() <= 3
    assert abs(float(drawn.mean()) - 1) < 0.04


def test_chance() -> None:
    assert abs(float(chance(ROWS, 0.3, HERE).float().mean()) - 0.3) < 0.015
    assert not chance(ROWS, 0.0, HERE).any()
    assert chance(ROWS, 1.0, HERE).all()


def test_whole_numbers_are_all_as_likely() -> None:
    counts = whole(torch.full((ROWS,), 4)).bincount()
    assert len(counts) == 5
    assert (counts - ROWS / 5).abs().max() < 250  # four deviations
    assert not whole(torch.zeros(9, dtype=torch.int64)).any()
    assert (whole(torch.full((ROWS,), 2**25)) <= 2**25).all()


def test_a_run_lies_anywhere_inside() -> None:
    found = place(torch.full((ROWS,), 2), torch.full((ROWS,), 5), 7)
    assert (found.sum(1) == 2).all()
    starts = found.float().argmax(1).bincount(minlength=7)
    assert starts[4:].sum() == 0
    assert (starts[:4] - ROWS / 4).abs().max() < 250
    assert (found[:, 1:] & ~found[:, :-1]).sum(1).max() == 1  # one run


def test_a_span_is_as_long_as_it_may_be() -> None:
    lengths = span(torch.tensor([10, 4, 1]).repeat_interleave(2000), 12, 0.5).sum(1).view(3, 2000)
    assert [row.unique().tolist() for row in lengths] == [[0, 1, 2, 3, 4, 5], [0, 1, 2], [0]]
