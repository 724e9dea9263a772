"""Parts are built from the configuration, and fit together."""

import pytest
import torch

from mmtrain import mixing
from mmtrain.assembly import build_model, data_parts
from mmtrain.augmentation import audio as augmentation_audio
from mmtrain.augmentation import image as augmentation_image
from mmtrain.config import load
from mmtrain.data import prepare
from mmtrain.encoder import audio, image, text
from mmtrain.modality import ImageModality
from mmtrain.model import Model
from mmtrain.source import Scenes


def model(*overrides: str) -> Model:
    config = load(["data.train=40", "data.val=10", "data.test=10", *overrides]).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    return build_model(config, data.modalities, data.tasks)


def test_the_parts_of_the_data() -> None:
    parts = data_parts(load(["data.train=40", "tasks.shape.weight=2", "data.limit=7", "data.modalities.picture.height=16"]).config)
    assert isinstance(parts.source, Scenes)
    assert parts.source.sizes["train"] == 40
    assert (parts.settings.name, parts.settings.limit) == ("scenes", 7)
    assert list(parts.modalities) == ["picture", "caption", "tone"]
    picture = parts.modalities["picture"]
    assert isinstance(picture, ImageModality)
    assert picture.spec.height == 16
    assert {name: task.weight for name, task in parts.tasks.items()} == {"shape": 2, "colour": 1, "position": 1, "pitch": 1, "match": 1}


def test_an_encoder_by_name_wins_over_one_by_kind() -> None:
    built = model("+encoder/text@encoder.caption=bag")
    assert [type(built.encoder[name]) for name in built.encoder] == [image.CNN, text.Bag, audio.CNN]
    assert isinstance(model().encoder["caption"], text.GRU)


def test_augmentation_goes_by_name_then_by_kind_and_may_be_absent() -> None:
    words = ["augmentation/image=rand_augment", "augmentation/image@augmentation.picture=standard", "augmentation.picture.flip=0"]
    built = model(*words, "augmentation/audio=standard", "mixing=cutmix")
    assert {name: type(part) for name, part in built.augmentation.items()} == {
        "picture": augmentation_image.Standard,
        "tone": augmentation_audio.Standard,
    }
    assert isinstance(built.mixing, mixing.Cutmix)
    assert built.mixing.grid == (32, 32)


@pytest.mark.parametrize("fusion", ["concat", "sum", "weighted"])
def test_widths_flow_from_part_to_part(fusion: str) -> None:
    """Nobody types a width twice: each part may have any, and the model still predicts."""
    widths = ["encoder.image.out_dim=24", "encoder.text.out_dim=40", "encoder.audio.out_dim=16", "fusion.out_dim=56"]
    config = load(["data.train=40", "data.val=10", "data.test=10", f"fusion={fusion}", *widths]).config
    parts = data_parts(config)
    data = prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)
    built = build_model(config, data.modalities, data.tasks)
    assert [built.encoder[name].out_dim for name in built.encoder] == [24, 40, 16]
    assert built.fusion.out_dim == 56
    output = built(data.splits["train"].batch(torch.arange(5).numpy()))
    assert {name: tuple(found.shape) for name, found in output.predictions.items()} == {
        "shape": (5, 4),
        "colour": (5, 4),
        "position": (5,),
        "pitch": (5, 3),
        "match": (5,),
    }


def test_the_same_seed_builds_the_same_model() -> None:
    torch.manual_seed(3)
    first = model().state_dict()
    torch.manual_seed(3)
    torch.testing.assert_close(model().state_dict(), first, rtol=0, atol=0)
