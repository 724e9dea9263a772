"""Every shipped YAML can be chosen: it composes, passes the check, builds, and a batch goes through the model and back."""

import os
import re
from pathlib import Path

import pytest
import yaml

from mmtrain.cli import main
from mmtrain.config import Catalog, load
from mmtrain.config.signature import signature
from mmtrain.errors import ConfigError

DATA = os.environ.get("MMTRAIN_DATA")
SMALL = "data.limit=64"
FEW = ["data.train=96", "data.val=96", "data.test=96", "training.batch_size=32"]  # drawing the default number of rows takes a while
CHOICES = Catalog.open().choices

# A number is a vector, and a series of one step.
PLACE, SERIES = ["~tasks.position", "data.modalities.place.column=position"], "modality@data.modalities.place=series"
SETS = ["~data.modalities.caption", "task@tasks.words=multilabel", "tasks.words.column=caption", "tasks.words.separator=' '"]
# How to choose an option of a group whose place is not the group itself, on generated data.
PLACES = {
    "augmentation/series/standard": [*PLACE, SERIES, "augmentation/series=standard"],
    "augmentation/tabular/standard": [
        *("~data.modalities.caption", "modality@data.modalities.facts=tabular", "data.modalities.facts.categorical=[caption]"),
        "augmentation/tabular=standard",
    ],
    "encoder/video/embedding": ["modality@data.modalities.picture=video", "encoder/video=embedding"],
    "encoder/video/frames": ["modality@data.modalities.picture=video", "encoder/video=frames"],
    "encoder/video/cnn3d": ["modality@data.modalities.picture=video", "encoder/video=cnn3d"],
    **{f"encoder/series/{name}": [*PLACE, SERIES, f"encoder/series={name}"] for name in CHOICES["encoder/series"]},
    **{
        f"encoder/vector/{name}": [*PLACE, "modality@data.modalities.place=vector", f"encoder/vector={name}"]
        for name in CHOICES["encoder/vector"]
    },
    "loss/cross_entropy": ["loss@tasks.shape.loss=cross_entropy"],
    "loss/focal": ["loss@tasks.shape.loss=focal"],
    "loss/logit_adjusted": ["loss@tasks.shape.loss=logit_adjusted"],
    "loss/absolute": ["loss@tasks.position.loss=absolute"],
    "loss/huber": ["loss@tasks.position.loss=huber"],
    "loss/squared": ["loss@tasks.position.loss=squared"],
    "modality/audio": ["modality@data.modalities.tone=audio"],
    "modality/image": ["modality@data.modalities.picture=image"],
    "modality/text": ["modality@data.modalities.caption=text"],
    "modality/series": [*PLACE, SERIES],
    "modality/vector": [*PLACE, "modality@data.modalities.place=vector"],
    "modality/video": ["modality@data.modalities.picture=video"],
    "modality/tabular": [
        "~data.modalities.caption",
        "modality@data.modalities.facts=tabular",
        "data.modalities.facts.categorical=[caption]",
    ],
    "sampler/balanced": ["sampler=balanced", "sampler.tasks=[shape,match]"],
    "sampler/ratio": ["sampler=ratio", "sampler.ratio={shape:2,colour:1,position:1,match:1,pitch:1}"],
    "source/scenes": ["source@data=scenes"],
    "task/binary": ["task@tasks.match=binary"],
    "task/classification": ["task@tasks.match=classification"],
    "loss/binary_cross_entropy": SETS,
    "task/ctc": ["task@tasks.match=ctc", "tasks.match.modality=tone"],
    "task/generation": ["task@tasks.match=generation", "tasks.match.modalities=[picture]"],
    "task/multi_regression": ["task@tasks.position=multi_regression", "tasks.position.column=[position]"],
    "task/multilabel": SETS,
    "task/ordinal": ["task@tasks.pitch=ordinal", "tasks.pitch.order=[low,middle,high]"],
    "loss/pinball": ["task@tasks.position=quantile", "loss@tasks.position.loss=pinball"],
    "task/quantile": ["task@tasks.position=quantile"],
    "task/regression": ["task@tasks.position=regression"],
    "task/retrieval": ["+task@tasks.pairs=retrieval", "tasks.pairs.modalities=[picture,caption]"],
}
PAIRS = ("film", "mfb", "mlb", "multiplicative", "mutan")  # fusions of two modalities
PLACES |= {f"model/fusion_{name}": [f"model=fusion_{name}", "~data.modalities.tone", "~tasks.pitch"] for name in PAIRS}
ENCODERS = {"early": "embedding"}  # that a fusion has to have, where small ones will not do
# With tests of their own (a fusion is in its model); every data set that is not generated is a table.
APART = (
    *("balancing/cagrad", "data/", "encoder/image/timm", "encoder/text/huggingface", "experiment/", "fusion/"),
    # the generated data have no such labels; see test_tasks.py, test_tagged_words.py, task/test_segmentation.py
    *("task/count", "loss/poisson", "task/tagging", "task/segmentation"),
    *("source/folder", "source/huggingface", "source/multi_mnist", "source/table", "source/torchvision"),
)
GENERATED = ("data/scenes", "data/scenes_caption")
ANY_DATA = ("data/folder", "data/torchvision")  # whose rows the user names; tested with their sources


