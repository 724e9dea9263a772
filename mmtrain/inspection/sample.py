"""Some rows of train as HTML: pictures, text, waves and numbers, as the model gets them, beside the labels as they are written."""

import base64
from collections.abc import Callable, Mapping
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as Pillow

from mmtrain.batch import Audio, Image, Series, Vector, Video
from mmtrain.inspection.figure import bars, lines, wave
from mmtrain.inspection.rows import Rows, spread
from mmtrain.modality import Modality
from mmtrain.source import TRAIN
from mmtrain.table import Table

COUNT = 12  # rows that are shown
LETTERS = 300  # of a text
SIDE = 128  # pixels of the longer side of a thumbnail, at most
FRAMES = 4  # of a clip
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def samples(rows: Rows) -> list[str]:
    """A figure for each of some train rows, evenly spaced."""
    dataset = rows.data.splits[TRAIN]
    positions = spread(len(dataset), COUNT)
    batch, table = dataset.batch(positions), rows.table(TRAIN).take(positions)
    figures = []
    for place, position in enumerate(positions.tolist()):
        parts = []
        for name, modality in dataset.modalities.items():
            there = bool(batch.present[name][place])
            shown = _shown(modality, batch.inputs[name], place, table) if there else '<p class="none">absent</p>'
            parts.append(f"<h4>{escape(name)}</h4>{shown}")
        labels = _cells({name: _text(table, place, task.columns[0]) for name, task in rows.data.tasks.items() if task.columns})
        figures.append(f"<article><h3>{escape(dataset.ids[position])}</h3>{''.join(parts)}<footer>{labels}</footer></article>")
    return figures


def _shown(modality: Modality, inputs: Any, place: int, table: Table) -> str:
    """One row of one modality."""
    draw: dict[type, Callable[[], str]] = {
        Image: lambda: _picture(inputs.pixels[place].permute(1, 2, 0).numpy()),
        Audio: lambda: wave(inputs.samples[place][inputs.mask[place]].numpy()),
        Video: lambda: _clip(inputs.frames[place][inputs.mask[place]].permute(0, 2, 3, 1).numpy()),
        Series: lambda: lines(np.where(inputs.known[place], inputs.values[place], np.nan)[inputs.mask[place].numpy()]),
        Vector: lambda: bars((inputs.values[place] - inputs.values[place].min()).tolist()),
    }
    if type(inputs) in draw:
        return draw[type(inputs)]()
    cells = {column: _text(table, place, column) for column in modality.columns}
    if modality.kind == "text":
        return f"<p>{escape(_excerpt(' | '.join(filter(None, cells.values()))))}</p>"
    return _cells(cells)


def _cells(cells: Mapping[str, str]) -> str:
    rows = (f"<tr><th>{escape(name)}</th><td>{escape(_excerpt(cell)) or '<i>empty</i>'}</td></tr>" for name, cell in cells.items())
    return f"<table>{''.join(rows)}</table>"


def _text(table: Table, place: int, column: str) -> str:
    """A cell as it is written; empty where it is missing."""
    if column not in table.frame.columns:
        return ""
    cell = table.frame[column][place]
    if cell is None:
        return ""
    return " ".join(map(str, cell)) if hasattr(cell, "to_list") else str(cell)


def _excerpt(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _picture(pixels: np.ndarray) -> str:
    """An `img` that holds its own file."""
    picture = Pillow.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels, MODES[pixels.shape[2]])
    picture.thumbnail((SIDE, SIDE))
    file = BytesIO()
    picture.save(file, "png")
    encoded = base64.b64encode(file.getvalue()).decode()
    return f'<img alt="" width="{picture.width}" height="{picture.height}" src="data:image/png;base64,{encoded}">'


def _clip(frames: np.ndarray) -> str:
    return "".join(_picture(frames[place]) for place in spread(len(frames), FRAMES))
