from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch.testing import assert_close
from torchvision.models import get_model
from torchvision.transforms.v2.functional import normalize

from mmtrain.batch import Image
from mmtrain.encoder.image import ResNet
from mmtrain.encoder.image.colours import IMAGENET
from mmtrain.encoder.pretrained import left_to_a_checkpoint
from mmtrain.errors import ConfigError
from mmtrain.spec import ImageSpec

COLOUR = ImageSpec(3, 40, 64)


@pytest.fixture(scope="module")
def torchvisions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, str]:
    """torchvision's own ResNet-18, with statistics that are not the initial ones, and a file of its weights."""
    torch.manual_seed(1)
    network = get_model("resnet18").train()
    with torch.no_grad():
        network(torch.randn(4, 3, 64, 64))
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(network.state_dict(), file)
    return network.eval(), str(file)


@pytest.mark.parametrize(("depth", "width"), [(18, 512), (34, 512), (50, 2048)])
def test_its_parts_are_called_as_torchvisions(depth: Any, width: int) -> None:
    with torch.device("meta"):
        expected = get_model(f"resnet{depth}").state_dict()
        encoder = ResNet(COLOUR, depth=depth, out_dim=8)
    found = {name: value.shape for name, value in encoder.network.state_dict().items()}
    assert found == {name: value.shape for name, value in expected.items() if not name.startswith("fc") and "num_batches" not in name}
    assert encoder.readout.places.weight.shape[1] == width


def test_with_its_weights_it_sees_what_torchvisions_sees(torchvisions: tuple[Any, str]) -> None:
    network, file = torchvisions
    seen: list[torch.Tensor] = []
    with network.layer4.register_forward_hook(lambda module, inputs, output: seen.append(output)), torch.no_grad():
        pixels = torch.rand(2, 3, 40, 64)
        network(normalize(pixels, *map(list, IMAGENET)))
        encoder = ResNet(COLOUR, depth=18, pretrained=file).eval()
        found = encoder.network(encoder.rescale(pixels * 2 - 1))
    assert_close(found, seen[0], atol=1e-4, rtol=1e-4)
    assert encoder(Image(pixels)).grid == (2, 2)


def test_grey_pictures_are_seen_as_grey_colours(torchvisions: tuple[Any, str]) -> None:
    """Nearly: each colour would have been rescaled a little differently."""
    file = torchvisions[1]
    grey = torch.rand(2, 1, 40, 64)
    colour, single, opaque = (
        ResNet(ImageSpec(channels, 40, 64), depth=18, layers=2, pretrained=file).eval().requires_grad_(False) for channels in (3, 1, 4)
    )
    expected = colour.network(colour.rescale(grey.expand(-1, 3, -1, -1) * 2 - 1))
    found = single.network(single.rescale(grey * 2 - 1))
    assert float((found - expected).norm() / expected.norm()) < 0.1
    four = opaque.network(opaque.rescale(torch.cat([grey.expand(-1, 3, -1, -1), torch.rand(2, 1, 40, 64)], 1) * 2 - 1))
    assert_close(four, expected, atol=1e-4, rtol=1e-4)


def test_the_grid_is_no_larger_than_the_map() -> None:
    for size, layers, grid in [(64, 3, 4), (64, 4, 2), (33, 4, 2), (32, 4, 1), (1, 1, 1)]:
        with torch.device("meta"):
            encoder = ResNet(ImageSpec(1, size, size + 3), depth=18, layers=layers, grid=4).eval()
            side = min(encoder.network(torch.zeros(1, 1, size, size + 3)).shape[2:])
        assert encoder.readout.grid == min(4, side) == grid


def test_stages_are_its_blocks() -> None:
    assert len(ResNet(COLOUR, depth=18, layers=3).stages) == 2 + 2 + 2


def test_other_weights_are_refused(torchvisions: tuple[Any, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pretrained: '.*resnet18.pth' does not fit: 80 of 180 tensors; 'layer1.2.conv1"):
        ResNet(COLOUR, depth=34, pretrained=torchvisions[1])
    safetensors.torch.save_file({"x": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(ConfigError, match=r"'conv1\.weight' is missing"):
        ResNet(COLOUR, depth=18, pretrained=str(tmp_path / "x.safetensors"))


def test_offline_it_says_so_before_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*words: Any, **options: Any) -> None:
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    message = r"pretrained: the weights 'imagenet' of resnet18 are not on this machine and cannot be fetched \(no network\)"
    with pytest.raises(ConfigError, match=message):
        ResNet(COLOUR, depth=18, pretrained="imagenet")


def test_weights_that_were_fetched_once_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, torchvisions: tuple[Any, str]) -> None:
    from torchvision.models import ResNet18_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / ResNet18_Weights.DEFAULT.url.rpartition("/")[2]).write_bytes(Path(torchvisions[1]).read_bytes())
    encoder = ResNet(COLOUR, depth=18, layers=1, pretrained="imagenet")
    assert torch.equal(encoder.network.get_parameter("conv1.weight"), torchvisions[0].conv1.weight)


def test_a_trained_model_needs_no_file(torchvisions: tuple[Any, str]) -> None:
    with left_to_a_checkpoint():
        encoder = ResNet(COLOUR, depth=18, layers=1, pretrained="gone.pth")
    encoder.load_state_dict(ResNet(COLOUR, depth=18, layers=1, pretrained=torchvisions[1]).state_dict())
    assert torch.equal(encoder.rescale.get_buffer("mean").flatten(), torch.tensor(IMAGENET[0]) * 2 - 1)
