"""Series cut short, scaled, with noise and gaps."""

from typing import Annotated

import torch
from torch import nn

from mmtrain.augmentation.draw import span, uniform, whole
from mmtrain.batch import Series
from mmtrain.option import Fraction, NonNegative, Range
from mmtrain.spec import SeriesSpec


class Standard(nn.Module):
    """What each series goes through, in this order; an amount of 0 (of 1 for `window`) is off.

    * `window`: cut to a run of its steps, this share of them at least, anywhere in it (Le Guennec et al. 2016, section 3).
    * `scale`: every channel multiplied by a factor of its own, normal around 1 with this deviation.
    * `noise`: normal noise of this deviation, in scaled units, on every known value (both Um et al. 2017, section 3).
    * `gap`: a run of up to this share of the steps becomes unknown.
    """

    def __init__(
        self,
        spec: SeriesSpec,
        *,
        window: Annotated[float, Range(above=0, high=1)] = 0.9,
        scale: NonNegative = 0.1,
        noise: NonNegative = 0.05,
        gap: Fraction = 0.1,
    ) -> None:
        super().__init__()
        self.window, self.scale, self.noise, self.gap = window, scale, noise, gap

    def forward(self, inputs: Series) -> Series:
        """Other series of the same things, padded to the same length."""
        series = self._cut(inputs) if self.window < 1 else inputs
        values, known = series.values, series.known & series.mask[:, :, None]
        if self.scale:
            values = values * (1 + self.scale * torch.randn_like(values[:, :1]))
        if self.noise:
            values = values + self.noise * torch.randn_like(values)
        if self.gap:
            known = known & ~span(series.mask.sum(1), known.shape[1], self.gap)[:, :, None]
        return Series(torch.where(known, values, 0), known, series.mask)

    def _cut(self, inputs: Series) -> Series:
        """Masks are true from the first step on; so is the new one."""
        rows, size = inputs.mask.shape
        steps, places = inputs.mask.sum(1), torch.arange(size, device=inputs.mask.device)
        kept = (steps * uniform(rows, self.window, 1, inputs.mask.device)).ceil().long()
        source = (places + whole(steps - kept)[:, None]).clamp(max=max(size - 1, 0))[:, :, None]
        mask = places < kept[:, None]
        values, known = (tensor.gather(1, source.expand_as(tensor)) for tensor in (inputs.values, inputs.known))
        return Series(values, known, mask)
