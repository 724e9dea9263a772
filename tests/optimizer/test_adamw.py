import torch
from torch import nn

from mmtrain.optimizer import AdamW


def test_one_step_by_hand() -> None:
    model = nn.Linear(1, 1)
    nn.init.constant_(model.weight, 2.0)
    nn.init.constant_(model.bias, 1.0)
    optimizer = AdamW(model, {}, lr=0.1, weight_decay=0.5)
    (3 * model.weight.sum() + 3 * model.bias.sum()).backward()
    optimizer.step()
    # The first step of Adam is lr * sign(gradient); decay takes lr * weight_decay of the weight, and nothing of the bias.
    torch.testing.assert_close(model.weight.detach(), torch.tensor([[2.0 * (1 - 0.05) - 0.1]]))
    torch.testing.assert_close(model.bias.detach(), torch.tensor([0.9]))
