from collections.abc import Callable

import torch
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import Embedding
from mmtrain.spec import TextSpec
from mmtrain.transformer import positions


def test_a_token_is_a_linear_map_of_word_and_place(make_text: Callable[..., Text]) -> None:
    encoder = Embedding(TextSpec(6), out_dim=3, embedding_dim=4).eval()
    found = encoder(make_text([[2, 5, 2]])).values[0]
    for place, word in enumerate([2, 5, 2]):
        vector = 2 * encoder.words.table.weight[word] + positions(3, 4, torch.device("cpu"))[place]  # 2 is the root of 4
        assert_close(found[place], encoder.layer.weight @ vector + encoder.layer.bias)


def test_no_word_hears_of_another(make_text: Callable[..., Text]) -> None:
    encoder = Embedding(TextSpec(9)).eval()
    difference = encoder(make_text([[2, 3, 6, 5]])).values - encoder(make_text([[2, 3, 4, 5]])).values
    assert difference[0].abs().sum(1).nonzero().flatten().tolist() == [2]
