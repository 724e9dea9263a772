import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Text
from mmtrain.cli import main
from mmtrain.encoder.text import HuggingFace
from mmtrain.errors import ConfigError
from mmtrain.spec import TextSpec

transformers = pytest.importorskip("transformers")
SIZES = {"vocab_size": 12, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 8}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A tiny model with weights and a tokenizer, as the hub would give it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = [*special, "red", "green", "blue", "circle", "square", "triangle", "a", "tone"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    transformers.utils.logging.disable_progress_bar()
    transformers.BertModel(transformers.BertConfig(max_position_embeddings=10, **SIZES)).save_pretrained(tmp_path)
    return str(tmp_path)


def build(name: str, **options: object) -> HuggingFace:
    return HuggingFace(TextSpec(12, tokenizer=name), name=name, **options)  # type: ignore[arg-type]


def test_tokens_are_its_last_states_read_out(folder: str, make_text: Callable[..., Text]) -> None:
    encoder = build(folder, out_dim=3).eval()
    other = transformers.AutoModel.from_pretrained(folder).eval()
    text = make_text([[2, 5, 9, 3], [2, 4, 3, 0]])
    states = other(input_ids=text.ids, attention_mask=text.mask.long()).last_hidden_state
    expected = torch.where(text.mask[:, :, None], encoder.readout(states), 0)
    assert_close(encoder(text).values, expected, atol=1e-6, rtol=1e-6)


def test_without_pretraining_only_the_sizes_are_taken(folder: str) -> None:
    (Path(folder) / "model.safetensors").unlink()
    encoder = build(folder, pretrained=False)
    assert encoder.model.config.hidden_size == 8
    with pytest.raises(ConfigError, match=r"the model '.*' cannot be loaded"):
        build(folder)


def test_its_stages_are_the_embedding_and_the_layers(folder: str) -> None:
    encoder = build(folder)
    assert encoder.stages == [encoder.model.embeddings, *encoder.model.encoder.layer]


def test_half_precision_on_disk_is_full_precision_here(folder: str) -> None:
    transformers.AutoModel.from_pretrained(folder).half().save_pretrained(folder)
    assert {parameter.dtype for parameter in build(folder).parameters()} == {torch.float32}


@pytest.mark.parametrize(("tokenizer", "named"), [(None, "a vocabulary from train"), ("other", "'other'")])
def test_words_of_another_vocabulary_are_refused(tokenizer: str | None, named: str) -> None:
    with pytest.raises(ConfigError, match=f"reads ids of 'this', but words are numbered by {named}; set the modality's tokenizer=this"):
        HuggingFace(TextSpec(12, tokenizer=tokenizer), name="this")


def test_more_ids_than_vectors_are_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match=r"has fewer vectors than its tokenizer has ids \(13\)"):
        HuggingFace(TextSpec(13, tokenizer=folder), name=folder)


KINDS = [({"model_type": "bert"}, 34), ({"model_type": "roberta", "pad_token_id": 1}, 32), ({"model_type": "distilbert"}, 34)]


@pytest.mark.parametrize(("kind", "places"), KINDS)
def test_rows_that_are_too_long_are_refused(tmp_path: Path, make_text: Callable[..., Text], kind: dict[str, object], places: int) -> None:
    """RoBERTa leaves the first positions, up to that of padding, to padding."""
    sizes = SIZES | {"dim": 8, "n_heads": 2, "n_layers": 1, "max_position_embeddings": 34} | kind
    spec = TextSpec(12, tokenizer=str(tmp_path), max_length=places, model=sizes)
    encoder = HuggingFace(spec, name=str(tmp_path), pretrained=False)
    assert encoder(make_text([places * [4]])).values.isfinite().all()
    with pytest.raises((IndexError, RuntimeError)):
        encoder(make_text([(places + 1) * [4]]))
    found = f"rows may have {places + 1} ids, and '.*' has places for {places}; set the modality's max_length={places}"
    with pytest.raises(ConfigError, match=found):
        HuggingFace(replace(spec, max_length=places + 1), name=str(tmp_path), pretrained=False)


def test_a_model_without_positions_takes_rows_of_any_length(tmp_path: Path, make_text: Callable[..., Text]) -> None:
    sizes = {"model_type": "xlnet", "vocab_size": 12, "d_model": 8, "n_layer": 1, "n_head": 2, "d_inner": 8}
    spec = TextSpec(12, tokenizer=str(tmp_path), max_length=9999, model=sizes)
    encoder = HuggingFace(spec, name=str(tmp_path), pretrained=False)
    assert encoder(make_text([70 * [4]])).values.shape == (1, 70, 128)


def test_a_run_needs_the_folder_once(folder: str, tiny: list[str], tmp_path: Path) -> None:
    run, rows = tmp_path / "run", tmp_path / "rows.csv"
    words = [*tiny, "encoder/text=huggingface", f"encoder.text.name={folder}", f"data.modalities.caption.tokenizer={folder}"]
    assert main(["train", *words, "data.modalities.caption.max_length=10", "training.epochs=1", f"hydra.run.dir={run}"]) == 0
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (Path(folder) / name).unlink()
    rows.write_text("caption\na red circle\n", "utf-8")
    assert main(["predict", str(run), str(rows), "--output", str(tmp_path / "out.csv")]) == 0
    assert main(["evaluate", str(run)]) == 0
    assert main(["train", "--resume", str(run), "training.epochs=2"]) == 0


def test_a_model_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in (str(tmp_path / "none"), "nobody/nothing"):
        with pytest.raises(ConfigError, match=f"the model '{name}' cannot be loaded"):
            build(name)


def test_an_encoder_decoder_gives_its_encoder(tmp_path: Path, make_text: Callable[..., Text]) -> None:
    sizes = {"model_type": "t5", "vocab_size": 12, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    (tmp_path / "config.json").write_text(json.dumps(sizes), "utf-8")
    encoder = build(str(tmp_path), pretrained=False)
    assert encoder(make_text([[4, 5, 1]])).values.shape == (1, 3, 128)


def test_it_trains_beside_other_inputs(folder: str) -> None:
    words = ["encoder/text=huggingface", f"encoder.text.name={folder}", f"data.modalities.caption.tokenizer={folder}"]
    few = ["data.train=32", "data.val=32", "data.test=32", "training.batch_size=32", "data.modalities.caption.max_length=10"]
    assert main(["check", *words, *few]) == 0
