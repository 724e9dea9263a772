"""The page and what it is made of, on generated scenes and on a table that means harm."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from PIL import Image

from mmtrain.assembly import data_parts
from mmtrain.config import load
from mmtrain.data import prepare
from mmtrain.data.prepare import limited
from mmtrain.inspection import Balance, Measure, Rows, balance, giveaways, measures, page, repeats

EVIL = "<script>alert('x')</script> & \"quoted\""
VOID = {"meta", "img", "br", "rect", "path"}


class Reader(HTMLParser):
    """Notes tags and text, and that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def rows_of(words: list[str], folder: Path, config_dir: Path | None = None) -> Rows:
    config = load([*words, f"data.cache={folder}"], config_dir).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    return Rows(data, limited(parts.source.tables(), parts.settings.limit))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    sizes = ["data.train=96", "data.val=24", "data.test=24", "data.absent=0.2", "data.unlabelled=0.2"]
    limits = ["data.modalities.caption.max_length=4", "data.modalities.tone.max_seconds=0.2"]
    return rows_of([*sizes, *limits], tmp_path_factory.mktemp("cache"))


def test_texts_are_measured_in_letters(tmp_path: Path) -> None:
    [found] = balance(rows_of(["data=scenes_caption", "data.train=96", "data.val=24", "data.test=24"], tmp_path))
    shortest, longest = len("a red cross on the left"), len("a yellow triangle in the middle")
    assert found.line.startswith(f"description: from {shortest} to {longest}, median ")
    assert found.line.endswith(" letters")


def whole(rows: Rows, name: str = "name") -> str:
    return page(name, rows, balance(rows), measures(rows), repeats(rows), giveaways(rows))


def test_measures_see_what_is_cut(scenes: Rows) -> None:
    found = {measure.modality: measure for measure in measures(scenes)}
    captions = [len(cell.split()) for cell in scenes.table("train").frame["caption"].drop_nulls()]
    assert found["caption"].cut == sum(length > 4 for length in captions) > 0
    assert (found["caption"].low, found["caption"].high, found["caption"].looked) == (str(min(captions)), str(max(captions)), len(captions))
    assert found["caption"].line.endswith(f"words; max_length=4 cuts {found['caption'].cut} of {len(captions)} looked at")
    tones = scenes.table("train").frame["tone"].count()
    assert found["tone"] == Measure("tone", "s", "0.25", "0.25", "0.25", tones, "max_seconds=0.2", tones)
    assert found["tone"].line == f"tone: all 0.25 s; max_seconds=0.2 cuts {tones} of {tones} looked at"
    assert found["picture"].line == "picture: all 32 x 32 pixels"


def test_balance_counts_the_train_rows(scenes: Rows) -> None:
    found = {one.task: one for one in balance(scenes)}
    assert dict(found["shape"].counts) == dict(scenes.table("train").frame["shape"].drop_nulls().value_counts().iter_rows())
    assert list(found["shape"].counts.values()) == sorted(found["shape"].counts.values(), reverse=True)
    assert found["position"].line.startswith("position: from 8.")
    assert found["position"].line.endswith(" pixels")
    nothing = np.zeros(0)
    assert (
        Balance("t", {"a": 90, "b": 9, "c": 1}, nothing).line
        == "t: 3 labels: a 90.0%, b 9.0%, c 1.0%; the rarest, c, has 1 row, 90 times fewer"
    )
    assert Balance("t", dict.fromkeys("abcdef", 5), nothing).line == "t: 6 labels: a 16.7%, b 16.7%, c 16.7%, d 16.7%, 2 more"


def test_empty_cells_by_column_and_split(scenes: Rows) -> None:
    empty = scenes.empty_cells()
    assert empty["caption"]["val"] == scenes.table("val").frame["caption"].null_count() / 24
    assert set(empty) == {"picture", "caption", "tone", "shape", "colour", "position", "pitch", "match"}


def test_the_page_is_whole_and_needs_nothing_else(scenes: Rows) -> None:
    text = whole(scenes)
    read = Reader(text)
    assert read.tags.count("article") == 12 + 5  # rows, and tasks
    batch = scenes.data.splits["train"].batch(np.unique(np.linspace(0, 95, 12).round().astype(int)))
    assert text.count("data:image/png;base64,") == int(batch.present["picture"].sum())
    assert read.words.count("absent") == sum(12 - int(there.sum()) for there in batch.present.values())
    assert not {"script", "link"} & set(read.tags)
    assert "http" not in text


def test_what_users_write_is_never_markup(tmp_path: Path) -> None:
    Image.new("L", (300, 200)).save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000)
    cells = {"label": [EVIL, "b"] * 10, EVIL: ["a.png"] * 20, "tone": ["a.wav"] * 20, "series": ["[1, 2, 3, 4]"] * 19 + ["[1, 2, 3, 4, 5]"]}
    facts = {"text": [f"{EVIL} {row}" if row else None for row in range(20)], "<b>": [EVIL, None] * 10, "vector": ["1 2 3 4"] * 20}
    pl.DataFrame(cells | facts).write_csv(tmp_path / "rows.csv")
    (tmp_path / "data").mkdir()
    kinds = {"picture": "image", "tone": "audio", "series": "series", "vector": "vector", "text": "text", "facts": "tabular"}
    name = EVIL.replace('"', '\\"')
    lines = [
        "# @package _global_",
        "defaults:",
        "  - /source@data: table",
        *(f"  - /modality@data.modalities.{key}: {kind}" for key, kind in kinds.items()),
        "  - /task@tasks.label: classification",
        "  - _self_",
        f"data: {{name: evil, root: {tmp_path}, train: rows.csv, val_fraction: 0.2}}",
        "tasks: {label: {column: label}}",
    ]
    columns = {"picture": name, "tone": "tone", "series": "series", "vector": "vector", "text": "text"}
    lines[-2] = lines[-2][:-1] + ", modalities: {" + ", ".join(f'{key}: {{column: "{column}"}}' for key, column in columns.items())
    lines[-2] += ', facts: {categorical: ["<b>"]}}}'
    (tmp_path / "data" / "evil.yaml").write_text("\n".join(lines))
    rows = rows_of(["data=evil"], tmp_path / "cache", tmp_path)
    text = whole(rows, EVIL)
    read = Reader(text)
    assert not {"script", "b"} & set(read.tags)
    assert any(EVIL in word for word in read.words)
    assert "picture: all 300 x 200 pixels" in text
    assert read.tags.count("svg") == 3 * 12
    assert [repeated.split for repeated in repeats(rows)] == []
