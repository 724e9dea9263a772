"""Lines over a share, with axes, as SVG in the colours of the page that they stand in."""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

from mmtrain.inspection.figure import STROKES

WIDTH, HEIGHT = 460, 280  # of the field that is drawn in
LEFT, TOP, BOTTOM, LEGEND, LINE = 60, 14, 48, 230, 20  # what stands around it; the last is the height of a line of the legend
NAME = 26  # characters of a name in the legend, at most
DASHES = ("none", "7 4", "2 3")
TICKS = 6  # steps of the upright axis, at most

Place = Callable[[float, float], tuple[float, float]]  # where a value over a share is drawn


def curve(shares: Sequence[float], values: Mapping[str, Sequence[float | None]], *, x: str, y: str) -> str:
    """One line a name over the shares, the first one thick; gaps where a value is None. The upright axis has 0 and 1 on it."""
    known = [value for line in values.values() for value in line if value is not None]
    ticks = _ticks(min([0.0, *known]), max([1.0, *known]))
    across, low, high = max(shares) or 1.0, ticks[0], ticks[-1]

    def place(share: float, value: float) -> tuple[float, float]:
        return LEFT + WIDTH * share / across, TOP + HEIGHT * (high - value) / (high - low)

    lines, legend = [], []
    for number, (name, line) in enumerate(values.items()):
        colour, thick = ("var(--ink)", 3.0) if number == 0 else (STROKES[(number - 1) % len(STROKES)], 1.5)
        dash = DASHES[(number - 1) // len(STROKES) % len(DASHES)] if number else "none"
        style = f"stroke:{colour};stroke-width:{thick};stroke-dasharray:{dash};fill:none"
        points = [None if value is None else place(share, value) for share, value in zip(shares, line, strict=True)]
        told = [f"{name}: {value:.3f} at {share:.0%}" for share, value in zip(shares, line, strict=True) if value is not None]
        lines.append(f'<path d="{_path(points)}" style="{style}"/>{_dots(points, told, colour)}')
        legend.append(_legend(number, name, style))
    tall = max(TOP + HEIGHT + BOTTOM, TOP + LINE * (len(values) + 1))
    content = "".join([_upright(ticks, place, y), _level(shares, place, low, x), *lines, f"<g>{''.join(legend)}</g>"])
    label = escape(f"{y} over {x}")
    wide = LEFT + WIDTH + LEGEND
    return f'<svg viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" role="img" aria-label="{label}">{content}</svg>'


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    path, drawing = [], False
    for point in points:
        if point is not None:
            path.append(f"{'L' if drawing else 'M'}{point[0]:.1f} {point[1]:.1f}")
        drawing = point is not None
    return "".join(path)


def _dots(points: Sequence[tuple[float, float] | None], told: Sequence[str], colour: str) -> str:
    """A dot a point, which says its value when it is pointed at."""
    drawn = (point for point in points if point is not None)
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" style="fill:{colour}"><title>{escape(words)}</title></circle>'
        for (x, y), words in zip(drawn, told, strict=True)
    )


def _legend(number: int, name: str, style: str) -> str:
    left, level = LEFT + WIDTH + 16, TOP + LINE * (number + 0.5)
    shown = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    stroke = f'<path d="M{left} {level:.1f}H{left + 24}" style="{style}"/>'
    return stroke + _text(left + 30, level + 4, shown, "start", title=name)


def _upright(ticks: Sequence[float], place: Place, name: str) -> str:
    """The axis of the values, with a thin line across at every tick."""
    drawn = []
    for tick in ticks:
        level = place(0, tick)[1]
        drawn.append(f'<path d="M{LEFT} {level:.1f}H{LEFT + WIDTH}" style="stroke:var(--line);fill:none"/>')
        drawn.append(_text(LEFT - 8, level + 4, f"{tick:g}", "end"))
    middle = TOP + HEIGHT / 2
    turned = f'<g transform="rotate(-90 16 {middle})">{_text(16, middle, name, "middle")}</g>'
    return f"<g>{''.join(drawn)}{turned}</g>"


def _level(shares: Sequence[float], place: Place, low: float, name: str) -> str:
    """The axis of the shares, with a number at each."""
    numbers = [_text(*_below(place(share, low)), f"{share:.0%}", "middle") for share in shares]
    line = f'<path d="M{LEFT} {TOP}V{TOP + HEIGHT}H{LEFT + WIDTH}" style="stroke:var(--quiet);fill:none"/>'
    return f"<g>{line}{''.join(numbers)}{_text(LEFT + WIDTH / 2, TOP + HEIGHT + 40, name, 'middle')}</g>"


def _below(point: tuple[float, float]) -> tuple[float, float]:
    return point[0], point[1] + 18


def _text(x: float, y: float, words: str, anchor: str, *, title: str = "") -> str:
    told = f"<title>{escape(title)}</title>" if title else ""
    style = f"fill:var(--ink);font-size:12px;text-anchor:{anchor}"
    return f'<text x="{x:.1f}" y="{y:.1f}" style="{style}">{told}{escape(words)}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers at equal steps, from one that is not above `low` to one that is not below `high`."""
    size = 10.0 ** math.floor(math.log10((high - low) / TICKS))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (size * factor) <= TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]
