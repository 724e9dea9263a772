"""Sharing: what the tasks have in common, between a fused view and the heads. The model builds one per view.

    Sharing(in_dim: int, tasks: Sequence[str], *, ...)              .out_dim is the width that every head gets
    shared(vector (B, in_dim)) -> features (B, ...)                 all that several tasks use, computed once a batch
    split(features, vector (B, in_dim), task) -> (B, out_dim)       what is the task's own: gates, towers

The cut between the two is where gradient balancing looks: `features` is the tensor (`boundary`) whose gradients it compares
task by task, and whatever `split` owns behind it gets the plain weighted sum. Normalisation is per row, never over the batch.

How the known methods fit, without a change of this contract:

* `mmoe`: `shared` runs N experts and stacks them (B, N, D); `split` mixes them by the softmax of the task's gate on `vector`,
  then runs the task's tower. The gate reads `vector`, and so counts as the task's own.
* `cgc`: `shared` runs the common experts; `split` adds the task's own experts, which read `vector`, before its gate.
* `cross_stitch`: `shared` runs one stream a task up to the last stitch and stacks them (B, T, D); `split` mixes them by the task's row
  of that stitch, then runs the rest of its stream. Every task reads every stream, so the stack is a proper cut.
* `ple`: `shared` runs all levels but the last, and the common experts of the last, and stacks what the tasks read of them;
  `split` is the last level's own experts and gate.

To add one: a class as above in `mmtrain/sharing/<name>.py`, its export here, `configs/sharing/<name>.yaml`, and a test.
"""

from mmtrain.sharing.shared import Shared

__all__ = ["Shared"]
