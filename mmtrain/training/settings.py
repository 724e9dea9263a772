"""How long, how large, how precise, where."""

from dataclasses import dataclass
from typing import Annotated, Literal

from mmtrain.option import Count, Dropout, NonNegative, Positive, Range


@dataclass(frozen=True)
class Settings:
    """The loop's own choices.

    `epochs` passes over the train rows, or exactly `steps` optimizer steps where given. `accumulate` batches of `batch_size` rows
    make one step. `clip` bounds the norm of the whole gradient. `average` is the decay of a moving average of the weights, such as
    0.999, which is then what is evaluated and kept; 0 keeps none. `precision` is that of the model's forward pass (autocast);
    weights stay float32. `compile` compiles encoders and fusion one by one. `device` is auto, cpu, cuda, cuda:1, ... .
    `threads` is the number of CPU threads, by default torch's own choice. `patience` ends training after so many epochs
    without a better validation skill; `per_task_stop` ends that of a single task after so many epochs without a better skill of its own:
    its head rests, and it has no loss and no weight any more, while the others go on. `freeze` lets parts of the model rest, always
    or for so many epochs: `training.freeze.encoder.image=always`, by modality name or kind; also `fusion`, `sharing`, `tasks.<name>`.
    `checkpoint_seconds` is the longest time between two checkpoints: besides the one at the end of each epoch, one is written
    whenever so much time has passed; 0 writes one every step. `log_steps` is the number of steps between two points
    of the training curves; `conflicts_every` that between two steps in which the tasks' gradients are compared where their heads begin,
    whatever the balancing, from the first of an epoch on: 0 compares none. `contributions` logs after every epoch what each of two
    or more modalities brings on val; never under `missing=drop`, where a row without one of them is not answered at all.
    """

    epochs: Count = 10
    steps: Count | None = None
    batch_size: Count = 64
    evaluation_batch_size: Count = 256
    accumulate: Count = 1
    clip: Positive | None = 1.0
    average: Dropout = 0.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    compile: bool = False
    device: str = "auto"
    threads: Count | None = None
    patience: Count | None = None
    per_task_stop: Count | None = None
    freeze: dict[str, Literal["always"] | Count | dict[str, Literal["always"] | Count]] | None = None
    checkpoint_seconds: NonNegative = 300.0
    log_steps: Count = 10
    conflicts_every: Annotated[int, Range(0)] = 20
    contributions: bool = True


@dataclass(frozen=True)
class Selection:
    """Which epoch's weights are kept: the best mean skill over the tasks on validation, or the best skill of one `task`."""

    task: str | None = None
