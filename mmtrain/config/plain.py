"""From OmegaConf's tree to plain dicts, lists and values, with what cannot be resolved told value by value."""

import re
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError, OmegaConfBaseException

from mmtrain.config.annotation import MISSING, UNKNOWN
from mmtrain.errors import Problem

UNSET = re.compile(r"Environment variable '(\w+)' not found")


def plain(node: DictConfig | ListConfig, problems: list[Problem], where: str = "") -> Any:
    """The tree without OmegaConf. Values to be given stay `???`; those that cannot be resolved become UNKNOWN."""
    if isinstance(node, ListConfig):
        return [_item(node, place, f"{where}[{place}]", problems) for place in range(len(node))]
    return {str(key): _item(node, key, f"{where}.{key!s}" if where else str(key), problems) for key in node}


def _item(node: DictConfig | ListConfig, key: Any, where: str, problems: list[Problem]) -> Any:
    if OmegaConf.is_missing(node, key):
        return MISSING
    try:
        value = node[key]
    except InterpolationToMissingValueError:
        return UNKNOWN  # the value that it points to is told to be missing
    except OmegaConfBaseException as error:
        problems.append(unresolved(error, where))
        return UNKNOWN
    return plain(value, problems, where) if isinstance(value, DictConfig | ListConfig) else value


def unresolved(error: OmegaConfBaseException, where: str) -> Problem:
    """An interpolation that leads nowhere, in one line; most often an environment variable that is not set."""
    text = str(error)
    unset = UNSET.search(text)
    if unset is None:
        return Problem(where, text.splitlines()[0])
    name = unset.group(1)
    fix = (
        "set it to the folder that holds the data sets, or give data.root=FOLDER" if name == "MMTRAIN_DATA" else "set it, or give the value"
    )
    return Problem(where, f"the environment variable {name} is not set", fix)
