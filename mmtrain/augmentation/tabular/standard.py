"""Numbers with noise, cells left empty."""

import torch
from torch import nn

from mmtrain.batch import Tabular
from mmtrain.option import Dropout, NonNegative
from mmtrain.spec import TabularSpec


class Standard(nn.Module):
    """Add normal noise of the deviation `noise` to the known numbers, in their scaled units (deviations of the column under
    `scaling=standard`), and empty each cell with probability `dropout`: a number is then unknown, a category missing."""

    def __init__(self, spec: TabularSpec, *, noise: NonNegative = 0.05, dropout: Dropout = 0.1) -> None:
        super().__init__()
        self.noise, self.dropout = noise, dropout

    def forward(self, inputs: Tabular) -> Tabular:
        """The same rows, a little different."""
        numeric, known, categorical = inputs.numeric, inputs.known, inputs.categorical
        if self.dropout:
            known = known & (torch.rand_like(numeric) >= self.dropout)
            dropped = torch.rand(categorical.shape, device=categorical.device) < self.dropout
            categorical = torch.where(dropped, 0, categorical)
        if self.noise:
            numeric = numeric + self.noise * torch.randn_like(numeric)
        return Tabular(torch.where(known, numeric, 0), known, categorical)
