"""A class for every pixel of a picture."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from mmtrain.errors import ConfigError, DataError, Problem
from mmtrain.metric import IGNORED, MASK_METRICS, NOTHING, Evaluation, by_mask, confusion, constant, evaluate, skill
from mmtrain.option import Column, Count, Dropout, ModalityName, NonNegative, Part, Range
from mmtrain.spec import TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.dense import EachPixel, MaskHead, write_runs
from mmtrain.task.labels import Labels, unlabelled
from mmtrain.task.objective import build_loss, first_prediction

ROWS = 256  # whose masks are read at a time
SHOWN = 5  # cells that an error names

Masks = UInt8[np.ndarray, "n H W"]


class Segmentation:
    """Predict a class for every pixel of the pictures of `modality`, in the height and width that this has.

    A cell is the path of a mask: a grey picture, or one with a palette, whose pixels are the numbers of classes. It is
    stretched, padded or cropped as the picture is, by the nearest pixel, so it has to show the same as the picture in the same
    proportions. `classes` says that the numbers are 0 to `classes` - 1, or names them in this order; without it they are those that
    train has. Pixels that are `ignore` (null: none are) enter neither loss nor metrics. All masks of a split
    stay in memory, a byte a pixel.

    The head enlarges the grid of the encoder's tokens: a finer one (`encoder.image.grid=16`) draws finer masks. Augmentation that moves
    what a picture shows is refused. `metric` is what skill is measured in: `mean_iou`, `dice` (both the mean over the classes, over
    all pixels of the split together) or `pixel_accuracy`; the constant answer is the commonest class everywhere. A row
    that lacks the picture gets that, too.
    """

    targets: ClassVar[str] = "masks"
    scored: ClassVar[str] = "classes"
    counted: ClassVar[str] = "pixel"
    kinds: ClassVar[tuple[str, ...]] = ("image",)
    places: ClassVar[bool] = True
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        modality: ModalityName,
        column: Column,
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["mean_iou", "dice", "pixel_accuracy"] = "mean_iou",
        classes: Annotated[int, Range(2, 255)] | list[str] | None = None,
        ignore: Annotated[int, Range(0, 255)] | None = 255,
        channels: Count = 64,
        layers: Count = 3,
        dropout: Dropout = 0.0,
    ) -> None:
        if isinstance(classes, list) and not 2 <= len(set(classes)) == len(classes) <= IGNORED:
            raise ConfigError(Problem(f"tasks.{name}.classes", "names no 2 to 255 different classes", "name each number from 0 on"))
        self.name, self.columns, self.modalities = name, [column], [modality]
        self.weight, self.metric = weight, metric
        self.names = [str(number) for number in range(classes)] if isinstance(classes, int) else classes
        self.ignore, self.channels, self.layers, self.dropout = ignore, channels, layers, dropout
        self._loss_part = loss
        self._picture: Any = None

    def attach(self, modalities: Mapping[str, Any]) -> None:
        """Take the modality whose pictures are told of; called before anything else."""
        self._picture = modalities[self.modalities[0]]

    def fit(self, table: Table) -> None:
        """Count the pixels of each class.

        Raises:
            DataError: no row has a mask, or there is one class alone.
            ConfigError: the loss is not for classes, or weighs a class that is not there.
        """
        pixels, rows = np.zeros(256, np.int64), 0
        self._values = list(range(len(self.names))) if self.names else list(range(256))
        for _, masks, labelled in self._masks(table):
            rows += int(labelled.sum())
            pixels += np.bincount(masks[labelled].ravel() + 1, minlength=257)[1:]  # without -1
        if self.names is None:
            self._values = np.flatnonzero(pixels).tolist()
        self._refuse(table, rows)
        names = self.names or [str(value) for value in self._values]
        self._use({"values": self._values, "rows": rows, "labels": names, "counts": pixels[self._values].tolist()})

    def _refuse(self, table: Table, rows: int) -> None:
        """Masks of which nothing can be learned."""
        found = (
            f"the masks of column '{self.columns[0]}' in train hold {len(self._values)} different number{'s' * (len(self._values) != 1)}"
        )
        if rows == 0 or not 2 <= len(self._values) <= IGNORED:
            found = f"{found} besides {self.ignore}, which is ignored" if self.ignore is not None else found
            fix = f"2 to {IGNORED} classes can be told apart; see tasks.{self.name}.classes and tasks.{self.name}.ignore"
            raise DataError(Problem(f"tasks.{self.name}", found if rows else unlabelled(self.columns[0], table), fix), *table.bad[:SHOWN])

    def state(self) -> dict[str, Any]:
        """The numbers of the classes in the masks, their names and pixels, and the labelled rows."""
        return {"values": self._values, "rows": self._rows} | self.labels.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore classes and loss."""
        self._use(state)

    def _use(self, state: Mapping[str, Any]) -> None:
        self._values, self._rows, self.labels = list(state["values"]), state["rows"], Labels.restore(state)
        counts = {label: max(1, pixels) for label, pixels in self.labels.counts.items()}
        self.loss: Any = EachPixel(build_loss(self._loss_part, TargetSpec(self.name, counts), self.scored))

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows; logits of a class a pixel are numbers to all who do not know where the classes lie."""
        return TaskSpec(
            self._rows,
            bool(self.loss.loss.gaussian),
            self.weight,
            "numbers",
            (len(self._values), *self._size),
            whole=False,
            modalities=tuple(self.modalities),
        )

    @property
    def _size(self) -> tuple[int, int]:
        return self._picture.spec.height, self._picture.spec.width

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Class numbers (n, height, width) uint8, 255 where a pixel is ignored, and which rows have any other. A cell that is no mask, or
        has other numbers than train, is rejected."""
        targets, there = np.full((len(table), *self._size), IGNORED, np.uint8), np.zeros(len(table), bool)
        numbers = np.full(257, IGNORED, np.uint8)
        numbers[self._values] = np.arange(len(self._values))
        for start, masks, labelled in self._masks(table):
            targets[start : start + len(masks)] = numbers[masks]  # the last is that of -1
            there[start : start + len(masks)] = labelled
        return targets, there

    def _masks(self, table: Table) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Some rows at a time: the first one's place, their masks (n, height, width) int16 with -1 for what is ignored, and which have
        one with any other pixel."""
        allowed = np.zeros(257, bool)
        allowed[[*self._values, -1]] = True
        for start in range(0, len(table), ROWS):
            part = table.take(slice(start, start + ROWS))
            masks, labelled = self._picture.masks(part, self.columns[0])
            masks = np.where(masks == self.ignore, -1, masks) if self.ignore is not None else masks
            for row in np.flatnonzero(labelled & ~allowed[masks].all((1, 2))):
                strange = int(masks[row][~allowed[masks[row]]][0])
                part.reject(int(row), self.columns[0], f"has pixels that are {strange}, which is no class; {self._allowed()}")
                labelled[row] = False
            yield start, masks, labelled & (masks >= 0).any((1, 2))

    def _allowed(self) -> str:
        if self.names is not None:
            return f"tasks.{self.name}.classes allows 0 to {len(self.names) - 1}"
        return f"train has {', '.join(map(str, self._values))}, and tasks.{self.name}.classes may name more"

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """Logits for every pixel, which begin at the classes' frequencies."""
        prior = self._logits()
        return MaskHead(
            in_dim,
            token_dims,
            prior,
            first_prediction(prior, self.loss.loss),
            task=self.name,
            modality=self.modalities[0],
            size=self._size,
            channels=self.channels,
            layers=self.layers,
            dropout=self.dropout,
        )

    def prior(self) -> Float[Tensor, "C H W"]:
        """Logarithms of the classes' frequencies in train, the same everywhere."""
        return self._logits()[:, None, None].repeat(1, *self._size)

    def _logits(self) -> Float[Tensor, " C"]:
        counts = np.array(list(self.labels.counts.values())).clip(min=0.5)  # half a pixel: never has no logit
        return torch.from_numpy(np.log(counts / counts.sum())).float()

    def condense(self, prediction: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B H W"]:
        """The most probable class of each pixel; 255 where it is not finite."""
        return torch.where(prediction.isfinite().all(1), prediction.argmax(1), NOTHING).to(torch.uint8)

    def answer(self, prediction: Shaped[Tensor, "n H W"]) -> Masks:
        """The class numbers that `condense` found."""
        return prediction.numpy()

    def decode(self, answer: Masks) -> dict[str, list[Any]]:
        """The mask as text, at the modality's height and width, as `write_runs` writes it, in the numbers of the user's masks; and
        `.share.<class>`, the share of pixels of each class."""
        values = np.array([*self._values, *[NOTHING] * (256 - len(self._values))])
        columns: dict[str, list[Any]] = {"": [write_runs(values[mask]) for mask in answer]}
        return columns | {f".share.{name}": (answer == number).mean((1, 2)).tolist() for number, name in enumerate(self.labels.counts)}

    def evaluate(self, answer: Masks, target: Masks) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(MASK_METRICS, self.metric, *self._tables(answer, target))

    def skill(self, answer: Masks, target: Masks) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(MASK_METRICS[self.metric], *self._tables(answer, target))

    def evaluate_classes(self, answer: Masks, target: Masks) -> dict[str, Evaluation]:
        """Precision, recall, F1 and intersection over union of the pixels of each class, and the rows that show it."""
        return dict(zip(self.labels.counts, by_mask(answer, target, len(self._values)), strict=True))

    def _tables(self, answer: Masks, target: Masks) -> tuple[np.ndarray, Masks, np.ndarray]:
        """What was answered, the targets, and what the constant answer comes to."""
        table = confusion(answer, target, len(self._values))
        return table, target, constant(table, int(self._logits().argmax()))
