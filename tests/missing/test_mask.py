"""Nothing is changed, not even copied."""

from collections.abc import Callable
from typing import Any

import torch

from mmtrain.batch import Tokens
from mmtrain.missing import Mask


def test_tokens_and_presence_pass_unchanged() -> None:
    tokens = {
        "image": Tokens(torch.randn(2, 3, 4), torch.ones(2, 3, dtype=torch.bool), grid=(1, 3)),
        "text": Tokens(torch.zeros(2, 0, 5), torch.zeros(2, 0, dtype=torch.bool)),
    }
    present = {"image": torch.tensor([True, True]), "text": torch.tensor([False, False])}
    out_tokens, out_present, _ = Mask({"image": 4, "text": 5})(tokens, present)
    assert all(out_tokens[name] is tokens[name] for name in tokens)
    assert all(out_present[name] is present[name] for name in present)


def test_there_is_nothing_to_learn_or_to_save() -> None:
    part = Mask({"image": 4})
    assert list(part.parameters()) == []
    assert part.state_dict() == {}


def test_what_dropout_takes_is_absent(draw: Callable[..., Any]) -> None:
    dims = {"audio": 3, "image": 4, "text": 5}
    tokens, present = draw(dims, rows=200)
    out_tokens, out_present, _ = Mask(dims, dropout=0.5)(tokens, present)
    for name, there in present.items():
        taken = there & ~out_present[name]
        assert taken.any()
        assert not (out_present[name] & ~there).any()
        assert not out_tokens[name].mask[taken].any()
        assert not out_tokens[name].values[taken].any()
        assert out_tokens[name].grid == tokens[name].grid
