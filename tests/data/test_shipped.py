"""Every data set with a configuration can be read, where its files are at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from mmtrain.assembly import data_parts
from mmtrain.config import load
from mmtrain.data import prepare

ANY_DATA = {"folder", "torchvision"}  # the user names the rows
NAMES = sorted({file.stem for file in (Path(__file__).parents[2] / "configs" / "data").glob("*.yaml")} - ANY_DATA)
LEAKS = {
    "bike_sharing": {"casual", "registered", "total"},
    "census_income_kdd": {"marital_stat", "education", "instance_weight"},
    "grocery": {"description", "iconic_image"},
    "womens_clothing_small": {"rating", "recommended", "division", "department", "class"},
}

SMALLER = {"arem": {"val": 12, "test": 19}}  # than what is read


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_can_be_read(name: str, tmp_path: Path) -> None:
    if name != "scenes" and "MMTRAIN_DATA" not in os.environ:
        pytest.skip("MMTRAIN_DATA, the folder of the data sets, is not set")
    config = load([f"data={name}", "data.limit=40", f"data.cache={tmp_path}"]).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    rows = {split: len(dataset) for split, dataset in data.splits.items()}
    assert rows == ({"train": 40, "val": 40, "test": 40} | SMALLER.get(name, {}))
    for split, dataset in data.splits.items():
        batch = dataset.batch(np.arange(len(dataset)))
        assert all(present.any() for present in batch.present.values()), split
        assert all(len(views["fused"]) for views in batch.scored.values()), split
    inputs = {column for modality in data.modalities.values() for column in modality.columns}
    assert not inputs & LEAKS.get(name, set())
    assert config.data["name"] == name
