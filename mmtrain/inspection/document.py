"""What every page has: its style, its sections, its tables. A page is one HTML file, which needs nothing beside it."""

import re
from collections.abc import Iterable, Sequence
from html import escape

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


def document(title: str, sections: Iterable[str]) -> str:
    """The whole file as text; an empty section is left out."""
    title = escape(title)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
    parts = [f"<h1>{title}</h1>", *filter(None, sections)]
    return "\n".join(["<!doctype html>", f'<html lang="en"><head>{head}</head><body>', *parts, "</body></html>", ""])


def section(title: str, content: str) -> str:
    """A title above the content, which is HTML; nothing where that is empty."""
    return f"<section><h2>{title}</h2>{content}</section>" if content else ""


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Cells are plain text; those behind the first that begin with a number are set to the right."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr><td>{escape(line[0])}</td>{''.join(map(_cell, line[1:]))}</tr>" for line in lines)
    return f'<table class="wide"><tr>{head}</tr>{body}</table>'


def _cell(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>' if re.match(r"-?\d", text) else f"<td>{escape(text)}</td>"
