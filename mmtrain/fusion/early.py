"""One encoder for all modalities."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Bool
from torch import Tensor, nn
from torch.nn import functional

from mmtrain.batch import FUSED, Fused, Tokens
from mmtrain.fusion.pool import any_present
from mmtrain.fusion.project import Project, in_one_row
from mmtrain.option import Count, Dropout
from mmtrain.transformer import Transformer


class Early(nn.Module):
    """Patches, words and columns of all modalities in one sequence behind a class token, through `layers` layers of self-attention.

    Whatever is learned of one modality is learned beside the others, so that only encoders that mix nothing may stand before it: those
    whose class says `light`. The joint vector is a linear map of what the class token has become. Absent modalities and padding are
    masked keys.

    Source: Kim et al. 2021 (ViLT), section 3.1, smaller, from scratch, and without its last tanh; a modality is told by the bias of its
    projection. Early fusion: Baltrusaitis et al. 2019, section 6.1.

    Raises:
        ConfigError: `heads` does not divide `dim`.
    """

    light_encoders: ClassVar[bool] = True

    def __init__(
        self,
        in_dims: Mapping[str, int],
        *,
        out_dim: Count = 128,
        dim: Count = 128,
        layers: Count = 4,
        heads: Count = 4,
        expansion: Count = 2,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.views = [FUSED]
        self.out_dim = out_dim
        self.project = Project(in_dims, dim=dim)
        self.start = nn.Parameter(0.02 * torch.randn(dim))
        self.transformer = Transformer(dim, layers=layers, heads=heads, expansion=expansion, dropout=dropout)
        self.readout = nn.Linear(dim, out_dim)

    def forward(self, tokens: Mapping[str, Tokens], present: Mapping[str, Bool[Tensor, " B"]]) -> dict[str, Fused]:
        """The one view `fused`, which can speak for every row that has a modality."""
        values, mask = in_one_row(self.project(tokens, present))
        values = torch.cat([self.start.expand(len(values), 1, -1), values], 1)
        seen = self.transformer(values, functional.pad(mask, (1, 0), value=True))
        return {FUSED: Fused(self.readout(seen[:, 0]), tokens, any_present(present))}
