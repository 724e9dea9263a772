"""Decision: the predictions of all views in, one prediction a row out.

    Decision(views: Sequence[str], spec: TaskSpec, *, ...)           one a task; the views' names, `fused` among them where there is one
    forward(predictions {view: (B, ...)}, present {view: (B,) bool}, prior (...)) -> (B, ...)
    probabilities = True       class constant of a decision by probabilities, which averages where a task predicts numbers

Predictions are what a task's heads give (logits or scaled numbers), and so is the decision: the task's loss is taken of it, and reaches
the views through it. `prior` is the task's constant answer from train.

What every decision promises (`tests/decision/test_laws.py` holds each choice in `configs/decision` to it):

* what an absent view says (zeros, noise, infinities, NaN) changes no prediction and no gradient, to the bit;
* a row that no view can speak for gets `prior`, so that it has skill 0; before anything is learned, one that a single view can speak
  for gets what that view says;
* other rows of the batch change nothing but rounding; a batch of one and an empty one are ordinary input;
* the order in which views are named changes nothing;
* all gradients are finite, and nothing waits for a GPU.

To add one: a class as above in `mmtrain/decision/<name>.py`, its export here, and `configs/decision/<name>.yaml`; the laws then
test it by themselves, its values need a `tests/decision/test_<name>.py`.
"""

from mmtrain.decision.auto import Auto
from mmtrain.decision.confident import Confident
from mmtrain.decision.mean import Mean
from mmtrain.decision.product import Product
from mmtrain.decision.stack import Stack
from mmtrain.decision.weighted import Weighted

__all__ = ["Auto", "Confident", "Mean", "Product", "Stack", "Weighted"]
