"""Sharing: what the tasks have in common, between a fused view and the heads. The model builds one per view.

    Sharing(in_dim: int, tasks: Sequence[str], *, ...)              .out_dim is the width that every head gets
    shared(vector (B, in_dim)) -> features (B, ...)                 all that several tasks use, computed once a batch
    split(features, vector (B, in_dim), task) -> (B, out_dim), gate what is the task's own: gates, towers

The cut between the two is where gradient balancing looks: `features` is the tensor (`boundary`) whose gradients it compares
task by task, and whatever `split` owns behind it gets the plain weighted sum; what it reads of `vector` goes past the cut.
Normalisation is per row, never over the batch. Parts are made in the order of the tasks' names, not in that of a configuration.

`gate` (a `Gate`, or None) says how the task weighs what is shared: each weight's mean over rows is logged. It may have penalties, a cost
for each row; their mean over the rows that the view speaks for joins the loss after the tasks have been balanced.

Where the cut lies:

* `shared`, `separate`: the fused vector.
* `mmoe`, `dselect_k`: the experts' outputs (B, N, D).
* `cgc`: the common experts' outputs (B, C, D). The task's own experts read `vector`, past the cut.
* `ple`: what the tasks read of the last level: their states before it and its common experts' outputs (B, T + C, D).
* `cross_stitch`: the streams (B, T, D) before the last stitch. Every task reads every stream there, so that the stack is a proper cut.
* `attention_masks`: the outputs of all shared layers (B, 2L, D).

To add one: a class as above in `mmtrain/sharing/<name>.py`, its export here, `configs/sharing/<name>.yaml`; the laws in
`tests/sharing/test_laws.py` then test it by themselves, its values need a `tests/sharing/test_<name>.py`.
"""

from mmtrain.sharing.attention_masks import AttentionMasks
from mmtrain.sharing.cgc import CGC
from mmtrain.sharing.cross_stitch import CrossStitch
from mmtrain.sharing.dselect_k import DSelectK
from mmtrain.sharing.mmoe import MMoE
from mmtrain.sharing.ple import PLE
from mmtrain.sharing.separate import Separate
from mmtrain.sharing.shared import Shared

__all__ = ["CGC", "PLE", "AttentionMasks", "CrossStitch", "DSelectK", "MMoE", "Separate", "Shared"]
