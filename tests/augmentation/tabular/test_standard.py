import torch
from torch.testing import assert_close

from mmtrain.augmentation.tabular import Standard
from mmtrain.batch import Tabular
from mmtrain.spec import TabularSpec

ROWS = 4000


def cells() -> Tabular:
    known = torch.tensor([True, False]).repeat(ROWS, 1)
    return Tabular(torch.where(known, 1.5, 0), known, torch.tensor([2, 0, 7]).repeat(ROWS, 1))


def test_noise_is_normal_and_on_what_is_known() -> None:
    found = Standard(TabularSpec(2, (3, 3, 9)), noise=0.2, dropout=0)(cells())
    added = found.numeric[:, 0] - 1.5
    assert abs(float(added.mean())) < 0.015
    assert abs(float(added.std()) - 0.2) < 0.01
    assert_close(added.abs().quantile(0.6827), torch.tensor(0.2), atol=0.015, rtol=0)
    assert not found.numeric[:, 1].any()
    assert torch.equal(found.known, cells().known)
    assert torch.equal(found.categorical, cells().categorical)


def test_cells_are_emptied_as_often_as_asked_each_by_itself() -> None:
    found = Standard(TabularSpec(2, (3, 3, 9)), noise=0, dropout=0.3)(cells())
    assert not found.known[:, 1].any()
    assert not found.numeric[~found.known].any()
    assert (found.numeric[found.known] == 1.5).all()
    gone = torch.stack([~found.known[:, 0], found.categorical[:, 0] == 0, found.categorical[:, 2] == 0])
    assert (gone.float().mean(1) - 0.3).abs().max() < 0.03
    assert torch.corrcoef(gone.float()).fill_diagonal_(0).abs().max() < 0.07
    assert set(found.categorical[:, 2].tolist()) == {0, 7}
