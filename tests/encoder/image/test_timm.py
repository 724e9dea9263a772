import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from mmtrain.batch import Image
from mmtrain.cli import main
from mmtrain.encoder.image import Timm
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.encoder.pretrained import left_to_a_checkpoint
from mmtrain.errors import ConfigError
from mmtrain.spec import ImageSpec

timm: Any = pytest.importorskip("timm")
COLOUR = ImageSpec(3, 64, 96)


def own(name: str, **options: Any) -> Any:
    """timm's network itself, with statistics that are not the initial ones."""
    torch.manual_seed(1)
    network = timm.create_model(name, num_classes=7, **options).train()
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 96))
    return network.eval()


@pytest.mark.parametrize(
    ("name", "options"), [("test_resnet", {}), ("test_byobnet", {}), ("test_convnext", {}), ("test_vit", {"img_size": (64, 96)})]
)
def test_with_its_weights_it_sees_what_timm_sees(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    network = own(name, **options)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = Timm(COLOUR, name=name, pretrained=str(tmp_path / "weights.pth")).eval()
    pixels = torch.rand(2, 3, 64, 96)
    mean, std = (torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    assert_close(encoder._features(pixels * 2 - 1), network.forward_features((pixels - mean) / std), atol=1e-4, rtol=1e-4)


def test_a_map_is_read_out_as_a_grid_and_tokens_are_kept() -> None:
    pixels = Image(torch.zeros(2, 3, 64, 96))
    tokens = Timm(COLOUR, name="test_resnet", out_dim=5)(pixels)
    assert (tokens.values.shape, tokens.grid) == ((2, 4, 5), (2, 2))
    tokens = Timm(COLOUR, name="test_vit", out_dim=5)(pixels)
    assert (tokens.values.shape, tokens.grid) == ((2, 1 + 4 * 6, 5), None)


def test_channels_last_in_its_own_order() -> None:
    """A network that gives (rows, height, width, channels)."""
    with torch.device("meta"):
        encoder = Timm(ImageSpec(1, 64, 64), name="swin_tiny_patch4_window7_224", out_dim=3)
        assert encoder._features(torch.zeros(1, 1, 64, 64)).shape == (1, 768, 2, 2)
    assert len(encoder.stages) == 4


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet"])
def test_a_single_row_and_place_can_train(name: str) -> None:
    encoder = Timm(ImageSpec(4, 16, 16), name=name).train()
    assert any(isinstance(module, MaskedBatchNorm) for module in encoder.modules())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in encoder.modules())
    assert encoder(Image(torch.randn(1, 4, 16, 16))).values.isfinite().all()


@pytest.mark.parametrize(("name", "stages"), [("test_resnet", 4), ("test_vit", 6), ("test_convnext", 4), ("test_efficientnet", 5)])
def test_stages_go_from_input_to_output(name: str, stages: int) -> None:
    encoder = Timm(COLOUR, name=name)
    names = {id(module): place for place, (_, module) in enumerate(encoder.named_modules())}
    places = [names[id(stage)] for stage in encoder.stages]
    assert places == sorted(places)
    assert len(places) == stages


@pytest.mark.parametrize(
    ("name", "shape"), [("efficientvit_b0", (2, 2)), ("inception_next_atto", (2, 2)), ("deit_tiny_distilled_patch16_224", None)]
)
def test_networks_that_insist_on_pooling_are_read_before_it(name: str, shape: tuple[int, int] | None) -> None:
    tokens = Timm(ImageSpec(3, 64, 64), name=name, out_dim=3)(Image(torch.rand(1, 3, 64, 64)))
    assert (tokens.grid, tokens.values.shape) == (shape, (1, 4 if shape else 2 + 16, 3))


def test_a_network_of_several_maps_is_refused() -> None:
    message = r"name: a CoaT ends neither in one map nor in one sequence of tokens"
    with pytest.raises(ConfigError, match=message):
        Timm(ImageSpec(3, 64, 64), name="coat_tiny")


def test_vectors_are_normalised_by_ours_too() -> None:
    """Levit's last tokens are normalised as vectors."""
    encoder = Timm(ImageSpec(3, 64, 64), name="levit_128s").train()
    assert not any(isinstance(module, torch.nn.BatchNorm1d) for module in encoder.modules())
    assert encoder(Image(torch.randn(1, 3, 64, 64))).values.isfinite().all()


def test_it_can_be_chosen() -> None:
    few = ["data.train=96", "data.val=96", "data.test=96", "training.batch_size=32"]
    assert main(["check", "encoder/image=timm", "encoder.image.name=test_resnet", *few]) == 0


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"name: timm knows no 'resnet81'; did you mean 'resnet18'"):
        Timm(COLOUR, name="resnet81")
    with pytest.raises(ConfigError, match="'test_vit' cannot take pictures of 10 x 16 pixels"):
        Timm(ImageSpec(3, 10, 16), name="test_vit")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    torch.save(own("test_convnext").state_dict(), tmp_path / "weights.pth")
    with pytest.raises(ConfigError, match=r"pretrained: '.*weights.pth' does not fit 'test_resnet'"):
        Timm(COLOUR, name="test_resnet", pretrained=str(tmp_path / "weights.pth"))
    with pytest.raises(ConfigError, match=r"pretrained: no file 'gone.pth'"):
        Timm(COLOUR, name="test_resnet", pretrained="gone.pth")
    with left_to_a_checkpoint():
        Timm(COLOUR, name="test_resnet", pretrained="gone.pth")


def test_offline_it_says_so_before_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ConfigError, match=r"pretrained: the weights of timm's 'test_vit' are not on this machine"):
        Timm(COLOUR, name="test_vit", pretrained=True)


def test_without_timm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"timm is not installed; pip install \"mmtrain\[timm\]\""):
        Timm(COLOUR, name="resnet18")
