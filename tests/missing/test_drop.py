"""An incomplete row says nothing, whatever it has."""

import torch

from mmtrain.batch import Tokens
from mmtrain.config.signature import signature
from mmtrain.missing import Drop


def test_only_whole_rows_are_left() -> None:
    tokens = {
        "image": Tokens(torch.ones(3, 2, 4), torch.tensor([[True, True], [True, False], [False, False]]), grid=(1, 2)),
        "text": Tokens(torch.ones(3, 1, 5), torch.tensor([[True], [False], [True]])),
    }
    present = {"image": torch.tensor([True, True, False]), "text": torch.tensor([True, False, True])}
    found, there, _ = Drop({"image": 4, "text": 5})(tokens, present)
    assert [mask.tolist() for mask in there.values()] == [[True, False, False]] * 2
    assert found["image"].mask.tolist() == [[True, True], [False, False], [False, False]]
    assert found["text"].mask.tolist() == [[True], [False], [False]]
    assert found["image"].values.sum((1, 2)).tolist() == [8, 0, 0]
    assert found["image"].grid == (1, 2)


def test_the_configuration_can_read_that_it_wants_whole_rows() -> None:
    assert signature("mmtrain.missing.Drop", "", ()).constants["whole_rows"] is True
    assert "whole_rows" not in signature("mmtrain.missing.Mask", "", ()).constants
