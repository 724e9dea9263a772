"""All tasks equally often."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from mmtrain.sampler.systematic import drawn_by_task


class Equal:
    """Draw every task equally often, and each time any of the rows with its label: rows of a small task come several times an epoch,
    some of a large one do not come.

    Source: "uniform" sampling of jiant (Phang et al. 2020), and "equal mixing" of Raffel et al. 2020, section 3.5.2; we sample
    systematically, and a row may have labels of several tasks.
    """

    def __init__(
        self,
        rows: int,
        targets: Mapping[str, np.ndarray],
        labelled: Mapping[str, np.ndarray],
    ) -> None:
        self.draw = drawn_by_task(labelled, dict.fromkeys(labelled, 1.0))

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch, in random order."""
        return self.draw(seed, epoch)
