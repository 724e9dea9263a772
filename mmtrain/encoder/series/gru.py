"""Steps in their order, read by gated recurrent units."""

from torch import nn

from mmtrain.batch import Series, Tokens
from mmtrain.encoder.recurrent import Recurrent
from mmtrain.encoder.series.steps import steps_of
from mmtrain.option import Count, Dropout
from mmtrain.spec import SeriesSpec


class GRU(nn.Module):
    """Gated recurrent units over the steps, by default in both directions; a token is the state at its step.

    `hidden` is the width of each direction. Every channel enters beside a flag of where it is known.

    Source: Cho et al. 2014, section 2.3.
    """

    def __init__(
        self,
        spec: SeriesSpec,
        *,
        out_dim: Count = 128,
        hidden: Count = 128,
        layers: Count = 1,
        bidirectional: bool = True,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.layers = Recurrent(
            nn.GRU, 2 * spec.channels, out_dim, hidden=hidden, layers=layers, bidirectional=bidirectional, dropout=dropout
        )

    def forward(self, inputs: Series) -> Tokens:
        """One token a step."""
        return Tokens(self.layers(steps_of(inputs), inputs.mask), inputs.mask)
