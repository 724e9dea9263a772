"""What every modality promises."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile
import torch
from PIL import Image as Pillow
from torch.testing import assert_close

from mmtrain.modality import (
    AudioModality,
    ImageModality,
    Modality,
    SeriesModality,
    TabularModality,
    TextModality,
    VectorModality,
    VideoModality,
)
from mmtrain.table import Table

Build = Callable[..., Table]
Through = Callable[[Modality, Table], Any]


def png(seed: int) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)).save(file, "PNG")
    return file.getvalue()


def wav(samples: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(samples).uniform(-1, 1, samples), 8000, format="WAV")
    return file.getvalue()


def gif(frames: int) -> bytes:
    file = io.BytesIO()
    shades = [Pillow.new("L", (7, 5), 20 * frame) for frame in range(frames)]
    shades[0].save(file, "GIF", save_all=True, append_images=shades[1:])
    return file.getvalue()


def npy(values: list[list[float]]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(values))
    return file.getvalue()


# A column for each modality, in which row 2 is empty.
CELLS: Mapping[str, list[Any]] = {
    "image": [png(0), png(1), None, png(2)],
    "text": ["a red circle", "a blue one", None, "red red"],
    "audio": [wav(1000), wav(3000), None, wav(81)],
    "tabular": ["1", "2.5", None, "-4"],
    "video": [gif(3), gif(1), None, gif(5)],
    "series": [npy([[1, 2], [np.nan, 4], [5, 9]]), npy([[0, -1]]), None, npy([[2, 2], [3, np.nan]])],
    "vector": ["1 2 3", "2.5;0;-1", None, "[-4, 1, 1]"],
}


def build(kind: str) -> Modality:
    match kind:
        case "image":
            return ImageModality(column="cell", height=4, width=6)
        case "text":
            return TextModality(column="cell", min_count=1, letters=4)
        case "audio":
            return AudioModality(column="cell", sample_rate=8000)
        case "series":
            return SeriesModality(column="cell", differences=True)
        case "video":
            return VideoModality(column="cell", frames=4, stored=4, height=4, width=6)
        case "vector":
            return VectorModality(column="cell")
        case _:
            return TabularModality(numeric=["cell"], categorical=["cell"])


@pytest.fixture(params=CELLS)
def modality(request: pytest.FixtureRequest) -> Modality:
    return build(request.param)


def rows_of(modality: Modality, table: Build) -> Table:
    return table(cell=CELLS[modality.kind])


def assert_same(first: Any, second: Any) -> None:
    for part in fields(first):
        assert torch.equal(getattr(first, part.name), getattr(second, part.name)), part.name


def test_it_is_what_the_data_layer_asks_for(modality: Modality) -> None:
    assert isinstance(modality, Modality)
    assert modality.columns in (["cell"], ["cell", "cell"])


def test_an_empty_cell_is_absent_and_no_mistake(modality: Modality, table: Build) -> None:
    rows = rows_of(modality, table)
    modality.fit(rows)
    _, present = modality.encode(rows)
    assert present.tolist() == [True, True, False, True]
    assert rows.bad == []


def test_a_table_encodes_as_its_parts_do(modality: Modality, table: Build) -> None:
    rows = rows_of(modality, table)
    modality.fit(rows)
    whole, _ = modality.encode(rows)
    first, second = modality.encode(rows.take(slice(0, 3)))[0], modality.encode(rows.take(slice(3, 4)))[0]
    for name, values in whole.items():
        for found, expected in zip(values, [*first[name], *second[name]], strict=True):
            np.testing.assert_array_equal(found, expected)


def test_no_row_takes_more_than_it_says(table: Build) -> None:
    for kind, full in {"image": True, "video": True, "series": True, "vector": True, "audio": False}.items():
        modality: Any = build(kind)
        rows = table(cell=CELLS[kind])
        modality.fit(rows)
        if kind == "series":
            modality.max_steps = 3
        elif kind == "video":
            rows = table(cell=[gif(5)])
        [stored] = modality.encode(rows)[0].values()
        most = max(row.nbytes for row in stored)
        assert most == modality.most_bytes if full else most < modality.most_bytes


def test_state_comes_back_from_json(modality: Modality, table: Build, inputs: Through) -> None:
    rows = rows_of(modality, table)
    modality.fit(rows)
    restored = build(modality.kind)
    restored.load_state(json.loads(json.dumps(modality.state())))
    assert restored.spec == modality.spec
    assert restored.state() == modality.state()
    assert_same(inputs(restored, rows), inputs(modality, rows))


def test_other_rows_leave_no_trace(modality: Modality, table: Build) -> None:
    """What only test holds changes neither the state nor what the encoder is told."""
    modality.fit(rows_of(modality, table))
    state, spec = json.dumps(modality.state()), modality.spec
    others = {"image": png(7), "video": gif(9), "audio": wav(9)}
    modality.encode(table(cell=[others.get(modality.kind, "99")]))
    assert (json.dumps(modality.state()), modality.spec) == (state, spec)


def test_a_row_is_the_same_in_any_batch(modality: Modality, table: Build, inputs: Through) -> None:
    rows = rows_of(modality, table)
    modality.fit(rows)
    together = inputs(modality, rows)
    for row in (0, 1, 3):
        alone = inputs(modality, rows.take(np.array([row])))
        for part in fields(alone):
            expected = getattr(alone, part.name)[0]
            found = getattr(together, part.name)[row]
            if found.shape != expected.shape:  # padded to the longest row
                assert not found[len(expected) :].any()
            assert_close(found[: len(expected)], expected, atol=1e-5, rtol=1e-5)


def test_a_batch_in_which_no_row_has_it_is_empty(modality: Modality, table: Build, inputs: Through) -> None:
    modality.fit(rows_of(modality, table))
    nothing = inputs(modality, table(cell=pl.Series([None, None], dtype=pl.String)))
    assert {len(getattr(nothing, part.name)) for part in fields(nothing)} == {2}


def test_options_that_shape_the_store_are_told(modality: Modality) -> None:
    assert json.loads(json.dumps(modality.recipe)) == modality.recipe
    assert modality.files == (modality.kind in ("image", "audio", "video", "series", "vector"))
