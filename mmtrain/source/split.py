"""Rows of tables dealt out to train, val and test: a table each, by a column, or by fractions."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from mmtrain.errors import DataError, Problem, nearest
from mmtrain.source.splits import TEST, TRAIN, VAL, Splits
from mmtrain.table import Table


def dealt(tables: dict[str, Table], ids: dict[str, list[str]], shares: Mapping[str, np.ndarray], *, fix: str = "give it rows") -> Splits:
    """Every table is the split of its name; `shares` are positions in the table of train, for the splits that share it.

    `fix` says what to do about a split without rows.

    Raises:
        DataError: a split has no row.
    """
    rows = {name: (name, np.arange(len(table))) for name, table in tables.items()}
    rows |= {name: (TRAIN, positions) for name, positions in shares.items()}
    empty = [name for name, (_, positions) in rows.items() if not len(positions)]
    if empty:
        raise DataError(*(Problem(f"data.{name}", f"no row of {tables[TRAIN].file} falls to it", fix) for name in empty))
    return Splits(tables, {name: rows[name] for name in (TRAIN, VAL, TEST) if name in rows}, ids)


def fraction_problems(fractions: Mapping[str, float]) -> Iterator[Problem]:
    """Fractions of train that leave it nothing."""
    if sum(fractions.values()) >= 1:
        found = f"with data.test_fraction it comes to {sum(fractions.values()):g}"
        yield Problem("data.val_fraction", found, "leave rows for train")


def by_column(table: Table, column: str) -> dict[str, np.ndarray]:
    """Positions of the rows of each split that `column` names: its cells are train, val and, if there is one, test.

    Raises:
        DataError: the column is missing, or a cell of it is none of these.
    """
    cells = np.array(_cells(table, column, "data.split_column"), dtype=object)
    names = [TRAIN, VAL, TEST]
    strange = [(cell, count) for cell, count in Counter(cells.tolist()).items() if cell not in names]
    if strange:
        where, fix = f"{table.file}, column '{column}'", f"allowed: {', '.join(names)}"
        raise DataError(*(Problem(where, f"'{cell or ''}' is no split (rows: {count})", fix) for cell, count in strange[:10]))
    return {name: np.flatnonzero(cells == name) for name in names if name != TEST or TEST in cells}


def by_fraction(
    table: Table, fractions: dict[str, float], seed: int, *, stratify: str | None = None, group: str | None = None
) -> dict[str, np.ndarray]:
    """Positions of the rows of train and of the splits in `fractions`, dealt out at random.

    The deal depends on `seed` and the table alone. With `group`, rows that share a cell of that column stay together, and
    the fractions count groups. With `stratify`, every value of that column is spread over the splits in proportion (a group
    counts as its commonest value); so is every file of a table of several.

    Raises:
        DataError: a column is missing, a row names no group, or there are fewer groups than splits.
    """
    units = _units(table, group)
    count = int(units.max()) + 1
    if count <= len(fractions):
        found = f"{count} {'rows' if group is None else f'different values of column {group!r}'} for {len(fractions) + 1} splits"
        raise DataError(Problem(table.file, found, "give more rows, or fewer splits"))
    random = np.random.default_rng(seed)
    order = random.permutation(count)
    values = _strata(table, stratify)
    if values is not None:
        strata = commonest(units, values)
        order = order[np.argsort(strata[order], kind="stable")]
    rows = {}
    left, share = order, 1.0
    for name, fraction in fractions.items():
        # Every time the running total of the fraction passes a whole number, its unit is taken: in this order that spreads
        # each stratum evenly, and the split is never more than one unit off its fraction.
        steps = np.floor(np.arange(len(left) + 1) * (fraction / share) + random.random())
        taken = np.diff(steps) > 0
        rows[name] = np.flatnonzero(np.isin(units, left[taken]))
        left, share = left[~taken], share - fraction
    return {TRAIN: np.flatnonzero(np.isin(units, left))} | rows


def _units(table: Table, group: str | None) -> np.ndarray:
    """Number of the unit that each row belongs to: its group, else itself."""
    if group is None:
        return np.arange(len(table))
    cells = _cells(table, group, "data.group")
    if None in cells:
        where = f"{table.place(cells.index(None))}, column '{group}'"
        raise DataError(Problem(where, f"no group (rows without one: {cells.count(None)})", "fill them in, or leave data.group out"))
    numbers = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
    return np.array([numbers[cell] for cell in cells])


def _strata(table: Table, stratify: str | None) -> np.ndarray | None:
    """Number of the stratum of each row: its cell in that column, in its file; None where there is but one."""
    if stratify is None and table.files is None:
        return None
    cells = [None] * len(table) if stratify is None else _cells(table, stratify, "data.stratify")
    files = [table.file] * len(table) if table.files is None else table.files.tolist()
    pairs = list(zip(cells, files, strict=True))
    numbers = {
        pair: number for number, pair in enumerate(sorted(set(pairs), key=lambda pair: (pair[0] is not None, pair[0] or "", pair[1])))
    }
    return np.array([numbers[pair] for pair in pairs])


def commonest(units: np.ndarray, values: np.ndarray) -> np.ndarray:
    """For each unit, from 0 on, the commonest among the values (whole numbers from 0 on) of its rows."""
    width = int(values.max()) + 1
    pairs, counts = np.unique(units * width + values, return_counts=True)
    pairs = pairs[np.argsort(counts, kind="stable")]
    found = np.empty(int(units.max()) + 1, dtype=np.int64)
    found[pairs // width] = pairs % width  # of several writes the last one stays: the commonest
    return found


def _cells(table: Table, column: str, option: str) -> list[str | None]:
    if column not in table.frame.columns:
        raise DataError(Problem(option, f"{table.file} has no column '{column}'", nearest(column, table.frame.columns)))
    return table.text(column)
