"""What an epoch holds, in words."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Int


def epoch_in_words(order: Int[np.ndarray, " n"], labelled: Mapping[str, Bool[np.ndarray, " n"]]) -> str:
    """How long an epoch with these rows is, and how many of them have a label of each task, which is how often each such row comes."""
    if (np.bincount(order, minlength=len(order)) == 1).all():
        return f"an epoch is {len(order):,} rows: each train row once"
    found = {task: (int(mask[order].sum()), int(mask.sum())) for task, mask in labelled.items()}
    shown = (f"{task} {number:,} (each {number / max(count, 1):.2g} times)" for task, (number, count) in found.items())
    return f"an epoch is {len(order):,} rows; with a label of {', '.join(shown)}"
