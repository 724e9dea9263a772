"""Which epoch is kept."""

import pytest

from mmtrain.training.loop import Loop
from mmtrain.training.meter import Scores
from mmtrain.training.progress import Progress
from mmtrain.training.settings import Selection


def after(*epochs: tuple[float | None, float | None]) -> Progress:
    """The progress after epochs of these skills and losses on val."""
    loop = object.__new__(Loop)
    loop.progress, loop.selection = Progress(), Selection()
    for skill, loss in epochs:
        loop._advance_epoch(Scores(loss, skill, {}))
    return loop.progress


@pytest.mark.parametrize(
    ("epochs", "best", "stale"),
    [
        ([(0.1, 3.0), (0.5, 2.0), (0.4, 1.0)], 2, 1),  # the skill decides, not the loss
        ([(1.0, 0.4), (1.0, 0.3), (1.0, 0.5)], 2, 1),  # a tie goes to the lower loss
        ([(1.0, 0.4), (1.0, 0.4)], 1, 1),  # then to the earlier epoch
        ([(None, 0.4), (None, 0.2), (None, None)], 2, 1),  # without any skill the loss decides
    ],
)
def test_the_epoch_that_is_kept(epochs: list[tuple[float | None, float | None]], best: int, stale: int) -> None:
    progress = after(*epochs)
    assert (progress.best_epoch, progress.stale, progress.epoch) == (best, stale, len(epochs))
