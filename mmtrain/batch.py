"""What flows through the model: a `Batch` of rows, `Tokens` from an encoder, `Fused` views from a fusion, `Gate`s from sharing.

Shapes: B rows of a batch, L tokens, D width, T samples, frames or steps, F bands, C classes or channels.
Presence and labels are boolean masks keyed by name. What stands in an absent cell or an unlabelled target is
arbitrary and must change nothing: it is never multiplied by a mask, it is left out by index or by `torch.where`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from mmtrain.spec import FUSED as FUSED


@dataclass(frozen=True)
class Image:
    """uint8 as stored; floating point once the modality has normalised it."""

    pixels: Shaped[Tensor, "B C H W"]


@dataclass(frozen=True)
class Text:
    """Ids of words or of pieces of words, and the letters of each, from 1, padded with 0; 0 where the mask is false. S = 0 where letters
    are not kept. `words` numbers the word of the row that an id belongs to, from 1; 0 is an id that stands for none."""

    ids: Int[Tensor, "B L"]
    mask: Bool[Tensor, "B L"]
    letters: Int[Tensor, "B L S"]
    words: Int[Tensor, "B L"]


@dataclass(frozen=True)
class Audio:
    """Samples as stored (16 bit); 0 where the mask is false."""

    samples: Shaped[Tensor, "B T"]
    mask: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Spectrogram:
    """Log-mel frames that the audio modality makes of `Audio`; 0 where the mask is false."""

    bands: Float[Tensor, "B T F"]
    mask: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Video:
    """Frames as stored (uint8), floating point once the modality has normalised them; 0 where the mask is false: a clip that is shorter."""

    frames: Shaped[Tensor, "B T C H W"]
    mask: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Series:
    """Scaled values of N channels at T steps (0 where not `known`); nothing is known where the mask is false."""

    values: Float[Tensor, "B T N"]
    known: Bool[Tensor, "B T N"]
    mask: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Vector:
    """A feature that was computed elsewhere, scaled."""

    values: Float[Tensor, "B D"]


@dataclass(frozen=True)
class Tabular:
    """Scaled numbers (0 where not `known`) and category codes (0 where missing)."""

    numeric: Float[Tensor, "B N"]
    known: Bool[Tensor, "B N"]
    categorical: Int[Tensor, "B C"]


Inputs = TypeVar("Inputs", Image, Text, Audio, Spectrogram, Video, Series, Vector, Tabular)


def take(inputs: Inputs, index: Int[Tensor, " K"]) -> Inputs:
    """Keep the rows that `index` names: every tensor of an input kind leads with B."""
    return replace(inputs, **{part.name: getattr(inputs, part.name)[index] for part in fields(inputs)})


@dataclass(frozen=True)
class Batch:
    """B rows, with what each row has.

    `inputs[m]` is one of the kinds above; `present[m]` says which rows have modality m; `index[m]` numbers those rows.
    `targets[t]` leads with B; `labelled[t]` says which rows have a label of task t. `scored[t][v]` numbers the rows that the
    loss of t in view v is a mean over: labelled, and with modality v, or for the view `fused` with any modality (with all of them
    under `missing=drop`). `rows` are the rows' numbers in their split. Numbers are made on the host, so that choosing rows never
    waits for a GPU.
    """

    inputs: Mapping[str, Any]
    present: Mapping[str, Bool[Tensor, " B"]]
    index: Mapping[str, Int[Tensor, " K"]]
    targets: Mapping[str, Shaped[Tensor, "B ..."]]
    labelled: Mapping[str, Bool[Tensor, " B"]]
    scored: Mapping[str, Mapping[str, Int[Tensor, " S"]]]
    rows: Int[Tensor, " B"]

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        if device.type == "cpu":
            return self
        return replace(self, **{part.name: _moved(getattr(self, part.name), device) for part in fields(self)})


def _moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, Mapping):
        return {name: _moved(item, device) for name, item in value.items()}
    return replace(value, **{part.name: _moved(getattr(value, part.name), device) for part in fields(value)})


@dataclass(frozen=True)
class Tokens:
    """What every encoder gives: tokens with a mask, exactly 0 where the mask is false. L = 0 when no row has the modality.

    `grid` is (rows, columns) where the tokens lie on a grid, row by row, else None. `penalties` are scalars, already
    weighted by the part that adds them, which join the loss after the tasks have been balanced.
    """

    values: Float[Tensor, "B L D"]
    mask: Bool[Tensor, "B L"]
    grid: tuple[int, int] | None = None
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)


@dataclass(frozen=True)
class Fused:
    """One view of the rows: a vector for the heads, the tokens behind it, and which rows the view can speak for."""

    vector: Float[Tensor, "B D"]
    tokens: Mapping[str, Tokens]
    present: Bool[Tensor, " B"]
    penalties: Mapping[str, Float[Tensor, ""]] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """How a task weighs what tasks share: the weight of each of N experts, streams or layers, called `names`, in every row.

    `penalties` are what the gate costs in each row, already weighted by the part that adds them.
    """

    names: Sequence[str]
    weights: Float[Tensor, "B N"]
    penalties: Mapping[str, Float[Tensor, " B"]] = field(default_factory=dict)
