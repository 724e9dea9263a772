"""Numbers, dates and categories of a table's columns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from torch import nn

from mmtrain.batch import Tabular
from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.calendar import Calendar
from mmtrain.modality.imputation import Constant, Regression
from mmtrain.modality.protocol import Fixed
from mmtrain.modality.scaling import Logarithm, Quantile, Standard
from mmtrain.option import Column
from mmtrain.spec import TabularSpec
from mmtrain.table import Table, parse_times

MISSING, UNSEEN, FIRST_CATEGORY = 0, 1, 2
MANY = 0.05  # of the cells of a category column, from which on it is told that train never saw their values
PREDICTING = 32  # codes of a category column, at most, if missing numbers are to be predicted from it
SCALINGS: dict[str, type[Standard | Logarithm | Quantile]] = {"standard": Standard, "log1p": Logarithm, "quantile": Quantile}
FILLINGS: dict[str, tuple[type[Constant | Regression], Any]] = {
    "mean": (Constant, partial(Constant.fit, average=np.mean)),
    "median": (Constant, partial(Constant.fit, average=np.median)),
    "impute": (Regression, Regression.fit),
}


class TabularModality(nn.Module):
    """The cells of `numeric`, `dates` and `categorical` columns; a row whose cells are all missing is absent.

    Numbers are scaled with what train shows: by mean and deviation (`standard`), by those of their logarithms (`log1p`, for counts and
    amounts with a long tail), or by rank to a normal distribution (`quantile`, which no outlier and no skewed column disturbs). A date
    becomes five or seven numbers, as `Calendar` says; it is a date or a date with a time, as ISO writes it unless `date_format` says
    otherwise (as `strptime` does, such as `%d.%m.%Y`). A category is the cell's text: code 0 where missing, 1 where train never saw
    it, else its place among train's categories, from 2.

    `missing` says what becomes of a row in which some numbers or dates are missing. `flag`: they are 0 and not known, which the encoder
    sees. `mean`, `median`: they are that of the train rows, once scaled, and count as known. `impute`: they are predicted by linear
    regression from the row's other numbers and dates, and from its categories of columns with few, and count as known. `drop`: the row
    is absent, also where a category is missing. All but `drop` leave a missing category at its code.
    """

    kind: ClassVar[str] = "tabular"
    files: ClassVar[bool] = False

    def __init__(
        self,
        *,
        numeric: list[Column] | None = None,
        dates: list[Column] | None = None,
        categorical: list[Column] | None = None,
        scaling: Literal["standard", "log1p", "quantile"] = "quantile",
        date_format: str | None = None,
        missing: Literal["flag", "mean", "median", "impute", "drop"] = "flag",
    ) -> None:
        super().__init__()
        self.numeric, self.dates, self.categorical = list(numeric or []), list(dates or []), list(categorical or [])
        if not self.columns:
            raise ConfigError(Problem("", "no column", "name at least one, as numeric, dates or categorical"))
        self.scaling, self.date_format, self.missing = SCALINGS[scaling], date_format, missing
        if date_format is not None:
            _check_form(date_format)
        self.scalers: dict[str, Standard | Logarithm | Quantile] = {}
        self.calendars: dict[str, Calendar] = {}
        self.codes: dict[str, dict[str, int]] = {column: {} for column in self.categorical}
        self.filling: Constant | Regression | None = None

    @property
    def columns(self) -> list[str]:
        """Number columns, date columns, category columns."""
        return [*self.numeric, *self.dates, *self.categorical]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        columns = {"numeric": self.numeric, "dates": self.dates, "categorical": self.categorical}
        return {**columns, "date_format": self.date_format, "missing": self.missing}

    @property
    def spec(self) -> TabularSpec:
        """Number of numbers, those of dates among them, and of codes for each category column."""
        numbers = len(self.numeric) + sum(calendar.width for calendar in self.calendars.values())
        return TabularSpec(numbers, tuple(FIRST_CATEGORY + len(self.codes[column]) for column in self.categorical))

    def fit(self, table: Table) -> None:
        """Learn each number column's scale, each date column's calendar, each category column's values, and what fills gaps."""
        table = replace(table, bad=[])  # `encode` reports bad cells to the table itself
        self.scalers = {column: self.scaling.fit(_finite(table.floats(column))) for column in self.numeric}
        self.calendars = {column: Calendar.fit(_finite(table.times(column, self.date_format))) for column in self.dates}
        self.codes = {column: _coded(sorted({cell for cell in table.text(column) if cell is not None})) for column in self.categorical}
        if self.missing in FILLINGS:
            numbers = self._numbers(table)
            self.filling = FILLINGS[self.missing][1](numbers, others=self._predictors(self._categories(table)))

    def state(self) -> dict[str, Any]:
        """Per number column its scale, per date column its calendar, per category column its values in the order of their codes."""
        return {
            "numeric": {column: scaler.state() for column, scaler in self.scalers.items()},
            "dates": {column: calendar.state() for column, calendar in self.calendars.items()},
            "categorical": {column: list(codes) for column, codes in self.codes.items()},
            "filling": None if self.filling is None else self.filling.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore scales, calendars, codes and what fills gaps."""
        self.scalers = {column: self.scaling.restore(values) for column, values in state["numeric"].items()}
        self.calendars = {column: Calendar.restore(values) for column, values in state["dates"].items()}
        self.codes = {column: _coded(categories) for column, categories in state["categorical"].items()}
        self.filling = FILLINGS[self.missing][0].restore(state["filling"]) if self.missing in FILLINGS else None

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`numeric` (n, N) float32, `known` (n, N) bool, `categorical` (n, C) int32."""
        numbers, categorical = self._numbers(table), self._categories(table)
        known, coded = np.isfinite(numbers), categorical != MISSING
        present = known.all(1) & coded.all(1) if self.missing == "drop" else known.any(1) | coded.any(1)
        if self.filling is not None:
            numbers = self.filling.fill(numbers, self._predictors(categorical))
            known[present] = True
        numeric = np.where(known, numbers, 0).astype(np.float32)
        return {"numeric": numeric, "known": known, "categorical": categorical}, present

    def _numbers(self, table: Table) -> np.ndarray:
        """Scaled numbers, those of dates behind the others, (n, N) float64, NaN where missing."""
        numbers = np.full((len(table), self.spec.numeric), np.nan)
        for place, column in enumerate(self.numeric):
            values = table.floats(column)
            known = np.isfinite(values)
            numbers[known, place] = self.scalers[column].scale(values[known])
        place = len(self.numeric)
        for column, calendar in self.calendars.items():
            times = table.times(column, self.date_format)
            known = np.isfinite(times)
            numbers[known, place : place + calendar.width] = calendar.scale(times[known])
            place += calendar.width
        return numbers

    def _categories(self, table: Table) -> np.ndarray:
        """Codes, (n, C) int32."""
        categorical = np.zeros((len(table), len(self.categorical)), np.int32)
        for place, column in enumerate(self.categorical):
            codes = self.codes[column]
            categorical[:, place] = [MISSING if cell is None else codes.get(cell, UNSEEN) for cell in table.text(column)]
        return categorical

    def _predictors(self, categorical: np.ndarray) -> np.ndarray:
        """What numbers are predicted from besides numbers: a 1 in the place of each code, (n, K), of columns with few codes."""
        few = [(place, count) for place, count in enumerate(self.spec.cardinalities) if count <= PREDICTING]
        return np.concatenate([np.zeros((len(categorical), 0)), *(np.eye(count)[categorical[:, place]] for place, count in few)], 1)

    def collate(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> Tabular:
        """Scaled numbers (K, N), which are known, and codes (K, C) int64."""
        numeric, known, categorical = (torch.from_numpy(stored[name].take(rows)) for name in ("numeric", "known", "categorical"))
        return Tabular(numeric, known, categorical.long())

    def notes(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> list[str]:
        """A line for each category column in which train never saw the value of one cell in twenty, and of more than one, in these rows."""
        lines = []
        for column, codes in zip(self.categorical, stored["categorical"].take(rows).T, strict=True):
            filled, unseen = int((codes != MISSING).sum()), int((codes == UNSEEN).sum())
            if unseen > 1 and unseen >= MANY * filled:
                lines.append(f"column '{column}': {unseen} of {filled} cells hold a value that train never saw")
        return lines

    def forward(self, inputs: Tabular) -> Tabular:
        """Numbers and codes stay as they are."""
        return inputs


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _check_form(form: str) -> None:
    """Refuse a form in which a date cannot be read back, to the month at least."""
    day = datetime(2001, 12, 31)
    try:
        found = parse_times(pl.Series([day]).dt.strftime(form), form)[0]
    except pl.exceptions.PolarsError:
        found = None
    if found is None or (found.year, found.month) != (day.year, day.month):
        raise ConfigError(Problem("date_format", f"'{form}' says no date", "write it as strptime does: %Y-%m-%d %H:%M"))


def _coded(categories: list[str]) -> dict[str, int]:
    return {category: code for code, category in enumerate(categories, FIRST_CATEGORY)}
