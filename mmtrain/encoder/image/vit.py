"""A small vision transformer."""

from torch import nn

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.grid import every_token
from mmtrain.encoder.image.patches import Patches
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec
from mmtrain.transformer import Transformer


class ViT(nn.Module):
    """Patches of `patch` x `patch` pixels, a token of `hidden` numbers each, through `layers` transformer layers of `heads` heads.

    Source: Dosovitskiy et al. 2021, section 3.1, without the class token: a fusion pools the tokens, as in their appendix D.3.

    Raises:
        ConfigError: `heads` does not divide `hidden`.
    """

    def __init__(
        self,
        spec: ImageSpec,
        *,
        out_dim: Count = 128,
        patch: Count = 8,
        hidden: Count = 128,
        layers: Count = 6,
        heads: Count = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.patches = Patches(spec, out_dim=hidden, patch=patch, dropout=dropout)
        self.transformer = Transformer(hidden, layers=layers, heads=heads, dropout=dropout)
        self.readout = nn.Linear(hidden, out_dim)

    @property
    def stages(self) -> list[nn.Module]:
        """The layers, from input to output."""
        return self.transformer.stages

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        patches = self.patches(inputs)
        return every_token(self.readout(self.transformer(patches.values)), patches.grid)
