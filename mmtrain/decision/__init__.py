"""Decision: the predictions of all views in, one prediction a row out.

    Decision(views: Sequence[str], spec: TaskSpec, *, ...)           one a task; the views' names, `fused` among them where there is one
    forward(predictions {view: (B, ...)}, present {view: (B,) bool}, prior (...)) -> (B, ...)

Predictions are what a task's heads give (logits or scaled numbers); `prior` is the task's constant answer from train, given to
every row that no view can speak for, so that such a row has skill 0. What stands in an absent row changes nothing.

To add one: a class as above in `mmtrain/decision/<name>.py`, its export here, `configs/decision/<name>.yaml`, and a test.
"""

from mmtrain.decision.auto import Auto

__all__ = ["Auto"]
