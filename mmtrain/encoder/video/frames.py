"""A picture encoder on each frame, then something that joins the frames over time."""

from typing import Annotated, Literal

import torch
from torch import nn

from mmtrain.batch import Image, Tokens, Video
from mmtrain.encoder.recurrent import Recurrent
from mmtrain.option import Count, Dropout, From, Part
from mmtrain.spec import ImageSpec, VideoSpec
from mmtrain.transformer import Transformer, positions


class Frames(nn.Module):
    """Encode each frame by `image`, any picture encoder, as the mean of its tokens; then let frames know of each other, by `time`.

    `gru`: a token is the state, at its frame, of `layers` layers of gated recurrent units that read the frames in both directions.
    `attention`: frames look at each other in `layers` transformer layers of `heads` heads, with sines for where a frame stands; `heads`
    must divide `out_dim`. `none`: a token is its frame alone, so that a fusion that averages tokens averages frames, in any order.

    Source: Donahue et al. 2015, section 3, with gated units (Cho et al. 2014, section 2.3) for theirs; Arnab et al. 2021 (ViViT), section
    3.3, the factorised encoder; Wang et al. 2016, section 3.1, the average as consensus.
    """

    def __init__(
        self,
        spec: VideoSpec,
        *,
        image: Annotated[Part, From("encoder.image")],
        out_dim: Count = 128,
        time: Literal["gru", "attention", "none"] = "gru",
        layers: Count = 1,
        heads: Count = 4,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.image = image(ImageSpec(spec.channels, spec.height, spec.width))
        self.recurrent, self.attention = None, None
        if time == "gru":
            self.recurrent = Recurrent(
                nn.GRU, self.image.out_dim, out_dim, hidden=out_dim, layers=layers, bidirectional=True, dropout=dropout
            )
        else:
            self.readout = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.image.out_dim, out_dim))
        if time == "attention":
            self.attention = Transformer(out_dim, layers=layers, heads=heads, dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """Those of the picture encoder, then what joins the frames."""
        above = [self.recurrent] if self.recurrent is not None else [self.readout, *(self.attention.stages if self.attention else [])]
        return [*getattr(self.image, "stages", [self.image]), *above]

    def forward(self, inputs: Video) -> Tokens:
        """One token a frame, in the order of time."""
        mask = inputs.mask
        seen = self.image(Image(inputs.frames[mask]))
        found = seen.values.sum(1) / seen.mask.sum(1, keepdim=True).clamp(min=1)
        frames = found.new_zeros(*mask.shape, found.shape[1])
        frames[mask] = found
        values = self.recurrent(frames, mask) if self.recurrent is not None else self.readout(frames)
        if self.attention is not None:
            values = self.attention(values + positions(mask.shape[1], self.out_dim, mask.device).to(values.dtype), mask)
        return Tokens(torch.where(mask[:, :, None], values, 0), mask, penalties=seen.penalties)
