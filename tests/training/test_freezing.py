"""Parts that rest: their weights and statistics stay to the bit, and wake at their epoch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmtrain import checkpoint
from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.errors import ConfigError
from mmtrain.folder import RunFolder
from mmtrain.model import Named
from mmtrain.train import open_session, prepare_data
from mmtrain.training.freezing import Freezing
from mmtrain.training.loop import Loop

FREEZE = "training.freeze.encoder.image"
FEW = ["data.train=64", "data.val=32", "data.test=32", "optimizer.weight_decay=0.5", "encoder.image.dropout=0.3", "tracker=none"]


def model() -> Any:
    whole = nn.Module()
    whole.encoder = Named({"front": nn.Sequential(nn.Linear(2, 3), nn.Dropout()), "words": nn.Linear(2, 3)})
    whole.fusion = nn.Linear(3, 3)
    return whole


def frozen(built: nn.Module) -> set[str]:
    return {name for name, parameter in built.named_parameters() if not parameter.requires_grad}


def weights(folder: Path, name: str = "last") -> dict[str, Tensor]:
    found: dict[str, Tensor] = checkpoint.load(folder / "checkpoints" / name)["model"]
    return {key: value for key, value in found.items() if key.startswith("encoder.picture.")}


def train(folder: Path, *words: str, code: int = 0) -> Path:
    assert main(["train", *words, *FEW, f"hydra.run.dir={folder}"]) == code
    return folder


def test_what_is_frozen_at_which_epoch() -> None:
    built = model()
    freezing = Freezing(built, {"front": "image", "words": "text"}, {"encoder": {"image": 2, "words": "always"}})
    for epoch, expected in [(0, {"encoder.front", "encoder.words"}), (1, {"encoder.front", "encoder.words"}), (2, {"encoder.words"})]:
        built.train()
        freezing.apply(epoch)
        assert {name.rpartition(".")[0].removesuffix(".0") for name in frozen(built)} == expected
        resting = {f"encoder.{name}" for name, part in built.encoder.items() if not part.training}
        assert resting == expected
        assert built.encoder["front"][1].training == (epoch == 2)
        assert built.training and built.fusion.training


def test_of_a_stopped_task_heads_and_loss_rest() -> None:
    built = model()
    built.head = Named({"said": nn.Linear(3, 3), "said_too": nn.Linear(3, 3)})
    built.loss = Named({"said": nn.Linear(3, 3), "said_too": nn.Linear(3, 3)})
    Freezing(built, {}, {}).apply(1, stopped=["said"])
    assert frozen(built) == {f"{part}.said.{name}" for part in ("head", "loss") for name in ("weight", "bias")}
    assert not built.loss["said"].training
    assert built.loss["said_too"].training


def test_what_a_part_keeps_fixed_itself_stays_so() -> None:
    built = model()
    built.fusion.bias.requires_grad_(False)
    Freezing(built, {}, {"encoder": "always"}).apply(0)
    assert built.fusion.weight.requires_grad and not built.fusion.bias.requires_grad


def test_nothing_to_train_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training\.freeze: nothing is left to train in the first epoch"):
        Freezing(model(), {}, {"encoder": 1, "fusion": "always"})


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "training.freeze.encoder.imag=always",
            "training.freeze.encoder.imag: no part of the model is called so; did you mean 'encoder.image'",
        ),
        (f"{FREEZE}=allways", "did you mean 'always'"),
        (f"{FREEZE}=0", "0 is not"),
    ],
)
def test_a_mistake_is_told_before_training(
    tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, message: str
) -> None:
    train(tmp_path / "run", *tiny, word, code=2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_frozen_encoder_ends_as_it_began(tiny: list[str], tmp_path: Path) -> None:
    """Neither step nor decay nor running statistics, while the rest learns; both through the command and beside it."""
    config = load([*tiny, *FEW, f"{FREEZE}=always"]).config
    with open_session(config, prepare_data(config), RunFolder(tmp_path / "fresh")) as session:
        before = {name: value.clone() for name, value in session.loop.model.state_dict().items()}
    folder = train(tmp_path / "run", *tiny, f"{FREEZE}=always")
    after = checkpoint.load(folder / "checkpoints" / "last")["model"]
    moved = {name.split(".")[1] for name, value in after.items() if name.startswith("encoder.") and not torch.equal(value, before[name])}
    assert moved == {"caption", "tone"}


def test_it_wakes_at_its_epoch_and_resumes_exactly(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the last frozen epoch and resumed, it ends as never stopped."""
    words = [*tiny, "training.epochs=3", "training.checkpoint_seconds=0", f"{FREEZE}=2"]
    straight = train(tmp_path / "straight", *words)
    take_step, moved = Loop.take_step, list[bool]()

    def stopping(loop: Loop, group: Any) -> None:
        if loop.progress.step == 3:
            raise KeyboardInterrupt
        take_step(loop, group)

    def watching(loop: Loop, group: Any) -> None:
        before = [value.clone() for value in loop.model.encoder["picture"].state_dict().values()]
        take_step(loop, group)
        now = loop.model.encoder["picture"].state_dict().values()
        moved.append(not all(map(torch.equal, before, now)))

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", stopping)
        stopped = train(tmp_path / "stopped", *words, code=130)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "take_step", watching)
        assert main(["train", "--resume", str(stopped)]) == 0
    assert moved == [False, True, True]
    found, expected = (checkpoint.load(folder / "checkpoints" / "last") for folder in (stopped, straight))
    for part in ("model", "optimizer"):
        torch.testing.assert_close(found[part], expected[part], rtol=0, atol=0)
