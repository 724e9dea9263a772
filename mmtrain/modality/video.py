"""Clips: some frames of each, evenly spaced, resized and stored as bytes."""

import math
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from mmtrain.batch import Video
from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.cell import UnreadableError, describe, encoded_file, filled_cells
from mmtrain.modality.clip import Form, import_av, needs_av, read_clip
from mmtrain.modality.protocol import Ragged
from mmtrain.option import Column, Count
from mmtrain.spec import VideoSpec
from mmtrain.table import Table


class VideoModality(nn.Module):
    """A clip a row: the path of a video, an animation or a folder of frames, or an encoded file.

    Videos (mp4, mkv, avi, webm, ...; the first stream of each) take PyAV, the extra `video`; GIF, animated WebP and PNG, and folders
    of pictures in the natural order of their names do without. The store keeps the middle frame of each of `stored` equal parts of
    a clip, upright, brought to `channels` and, by `fit`, to `height` x `width` pixels as a picture is. Calling the modality takes
    one of each of `frames` equal parts of these, a random one while training, with a draw of its own for each row and part, else the
    middle one, and gives pixels from -1 to 1. A clip that has fewer frames has them all.

    Source: Wang et al. 2016 (temporal segment networks), section 3.1, of a clip that is thinned out first.
    """

    kind: ClassVar[str] = "video"
    files: ClassVar[bool] = True

    def __init__(
        self,
        *,
        column: Column,
        frames: Count = 8,
        stored: Count = 16,
        height: Count = 64,
        width: Count = 64,
        channels: Literal[1, 3, 4] = 3,
        fit: Literal["stretch", "pad", "crop"] = "stretch",
    ) -> None:
        super().__init__()
        if stored < frames:
            raise ConfigError(
                Problem("video modality", f"frames: {frames} of the {stored} that are stored", "raise stored, or lower frames")
            )
        self.column, self.frames, self.stored = column, frames, stored
        self.shape, self.fit_by = (height, width, channels), fit
        warnings.filterwarnings("ignore", module=r"PIL\.")  # as for pictures

    @property
    def columns(self) -> list[str]:
        """The one column that holds the clips."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"stored": self.stored, "shape": list(self.shape), "fit": self.fit_by}

    @property
    def spec(self) -> VideoSpec:
        """Frames of a clip, and their size."""
        height, width, channels = self.shape
        return VideoSpec(self.frames, channels, height, width)

    @property
    def most_bytes(self) -> int:
        """Of a stored row."""
        return self.stored * math.prod(self.shape)

    def fit(self, table: Table) -> None:
        """Nothing to learn; but that PyAV is not installed is told now, before anything is decoded.

        Raises:
            ConfigError: a clip needs it.
        """
        if find_spec("av") is not None:
            return
        for _, cell in filled_cells(table, self.column):
            with suppress(UnreadableError, OSError):  # told when it is encoded
                if needs_av(encoded_file(table, cell)):
                    import_av(describe(cell))

    def state(self) -> dict[str, Any]:
        """Nothing was learned."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`frames`: the pixels of a row's frames, one after the other, channels last, as one vector of uint8."""
        frames, form = [np.zeros(0, np.uint8) for _ in range(len(table))], Form(self.shape, self.fit_by)
        for row, cell in filled_cells(table, self.column):
            try:
                frames[row] = read_clip(encoded_file(table, cell), describe(cell), self.stored, form).reshape(-1)
            except UnreadableError as error:
                table.reject(row, self.column, str(error))
        return {"frames": list(frames)}, np.array([len(row) > 0 for row in frames], bool)

    def collate(self, stored: Mapping[str, Ragged], rows: np.ndarray) -> Video:
        """Frames as stored, (K, T, channels, height, width) uint8, channels last in memory; T is that of the longest row."""
        pixels, mask = stored["frames"].pad(rows)
        frames = torch.from_numpy(pixels.reshape(len(rows), mask.shape[1] // int(np.prod(self.shape)), *self.shape))
        return Video(frames.permute(0, 1, 4, 2, 3), torch.from_numpy(mask[:, :: int(np.prod(self.shape))].copy()))

    def forward(self, inputs: Video) -> Video:
        """At most `frames` frames a row, floats from -1 to 1."""
        taken = torch.arange(min(self.frames, inputs.mask.shape[1]), device=inputs.mask.device)
        mask = taken < inputs.mask.sum(1, keepdim=True)
        rows = torch.arange(len(mask), device=mask.device)[:, None]
        frames = inputs.frames[rows, self._places(inputs.mask.sum(1), taken)]
        return Video(torch.where(mask[:, :, None, None, None], frames.float() / 127.5 - 1, 0), mask)

    def _places(self, lengths: Int[Tensor, " K"], taken: Int[Tensor, " T"]) -> Int[Tensor, "K T"]:
        """One place in each part of each row; 0 for a row that has fewer parts."""
        lengths = lengths[:, None]
        parts = lengths.clamp(1, self.frames)
        start, end = taken * lengths // parts, (taken + 1) * lengths // parts
        draw = torch.rand(start.shape, device=start.device) if self.training else 0.5
        places = start + (draw * (end - start)).long()
        return torch.where(taken < lengths, places.minimum(end - 1), 0)  # the draw may be rounded up to the next part
