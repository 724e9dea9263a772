from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.encoder.image import ResNet
from mmtrain.encoder.pretrained import fetch, left_to_a_checkpoint, load_weights, needed, read_weights
from mmtrain.errors import ConfigError
from mmtrain.spec import ImageSpec

WEIGHTS = {"weight": torch.tensor([[1.0, 2.0]]), "bias": torch.tensor([3.0])}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("around", [None, "state_dict", "model"])
def test_files_of_weights_are_read(tmp_path: Path, suffix: str, around: str | None) -> None:
    file = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(WEIGHTS, file)
    else:
        torch.save(WEIGHTS if around is None else {around: {f"module.{key}": value for key, value in WEIGHTS.items()}, "epoch": 3}, file)
    found = read_weights(str(file), "here")
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], value) for name, value in WEIGHTS.items())


class Attack:
    def __reduce__(self) -> Any:
        return print, ("code of a stranger ran",)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (None, r"here: no file '.*weights.pth' \(looked for /.*\); name a file of weights, or null"),
        (b"no weights", r"here: '.*weights.pth' cannot be read as weights: .*; name a .safetensors file, or a torch file of tensors alone"),
        ({"weight": Attack()}, "cannot be read as weights: Weights only load failed"),
        ({"epoch": 3}, "cannot be read as weights: it holds no tensors"),
    ],
    ids=["absent", "broken", "code", "no tensors"],
)
def test_what_holds_no_weights_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], saved: Any, message: str) -> None:
    file = tmp_path / "weights.pth"
    if isinstance(saved, bytes):
        file.write_bytes(saved)
    elif saved is not None:
        torch.save(saved, file)
    with pytest.raises(ConfigError, match=message):
        read_weights(str(file), "here")
    assert capsys.readouterr().out == ""


def test_more_than_asked_for_is_left_out() -> None:
    module = nn.Linear(2, 1)
    load_weights(module, WEIGHTS | {"classifier.weight": torch.ones(3)}, "file", "here")
    assert (module.weight.tolist(), module.bias.tolist()) == ([[1, 2]], [3])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"bias": WEIGHTS["bias"]}, "here: 'file' does not fit: 1 of 2 tensors; 'weight' is missing; name weights of this very network"),
        (WEIGHTS | {"bias": torch.ones(2)}, r"1 of 2 tensors; 'bias' has shape \[2\] in place of \[1\]"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(weights: dict[str, torch.Tensor], message: str) -> None:
    module = nn.Linear(2, 1)
    before = module.weight.clone()
    with pytest.raises(ConfigError, match=message):
        load_weights(module, weights, "file", "here")
    assert torch.equal(module.weight, before)


def test_without_a_network_the_user_is_told_what_to_do() -> None:
    def download() -> None:
        raise OSError("no route\nto host")

    message = r"here: the weights of 'x' are not on this machine and cannot be fetched \(no route\); fetch them once where there is"
    with pytest.raises(ConfigError, match=message):
        fetch(download, "of 'x'", "here")


def test_a_run_needs_the_file_once(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "weights.safetensors"
    saved = ResNet(ImageSpec(3, 32, 32), depth=18, layers=1).network.state_dict()
    safetensors.torch.save_file(saved, file)
    words = [*tiny, "encoder/image=resnet18", "encoder.image.layers=1", f"encoder.image.pretrained={file}", "training.epochs=1"]
    folder = tmp_path / "run"
    assert main(["train", *words, "training.freeze.encoder.image=always", f"hydra.run.dir={folder}"]) == 0
    kept = checkpoint.load(folder / "checkpoints" / "last")["model"]
    assert all(torch.equal(kept[f"encoder.picture.network.{name}"], value) for name, value in saved.items())
    file.unlink()
    assert main(["evaluate", str(folder)]) == 0
    assert main(["train", "--resume", str(folder), "training.epochs=2"]) == 0
    assert main(["train", *words, f"hydra.run.dir={tmp_path / 'other'}"]) == 2
    assert "encoder.image.pretrained: no file" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_checkpoint_may_bring_the_weights() -> None:
    assert needed()
    with left_to_a_checkpoint():
        assert not needed()
    assert needed()
