import torch

from mmtrain.batch import Tokens
from mmtrain.missing import Zero


def test_a_token_of_zeros_comes_first() -> None:
    tokens = {
        "image": Tokens(torch.ones(2, 2, 1), torch.tensor([[True, True], [True, False]])),
        "text": Tokens(torch.ones(2, 2, 1), torch.tensor([[True, True], [False, False]])),
    }
    present = {"image": torch.tensor([True, True]), "text": torch.tensor([True, False])}
    found, there, _ = Zero({"image": 1, "text": 1})(tokens, present)
    assert found["text"].values[..., 0].tolist() == [[1, 1], [0, 0]]
    assert found["text"].mask.tolist() == [[True, True], [True, False]]
    assert found["image"].mask.tolist() == tokens["image"].mask.tolist()
    assert there["text"].tolist() == [True, True]
