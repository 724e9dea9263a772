from collections.abc import Callable

import pytest
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.encoder.text import CNN
from mmtrain.spec import TextSpec


def test_each_window_is_a_product_of_its_words(make_text: Callable[..., Text]) -> None:
    encoder = CNN(TextSpec(9), out_dim=6, embedding_dim=4).eval()
    found = encoder(make_text([[2, 5, 3], [4, 0, 0]])).values
    words = encoder.words.table.weight
    one, two, three = (dict(window.named_parameters()) for window in encoder.windows)
    middle = words[[2, 5, 3]].T
    assert_close(found[0, 1, :2], (one["weight"][:, :, 0] @ words[5] + one["bias"]).relu())
    assert_close(found[0, 1, 2:4], ((two["weight"] * middle[:, 1:]).sum((1, 2)) + two["bias"]).relu())
    assert_close(found[0, 1, 4:], ((three["weight"] * middle).sum((1, 2)) + three["bias"]).relu())
    assert_close(found[1, 0, 4:], (three["weight"][:, :, 1] @ words[4] + three["bias"]).relu())  # alone, it has zeros on both sides


@pytest.mark.parametrize(("out_dim", "widest", "shares"), [(128, 3, [43, 43, 42]), (6, 1, [6]), (2, 4, [1, 1])])
def test_windows_share_the_width(out_dim: int, widest: int, shares: list[int]) -> None:
    encoder = CNN(TextSpec(9), out_dim=out_dim, widest=widest)
    shapes = [window.get_parameter("weight").shape for window in encoder.windows]
    assert shapes == [(share, 128, width) for width, share in enumerate(shares, 1)]


def test_only_neighbours_hear_of_a_change(make_text: Callable[..., Text]) -> None:
    encoder = CNN(TextSpec(9), widest=3).eval()
    difference = encoder(make_text([[2, 3, 6, 5, 7]])).values - encoder(make_text([[2, 3, 4, 5, 7]])).values
    assert difference[0].abs().sum(1).nonzero().flatten().tolist() == [1, 2, 3]
