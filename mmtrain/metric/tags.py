"""Metrics of tagged words: answers (n, L, 2), each word's tag from 1 (0: no word was read) and its probability, and tags (n, M).

A target counts from 0; -1 is a tag that train never saw, wrong whatever is answered, and `PADDING` fills up shorter rows. A word that was
not read, as one behind the longest row that is kept, is answered with the commonest tag. Entities are counted by seqeval, as conlleval
does: found where its kind, its first and its last word are right; an inside tag without a beginning begins one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from mmtrain.metric.metric import Metric
from mmtrain.spec import PADDING, UNSEEN

Answers = Float[np.ndarray, "n L 2"]
Tags = Int[np.ndarray, "n M"]

OTHERS = {"L-": "E-", "U-": "S-"}
NEVER_SEEN = "B-a tag that train never saw"


def tag_metrics(names: Sequence[str], commonest: int, *, entities: bool) -> dict[str, Metric]:
    """The metrics of tags with these names; those of `entities` only where the tags name some."""

    def entity_f1(answer: Answers, target: Tags) -> float | None:
        from seqeval.metrics import f1_score

        said, true = written(answer, target, names, commonest)
        if not any(tag != "O" for row in (*said, *true) for tag in row):
            return None
        return float(f1_score(true, said, zero_division=0))

    def accuracy(answer: Answers, target: Tags) -> float | None:
        right, there = _right(answer, target, commonest)
        return float(right.sum() / there.sum()) if there.any() else None

    def exact(answer: Answers, target: Tags) -> float:
        right, there = _right(answer, target, commonest)
        return float((right | ~there).all(1).mean())

    found = {"accuracy": Metric(accuracy, 1.0, "frequencies"), "exact": Metric(exact, 1.0, "frequencies")}
    return {"entity_f1": Metric(entity_f1, 1.0, "frequencies"), **found} if entities else found


def by_entity(answer: Answers, target: Tags, names: Sequence[str], commonest: int) -> dict[str, dict[str, float | None]]:
    """Precision, recall, F1 and the number of entities of each kind that occurs among targets or answers; by alphabet."""
    from seqeval.metrics import classification_report

    said, true = written(answer, target, names, commonest)
    if not any(tag != "O" for row in (*said, *true) for tag in row):
        return {}
    report: dict[str, Any] = classification_report(true, said, output_dict=True, zero_division=np.nan)
    kinds = [kind for kind in report if kind not in ("micro avg", "macro avg", "weighted avg")]
    return {kind: _plain(report[kind]) for kind in kinds if f"B-{kind}" != NEVER_SEEN}


def written(answer: Answers, target: Tags, names: Sequence[str], commonest: int) -> tuple[list[list[str]], list[list[str]]]:
    """What was said of every word of each row, and what is true of it, in the user's own tags."""
    said, lengths = _said(answer, target, commonest), (target != PADDING).sum(1)
    # seqeval calls by other letters what L- and U- mark: an entity's last word and its only one
    tags = [f"{OTHERS[name[:2]]}{name[2:]}" if name[:2] in OTHERS else name for name in names] + [NEVER_SEEN]  # UNSEEN finds the last
    return (
        [[tags[tag] for tag in row[:length]] for row, length in zip(said.tolist(), lengths, strict=True)],
        [[tags[tag] for tag in row[:length]] for row, length in zip(target.tolist(), lengths, strict=True)],
    )


def _said(answer: Answers, target: Tags, commonest: int) -> Int[np.ndarray, "n M"]:
    """The tag of every place of the targets, from 0."""
    said = np.zeros(target.shape, np.int64)
    length = min(answer.shape[1], target.shape[1])
    said[:, :length] = answer[:, :length, 0]
    return np.where(said > 0, said - 1, commonest)


def _right(answer: Answers, target: Tags, commonest: int) -> tuple[np.ndarray, np.ndarray]:
    """Which words were tagged right, and where there are words."""
    return (_said(answer, target, commonest) == target) & (target != UNSEEN), target != PADDING


def _plain(found: dict[str, Any]) -> dict[str, float | None]:
    figures = {"precision": found["precision"], "recall": found["recall"], "f1": found["f1-score"]}
    return {name: None if np.isnan(figure) else float(figure) for name, figure in figures.items()} | {"rows": int(found["support"])}
