from pathlib import Path

import pytest

from mmtrain.config import Catalog
from mmtrain.errors import ConfigError
from mmtrain.listing import listing


def test_every_choice_has_a_line() -> None:
    lines = listing().splitlines()
    choices = [choice for group in Catalog.open().choices.values() for choice in group.values()]
    assert len(lines) == len(choices) + 2
    for line, choice in zip(lines, choices, strict=False):
        assert choice.name in line
        assert line.endswith(choice.summary)
        assert choice.summary


def test_a_group_shows_its_options() -> None:
    lines = listing("scheduler").splitlines()
    assert lines[0].startswith("scheduler=constant  Keep the learning rate")
    assert lines[1] == "  warmup  0.0  a number at least 0 and below 1"
    assert "  final   0.0  a number at least 0 and at most 1" in lines


@pytest.mark.parametrize(
    ("group", "found"),
    [("modality", "  column "), ("training", "true or false"), ("encoder/image", "encoder/image=cnn"), ("data", "data=scenes")],
)
def test_any_group(group: str, found: str) -> None:
    assert found in listing(group)


def test_what_has_to_be_given_has_no_default() -> None:
    assert next(line.split()[1] for line in listing("modality").splitlines() if "column" in line) == "???"


def test_a_family_of_groups() -> None:
    titles = [line.split()[0] for line in listing("encoder").splitlines() if line and not line.startswith(" ")]
    assert {"encoder/image=cnn", "encoder/text=gru"} <= set(titles)


def test_a_group_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"fuson: there is no such group; did you mean 'fusion'\?"):
        listing("fuson")


def test_the_users_own_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own/fusion").mkdir(parents=True)
    (tmp_path / "own/fusion/mine.yaml").write_text("# My own.\n_target_: my_listing.Mine\n")
    (tmp_path / "own/fusion/broken.yaml").write_text("# Broken.\na: [\n")
    (tmp_path / "my_listing.py").write_text(
        "class Mine:\n    def __init__(self, dims, *, x: int, y: str = 'a'): ...\nraise AssertionError\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = listing("fusion", tmp_path / "own")
    assert "fusion=mine  My own.\n  x  ???  a whole number\n  y  a    text" in text
    assert "fusion=concat" in text
    assert "fusion=broken  Broken." in text


def test_what_a_choice_sets_is_shown_in_place_of_the_default() -> None:
    shown = listing("encoder/image").split("\n\n")
    depths = {part.split()[0]: line.split()[1] for part in shown for line in part.splitlines() if line.startswith("  depth ")}
    assert depths == {f"encoder/image=resnet{depth}": str(depth) for depth in (18, 34, 50)}
