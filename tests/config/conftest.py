"""Folders of YAML files: a small one in place of the shipped one, and one of the user's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

AddFile = Callable[[str, str], Path]

SMALL = {
    "train": """
defaults: [{data: scenes}, {model: plain}, _self_, {experiment: null}]
seed: 0
trust: []
optimizer: {lr: 0.1}
hydra: {run: {dir: "outputs/${data.name}/${now:%f}"}, sweep: {dir: "outputs/${data.name}/sweep_${now:%f}"}}
""",
    "data/scenes": """# @package _global_
defaults: [{/modality@data.modalities.back: image}, {/task@tasks.shape: binary}, {/task@tasks.pitch: binary}, _self_]
data: {name: scenes}
tasks: {shape: {column: shape}, pitch: {column: pitch}}
""",
    "model/plain": "# @package _global_\ndefaults: [{/encoder/image: cnn}, {/fusion: concat}]\n",
    "modality/image": "_target_: modality.Image\n",
    "encoder/image/cnn": "_target_: encoder.image.CNN\n",
    "fusion/concat": "_target_: fusion.Concat\n",
    "fusion/sum": "_target_: fusion.Sum\n",
    "task/binary": "defaults: [{/loss@loss: entropy}, _self_]\n_target_: task.Binary\n",
    "task/classification": "defaults: [{/loss@loss: entropy}, _self_]\n_target_: task.Classification\n",
    "loss/entropy": "_target_: loss.Entropy\n",
    "loss/focal": "_target_: loss.Focal\n",
    "experiment/short": "# @package _global_\nseed: 1\n",
}


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    for name, text in SMALL.items():
        write(folder, name, text)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def add(own: Path) -> AddFile:
    """Write one file into the user's folder, by group and name."""
    return lambda name, text: write(own, name, text)
