"""Warm up linearly, then fall along half a cosine.  Source: Loshchilov and Hutter 2017, equation 5, without restarts."""

import math

from mmtrain.option import Dropout, Fraction


class Cosine:
    """`warmup` is the share of all steps that warms up; `final` is the factor at the last step."""

    def __init__(self, *, warmup: Dropout = 0.1, final: Fraction = 0.0) -> None:
        self.warmup = warmup
        self.final = final

    def __call__(self, progress: float) -> float:
        """The factor after `progress` (0 to 1) of the steps."""
        if progress < self.warmup:
            return progress / self.warmup
        angle = math.pi * (progress - self.warmup) / (1 - self.warmup)
        return self.final + (1 - self.final) * (1 + math.cos(angle)) / 2
