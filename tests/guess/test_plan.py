"""Columns dealt out to inputs and targets."""

from pathlib import Path

import pytest

import mmtrain
from mmtrain.errors import ConfigError
from mmtrain.guess import Guess, Plan, plan
from mmtrain.guess.plan import KINDS


def columns(**kinds: str) -> list[Guess]:
    """A column a name; `category2` is one of two values."""
    return [Guess(name, kind.rstrip("2"), f"{kind} seen", 2 if kind.endswith("2") else 9) for name, kind in kinds.items()]


def tasks(found: Plan) -> dict[str, str]:
    return {name: kind for name, (kind, _) in found.tasks.items()}


def inputs(found: Plan) -> dict[str, tuple[str, list[str]]]:
    return {name: (kind, [guess.name for guess in guesses]) for name, (kind, guesses) in found.modalities.items()}


def test_every_kind_has_its_place() -> None:
    given = columns(
        id="id", key="id", part="split", photo="image", tone="audio", clip="video", walk="series", embedding="vector", title="text",
        body="text", size="number", brand="category", day="date", person="group", junk="nothing", label="category",
    )  # fmt: skip
    found = plan(given, [])
    assert inputs(found) == {
        "photo": ("image", ["photo"]),
        "tone": ("audio", ["tone"]),
        "clip": ("video", ["clip"]),
        "walk": ("series", ["walk"]),
        "embedding": ("vector", ["embedding"]),
        "text": ("text", ["title", "body"]),
        "facts": ("tabular", ["size", "brand", "day"]),
    }
    assert [guess.name for guess in found.left] == ["key", "person", "junk"]
    assert (found.id, found.split, found.group) == (given[0], given[2], given[13])
    assert [found.use(guess) for guess in (given[0], given[2], given[3], given[9], given[-1], given[-2])] == [
        "id",
        "split",
        "input photo",
        "input text",
        "task label",
        "left out",
    ]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"x": "number", "label": "category2", "z": "number"}, {"label": "binary"}),
        (
            {"x": "number", "Target_A": "category", "b target": "number", "z": "number"},
            {"Target_A": "classification", "b_target": "regression"},
        ),
        ({"y": "number", "price": "number", "z": "text"}, {"y": "regression"}),
        ({"y1": "number", "y2": "number", "z": "text"}, {"y1": "regression", "y2": "regression"}),
        ({"Price": "number", "x": "category", "rating": "category"}, {"Price": "regression"}),
        ({"a": "category", "b": "number", "c": "text"}, {"b": "regression"}),
        ({"label": "text", "b": "number", "c": "text"}, {"b": "regression"}),
        ({"youth": "number", "subclass": "category", "x": "text", "z": "category"}, {"z": "classification"}),
    ],
)
def test_targets_are_guessed_by_name_else_the_last_is_taken(kinds: dict[str, str], expected: dict[str, str]) -> None:
    given = [
        Guess("b target" if name == "b target" else name, kind.rstrip("2"), "", 2 if "2" in kind else 9) for name, kind in kinds.items()
    ]
    assert tasks(plan(given, [])) == expected


def test_the_users_targets_count() -> None:
    found = plan(columns(label="category", x="number", who="group", b="category2"), ["b", "x", "who", "b"])
    assert tasks(found) == {"b": "binary", "x": "regression", "who": "classification"}
    assert inputs(found) == {"label": ("tabular", ["label"])}
    assert found.why == "as you said"
    assert tasks(plan([*columns(x="number"), Guess("pre\u0301", "category", "", 3)], ["pré"][:0] or ["x"])) == {"x": "regression"}


def test_a_missing_number_is_no_class() -> None:
    given = [*columns(x="number"), Guess("label", "category", "", 3, nulls=frozenset({"NA"}))]
    assert tasks(plan(given, [])) == {"label": "binary"}


def test_names_that_cannot_be_names() -> None:
    given = [Guess(name, "image", "", 9) for name in ("fused", "Größe (cm)", "größe-cm", "中文", "2nd", "x" * 99, "y")]
    found = plan([*given, Guess("1. y", "number", "", 9)], ["1. y"])
    assert list(found.modalities) == ["fused_2", "Groe_cm", "groe_cm", "column", "column_2nd", "x" * 40, "y"]
    assert list(found.tasks) == ["column_1_y"]
    assert list(plan([Guess("a b", "image", "", 9), Guess("a-b", "image", "", 9), *columns(y="number")], []).modalities) == ["a_b", "a_b_2"]


def test_no_modality_is_called_like_another_kind() -> None:
    given = columns(audio="vector", image="image", text="series", video="text", series="category", vector="category")
    assert inputs(plan(given, ["vector"])) == {
        "audio_vector": ("vector", ["audio"]),
        "image": ("image", ["image"]),
        "text_series": ("series", ["text"]),
        "video_text": ("text", ["video"]),
        "series_tabular": ("tabular", ["series"]),
    }
    assert tasks(plan(given, ["vector"])) == {"vector": "classification"}


def test_every_kind_that_names_an_encoder_is_known() -> None:
    assert {folder.parent.name for folder in Path(mmtrain.__file__).parent.glob("encoder/*/__init__.py")} == KINDS


@pytest.mark.parametrize(
    ("kinds", "targets", "message"),
    [
        ({"a": "text", "b": "image"}, [], "mmtrain init: no column looks like something to predict; name one: --target COLUMN"),
        ({"a": "number", "b": "nothing"}, [], "mmtrain init: no column is left to predict from; targets are 'a'"),
        ({"a": "number", "b": "text"}, ["c"], "--target: the table has no column 'c'; allowed: a, b"),
        (
            {"a": "number", "b": "text", "c": "image"},
            ["b", "c"],
            "--target: 'b' is nothing to predict: text seen\n--target: 'c' is nothing",
        ),
    ],
)
def test_what_cannot_be_planned(kinds: dict[str, str], targets: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        plan(columns(**kinds), targets)
    assert str(error.value).startswith(message)
