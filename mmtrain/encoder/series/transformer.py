"""Patches of a series that look at each other."""

from torch import nn

from mmtrain.batch import Series, Tokens
from mmtrain.encoder.series.steps import patches_of
from mmtrain.option import Count, Dropout
from mmtrain.spec import SeriesSpec
from mmtrain.transformer import Transformer as Layers
from mmtrain.transformer import positions


class Transformer(nn.Module):
    """Cut the series into patches of `patch` steps, project each, all channels together, and let them look at each other.

    Every channel enters beside a flag of where it is known. `heads` must divide `out_dim`.

    Source: Nie et al. 2023 (PatchTST), section 3.1; patches do not overlap, channels are mixed, and positions are sines as in Vaswani
    et al. 2017.
    """

    def __init__(
        self,
        spec: SeriesSpec,
        *,
        out_dim: Count = 128,
        patch: Count = 8,
        layers: Count = 2,
        heads: Count = 4,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        self.out_dim, self.patch = out_dim, patch
        self.embedding = nn.Sequential(nn.Linear(2 * spec.channels * patch, out_dim), nn.LayerNorm(out_dim))
        self.dropout = nn.Dropout(dropout)
        self.layers = Layers(out_dim, layers=layers, heads=heads, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The embedding, then the layers."""
        return [self.embedding, *self.layers.stages]

    def forward(self, inputs: Series) -> Tokens:
        """Tokens in the order of the steps, one for each patch that has a step."""
        patches, mask = patches_of(inputs, self.patch)
        values = self.embedding(patches)
        values = self.dropout(values + positions(values.shape[1], self.out_dim, values.device).to(values.dtype))
        return Tokens(self.layers(values, mask), mask)
