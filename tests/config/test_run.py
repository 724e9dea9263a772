from pathlib import Path

import pytest
import yaml

from mmtrain.config import Run, load


@pytest.fixture(scope="module")
def run() -> Run:
    return load(["data.limit=8", "data.train=64"]).config


def test_the_source_has_its_own_options(run: Run) -> None:
    assert run.source["_target_"] == "mmtrain.source.Scenes"
    assert run.source["train"] == 64
    assert {"limit", "name", "modalities"}.isdisjoint(run.source)


def test_the_store_has_the_others(run: Run) -> None:
    assert run.data_settings["limit"] == 8
    assert run.data_settings["name"] == "scenes"
    assert {"_target_", "train", "modalities"}.isdisjoint(run.data_settings)


def test_what_is_saved_is_all_but_the_warnings(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "config.yaml")
    tree = yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8"))
    assert Run(**tree) == run
    assert "warnings" not in tree


def test_yaml_repeats_what_stands_in_two_places(run: Run) -> None:
    node = {"_target_": "mmtrain.missing.Mask", "names": ["é"]}
    text = Run(**{**vars(run), "missing": node, "decision": node}).to_yaml()
    assert text.count("- é") == 2
    assert "&id" not in text
