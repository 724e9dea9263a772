"""Numbers and categories of a table's columns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from mmtrain.batch import Tabular
from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.protocol import Fixed
from mmtrain.modality.scaling import Quantile, Standard
from mmtrain.option import Column
from mmtrain.spec import TabularSpec
from mmtrain.table import Table

MISSING, UNSEEN, FIRST_CATEGORY = 0, 1, 2
SCALINGS: dict[str, type[Standard] | type[Quantile]] = {"standard": Standard, "quantile": Quantile}


class TabularModality(nn.Module):
    """The cells of `numeric` and `categorical` columns; a row whose cells are all missing is absent.

    Numbers are scaled with what train shows, by mean and deviation (`standard`) or by rank to a normal distribution (`quantile`, which
    no outlier and no skewed column disturbs). A missing number is 0 and not known. A category is the cell's text: code 0 where missing,
    1 where train never saw it, else its place among train's categories, from 2.
    """

    kind: ClassVar[str] = "tabular"
    files: ClassVar[bool] = False

    def __init__(
        self,
        *,
        numeric: list[Column] | None = None,
        categorical: list[Column] | None = None,
        scaling: Literal["standard", "quantile"] = "quantile",
    ) -> None:
        super().__init__()
        self.numeric, self.categorical = list(numeric or []), list(categorical or [])
        if not self.columns:
            raise ConfigError(Problem("tabular modality", "no column", "name at least one, as numeric or categorical"))
        self.scaling = SCALINGS[scaling]
        self.scalers: dict[str, Standard | Quantile] = {}
        self.codes: dict[str, dict[str, int]] = {column: {} for column in self.categorical}

    @property
    def columns(self) -> list[str]:
        """Number columns, then category columns."""
        return [*self.numeric, *self.categorical]

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"numeric": self.numeric, "categorical": self.categorical}

    @property
    def spec(self) -> TabularSpec:
        """Number of numbers, and of codes for each category column."""
        return TabularSpec(len(self.numeric), tuple(FIRST_CATEGORY + len(self.codes[column]) for column in self.categorical))

    def fit(self, table: Table) -> None:
        """Learn each number column's scale and each category column's values."""
        table = replace(table, bad=[])  # `encode` reports bad cells to the table itself
        numbers = {column: table.floats(column) for column in self.numeric}
        self.scalers = {column: self.scaling.fit(values[np.isfinite(values)]) for column, values in numbers.items()}
        self.codes = {column: _coded(sorted({cell for cell in table.text(column) if cell is not None})) for column in self.categorical}

    def state(self) -> dict[str, Any]:
        """Per number column its scale, per category column its values in the order of their codes."""
        return {
            "numeric": {column: scaler.state() for column, scaler in self.scalers.items()},
            "categorical": {column: list(codes) for column, codes in self.codes.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore scales and codes."""
        self.scalers = {column: self.scaling.restore(values) for column, values in state["numeric"].items()}
        self.codes = {column: _coded(categories) for column, categories in state["categorical"].items()}

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`numeric` (n, N) float32, `known` (n, N) bool, `categorical` (n, C) int32."""
        numeric = np.zeros((len(table), len(self.numeric)), np.float32)
        known = np.zeros(numeric.shape, bool)
        for place, column in enumerate(self.numeric):
            values = table.floats(column)
            known[:, place] = np.isfinite(values)
            numeric[known[:, place], place] = self.scalers[column].scale(values[known[:, place]])
        categorical = np.zeros((len(table), len(self.categorical)), np.int32)
        for place, column in enumerate(self.categorical):
            codes = self.codes[column]
            categorical[:, place] = [MISSING if cell is None else codes.get(cell, UNSEEN) for cell in table.text(column)]
        present = known.any(1) | (categorical != MISSING).any(1)
        return {"numeric": numeric, "known": known, "categorical": categorical}, present

    def collate(self, stored: Mapping[str, Fixed], rows: np.ndarray) -> Tabular:
        """Scaled numbers (K, N), which are known, and codes (K, C) int64."""
        numeric, known, categorical = (torch.from_numpy(stored[name].take(rows)) for name in ("numeric", "known", "categorical"))
        return Tabular(numeric, known, categorical.long())

    def forward(self, inputs: Tabular) -> Tabular:
        """Numbers and codes stay as they are."""
        return inputs


def _coded(categories: list[str]) -> dict[str, int]:
    return {category: code for code, category in enumerate(categories, FIRST_CATEGORY)}
