"""Small figures as SVG, in the colours of the page they stand in."""

from collections.abc import Sequence

import numpy as np

WIDTH, HEIGHT = 240, 56
STROKES = ("var(--one)", "var(--two)", "var(--three)", "var(--four)")


def wave(samples: np.ndarray) -> str:
    """The outline of a sound (T,): the lowest and the highest sample in each column of the figure, full scale from edge to edge."""
    columns = np.array_split(samples.astype(np.float64), min(WIDTH // 2, max(len(samples), 1)))
    peak = max(float(np.abs(samples).max(initial=0)), 1.0)
    bars = []
    for place, part in enumerate(columns):
        low, high = (HEIGHT / 2 * (1 - value / peak) for value in (part.min(initial=0), part.max(initial=0)))
        bars.append(f"M{place * WIDTH / len(columns):.1f} {high:.1f}V{low + 0.5:.1f}")
    return _svg(f'<path d="{"".join(bars)}" style="stroke:{STROKES[0]};stroke-width:1.5"/>')


def lines(values: np.ndarray) -> str:
    """Channels (T, N) over their steps, each on the scale of all; gaps where a value is NaN. No more than four channels."""
    shown = values[np.unique(np.linspace(0, max(len(values) - 1, 0), min(len(values), WIDTH)).astype(int)), : len(STROKES)]
    finite = shown[np.isfinite(shown)]
    if not len(finite):
        return _svg("")
    low, height = float(finite.min()), max(float(np.ptp(finite)), 1e-12)
    return _svg("".join(_line((channel - low) / height, colour) for channel, colour in zip(shown.T, STROKES, strict=False)))


def bars(counts: Sequence[float]) -> str:
    """A histogram."""
    peak, wide = max([*counts, 1e-12]), WIDTH / max(len(counts), 1)
    heights = [HEIGHT * count / peak for count in counts]
    rectangles = [
        f'<rect x="{place * wide:.1f}" y="{HEIGHT - height:.1f}" width="{max(wide - 1, 1):.1f}" height="{height:.1f}"/>'
        for place, height in enumerate(heights)
    ]
    return _svg(f'<g style="fill:{STROKES[0]}">{"".join(rectangles)}</g>')


def _line(heights: np.ndarray, colour: str) -> str:
    """One channel, from 0 to 1; a step without a value lifts the pen."""
    path, drawing = [], False
    for place, height in enumerate(heights.tolist()):
        if np.isfinite(height):
            x, y = place * WIDTH / max(len(heights) - 1, 1), 2 + (HEIGHT - 4) * (1 - height)
            path.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = bool(np.isfinite(height))
    return f'<path d="{"".join(path)}" style="stroke:{colour};fill:none"/>'


def _svg(content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none">{content}</svg>'
