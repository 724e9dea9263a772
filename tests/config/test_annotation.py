import ast
from typing import Annotated, Any, Literal

import pytest

from mmtrain.config.annotation import MISSING, UNKNOWN, convert, describe, named, read
from mmtrain.errors import ConfigError
from mmtrain.option import Column, Count, Dropout, Fraction, From, IsColumn, NonNegative, Part, Positive, Range


def no_part(node: Any, where: str, group: str | None) -> Any:
    raise AssertionError("no part is expected here")


def read_text(text: str) -> Any:
    return read(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    ("text", "annotation"),
    [
        ("bool", bool),
        ("int | None", int | None),
        ("Count", Count),
        ("Count | None", Count | None),
        ("Literal['mean', 'max']", Literal["mean", "max"]),
        ("Literal[1, 3]", Literal[1, 3]),
        ("Literal['a']", Literal["a"]),
        ("Annotated[int, Range(1000)]", Annotated[int, Range(1000)]),
        ("Annotated[float, Range(0, below=1)]", Dropout),
        ("Annotated[float, Range(-1, 1)]", Annotated[float, Range(-1, 1)]),
        ("Annotated[str, IsColumn()]", Annotated[str, IsColumn()]),
        ("list[Column]", list[Column]),
        ("Column | list[Column]", Column | list[Column]),
        ("dict[str, NonNegative | dict[str, NonNegative]] | None", dict[str, NonNegative | dict[str, NonNegative]] | None),
        ("Part", Part),
        ("Annotated[Part, From('encoder.image')]", Annotated[Part, From("encoder.image")]),
    ],
)
def test_the_grammar_is_read_as_python_reads_it(text: str, annotation: Any) -> None:
    assert read_text(text) == annotation


@pytest.mark.parametrize("text", ["Tensor", "nn.Module", "list[Tensor]", "Callable[[int], int]", "Range(open('x'))", "'int'", "[int]"])
def test_what_is_not_of_the_grammar_is_not_checked(text: str) -> None:
    assert read_text(text) is Any


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Dropout, "a number at least 0 and below 1"),
        (Fraction, "a number at least 0 and at most 1"),
        (Count | None, "a whole number at least 1 or null"),
        (Column | list[Column], "a column's name or a list of a column's name"),
        (dict[str, Positive], "a mapping to a number above 0"),
        (Literal["mean", "max"], "one of mean, max"),
        (bool, "true or false"),
        (Part, "a part"),
        (Annotated[Part, From("encoder.image")] | None, "a part of encoder/image or null"),
        (Any, "anything"),
    ],
)
def test_an_annotation_in_words(annotation: Any, words: str) -> None:
    assert describe(annotation) == words


@pytest.mark.parametrize(
    ("value", "annotation", "converted"),
    [
        (2, float, 2.0),
        (2, Positive, 2.0),
        (1, Fraction | int, 1),  # its own type goes first
        (0.5, Fraction | int, 0.5),
        (None, Count | None, None),
        (True, bool, True),
        ("mean", Literal["mean", "max"], "mean"),
        (3, Literal[1, 3], 3),
        ([1, 2], list[float], [1.0, 2.0]),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        ({"a": {"b": 1}}, dict[str, NonNegative | dict[str, NonNegative]], {"a": {"b": 1.0}}),
        ("name", Column | list[Column], "name"),
        (["name", "tags"], Column | list[Column], ["name", "tags"]),
        ("cafe\u0301", Column, "café"),
        (object, Any, object),
        (UNKNOWN, int, UNKNOWN),
    ],
)
def test_a_value_that_fits(value: Any, annotation: Any, converted: Any) -> None:
    found = convert(value, annotation, "x", no_part)
    assert found == converted
    assert type(found) is type(converted)


@pytest.mark.parametrize(
    ("value", "annotation", "line"),
    [
        ("ten", int, "x: 'ten' is not a whole number"),
        (True, int, "x: true is not a whole number"),
        (1.0, int, "x: 1.0 is not a whole number"),
        (True, float, "x: true is not a number"),
        (float("nan"), float, "x: nan is not a number"),
        (float("inf"), Positive, "x: inf is not a number"),
        ("0.1", float, "x: '0.1' is not a number"),
        (1, bool, "x: 1 is not true or false"),
        (2020, str, "x: 2020 is not text; write it in quotes"),
        (True, str | int | None, "x: true is not text or a whole number or null; write it in quotes"),
        (2020, Column | list[Column], "x: 2020 is not a column's name or a list of a column's name; write it in quotes"),
        (True, int | None, "x: true is not a whole number or null"),
        (None, str, "x: null is not text"),
        (1.5, Dropout, "x: 1.5 is not a number at least 0 and below 1"),
        (0, Count, "x: 0 is not a whole number at least 1"),
        (0, Count | None, "x: 0 is not a whole number at least 1 or null"),
        ("maen", Literal["mean", "max"], "x: 'maen' is not a choice; did you mean 'mean'? allowed: max, mean"),
        (True, Literal[1, 3], "x: true is not a choice; allowed: 1, 3"),
        ("maen", Literal["mean"] | int, "x: 'maen' is not one of mean or a whole number; did you mean 'mean'? allowed: mean"),
        ("a", list[int], "x: 'a' is not a list of a whole number"),
        ({"a": 1}, list[int], "x: {'a': 1} is not a list of a whole number"),
        ({"a": -1, "b": {"c": -2}}, dict[str, NonNegative | dict[str, NonNegative]], "x.b.c: -2 is not a number at least 0"),
        (MISSING, Column, "x: has to be given; it is a column's name"),
        (MISSING, Any, "x: has to be given; it is anything"),
        ([MISSING], list[str], "x[0]: has to be given; it is text"),
    ],
)
def test_a_value_that_does_not_fit(value: Any, annotation: Any, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        convert(value, annotation, "x", no_part)
    assert line in str(caught.value).splitlines()


def test_every_item_that_does_not_fit_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        convert([1, "a", None], list[int], "x", no_part)
    assert [problem.where for problem in caught.value.problems] == ["x[1]", "x[2]"]


@pytest.mark.parametrize("node", [{"_target_": "a"}, "a", None, MISSING])
def test_a_nested_part_is_handed_on_with_its_place_and_group(node: Any) -> None:
    def handed(*given: Any) -> Any:
        return given

    assert convert(node, Part, "tasks.t.loss", handed) == (node, "tasks.t.loss", None)
    assert convert(node, Annotated[Part, From("encoder.image")], "encoder.video.image", handed) == (
        node,
        "encoder.video.image",
        "encoder.image",
    )


def test_what_is_wrong_inside_an_optional_part_is_told() -> None:
    def refuse(node: Any, where: str, group: str | None) -> Any:
        raise ConfigError(*convert_problem(where))

    def convert_problem(where: str) -> Any:
        try:
            convert("x", int, where, no_part)
        except ConfigError as error:
            return error.problems

    for annotation in (Part | None, Annotated[Part, From("task")] | None):
        with pytest.raises(ConfigError, match="loss: 'x' is not a whole number"):
            convert("focal", annotation, "loss", refuse)


@pytest.mark.parametrize(
    ("value", "annotation", "names"),
    [
        ("a", Column, ["a"]),
        (["a", "b"], Column | list[Column] | None, ["a", "b"]),
        (None, Column | None, []),
        ({"x": ["a"]}, dict[str, list[Column]], ["a"]),
        ("a", str, []),
        (3, Count, []),
    ],
)
def test_columns_in_a_value(value: Any, annotation: Any, names: list[str]) -> None:
    assert named(value, annotation, IsColumn) == names
