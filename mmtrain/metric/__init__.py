"""Metrics: what the labelled rows of a split were answered, and what they are, in; one number a metric out.

    score(answer, target) -> float or None      None where these rows do not define it, never NaN
        class tasks                             answer (n, C) probabilities, target (n,) int, -1 a label that train never saw
        multilabel tasks                        answer (n, C) probabilities, target (n, C + 1) int, see `sets.py`
        ordinal tasks                           answer (n, 2) ranks and their probabilities, target (n,) ranks, -1 likewise
        quantile tasks                          answer (n, Q) rising, target (n,), in the user's units
        retrieval tasks                         answer (n, 2, 2) places, target not read, see `pairs.py`
        segmentation tasks                      answer (C, C) counts of pixels, target not read, see `masks.py`
        number tasks                            answer (n,), target (n,), in the user's units
    evaluate(metrics, primary, answer, target, constant) -> {"rows", every metric, "constant", "skill"}
    skill(metric, answer, target, constant) -> float or None
    by_class(answer, target) -> [{"precision", "recall", "f1", "rows"} a class]

Values are those of scikit-learn and scipy, which are imported by the functions that call them: importing takes a second, and
most commands score nothing. Ours are only what they leave undefined, labels that train never saw, `ece` and skill.

To add one: a function as above in `classes.py` or `numbers.py` and its line in the table at the end of that file; where it can
be a task's primary metric, its name in the `metric` option of that task.
"""

from mmtrain.metric.classes import BINARY_METRICS, CLASS_METRICS, by_class
from mmtrain.metric.masks import IGNORED, MASK_METRICS, NOTHING, by_mask, confusion, constant
from mmtrain.metric.metric import Evaluation, Metric, evaluate, skill
from mmtrain.metric.numbers import COUNT_METRICS, NUMBER_METRICS
from mmtrain.metric.pairs import PAIR_METRICS, chance, nearest, places
from mmtrain.metric.quantiles import quantile_metrics
from mmtrain.metric.ranks import RANK_METRICS
from mmtrain.metric.sets import SET_METRICS, by_label
from mmtrain.metric.tags import by_entity, tag_metrics

__all__ = [
    "BINARY_METRICS",
    "CLASS_METRICS",
    "COUNT_METRICS",
    "IGNORED",
    "MASK_METRICS",
    "NOTHING",
    "NUMBER_METRICS",
    "PAIR_METRICS",
    "RANK_METRICS",
    "SET_METRICS",
    "Evaluation",
    "Metric",
    "by_class",
    "by_entity",
    "by_label",
    "by_mask",
    "chance",
    "confusion",
    "constant",
    "evaluate",
    "nearest",
    "places",
    "quantile_metrics",
    "skill",
    "tag_metrics",
]
