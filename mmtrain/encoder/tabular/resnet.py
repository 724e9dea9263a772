"""A perceptron with residual blocks over numbers and categories."""

from jaxtyping import Float
from torch import Tensor, nn

from mmtrain.batch import Tabular, Tokens
from mmtrain.encoder.tabular.column import Row, one_token
from mmtrain.option import Count, Dropout, Positive
from mmtrain.spec import TabularSpec


class Block(nn.Module):
    """x + Dropout(Linear(Dropout(ReLU(Linear(LayerNorm(x)))))), `expansion` times as wide inside as outside."""

    def __init__(self, dim: int, *, expansion: int, dropout: float) -> None:
        super().__init__()
        inside = expansion * dim
        self.added = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, inside), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inside, dim), nn.Dropout(dropout)
        )

    def forward(self, values: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """The same vectors, each with something added."""
        return values + self.added(values)


class ResNet(nn.Module):
    """Cells as in `MLP`, through a linear map to `hidden` numbers and `blocks` residual blocks, to one token a row.

    Prefer it where depth helps. A block is `expansion` times as wide inside. `frequencies`, `frequency_scale`, `number_dim` and
    `category_dim` are those of `MLP`; null for `frequencies` is the paper's form.

    Source: Gorishniy et al. 2021, Revisiting Deep Learning Models for Tabular Data, section 3.2, with LayerNorm in place of BatchNorm,
    so that a row does not depend on its batch, and one dropout rate in place of two.
    """

    def __init__(
        self,
        spec: TabularSpec,
        *,
        out_dim: Count = 128,
        hidden: Count = 192,
        blocks: Count = 3,
        expansion: Count = 2,
        dropout: Dropout = 0.1,
        category_dim: Count = 8,
        frequencies: Count | None = None,
        frequency_scale: Positive = 1.0,
        number_dim: Count = 8,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.row = Row(spec, category_dim=category_dim, frequencies=frequencies, frequency_scale=frequency_scale, number_dim=number_dim)
        self.entrance = nn.Linear(self.row.width, hidden)
        self.blocks = nn.Sequential(*(Block(hidden, expansion=expansion, dropout=dropout) for _ in range(blocks)))
        self.exit = nn.Sequential(nn.LayerNorm(hidden), nn.ReLU(), nn.Linear(hidden, out_dim))

    @property
    def stages(self) -> list[nn.Module]:
        """The blocks, from input to output, the cells' vectors before them."""
        return [self.row, self.entrance, *self.blocks]

    def forward(self, inputs: Tabular) -> Tokens:
        """One token a row."""
        return one_token(self.exit(self.blocks(self.entrance(self.row(inputs)))))
