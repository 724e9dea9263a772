"""Which modalities are taken away, and from which rows."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import torch

from mmtrain.training.cut import Cut

MOST = 6  # modalities of which all subsets are taken; of more, as many subsets are drawn as six have
SHARES = tuple(step / 10 for step in range(10))  # of the cells that are there, which are taken away
SEED = 0


def choose(names: Sequence[str]) -> list[tuple[str, ...]]:
    """The subsets of the modalities, none of them empty, larger ones first: all 2^M - 1 of up to six modalities.

    Of more they are a sample, the same every time: the full set, all sets of one, all that lack one, and others, each as likely, until
    there are 63.
    """
    names = sorted(names)
    if len(names) <= MOST:
        return [kept for size in range(len(names), 0, -1) for kept in combinations(names, size)]
    chosen = {tuple(names), *combinations(names, 1), *combinations(names, len(names) - 1)}
    generator = np.random.default_rng(SEED)
    while len(chosen) < 2**MOST - 1:
        drawn = generator.random(len(names)) < 0.5
        chosen |= {tuple(name for name, kept in zip(names, drawn, strict=True) if kept)} - {()}
    return sorted(chosen, key=lambda kept: (-len(kept), kept))


def thinned(present: Mapping[str, np.ndarray]) -> dict[float, Cut]:
    """The cut of each of `SHARES`: so large a part of every modality's cells that are there, (n,) bool each, is gone, rounded.

    Which ones go is drawn for each modality by itself, the same every time. What is gone at one share is gone at all larger ones.
    """
    when: dict[str, np.ndarray] = {}  # above which share a cell is gone
    for place, name in enumerate(sorted(present)):
        there = np.flatnonzero(present[name])
        when[name] = np.ones(len(present[name]))
        when[name][there] = (np.random.default_rng([SEED, place]).permutation(len(there)) + 0.5) / max(len(there), 1)
    return {share: {name: torch.from_numpy(cells >= share) for name, cells in when.items()} for share in SHARES}
