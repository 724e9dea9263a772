"""The page: everything that was found as one HTML file, which needs nothing beside it."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from mmtrain.inspection.balance import Balance
from mmtrain.inspection.figure import bars
from mmtrain.inspection.giveaway import Giveaway
from mmtrain.inspection.measure import Measure
from mmtrain.inspection.repeat import Repeats
from mmtrain.inspection.rows import Rows
from mmtrain.inspection.sample import samples

LABELS, BINS = 30, 40  # of a task, that are drawn
STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1c1e21, #e4e6e9); --quiet: light-dark(#667, #99a);
  --paper: light-dark(#fff, #17191c); --card: light-dark(#f5f6f8, #212428); --line: light-dark(#dde0e4, #363a40);
  --one: light-dark(#2b6cb0, #6aa9e9); --two: light-dark(#c05621, #eb9a5b); --three: light-dark(#2f855a, #6cc795);
  --four: light-dark(#805ad5, #b79af0); }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
h3 { font-size: .9rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h4 { font-size: .75rem; font-weight: 500; color: var(--quiet); margin: .5rem 0 .15rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; }
td, th { padding: .15rem .8rem .15rem 0; vertical-align: top; overflow-wrap: anywhere; }
.wide td, .wide th { border-top: 1px solid var(--line); }
.number { text-align: right; } .bars { width: 100%; } .bars td:last-child { width: 45%; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem;
  overflow: hidden; font-size: .85rem; }
article p { margin: 0; overflow-wrap: anywhere; }
article img { image-rendering: pixelated; margin-right: .25rem; min-height: 64px; width: auto; }
footer { border-top: 1px solid var(--line); margin-top: .6rem; padding-top: .4rem; font-weight: 600; }
.bar { background: var(--one); height: .7rem; margin-top: .3rem; border-radius: 2px; min-width: 1px; }
.none, .quiet, i { color: var(--quiet); }
.warn { border-left: 3px solid var(--two); padding-left: .7rem; } svg { max-width: 100%; display: block; }
"""


def page(
    name: str,
    rows: Rows,
    balances: Sequence[Balance],
    measures: Sequence[Measure],
    repeats: Sequence[Repeats],
    giveaways: Sequence[Giveaway],
) -> str:
    """The whole file as text."""
    title = escape(f"{name}: what is in the data")
    cautions = [*(giveaway.line for giveaway in giveaways), *(repeated.line for repeated in repeats), *rows.data.notes]
    parts = [
        f"<h1>{title}</h1>",
        _section("Rows", _rows(rows)),
        _section("Worth a look", "".join(f'<p class="warn">{escape(line)}</p>' for line in cautions)),
        _section("Targets", f'<div class="cards">{"".join(map(_labels, balances))}</div>'),
        _section("Sizes and lengths in train", "".join(f"<p>{escape(measure.line)}</p>" for measure in measures)),
        _section("Empty cells", _empty(rows)),
        _section("Some rows of train, as the model gets them", f'<div class="cards">{"".join(samples(rows))}</div>'),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
    return "\n".join(["<!doctype html>", f'<html lang="en"><head>{head}</head><body>', *filter(None, parts), "</body></html>", ""])


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def _rows(rows: Rows) -> str:
    splits = rows.data.splits
    return _table(["", "kind", *splits], [["rows", "", *(f"{len(split):,}" for split in splits.values())], *rows.counts()])


def _empty(rows: Rows) -> str:
    found = rows.empty_cells()
    if not found:
        return ""
    lines = ([column, *(f"{part:.1%}" for part in shares.values())] for column, shares in found.items())
    return _table(["column", *rows.data.splits], lines)


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Cells behind the first are set to the right if they begin with a digit."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr><td>{escape(line[0])}</td>{''.join(map(_cell, line[1:]))}</tr>" for line in lines)
    return f'<table class="wide"><tr>{head}</tr>{body}</table>'


def _cell(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>' if text[:1].isdigit() else f"<td>{escape(text)}</td>"


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
