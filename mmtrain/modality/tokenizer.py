"""The tokenizer of a pretrained model: from whole texts to that model's own ids."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.vocabulary import Numbered

FILE, MODEL = "tokenizer.json", "config.json"


class PretrainedTokenizer:
    """Ids as the model `name` reads them, with its special tokens; `name` is a folder with a `tokenizer.json`, that file, or a hub name.

    Rows are cut to `max_length` ids, special tokens among them: the closing one stays. `model` is the configuration that stands beside
    the tokenizer, if one does: who has the state can build the model without the folder.
    """

    def __init__(self, name: str, *, max_length: int) -> None:
        self.name, self.max_length = name, max_length
        self.tokenizer: Tokenizer | None = None
        self.model: dict[str, Any] | None = None

    def __len__(self) -> int:
        """Ids may have gaps: it is the highest one that counts."""
        return 1 + max(self._known().get_vocab().values(), default=0)

    def fit(self, rows: Sequence[str] | Sequence[Sequence[str]]) -> None:
        """Load it, unless a state has brought it; what train holds changes nothing.

        Raises:
            ConfigError: there is no such tokenizer, no way to the hub, or no room for a word within `max_length`.
        """
        if self.tokenizer is None:
            self._take(_loaded(self.name))
            self.model = _configuration(self.name)

    def state(self) -> dict[str, Any]:
        """The tokenizer itself and the model's configuration, so that nothing has to be loaded for rows to predict."""
        return {"tokenizer": json.loads(self._known().to_str()), "model": self.model}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the tokenizer that `state` gave."""
        self._take(Tokenizer.from_str(json.dumps(state["tokenizer"])))
        self.model = state["model"]

    def number(self, rows: Sequence[str] | Sequence[Sequence[str]]) -> list[Numbered]:
        """Ids of each row's text (or of its words); a row with nothing but special tokens is empty."""
        split = len(rows) > 0 and not isinstance(rows[0], str)
        return [_numbered(row) for row in self._known().encode_batch_fast(list(rows), is_pretokenized=split)]

    def _take(self, tokenizer: Tokenizer) -> None:
        if self.max_length <= tokenizer.num_special_tokens_to_add(is_pair=False):
            found = f"max_length={self.max_length} has no room beside the special tokens of '{self.name}'"
            raise ConfigError(Problem("text modality", found, "raise it"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_length)
        self.tokenizer = tokenizer

    def _known(self) -> Tokenizer:
        assert self.tokenizer is not None, "fit or load_state first"
        return self.tokenizer


def _numbered(row: Any) -> Numbered:
    kept = [] if all(row.special_tokens_mask) else row.ids
    words = [0 if number is None else number + 1 for number in row.word_ids[: len(kept)]]
    return np.array(kept, np.int32), np.array(words, np.int32)


def _loaded(name: str) -> Tokenizer:
    path = Path(name).expanduser()
    path = path / FILE if path.is_dir() else path
    try:
        return Tokenizer.from_file(str(path)) if path.exists() else Tokenizer.from_pretrained(name)
    except Exception as error:  # a broken file raises a plain Exception, the hub one of a dozen kinds
        if path.name == FILE and not path.exists():
            found, fix = f"the folder '{path.parent}' holds no {FILE}", "save the tokenizer there"
        else:
            found = f"the tokenizer '{name}' cannot be loaded ({str(error).splitlines()[0]})"
            fix = f"give a folder with a {FILE}, or a name that the hub knows while it can be reached"
        raise ConfigError(Problem("text modality", found, fix)) from error


def _configuration(name: str) -> dict[str, Any] | None:
    """What the model's config.json says; None where none says of which kind it is: a tokenizer may stand alone."""
    path = Path(name).expanduser()
    try:
        found = json.loads((path / MODEL).read_text("utf-8")) if path.exists() else _published(name)
    except (ImportError, OSError, ValueError):  # without the library nobody can build the model either
        return None
    return found if "model_type" in found else None


def _published(name: str) -> dict[str, Any]:
    """The configuration of a model of the hub."""
    from transformers import PreTrainedConfig

    return PreTrainedConfig.get_config_dict(name)[0]
