"""The page and the tables, of figures made up here."""

import io
from html.parser import HTMLParser
from typing import Any

import pytest
from rich.console import Console

from mmtrain.subsets import page, tables

EVIL = "<script>alert('x')</script> & \"quoted\""


def scored(skill: float | None, **others: Any) -> dict[str, Any]:
    tasks = {"kind": {"accuracy": 0.5, "constant": 0.25, "skill": skill}, "size": {"mae": 1234.5, "constant": 2000.0, "skill": None}}
    return {**others, "any": 1234, "whole": 7, "skill": skill, "tasks": tasks}


@pytest.fixture
def content() -> dict[str, Any]:
    return {
        "split": "test",
        "rows": 2000,
        "overrides": [],
        "modalities": [f"m{place}" for place in range(7)],
        "metrics": {"kind": "accuracy", "size": "mae"},
        "units": {"size": EVIL},
        "possible": 127,
        "subsets": [scored(0.9, modalities=[f"m{place}" for place in range(7)]), scored(-0.5, modalities=["m1"])],
        "shares": [scored(0.9, share=0.0), scored(None, share=0.1)],
    }


class Reader(HTMLParser):
    """The tags that are opened, and the text of every cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_has_all_figures_and_nothing_else(content: dict[str, Any]) -> None:
    read = Reader(page(content, ["a note [red]"]))
    assert {"a note [red]", "test, 2,000 rows: 2 of 127 subsets of the modalities"} <= set(read.words)
    assert {"0.900", "-0.500", "1,234.5", "1,234", "-", "0%", "10%", "m1", "constant answer", "0.250"} <= set(read.words)
    assert read.tags.count("tr") == (1 + 2 + 1) + (1 + 2)
    assert not {"script", "link"} & set(read.tags)
    assert "http" not in page(content, [])
    assert any(EVIL in word for word in read.words)


def test_one_task_is_drawn_once(content: dict[str, Any]) -> None:
    assert Reader(page(content, [])).tags.count("circle") == 1 + 1 + 0  # mean, kind, size: a point each where it is known
    del content["metrics"]["size"]
    assert Reader(page(content, [])).tags.count("circle") == 1


@pytest.mark.parametrize("width", [200, 60, 30])
def test_no_figure_is_cut(content: dict[str, Any], width: int) -> None:
    file = io.StringIO()
    console = Console(file=file, width=width)
    for _, parts in tables(content, width):
        for part in parts:
            console.print(part)
    text = file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert text.count("1,234.5") == 4
    assert text.count("1,234 ") == 4
    assert "…" not in text
