"""Series: channels over steps, such as sensors, prices or a pen."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn

from mmtrain.batch import Series
from mmtrain.errors import DataError, Problem, nearest
from mmtrain.modality.cell import UnreadableError
from mmtrain.modality.numbers import number_cells
from mmtrain.modality.protocol import Ragged
from mmtrain.modality.recording import Layout, Recording, common_layout, read, select
from mmtrain.modality.scaling import Quantile, Standard
from mmtrain.modality.steps import levelled, resampled, with_differences
from mmtrain.option import Column, Count
from mmtrain.spec import SeriesSpec
from mmtrain.table import Table

TRAIN_ROWS = 2000  # evenly spaced, that channels and scales are learned from
FITTED = 500  # steps of a series, evenly spaced, that the scales are measured on
SHOWN = 10  # of the cells that could not be read


class SeriesModality(nn.Module):
    """A series of numbers a row, of one channel or several, of any length.

    A cell is the path of a file (or, in Parquet, the file itself): text with a line a step and a column a channel, or `.npy` of shape
    (T,) or (T, N). Or it holds the numbers itself: a list, a list of lists (a step each), or text of numbers. `separator` stands
    between the columns of text files; without it the suffix tells (.csv, .tsv), and a blank stands for any number of them.
    What is empty or NaN is not known. The first line of a text file names its channels if anything in it is no number; elsewhere
    they are called "1", "2", ... `channels` are those to read, by default all columns of numbers that more than half of the train files
    have, but for `time`. A file that lacks one of them leaves it unknown.

    Steps are put in the order of the channel `time`, where one is named; those whose time is not known are left out. `resample` brings
    every series to so many steps, on straight lines between its own, evenly spaced by `time`, or by number where none is named; without
    it, the first `max_steps` steps are kept. `per_row` takes from each channel its own mean over the
    series (`centre`: where it lies says nothing) and divides it by its own deviation, too (`standard`: neither does its size).
    `differences` adds each channel's change from the step before as a further channel. In the end all are scaled with what train shows,
    by mean and deviation (`standard`) or by rank to a normal distribution (`quantile`). What train shows is learned from 2,000 of its
    series, evenly spaced, where there are more.
    """

    kind: ClassVar[str] = "series"
    files: ClassVar[bool] = True

    def __init__(
        self,
        *,
        column: Column,
        channels: list[str] | None = None,
        time: str | None = None,
        separator: str | None = None,
        max_steps: Count = 2000,
        resample: Count | None = None,
        per_row: Literal["none", "centre", "standard"] = "none",
        differences: bool = False,
        scaling: Literal["standard", "quantile"] = "standard",
    ) -> None:
        super().__init__()
        self.column, self.time, self.separator = column, time, separator
        self.max_steps, self.resample, self.per_row, self.differences = max_steps, resample, per_row, differences
        self.channels = channels
        self.scaling: type[Standard | Quantile] = Quantile if scaling == "quantile" else Standard
        self.layout = Layout(channels or [], None)
        self.scalers: list[Standard | Quantile] = []

    @property
    def columns(self) -> list[str]:
        """The one column that holds the series."""
        return [self.column]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        names = ("channels", "time", "separator", "max_steps", "resample", "per_row", "differences")
        return {name: getattr(self, name) for name in names}

    @property
    def spec(self) -> SeriesSpec:
        """Number of channels, differences included."""
        return SeriesSpec(len(self.scalers))

    @property
    def most_bytes(self) -> int:
        """Of a stored row."""
        return 4 * (self.resample or self.max_steps) * len(self.scalers)

    def fit(self, table: Table) -> None:
        """Learn which channels there are, and the scale of each.

        Raises:
            DataError: no train row has a series that can be read, or one of `channels` or `time` is in none.
        """
        filled = table.frame[self.column].is_not_null().arg_true().to_numpy()
        table = table.take(filled[np.unique(np.linspace(0, len(filled) - 1, min(len(filled), TRAIN_ROWS)).round().astype(np.int64))])
        recordings, problems = [], list[Problem]()
        for row, cell in number_cells(table, self.column):
            try:
                recordings.append(read(table, cell, self.separator))
            except UnreadableError as error:
                problems.append(Problem(f"{table.place(row)}, column '{self.column}'", str(error)))
        if not recordings:
            nothing = Problem(f"{table.file}, column '{self.column}'", "no train row has a series", "is it the right column?")
            raise DataError(*(problems[:SHOWN] or [nothing]))
        self.layout = self._layout(recordings, table)
        steps = np.concatenate(list(self._sampled(recordings)))
        self.scalers = [self.scaling.fit(values[~np.isnan(values)]) for values in steps.T]

    def _sampled(self, recordings: Sequence[Recording]) -> Iterator[Float64[np.ndarray, "T N"]]:
        """Some steps of each."""
        width = len(self.layout.channels) * (2 if self.differences else 1)
        yield np.zeros((0, width))
        for recording in recordings:
            with suppress(UnreadableError):  # told when it is encoded
                steps = self._steps(recording)
                yield steps[np.linspace(0, len(steps) - 1, min(len(steps), FITTED)).round().astype(np.int64)]

    def _layout(self, recordings: Sequence[Recording], table: Table) -> Layout:
        """What train shows, of that what the options ask for."""
        layout = common_layout(recordings)
        known = {name for recording in recordings for name in recording.names}
        lacking = [name for name in [*(self.channels or []), *([] if self.time is None else [self.time])] if name not in known]
        if lacking:
            where = f"{table.file}, column '{self.column}'"
            read = f"none of the train series that were read ({len(recordings):,}) has a channel"
            raise DataError(*(Problem(where, f"{read} '{name}'", nearest(name, known)) for name in lacking))
        layout = replace(layout, channels=self.channels or [name for name in layout.channels if name != self.time])
        if not layout.channels:
            where = f"{table.file}, column '{self.column}'"
            raise DataError(Problem(where, "no column of numbers is in more than half of the train files", "name some as `channels`"))
        return layout

    def state(self) -> dict[str, Any]:
        """The channels, the number of those without a header, and the scales."""
        scales = [scaler.state() for scaler in self.scalers]
        return {"channels": self.layout.channels, "width": self.layout.width, "scales": scales}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore channels and scales."""
        self.layout = Layout(state["channels"], state["width"])
        self.scalers = [self.scaling.restore(scale) for scale in state["scales"]]

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`values`: a vector of float32 a row, the channels of a step side by side, step after step; NaN where not known."""
        values = [np.zeros(0, np.float32) for _ in range(len(table))]
        for row, cell in number_cells(table, self.column):
            try:
                values[row] = self._scaled(self._steps(read(table, cell, self.separator, self._wanted))).ravel()
            except UnreadableError as error:
                table.reject(row, self.column, str(error))
        return {"values": list(values)}, np.array([len(row) > 0 for row in values], bool)

    @property
    def _wanted(self) -> list[str]:
        return self.layout.channels if self.time is None else [*self.layout.channels, self.time]

    def _steps(self, recording: Recording) -> Float64[np.ndarray, "T N"]:
        """All that happens to a series before it is scaled."""
        values, times = self._in_time(recording, select(recording, self.layout))
        cut = values[: self.max_steps] if self.resample is None else resampled(values, times, self.resample)
        values = levelled(cut, self.per_row)
        return with_differences(values) if self.differences else values

    def _in_time(self, recording: Recording, values: Float64[np.ndarray, "T N"]) -> tuple[np.ndarray, np.ndarray]:
        """The steps whose time is known, in the order of time, and their times; without a clock, a step is the unit of time."""
        if self.time is None:
            return values, np.arange(len(values), dtype=np.float64)
        if self.time not in recording.names:
            raise UnreadableError(f"{recording.source} has no channel '{self.time}'; it has {', '.join(recording.names)}")
        times = recording.values[:, recording.names.index(self.time)]
        order = np.argsort(times, kind="stable")[: int((~np.isnan(times)).sum())]  # NaN is sorted to the end
        if not len(order):
            raise UnreadableError(f"{recording.source} holds no number in '{self.time}'")
        return values[order], times[order]

    def _scaled(self, steps: Float64[np.ndarray, "T N"]) -> np.ndarray:
        scaled = np.full(steps.shape, np.nan, np.float32)
        for place, scaler in enumerate(self.scalers):
            known = ~np.isnan(steps[:, place])
            scaled[known, place] = scaler.scale(steps[known, place])
        return scaled

    def collate(self, stored: Mapping[str, Ragged], rows: np.ndarray) -> Series:
        """Scaled values (K, T, N), which are known, and which steps there are."""
        values, filled = (torch.from_numpy(array).unflatten(1, (-1, len(self.scalers))) for array in stored["values"].pad(rows))
        known = filled & ~values.isnan()
        return Series(torch.where(known, values, 0), known, filled[:, :, 0])

    def forward(self, inputs: Series) -> Series:
        """Values stay as they are."""
        return inputs
