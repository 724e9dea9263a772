"""A yes that can only come after another: from two tasks to both together, in targets, in logits and in probabilities."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mmtrain.spec import UNSEEN

Classes = Int[np.ndarray, " n"]
Mask = Bool[np.ndarray, " n"]
Probabilities = Float[np.ndarray, "n 2"]


def both(condition: Classes, known: Mask, target: Classes, labelled: Mask) -> tuple[Classes, Mask]:
    """The target that both are positive, -1 for a label that train never saw, and where it is known.

    One that is negative settles it, whatever the other says; else both have to be known, and a label of `condition` that train never saw
    tells nothing.
    Source: Kleene 1952, Introduction to Metamathematics, section 64 (the strong connective "and" of three values).
    """
    neither = (known & (condition == 0)) | (labelled & (target == 0))
    settled = neither | (known & (condition == 1) & labelled)
    return np.where(neither | ~settled, np.where(settled, 0, UNSEEN), target), settled


def joint_logit(condition: Float[Tensor, "..."], conditional: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The logit of a product of two probabilities, from their logits a and b.

    The odds against it are (1 + exp(-a)) (1 + exp(-b)) - 1 = exp(-a) + exp(-b) + exp(-a - b), of which no difference is left, so that
    nothing cancels or overflows.
    """
    return -torch.logsumexp(torch.stack([-condition, -conditional, -condition - conditional]), 0)


def entire_space(logits: Mapping[str, Tensor], given: Mapping[str, str]) -> dict[str, Tensor]:
    """What the heads of all tasks predict, with p(task | given) turned into p(task and given) for the tasks that `given` holds.

    Source: Ma et al. 2018, equation 3: pCTCVR = pCTR * pCVR, along a chain of any length.
    """

    def joint(task: str) -> Tensor:
        return joint_logit(joint(given[task]), logits[task]) if task in given else logits[task]

    return {task: joint(task) for task in logits}


def conditional(answer: Probabilities, condition: Probabilities) -> Float[np.ndarray, " n"]:
    """p(task | given) of every row, from what both tasks answered; 0 where the condition is impossible.

    Where a decision between views, or a temperature of its own, lets the task seem likelier than its condition, it is 1.
    """
    return np.divide(answer[:, 1], condition[:, 1], out=np.zeros(len(answer)), where=condition[:, 1] > 0).clip(max=1.0)
