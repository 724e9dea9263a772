import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from mmtrain.errors import ConfigError
from mmtrain.modality import Modality, TextModality
from mmtrain.spec import TextSpec
from mmtrain.table import Table

Build = Callable[..., Table]
Through = Callable[[Modality, Table], Any]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "Red", "red", "circle"]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A tokenizer as a pretrained model has it, with padding and truncation of its own."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(WORDS[:4])
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.enable_padding(length=20)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path)


def test_ids_are_those_of_the_model(folder: str, table: Build, inputs: Through) -> None:
    modality = TextModality(column=["text", "more"], tokenizer=folder, max_length=6)
    rows = table(text=["Red circle", "square", None, " "], more=["red", None, None, None])
    modality.fit(rows)
    batch = inputs(modality, rows)
    np.testing.assert_array_equal(batch.ids, [[2, 4, 6, 5, 3], [2, 1, 3, 0, 0], 5 * [0], 5 * [0]])
    assert batch.mask.sum(1).tolist() == [5, 3, 0, 0]
    assert modality.encode(rows)[1].tolist() == [True, True, False, False]
    assert modality.spec == TextSpec(vocabulary=7, tokenizer=folder, max_length=6)


def test_a_long_row_keeps_its_closing_token(folder: str, table: Build) -> None:
    modality = TextModality(column="text", tokenizer=folder, max_length=4)
    rows = table(text=["red circle red circle red"])
    modality.fit(rows)
    assert modality.encode(rows)[0]["ids"][0].tolist() == [2, 5, 6, 3]


def test_words_that_come_parted_stay_so(folder: str, table: Build) -> None:
    modality = TextModality(column="words", tokenizer=folder)
    rows = table(words=[["Red", "red circle"], None])
    modality.fit(rows)
    ids, present = modality.encode(rows)
    assert ids["ids"][0].tolist() == [2, 4, 5, 6, 3]
    assert present.tolist() == [True, False]


def test_its_state_is_the_tokenizer_itself_and_the_configuration_beside_it(folder: str, table: Build) -> None:
    sizes = {"model_type": "bert", "hidden_size": 8}
    (Path(folder) / "config.json").write_text(json.dumps(sizes), "utf-8")
    modality, restored = (TextModality(column="text", tokenizer=folder) for _ in range(2))
    rows = table(text=["Red circle"])
    modality.fit(rows)
    state = json.loads(json.dumps(modality.state()))
    (Path(folder) / "tokenizer.json").unlink()
    restored.load_state(state)
    restored.fit(rows)
    assert restored.spec == modality.spec == TextSpec(vocabulary=7, tokenizer=folder, max_length=256, model=sizes)
    assert restored.encode(rows)[0]["ids"][0].tolist() == [2, 4, 6, 3]


def test_a_file_may_be_named_too(folder: str, table: Build) -> None:
    modality = TextModality(column="text", tokenizer=f"{folder}/tokenizer.json")
    modality.fit(table(text=["red"]))
    assert modality.spec == TextSpec(vocabulary=7, tokenizer=f"{folder}/tokenizer.json", max_length=256)


def test_no_room_for_a_word_is_refused(folder: str, table: Build) -> None:
    modality = TextModality(column="text", tokenizer=folder, max_length=2)
    with pytest.raises(ConfigError, match="max_length=2 has no room beside the special tokens of"):
        modality.fit(table(text=["red"]))


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path, table: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    (tmp_path / "broken.json").write_text("{}", "utf-8")
    for name, message in [
        ("nobody/nothing", "the tokenizer 'nobody/nothing' cannot be loaded"),
        (str(tmp_path / "none"), "the tokenizer '.*none' cannot be loaded"),
        (str(tmp_path / "broken.json"), "the tokenizer '.*broken.json' cannot be loaded"),
        (str(tmp_path), "the folder '.*' holds no tokenizer.json; save the tokenizer there"),
    ]:
        modality = TextModality(column="text", tokenizer=name)
        with pytest.raises(ConfigError, match=message):
            modality.fit(table(text=["red"]))
