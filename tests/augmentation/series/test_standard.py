from typing import Any

import torch
from torch.testing import assert_close

from mmtrain.augmentation.series import Standard
from mmtrain.batch import Series
from mmtrain.spec import SeriesSpec

OFF = {"window": 1.0, "scale": 0, "noise": 0, "gap": 0}
LENGTHS = torch.tensor([20, 10, 1])


def series(rows: int) -> Series:
    """One channel counts the steps from 1, one is 2 everywhere; a step is missing in the second."""
    mask = (torch.arange(22) < LENGTHS[:, None]).repeat_interleave(rows, 0)
    known = mask[:, :, None].repeat(1, 1, 2)
    known[:, 3, 1] = False
    values = torch.stack([torch.arange(22) + 1.0, torch.full((22,), 2.0)], 1).expand_as(known)
    return Series(torch.where(known, values, 0), known, mask)


def augmented(inputs: Series, **options: Any) -> Series:
    return Standard(SeriesSpec(2), **OFF | options)(inputs)


def test_a_window_is_a_run_of_the_steps() -> None:
    inputs = series(500)
    found = augmented(inputs, window=0.5)
    lengths = found.mask.sum(1)
    assert torch.equal(found.mask, torch.arange(22) < lengths[:, None])
    assert [rows.unique().tolist() for rows in lengths.view(3, 500)] == [list(range(11, 21)), list(range(6, 11)), [1]]
    first = found.values[:, 0, 0]
    counted = torch.where(found.mask, first[:, None] + torch.arange(22), 0)
    assert torch.equal(found.values[:, :, 0], counted)
    assert (first + lengths - 1 <= LENGTHS.repeat_interleave(500)).all()
    assert set(first[:500].tolist()) >= {1.0, 2.0, 3.0}
    assert torch.equal(found.known[:, :, 1], found.mask & (counted != 4))


def test_each_channel_is_scaled_by_a_factor_of_its_own() -> None:
    inputs = series(1000)
    found = augmented(inputs, scale=0.1)
    factor = (found.values / inputs.values).nan_to_num(nan=-1)
    for channel in (0, 1):
        of_row = factor[:, 0, channel]
        expected = torch.where(inputs.known[:, :, channel], of_row[:, None], -1)
        assert_close(factor[:, :, channel], expected, atol=1e-5, rtol=0)
        assert abs(float(of_row.mean()) - 1) < 0.01
        assert abs(float(of_row.std()) - 0.1) < 0.007
    assert abs(float(torch.corrcoef(factor[:, 0].T)[0, 1])) < 0.08


def test_noise_is_on_what_is_known() -> None:
    inputs = series(300)
    added = augmented(inputs, noise=0.3).values - inputs.values
    assert not added[~inputs.known].any()
    assert abs(float(added[inputs.known].std()) - 0.3) < 0.01
    assert abs(float(added[inputs.known].mean())) < 0.01


def test_a_gap_is_a_run_of_unknown_steps() -> None:
    inputs = series(500)
    found = augmented(inputs, gap=0.3)
    assert torch.equal(found.mask, inputs.mask)
    gone = (inputs.known & ~found.known)[:, :, 0]
    assert [int(rows.max()) for rows in gone.sum(1).view(3, 500)] == [6, 3, 0]
    assert ((gone[:, 1:] & ~gone[:, :-1]).sum(1) + gone[:, 0] <= 1).all()
    assert torch.equal(found.values, torch.where(found.known, inputs.values, 0))
