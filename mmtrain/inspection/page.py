"""The page: everything that was found as one HTML file, which needs nothing beside it."""

from collections.abc import Sequence
from html import escape

import numpy as np

from mmtrain.inspection.balance import Balance
from mmtrain.inspection.document import document, section, table
from mmtrain.inspection.figure import bars
from mmtrain.inspection.giveaway import Giveaway
from mmtrain.inspection.measure import Measure
from mmtrain.inspection.repeat import Repeats
from mmtrain.inspection.rows import Rows
from mmtrain.inspection.sample import samples

LABELS, BINS = 30, 40  # of a task, that are drawn


def page(
    name: str,
    rows: Rows,
    balances: Sequence[Balance],
    measures: Sequence[Measure],
    repeats: Sequence[Repeats],
    giveaways: Sequence[Giveaway],
) -> str:
    """The whole file as text."""
    cautions = [*(giveaway.line for giveaway in giveaways), *(repeated.line for repeated in repeats), *rows.data.notes]
    parts = [
        section("Rows", _rows(rows)),
        section("Worth a look", "".join(f'<p class="warn">{escape(line)}</p>' for line in cautions)),
        section("Targets", f'<div class="cards">{"".join(map(_labels, balances))}</div>'),
        section("Sizes and lengths in train", "".join(f"<p>{escape(measure.line)}</p>" for measure in measures)),
        section("Empty cells", _empty(rows)),
        section("Some rows of train, as the model gets them", f'<div class="cards">{"".join(samples(rows))}</div>'),
    ]
    return document(f"{name}: what is in the data", parts)


def _rows(rows: Rows) -> str:
    splits = rows.data.splits
    return table(["", "kind", *splits], [["rows", "", *(f"{len(split):,}" for split in splits.values())], *rows.counts()])


def _empty(rows: Rows) -> str:
    found = rows.empty_cells()
    if not found:
        return ""
    lines = ([column, *(f"{part:.1%}" for part in shares.values())] for column, shares in found.items())
    return table(["column", *rows.data.splits], lines)


def _labels(balance: Balance) -> str:
    """The labels of a task as bars, or its numbers as a histogram."""
    if not balance.counts:
        low, high = float(balance.numbers.min()), float(balance.numbers.max())
        counts, _ = np.histogram(balance.numbers, bins=BINS)
        ends = f"<p>{low:,.4g} to {high:,.4g} {escape(balance.unit)}</p>"
        return f"<article><h3>{escape(balance.task)}</h3>{bars(counts.tolist())}{ends}</article>"
    peak = max(balance.counts.values())
    lines = "".join(_bar(label, count, count / peak) for label, count in list(balance.counts.items())[:LABELS])
    more = f'<p class="quiet">and {len(balance.counts) - LABELS} more</p>' if len(balance.counts) > LABELS else ""
    return f'<article><h3>{escape(balance.task)}</h3><table class="bars">{lines}</table>{more}</article>'


def _bar(label: str, count: int, length: float) -> str:
    bar = f'<div class="bar" style="width:{length:.1%}"></div>'
    return f'<tr><th>{escape(label)}</th><td class="number">{count:,}</td><td>{bar}</td></tr>'
