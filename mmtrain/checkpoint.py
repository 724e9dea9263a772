"""Checkpoints: any tree of tensors and plain values in one safetensors file, renamed into place. No pickle.

The tensors lie in the file under their path in the tree; the tree itself, with everything that is not a tensor, is JSON in
the file's metadata. A reader sees the whole old file or the whole new one, never a part.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from safetensors.torch import save_file
from torch import Tensor

from mmtrain.errors import Problem, RunError

FILE = "state.safetensors"
_KEY = "mmtrain"


def save(folder: Path, state: Any) -> None:
    """Write `state` (nested dicts, lists, tensors, JSON values) to `folder`; what was there is replaced at once or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    tree = _pack(state, "", tensors)
    part = folder / f"{FILE}.part"
    save_file(tensors, part, metadata={_KEY: json.dumps(tree)})
    os.replace(part, folder / FILE)


def load(folder: Path, *, device: torch.device | str = "cpu") -> Any:
    """Read back what `save` wrote.

    Raises:
        RunError: there is no checkpoint, or the file is not one of ours.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunError(Problem(str(path), "no such checkpoint", "train until the end of the first epoch, or name another run"))
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
            tree = json.loads((file.metadata() or {})[_KEY])
    except (SafetensorError, KeyError, ValueError) as error:
        raise RunError(Problem(str(path), f"not a checkpoint of mmtrain ({error})", "name another run")) from error
    return _unpack(tree, tensors)


def pack(state: Any) -> bytes:
    """What `save` writes, for another process."""
    tensors: dict[str, Tensor] = {}
    tree = _pack(state, "", tensors)
    return save_tensors(tensors, {_KEY: json.dumps(tree)})


def unpack(data: bytes) -> Any:
    """What `pack` was given, as `load` gives it back."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])  # as safetensors lays it down: its length, then JSON
    return _unpack(json.loads(header["__metadata__"][_KEY]), load_tensors(data))


def _pack(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[path] = value.detach().cpu().clone().contiguous()  # a copy: safetensors refuses tensors that share memory
        return {"tensor": path}
    if isinstance(value, dict):
        # Pairs keep keys that are numbers, as an optimizer's state has them; JSON objects would make them text.
        return {"dict": [[key, _pack(item, f"{path}.{key}" if path else str(key), tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_pack(item, f"{path}.{number}", tensors) for number, item in enumerate(value)]}
    return {"value": value}


def _unpack(tree: Any, tensors: dict[str, Tensor]) -> Any:
    [(kind, value)] = tree.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":
        return {key: _unpack(item, tensors) for key, item in value}
    if kind == "list":
        return [_unpack(item, tensors) for item in value]
    return value
