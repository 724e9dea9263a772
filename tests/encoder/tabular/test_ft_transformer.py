import math

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Tabular
from mmtrain.encoder.tabular import FTTransformer
from mmtrain.errors import ConfigError
from mmtrain.spec import TabularSpec

INPUTS = Tabular(torch.tensor([[0.5, math.nan], [-2.0, 3.0]]), torch.tensor([[True, False], [True, True]]), torch.tensor([[2], [0]]))
SPEC = TabularSpec(2, (3,))


def test_the_rows_token_has_looked_at_every_column() -> None:
    encoder = FTTransformer(SPEC, out_dim=8, layers=1, heads=2).eval()
    assert encoder.row is not None
    values = torch.cat([encoder.row.expand(2, 1, -1), encoder.columns(INPUTS)], 1)
    found = encoder(INPUTS)
    assert found.values.shape == (2, 1, 8)
    assert_close(found.values[:, 0], encoder.layers(values)[:, 0])
    for place in range(3):
        other = INPUTS.categorical + 1 if place == 2 else INPUTS.categorical
        known = INPUTS.known.clone()
        known[:, :2] ^= torch.arange(2) == place
        numeric = torch.nan_to_num(INPUTS.numeric)
        assert not torch.equal(encoder(Tabular(numeric, known, other % 3)).values, found.values)


def test_a_token_a_column() -> None:
    encoder = FTTransformer(SPEC, out_dim=8, layers=1, heads=2, tokens="column").eval()
    found = encoder(INPUTS)
    assert found.values.shape == (2, 3, 8)
    assert found.mask.all()
    assert_close(found.values, encoder.layers(encoder.columns(INPUTS)))
    assert encoder.stages[0] is encoder.columns


def test_heads_share_the_width_evenly() -> None:
    with pytest.raises(ConfigError, match="3 heads do not share 8 numbers evenly"):
        FTTransformer(SPEC, out_dim=8, heads=3)
