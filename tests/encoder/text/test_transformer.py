from collections.abc import Callable

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import Transformer
from mmtrain.errors import ConfigError
from mmtrain.spec import TextSpec
from mmtrain.transformer import positions


def test_its_layers_read_words_and_places(make_text: Callable[..., Text]) -> None:
    encoder = Transformer(TextSpec(9), out_dim=4, heads=2).eval()
    text = make_text([[2, 5, 3], [4, 0, 0]])
    entered = 2 * encoder.words.table.weight[text.ids] + positions(3, 4, torch.device("cpu"))  # 2 is the root of 4
    assert_close(encoder(text).values, encoder.layers(entered, text.mask))


def test_order_matters_and_everyone_hears_of_a_change(make_text: Callable[..., Text]) -> None:
    encoder = Transformer(TextSpec(9)).eval()
    found = encoder(make_text([[2, 3, 4]])).values
    assert (encoder(make_text([[4, 3, 2]])).values.flip(1) - found).abs().max() > 1e-3
    assert ((encoder(make_text([[2, 3, 5]])).values - found)[0].abs().sum(1) > 0).all()


def test_its_stages_begin_with_the_words() -> None:
    encoder = Transformer(TextSpec(9), layers=3)
    assert encoder.stages == [encoder.words, *encoder.layers.layers]


def test_heads_that_do_not_fit_are_named() -> None:
    with pytest.raises(ConfigError, match="5 heads do not share 128 numbers evenly"):
        Transformer(TextSpec(9), heads=5)