def choices_of(*groups: str) -> list[str]:
    return [f"{group}/{name}" for group in groups for name in CHOICES.get(group, {})]


def words_of(choice: str) -> list[str]:
    group, _, name = choice.rpartition("/")
    return PLACES.get(choice, [f"{group}={name}"])


@pytest.fixture(autouse=True)
def _somewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without real data, a folder that holds none; relative run folders fall into a folder of the test's own."""
    monkeypatch.setenv("MMTRAIN_DATA", DATA or str(tmp_path / "absent"))
    monkeypatch.chdir(tmp_path)


def needs_data(words: list[str]) -> None:
    """Skip where the only thing wrong is that the data set is not on this machine."""
    try:
        config = load(words).config
    except ConfigError as error:
        if DATA or not all(problem.found.startswith("no file") for problem in error.problems):
            raise
        pytest.skip("MMTRAIN_DATA names no folder of real data")
    if not DATA and config.data.get("root") is not None:  # files that are no tables are looked for later
        pytest.skip("MMTRAIN_DATA names no folder of real data")


@pytest.mark.parametrize("choice", [name for name in choices_of(*CHOICES) if not name.startswith(APART)])
def test_a_choice_composes_and_trains_a_batch(choice: str) -> None:
    assert main(["check", *words_of(choice), *FEW]) == 0


@pytest.mark.parametrize("name", CHOICES["fusion"])
def test_a_fusion_has_a_model(name: str) -> None:
    words = words_of(f"model/fusion_{name}")
    alone = ["model.auxiliary=1.0"] if name == "late" else []  # each view learns from its own loss
    assert load(words).config == load([f"fusion={name}", f"encoders={ENCODERS.get(name, 'small')}", *alone, *words[1:]]).config


@pytest.mark.parametrize("choice", choices_of(*CHOICES))
def test_a_choice_does_not_restate_what_its_part_says(choice: str) -> None:
    """Defaults stand in the signature alone; `mmtrain list GROUP` shows them."""
    group, _, name = choice.rpartition("/")
    tree = yaml.safe_load(CHOICES[group][name].file.read_text(encoding="utf-8"))
    options = signature(tree["_target_"], choice, ()).options if "_target_" in tree else {}
    assert [key for key, option in options.items() if not option.required and key in tree and tree[key] == option.default] == []


@pytest.mark.parametrize("choice", [name for name in choices_of("data") if name not in ANY_DATA])
def test_a_data_set_trains_a_batch(choice: str) -> None:
    words = words_of(choice)
    needs_data(words)
    assert main(["check", *words, SMALL]) == 0


@pytest.mark.parametrize("choice", choices_of("experiment"))
def test_an_experiment_trains_two_steps(choice: str, tmp_path: Path) -> None:
    words = words_of(choice)
    needs_data(words)
    assert main(["train", *words, "training.steps=2", SMALL, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    assert (tmp_path / "run" / "results.json").is_file()


@pytest.mark.parametrize("choice", [name for name in choices_of("data") if name not in (*GENERATED, *ANY_DATA)])
def test_a_data_set_says_where_to_get_it(choice: str) -> None:
    """Its root hangs on MMTRAIN_DATA alone, and its comments name a source that anyone can reach."""
    text = CHOICES["data"][choice.removeprefix("data/")].file.read_text(encoding="utf-8")
    assert re.search(r"^  root: \$\{oc\.env:MMTRAIN_DATA\}(/\w+)+$", text, re.MULTILINE)
    assert re.search(r"^#.*(\w\.(com|io|org)\b|\bdoi 10\.|\bKaggle\b)", text, re.MULTILINE)


def test_every_fusion_is_a_model() -> None:
    assert {f"fusion_{name}" for name in CHOICES["fusion"]} <= set(CHOICES["model"])
