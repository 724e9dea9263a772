"""Text: words of any script, numbered by a vocabulary from train."""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split
from torch import nn

from mmtrain.batch import Text
from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.protocol import Ragged
from mmtrain.option import Column, Count
from mmtrain.spec import TextSpec
from mmtrain.table import Table

UNKNOWN, FIRST_WORD = 1, 2  # 0 is padding

SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
LETTER = rf"[\p{{L}}\p{{N}}\p{{M}}_&&[^{SPACELESS}]]"
WORD = "|".join(
    [
        rf"[{SPACELESS}]\p{{M}}*",  # scripts without spaces: a letter with its marks is a word
        rf"{LETTER}+(?:['\u2019\u200c\u200d]{LETTER}+)*",  # letters and digits, also around an apostrophe (straight or curly) or a joiner
        r"[^\s\p{Cc}\p{Cf}]\p{M}*",  # any other visible sign by itself
    ]
)


class TextModality(nn.Module):
    """Words of one column, or of several columns joined in the given order.

    Text is NFC-normalised and, with `casefold`, freed of upper and lower case. A word is a run of letters and digits, a letter of a script
    that writes no spaces, or a single sign. The vocabulary holds the at most `max_words` most frequent words that train shows at least
    `min_count` times; any other word gets the id 1. Only the first `max_length` words of a row are kept.
    A row without a word is absent.
    """

    kind: ClassVar[str] = "text"
    files: ClassVar[bool] = False

    def __init__(
        self,
        *,
        column: Column | list[Column],
        casefold: bool = True,
        min_count: Count = 2,
        max_words: Count = 20000,
        max_length: Count = 256,
    ) -> None:
        super().__init__()
        self.columns = [column] if isinstance(column, str) else list(column)
        if not self.columns:
            raise ConfigError(Problem("text modality", "no column", "name at least one"))
        self.casefold = casefold
        self.min_count, self.max_words, self.max_length = min_count, max_words, max_length
        self.splitter = Split(Regex(WORD), "removed", invert=True)
        self.ids: dict[str, int] = {}

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on."""
        return {"columns": self.columns, "casefold": self.casefold, "max_length": self.max_length}

    @property
    def spec(self) -> TextSpec:
        """Size of the vocabulary."""
        return TextSpec(FIRST_WORD + len(self.ids))

    def fit(self, table: Table) -> None:
        """Choose the vocabulary: the most frequent words first, equally frequent ones by alphabet."""
        counts = Counter(word for words in self._words(table) for word in words)
        frequent = sorted((-count, word) for word, count in counts.items() if count >= self.min_count)
        self._number([word for _, word in frequent[: self.max_words]])

    def state(self) -> dict[str, Any]:
        """The words in the order of their ids, from id 2."""
        return {"words": list(self.ids)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Number the words as `state` lists them."""
        self._number(state["words"])

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`ids`: a vector of int32 a row."""
        ids = [np.array([self.ids.get(word, UNKNOWN) for word in words], np.int32) for words in self._words(table)]
        return {"ids": list(ids)}, np.array([len(row) > 0 for row in ids], bool)

    def collate(self, stored: Mapping[str, Ragged], rows: np.ndarray) -> Text:
        """Ids of the rows' words, (K, L) int64."""
        ids, mask = stored["ids"].pad(rows)
        return Text(torch.from_numpy(ids).long(), torch.from_numpy(mask), torch.zeros(*ids.shape, 0, dtype=torch.int64))

    def forward(self, inputs: Text) -> Text:
        """Ids stay as they are."""
        return inputs

    def _number(self, words: list[str]) -> None:
        self.ids = {word: number for number, word in enumerate(words, FIRST_WORD)}

    def _words(self, table: Table) -> list[list[str]]:
        """The first words of every row, over all columns."""
        cells = zip(*(table.text(column) for column in self.columns), strict=True)
        return [self._split(" ".join(cell for cell in row if cell is not None)) for row in cells]

    def _split(self, text: str) -> list[str]:
        if self.casefold:
            text = unicodedata.normalize("NFC", text.casefold())
        return [word for word, _ in self.splitter.pre_tokenize_str(text)[: self.max_length]]
