"""Subsets: how good a trained model is when some of its modalities are gone.

A run folder and a split enter. `choose` names the subsets of the modalities, `thinned` takes a growing share of the cells away; each
is a cut, and `mmtrain.training.cut` answers every batch under all of them. What leaves is printed (`tables`) and written into the run
folder: `subsets.json` (its keys stand in `command.py`) and `subsets.html` (`page`, with a `curve`).
"""

from mmtrain.subsets.command import subsets
from mmtrain.subsets.curve import curve
from mmtrain.subsets.cuts import choose, thinned
from mmtrain.subsets.page import page
from mmtrain.subsets.tables import tables

__all__ = ["choose", "curve", "page", "subsets", "tables", "thinned"]
