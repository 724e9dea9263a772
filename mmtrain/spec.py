"""Facts that one part tells the next; widths and class names flow along the chain and are never typed in YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

UNSEEN = -1  # the target that stands for a class that train never saw
PADDING = -100  # what fills up the targets of a row that has fewer of them than another; torch's own choice

FUSED = "fused"  # the view that joins all modalities; no modality or task may be called so


@dataclass(frozen=True)
class ImageSpec:
    """Colour channels and pixels."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class TextSpec:
    """`vocabulary` counts the ids: 0 is padding, 1 the unknown word, real words start at 2. `letters` counts the letters' ids, 0 where
    letters are not kept. A row holds at most `max_length` ids. `tokenizer` names the pretrained tokenizer that numbered the words, if one
    did; then the ids are its own, and `model` is the configuration of the model that stood beside it."""

    vocabulary: int
    letters: int = 0
    tokenizer: str | None = None
    max_length: int | None = None
    model: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class AudioSpec:
    """`bands` is the number of mel bands of a frame."""

    bands: int


@dataclass(frozen=True)
class VideoSpec:
    """Frames of a clip, at most; colour channels and pixels of each."""

    frames: int
    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class SeriesSpec:
    """Channels of a step."""

    channels: int


@dataclass(frozen=True)
class VectorSpec:
    """Numbers in the vector."""

    width: int


@dataclass(frozen=True)
class TabularSpec:
    """`numeric` counts the number columns; `cardinalities` holds one entry a categorical column, counting its codes
    (0 is missing, 1 a value that train never saw, real values start at 2)."""

    numeric: int
    cardinalities: tuple[int, ...]


@dataclass(frozen=True)
class TargetSpec:
    """What a loss may know of its target: for tasks with labels these, in the order of the logits, with their train counts; for a
    quantile task the quantiles that it predicts."""

    name: str
    counts: Mapping[str, int] = field(default_factory=dict)
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class TaskSpec:
    """What others may know of a task: how many train rows are labelled, whether its loss is a squared error
    (a Gaussian likelihood) rather than the log loss of a class, and the `weight` that already multiplies its loss.

    `prediction` says what its heads give for a row, and `shape` in which shape: logits of `classes` (C,), of which one is true; the
    logit of a `binary` label (), or of several, each for itself (C,); or `numbers`, scaled or as logarithms. Of predictions for each token
    it is that of one; `whole` says that there is one prediction of the row as a whole, and `modalities` without which nothing at all is
    predicted. `given` names the binary task whose positive label this one's heads take for granted."""

    labels: int
    gaussian: bool
    weight: float = 1.0
    prediction: Literal["classes", "binary", "numbers"] = "numbers"
    shape: tuple[int, ...] = ()
    given: str | None = None
    whole: bool = True
    modalities: tuple[str, ...] = ()
