"""Rows by how often each is expected, with as little as possible left to chance."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Systematic:
    """Epochs of as many rows as there are, in random order.

    `expected` says how often each row comes in an epoch on average; it sums to the number of rows. Each row takes its expected
    number of places, rounded up or down by chance. Rows of one number in `groups` lie together when places are dealt, so that all of
    a group together come as often as expected, give or take one.

    Source: Madow 1949, systematic sampling with unequal probabilities: evenly spaced places of the running sum of the expectations,
    from a random start.
    """

    expected: Float[np.ndarray, " n"]
    groups: Int[np.ndarray, " n"]

    def __call__(self, seed: int, epoch: int) -> Int[np.ndarray, " n"]:
        """The rows of an epoch."""
        random = np.random.default_rng([seed, epoch])
        rows = random.permutation(len(self.groups))
        rows = rows[np.argsort(self.groups[rows], kind="stable")]
        ends = np.cumsum(self.expected[rows])
        places = np.searchsorted(ends, random.random() + np.arange(len(rows)), side="right")
        return random.permutation(rows[places.clip(max=len(rows) - 1)])


def drawn_by_task(labelled: Mapping[str, Bool[np.ndarray, " n"]], weights: Mapping[str, float]) -> Systematic:
    """Rows as often as if each came from drawing a task, in proportion to its weight, and then any of the rows with its label.

    A row with labels of several tasks is drawn for each of them. A task without labels gets no share, and rows without any label keep
    their natural one.
    """
    masks = {task: labelled[task] for task in sorted(labelled) if labelled[task].any()}
    somewhere = np.logical_or.reduce(list(labelled.values()))
    expected = (~somewhere).astype(np.float64)
    total = sum(weights[task] for task in masks)
    for task, mask in masks.items():
        expected += mask * (somewhere.sum() * weights[task] / total / mask.sum())
    patterns = np.packbits(np.stack([labelled[task] for task in sorted(labelled)], 1), axis=1)
    _, groups = np.unique(patterns, axis=0, return_inverse=True)
    return Systematic(expected, groups.reshape(len(somewhere)))
