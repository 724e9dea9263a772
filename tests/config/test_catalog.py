from pathlib import Path

import pytest

from mmtrain.config.catalog import Catalog
from mmtrain.errors import ConfigError


@pytest.fixture
def folders(tmp_path: Path) -> Catalog:
    built_in, own = tmp_path / "built_in", tmp_path / "own"
    for root, files in ((built_in, ["fusion/sum", "encoder/image/cnn"]), (own, ["fusion/sum", "fusion/mine", "train"])):
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / f"{file}.yaml").write_text(f"# @package _global_\n# {root.name} {file}.\n# More.\na: 1\n")
    (built_in / "train.yaml").write_text("a: 1\n")
    return Catalog(built_in, own)


def test_choices_of_both_folders_the_built_in_one_first(folders: Catalog) -> None:
    assert {group: list(choices) for group, choices in folders.choices.items()} == {"encoder/image": ["cnn"], "fusion": ["mine", "sum"]}
    assert folders.choices["fusion"]["sum"].summary == "built_in fusion/sum."
    assert folders.choices["fusion"]["mine"].summary == "own fusion/mine."


def test_a_file_without_a_comment_has_no_summary(folders: Catalog) -> None:
    file = folders.choices["fusion"]["mine"].file
    file.write_text("a: 1\n# late\n")
    assert folders.choices["fusion"]["mine"].summary == ""


def test_files_that_a_built_in_one_hides(folders: Catalog) -> None:
    assert folders.own is not None
    assert folders.hidden == [folders.own / "fusion/sum.yaml", folders.own / "train.yaml"]


def test_the_built_in_folder_is_found() -> None:
    assert {"data", "fusion", "encoder/image"} <= Catalog.open().choices.keys()
    assert Catalog.open().hidden == []


def test_the_built_in_folder_is_nobodys_own() -> None:
    builtin = Catalog.open().builtin
    assert Catalog.open(builtin) == Catalog(builtin)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--config-dir: no folder '.*nowhere'"):
        Catalog.open(tmp_path / "nowhere")


def test_mmtrain_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmtrain.config.catalog.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="mmtrain: its YAML files are not found; install it first: make install"):
        Catalog.open()
