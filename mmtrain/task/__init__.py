"""Tasks: one label column each (`multi_regression` several, `retrieval` none); they read targets, predict them, and say how well.

    Task(name, *, column, weight=1.0, loss, metric=..., hidden=0, dropout=0.0)
    fit(train table), encode(table)             cells to targets (n, ...) and which rows are labelled (n,)
    head(in_dim, token_dims)                    vector (B, in_dim), and tokens of the modalities it names, to prediction (B, ...)
    loss(prediction, target) -> (K,)            of labelled rows
    answer(prediction) -> decode, evaluate      to probabilities or units; to columns for the user, or to metrics and skill

`Task` describes all of it. A target lives in the store as the loss wants it (class number, scaled number); everything that a user
sees, labels, metrics and predictions, is in the user's own words and units. What stands in an unlabelled row is never read.

To add one: a class as `Task` describes it in `mmtrain/task/<name>.py`, its export here, `configs/task/<name>.yaml`, metrics in
`mmtrain/metric`, `tests/task/test_<name>.py` and a line in `tests/task/test_laws.py`.
"""

from mmtrain.task.binary import Binary
from mmtrain.task.classification import Classification
from mmtrain.task.count import Count
from mmtrain.task.dense import read_runs
from mmtrain.task.keep import condensed, join
from mmtrain.task.multi_regression import MultiRegression
from mmtrain.task.multilabel import Multilabel
from mmtrain.task.ordinal import Ordinal
from mmtrain.task.protocol import Task
from mmtrain.task.quantile import Quantile
from mmtrain.task.regression import Regression
from mmtrain.task.retrieval import Retrieval
from mmtrain.task.segmentation import Segmentation
from mmtrain.task.tagging import Tagging

__all__ = [
    "Binary",
    "Classification",
    "Count",
    "MultiRegression",
    "Multilabel",
    "Ordinal",
    "Quantile",
    "Regression",
    "Retrieval",
    "Segmentation",
    "Tagging",
    "Task",
    "condensed",
    "join",
    "read_runs",
]
