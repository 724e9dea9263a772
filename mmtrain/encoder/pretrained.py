"""Pretrained weights: read from a file or fetched by name, never unpickled into code, and refused before training where they do not fit."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem

Found = TypeVar("Found")

_NESTED = ("state_dict", "model", "model_state_dict")  # where training scripts put the weights among other things
_needed: ContextVar[bool] = ContextVar("needed", default=True)


@contextmanager
def left_to_a_checkpoint() -> Iterator[None]:
    """While the block runs, encoders are built without pretrained weights: those of a run are about to be loaded into them.

    A trained model can so be opened where neither the file nor a network is.
    """
    token = _needed.set(False)
    try:
        yield
    finally:
        _needed.reset(token)


def needed() -> bool:
    """Whether an encoder that has pretrained weights shall fetch them now."""
    return _needed.get()


def read_weights(path: str, where: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of a torch file that holds nothing but tensors; `where` is the option that named it.

    Raises:
        ConfigError: there is no such file, or it holds something else.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(Problem(where, f"no file '{path}' (looked for {file.absolute()})", "name a file of weights, or null"))
    try:
        if file.suffix == ".safetensors":
            return safetensors.torch.load_file(file)
        return _plain(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # a broken file may make either reader raise anything
        reason = str(error).partition("\n")[0]
        fix = "name a .safetensors file, or a torch file of tensors alone"
        raise ConfigError(Problem(where, f"'{path}' cannot be read as weights: {reason}", fix)) from None


def _plain(saved: Any) -> dict[str, Tensor]:
    """The weights in what a training script saved, named as the module alone would name them."""
    for key in _NESTED:
        if isinstance(saved, Mapping) and isinstance(saved.get(key), Mapping):
            saved = saved[key]
    weights = {str(name).removeprefix("module."): value for name, value in saved.items() if isinstance(value, Tensor)}
    if not weights:
        raise ValueError("it holds no tensors")
    return weights


def fetch(download: Callable[[], Found], what: str, where: str) -> Found:
    """What `download` gives: weights from a hub, or from the copy that an earlier download left.

    Raises:
        ConfigError: they are not on this machine and cannot be fetched.
    """
    try:
        return download()
    except (OSError, RuntimeError) as error:  # no network, no such file on the hub; a download cut off
        reason = str(error).partition("\n")[0]
        fix = "fetch them once where there is a network, or name a local file of weights, or null"
        raise ConfigError(Problem(where, f"the weights {what} are not on this machine and cannot be fetched ({reason})", fix)) from None


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], what: str, where: str) -> None:
    """Load every parameter and buffer of the module; further weights, such as those of a classifier, are left out.

    Raises:
        ConfigError: one is missing or of another shape.
    """
    own = module.state_dict()
    lacking = [name for name, value in own.items() if name not in weights or weights[name].shape != value.shape]
    if lacking:
        name = lacking[0]
        found = f"has shape {list(weights[name].shape)} in place of {list(own[name].shape)}" if name in weights else "is missing"
        fix = "name weights of this very network, or null"
        raise ConfigError(Problem(where, f"'{what}' does not fit: {len(lacking)} of {len(own)} tensors; '{name}' {found}", fix))
    module.load_state_dict({name: weights[name] for name in own})
