"""A class for every pixel: the head that draws masks, the loss of all of a row's pixels, and masks as text."""

from collections.abc import Mapping
from itertools import groupby, pairwise

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import Fused, Tokens
from mmtrain.errors import ConfigError, Problem
from mmtrain.metric import IGNORED

FEWEST = 16  # channels of a layer


class MaskHead(nn.Module):
    """Logits of C classes for every pixel of a picture, (B, C, height, width), from the grid of its tokens.

    To each token is added a linear map of the vector, which knows of the other modalities. Then each of `layers` enlarges the grid by the
    same factor, up to the size of the picture, by bilinear interpolation, and convolves (3x3); it has half as many channels as the
    one before, from `channels` on. A row without the picture is answered with the logits `prior`; learning begins at `first`.

    Source: Long et al. 2015, sections 3.2 and 3.3 (dense prediction by enlarging what a classifier's grid says), without their skip
    connections, since encoders hand on their last grid alone; enlarged first and convolved then, as Odena et al. 2016 advise.
    """

    prior: Float[Tensor, " C"]

    def __init__(
        self,
        in_dim: int,
        token_dims: Mapping[str, int],
        prior: Float[Tensor, " C"],
        first: Float[Tensor, " C"],
        *,
        task: str,
        modality: str,
        size: tuple[int, int],
        channels: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.task, self.modality, self.size = task, modality, size
        widths = [max(FEWEST, channels // 2**layer) for layer in range(layers + 1)]
        self.tokens = nn.Conv2d(token_dims[modality], widths[0], 1)
        self.vector = nn.Linear(in_dim, widths[0])
        self.dropout = nn.Dropout(dropout)
        # normalised per row: one group is all channels and places of a picture
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(wide, narrow, 3, padding=1), nn.GroupNorm(1, narrow), nn.GELU()) for wide, narrow in pairwise(widths)
        )
        self.last = nn.Conv2d(widths[-1], len(prior), 1)
        self.last.bias = nn.Parameter(first.clone())
        self.register_buffer("prior", prior.clone(), persistent=False)

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B C H W"]:
        """Draw a mask for every row.

        Raises:
            ConfigError: the picture's tokens lie on no grid.
        """
        tokens = fused.tokens[self.modality]
        prior = self.prior[:, None, None].expand(-1, *self.size)
        if tokens.grid is None:
            self._refuse(tokens)
            return prior.expand(len(vector), -1, -1, -1)
        there = tokens.mask.all(1)
        values = torch.where(there[:, None, None], tokens.values, 0.0).float()
        place = self.tokens(values.mT.unflatten(2, tokens.grid))
        found = self.dropout(place + self.vector(vector)[:, :, None, None])
        for number, layer in enumerate(self.layers, 1):
            found = layer(functional.interpolate(found, self._enlarged(tokens.grid, number), mode="bilinear"))
        return torch.where(there[:, None, None, None], self.last(found), prior)

    def _enlarged(self, grid: tuple[int, int], number: int) -> tuple[int, int]:
        """The size behind a layer, on a geometric scale from the grid to the picture."""
        share = number / len(self.layers)
        down, across = (round(small * (large / small) ** share) for small, large in zip(grid, self.size, strict=True))
        return down, across

    def _refuse(self, tokens: Tokens) -> None:
        """No grid and one place at most is what a batch has in which no row has the picture."""
        if tokens.values.shape[1] > 1:
            where, found = f"tasks.{self.task}", f"the encoder of '{self.modality}' gives tokens that lie on no grid"
            raise ConfigError(
                Problem(where, found, "choose encoder/image=cnn, patches, residual, resnet18, vit, or a timm network that ends in a map")
            )


class EachPixel(nn.Module):
    """Shows a loss of classes every pixel that is not ignored; a row's loss is their mean, 0 where there are none."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, prediction: Float[Tensor, "K C H W"], target: UInt8[Tensor, "K H W"]) -> Float[Tensor, " K"]:
        """Loss of each row."""
        scored = (target != IGNORED).flatten()
        known = torch.where(scored, target.flatten().long(), 0)
        losses = self.loss(prediction.movedim(1, 3).flatten(0, 2), known)
        losses, scored = torch.where(scored, losses, 0.0).reshape(target.shape), scored.reshape(target.shape)
        return losses.sum((1, 2)) / scored.sum((1, 2)).clamp(min=1)


def write_runs(mask: np.ndarray) -> str:
    """A mask (H, W) as text: the runs of equal pixels in reading order, `value:count`, as `0:37 2:5`."""
    return " ".join(f"{value}:{len(list(run))}" for value, run in groupby(mask.ravel().tolist()))


def read_runs(text: str, height: int, width: int) -> np.ndarray:
    """The mask (height, width) that `write_runs` wrote, int64."""
    runs = np.array([run.split(":") for run in text.split()], np.int64)
    return np.repeat(runs[:, 0], runs[:, 1]).reshape(height, width)
