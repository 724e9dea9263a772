"""Every fusion must learn what only two modalities tell together; what adds their separate answers cannot, late fusion among them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion import Late

COLOURS, WIDTH, STEPS, BATCH = 4, 8, 100, 64
DIMS = {"image": WIDTH, "text": WIDTH}


class Additive(nn.Module):
    """A linear answer from each modality, added up: the best that can be said without looking at both at once."""

    def __init__(self, dims: Mapping[str, int], *, out_dim: int) -> None:
        super().__init__()
        self.views = [FUSED]
        self.image, self.text = nn.Linear(dims["image"], out_dim), nn.Linear(dims["text"], out_dim)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Tensor]) -> dict[str, Fused]:
        vector = self.image(tokens["image"].values.mean(1)) + self.text(tokens["text"].values.mean(1))
        return {FUSED: Fused(vector, tokens, present["image"])}


def draw_rows(rows: int, looks: Tensor) -> tuple[dict[str, Tokens], dict[str, Tensor], dict[str, Tensor]]:
    """Half of the rows show and name the same of four colours. Three noisy tokens a modality.

    `match` says whether they are the same, which neither modality tells; `shown`, whether the picture shows one of the first two.
    """
    match = torch.arange(rows) % 2 == 0
    shown = torch.randint(COLOURS, (rows,))
    named = torch.where(match, shown, (shown + torch.randint(1, COLOURS, (rows,))) % COLOURS)
    mask = torch.ones(rows, 3, dtype=torch.bool)
    tokens = {
        name: Tokens(looks[side, colour][:, None] + 0.2 * torch.randn(rows, 3, WIDTH), mask)
        for side, (name, colour) in enumerate([("image", shown), ("text", named)])
    }
    return tokens, dict.fromkeys(tokens, mask[:, 0]), {"match": match.float(), "shown": (shown < 2).float()}


def accuracy_after_training(fusion: Any, target: str = "match") -> float:
    """On new rows, of the mean answer of all views, each with a head of its own."""
    torch.set_num_threads(1)  # steps this small only wait for a second thread
    looks = torch.randn(2, COLOURS, WIDTH)
    heads = nn.ModuleList(nn.Linear(16, 1) for _ in fusion.views)
    optimizer = torch.optim.Adam([*fusion.parameters(), *heads.parameters()], lr=3e-3)

    def answer(tokens: Mapping[str, Tokens], present: Mapping[str, Tensor]) -> Tensor:
        views = fusion(tokens, present)
        return torch.stack([head(views[name].vector)[:, 0] for head, name in zip(heads, fusion.views, strict=True)]).mean(0)

    for _ in range(STEPS):
        tokens, present, labels = draw_rows(BATCH, looks)
        optimizer.zero_grad()
        torch.autograd.backward(functional.binary_cross_entropy_with_logits(answer(tokens, present), labels[target]))
        optimizer.step()
    tokens, present, labels = draw_rows(1000, looks)
    return float(((answer(tokens, present) > 0) == labels[target].bool()).float().mean())


def test_a_fusion_learns_whether_two_modalities_match(build: Callable[..., Any]) -> None:
    fusion = build(DIMS, out_dim=16)
    if FUSED not in fusion.views:
        pytest.skip("no view sees both modalities: it cannot, as the test of late fusion shows")
    assert accuracy_after_training(fusion) > 0.98


def test_adding_separate_answers_does_not() -> None:
    assert accuracy_after_training(Additive(DIMS, out_dim=16)) < 0.7


def test_late_fusion_does_not_either_but_learns_what_one_modality_tells() -> None:
    """Each view has a hidden layer, and still their answers only add up: at best 3 of 4, where sums above 0 make a staircase."""
    assert accuracy_after_training(Late(DIMS, out_dim=16)) < 0.7
    assert accuracy_after_training(Late(DIMS, out_dim=16), "shown") > 0.98
