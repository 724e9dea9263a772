"""The curve, read back from the SVG."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from mmtrain.subsets import curve
from mmtrain.subsets.curve import HEIGHT, LEFT, TOP, WIDTH, _ticks

SHARES = [0.0, 0.45, 0.9]


def drawn(values: dict[str, list[float | None]]) -> tuple[ElementTree.Element, list[str]]:
    """The figure, and the line of each name."""
    figure = ElementTree.fromstring(curve(SHARES, values, x="gone", y="skill"))
    return figure, [path.attrib["d"] for path in figure.findall("path")]


def words(figure: ElementTree.Element) -> list[str]:
    return ["".join(node.itertext()) for node in figure.iter("text")]


def test_lines_go_through_their_values() -> None:
    figure, [mean, task] = drawn({"mean": [1.0, 0.5, 0.0], "<task>": [0.25, None, 0.75]})
    assert mean == f"M{LEFT}.0 {TOP}.0L{LEFT + WIDTH / 2} {TOP + HEIGHT / 2}L{LEFT + WIDTH}.0 {TOP + HEIGHT}.0"
    assert task == f"M{LEFT}.0 {TOP + HEIGHT * 0.75}M{LEFT + WIDTH}.0 {TOP + HEIGHT * 0.25}"
    circles = ["".join(circle.itertext()) for circle in figure.iter("circle")]
    assert circles == ["mean: 1.000 at 0%", "mean: 0.500 at 45%", "mean: 0.000 at 90%", "<task>: 0.250 at 0%", "<task>: 0.750 at 90%"]


def test_axes_are_named_and_numbered() -> None:
    figure, _ = drawn({"mean": [1.0, 0.5, 0.0]})
    assert {"gone", "skill", "0%", "45%", "90%", "0", "0.2", "0.4", "0.6", "0.8", "1"} <= set(words(figure))


def test_values_below_0_have_room() -> None:
    figure, [line] = drawn({"mean": [0.5, -0.9, 0.0]})
    heights = [float(height) for height in re.findall(r" ([\d.]+)", line)]
    assert all(TOP <= height <= TOP + HEIGHT for height in heights)
    assert "-1" in words(figure)


def test_many_names_are_told_apart() -> None:
    figure, lines = drawn({f"{'long' * 10} {number}": [1.0, 0.5, 0.0] for number in range(20)})
    styles = [path.attrib["style"] for path in figure.findall("path")]
    assert len(lines) == 20
    assert len(set(styles[:13])) == 13
    assert float(figure.attrib["height"]) > 20 * 20
    assert "".join(figure.findall("g/text")[-20].itertext()).startswith("long" * 10)  # the whole name where it is pointed at


def test_nothing_is_known() -> None:
    figure, lines = drawn({"mean": [None, None, None]})
    assert lines == [""]
    assert "nan" not in ElementTree.tostring(figure, "unicode")


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.03, 1.0), (-47.0, 1.0), (-1e6, 1.0), (-0.5, 1.0)])
def test_ticks_are_few_equal_and_hold_everything(low: float, high: float) -> None:
    found = _ticks(low, high)
    assert found[0] <= low and found[-1] >= high
    assert 3 <= len(found) <= 8
    steps = [after - before for before, after in pairwise(found)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    assert 0.0 in found
