"""Whether answers are as often right as their probability says."""

import numpy as np
from jaxtyping import Bool, Float

BINS = 15  # as in Guo et al. 2017, section 5


def calibration_error(confidence: Float[np.ndarray, " n"], right: Bool[np.ndarray, " n"]) -> float:
    """Mean gap between the probability of what was answered and how often that is right, over 15 equal bins of probability.

    0 is perfect, 1 the worst. A bin holds its upper edge, not its lower one.
    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, equation 3.
    """
    places = (np.ceil(confidence * BINS).astype(int) - 1).clip(0, BINS - 1)
    return float(np.abs(np.bincount(places, weights=confidence - right)).sum() / len(right))
