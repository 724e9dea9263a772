"""Keep the learning rate, after a linear warm-up."""

from mmtrain.option import Dropout


class Constant:
    """`warmup` is the share of all steps that warms up."""

    def __init__(self, *, warmup: Dropout = 0.0) -> None:
        self.warmup = warmup

    def __call__(self, progress: float) -> float:
        """The factor after `progress` (0 to 1) of the steps."""
        return min(1.0, progress / self.warmup) if self.warmup else 1.0
