"""Figures: what is drawn where, read back from the SVG."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from mmtrain.inspection.figure import HEIGHT, WIDTH, bars, lines, wave


def test_bars_are_as_high_as_the_counts() -> None:
    rectangles = [node.attrib for node in ElementTree.fromstring(bars([1, 4, 0, 2])).iter("rect")]
    assert [float(one["height"]) for one in rectangles] == [HEIGHT / 4, HEIGHT, 0, HEIGHT / 2]
    assert [float(one["y"]) + float(one["height"]) for one in rectangles] == [HEIGHT] * 4
    assert [float(one["x"]) for one in rectangles] == [0, WIDTH / 4, WIDTH / 2, WIDTH * 3 / 4]


def test_a_wave_spans_from_its_lowest_to_its_highest_sample() -> None:
    [path] = ElementTree.fromstring(wave(np.array([0, 100, -50, 0], np.int16))).iter("path")
    ends = [(float(top), float(bottom)) for top, bottom in re.findall(r"M\S+ (\S+?)V([\d.]+)", path.attrib["d"])]
    middle = HEIGHT / 2
    assert [top for top, _ in ends] == [middle, 0, middle, middle]  # each bar reaches to the middle line
    assert [bottom for _, bottom in ends] == [middle + 0.5, middle + 0.5, middle * 1.5 + 0.5, middle + 0.5]
    assert len(re.findall("M", wave(np.zeros(10**6, np.int16)))) == WIDTH // 2


def test_lines_share_a_scale_and_break_where_nothing_is_known() -> None:
    values = np.array([[0.0, 10], [np.nan, 5], [5, np.nan]])
    first, second = ElementTree.fromstring(lines(values)).iter("path")
    assert first.attrib["d"] == f"M0.0 {HEIGHT - 2:.1f}M{WIDTH:.1f} {HEIGHT / 2:.1f}"
    assert second.attrib["d"] == f"M0.0 2.0L{WIDTH / 2:.1f} {HEIGHT / 2:.1f}"
    assert len(list(ElementTree.fromstring(lines(np.zeros((9, 50)))).iter("path"))) == 4


@pytest.mark.parametrize("figure", [bars([]), wave(np.zeros(0, np.int16)), lines(np.zeros((0, 2))), lines(np.full((3, 1), np.nan))])
def test_nothing_can_be_drawn(figure: str) -> None:
    ElementTree.fromstring(figure)
    assert "nan" not in figure
