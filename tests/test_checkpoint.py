from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from mmtrain import checkpoint
from mmtrain.errors import RunError


def test_any_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    state: dict[str, Any] = {
        "model": {"a.b": shared, "tied": shared, "view": shared.t()},
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}, 1: {}}, "param_groups": [{"lr": 0.1, "params": [0, 1], "fused": True}]},
        "random": torch.get_rng_state(),
        "best": None,
        "names": ["é", ""],
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    }
    checkpoint.save(tmp_path / "last", state)
    loaded = checkpoint.load(tmp_path / "last")
    torch.testing.assert_close(loaded["model"], state["model"], rtol=0, atol=0)
    assert loaded["optimizer"]["state"].keys() == {0, 1}  # numbers stay numbers
    assert loaded["optimizer"]["param_groups"] == [{"lr": 0.1, "params": [0, 1], "fused": True}]
    assert torch.equal(loaded["random"], state["random"])
    assert loaded["best"] is None and loaded["names"] == ["é", ""]
    assert loaded["flags"].dtype == torch.bool and loaded["none"].shape == (0, 3)
    assert [file.name for file in (tmp_path / "last").iterdir()] == [checkpoint.FILE]


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, {"step": 1})

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mmtrain.checkpoint.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path, {"step": 2})
    assert checkpoint.load(tmp_path) == {"step": 1}


def test_an_optimizer_goes_on_as_if_never_stopped(tmp_path: Path) -> None:
    def trained(steps: int, state: dict[str, Any] | None = None) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 2)
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
        if state is not None:
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().sum().backward()
            optimizer.step()
        return model, optimizer

    model, optimizer = trained(3)
    checkpoint.save(tmp_path, {"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    resumed, _ = trained(2, checkpoint.load(tmp_path))
    straight, _ = trained(5)
    assert torch.equal(resumed.weight, straight.weight)


@pytest.mark.parametrize("found", ["nothing", "noise", "foreign"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, found: str) -> None:
    file = tmp_path / checkpoint.FILE
    if found == "noise":
        file.write_bytes(b"not a checkpoint at all")
    if found == "foreign":
        save_file({"weight": torch.zeros(1)}, file)
    with pytest.raises(RunError, match="no such checkpoint" if found == "nothing" else "not a checkpoint of mmtrain"):
        checkpoint.load(tmp_path)
