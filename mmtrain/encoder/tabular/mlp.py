"""A multilayer perceptron over numbers and categories."""

from torch import nn

from mmtrain.batch import Tabular, Tokens
from mmtrain.encoder.tabular.column import Row, one_token
from mmtrain.option import Count, Dropout, Positive
from mmtrain.spec import TabularSpec


class MLP(nn.Module):
    """Numbers with flags of what is known, and embedded categories, through `layers` layers of `hidden` units, to one token a row.

    With `frequencies`, each number also enters as that many sines and as many cosines, projected to `number_dim`: of plain numbers a
    network learns steps and bumps slowly. Their frequencies are learned; they start with a deviation of `frequency_scale` turns
    per unit of a scaled number.

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.1, with LayerNorm in each layer and GELU in
    place of ReLU. The sines: Gorishniy et al. 2022, section 3.3.
    """

    def __init__(
        self,
        spec: TabularSpec,
        *,
        out_dim: Count = 128,
        hidden: Count = 256,
        layers: Count = 2,
        dropout: Dropout = 0.1,
        category_dim: Count = 8,
        frequencies: Count | None = 16,
        frequency_scale: Positive = 1.0,
        number_dim: Count = 8,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.row = Row(spec, category_dim=category_dim, frequencies=frequencies, frequency_scale=frequency_scale, number_dim=number_dim)
        width = self.row.width
        blocks: list[nn.Module] = []
        for _ in range(layers):
            blocks += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Dropout(dropout)]
            width = hidden
        self.layers = nn.Sequential(*blocks, nn.Linear(width, out_dim))

    def forward(self, inputs: Tabular) -> Tokens:
        """One token a row."""
        return one_token(self.layers(self.row(inputs)))
