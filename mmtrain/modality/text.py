"""Text: words of any script, numbered by a vocabulary from train or by a pretrained model's tokenizer."""

import unicodedata
from collections.abc import Mapping
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import polars as pl
import torch
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split
from torch import nn

from mmtrain.batch import Text
from mmtrain.errors import ConfigError, Problem
from mmtrain.modality.protocol import Ragged
from mmtrain.modality.tokenizer import PretrainedTokenizer
from mmtrain.modality.vocabulary import PieceVocabulary, WordVocabulary
from mmtrain.option import Column, Count, Range
from mmtrain.spec import TextSpec
from mmtrain.table import Table

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

    Text is NFC-normalised and, with `casefold`, freed of upper and lower case. By `split`, a word is a run of letters and digits, a
    letter of a script that writes no spaces, or a single sign (`words`); or whatever stands between blanks (`blanks`). A cell that is a
    list (of Parquet or JSON lines) holds its words. Only the first `max_length` ids of a row are kept; a row without a word is absent.

    `vocabulary` numbers what train shows at least `min_count` times, at most `max_words` of it: `word` gives each word one id, any other
    word the id 1; `bpe` and `wordpiece` read a rare word in pieces, all letters of train among them, even if they are more. `tokenizer` is
    that of a pretrained model, by its folder, its tokenizer.json or its name on the hub: it takes the text as it stands, case included,
    and gives the model's own ids, special tokens among them. `letters` of each word are kept for an encoder that spells, none by default;
    only words that are whole have letters.

    Raises:
        ConfigError: no column, or options that contradict each other.
    """

    kind: ClassVar[str] = "text"
    files: ClassVar[bool] = False

    def __init__(
        self,
        *,
        column: Column | list[Column],
        split: Literal["words", "blanks"] = "words",
        vocabulary: Literal["word", "bpe", "wordpiece"] = "word",
        tokenizer: str | None = None,
        letters: Annotated[int, Range(0, 64)] = 0,
        casefold: bool = True,
        min_count: Count = 2,
        max_words: Count = 20000,
        max_length: Count = 256,
    ) -> None:
        super().__init__()
        self.columns = [column] if isinstance(column, str) else list(column)
        _check(self.columns, vocabulary, tokenizer, letters)
        self.options = {"split": split, "vocabulary": vocabulary, "tokenizer": tokenizer, "letters": letters, "max_length": max_length}
        self.split, self.tokenizer, self.letters, self.max_length = split, tokenizer, letters, max_length
        self.casefold = casefold and tokenizer is None
        self.splitter = Split(Regex(WORD), "removed", invert=True)
        self.vocabulary: WordVocabulary | PieceVocabulary | PretrainedTokenizer
        if tokenizer is not None:
            self.vocabulary = PretrainedTokenizer(tokenizer, max_length=max_length)
        elif vocabulary == "word":
            self.vocabulary = WordVocabulary(min_count=min_count, size=max_words)
        else:
            self.vocabulary = PieceVocabulary(vocabulary, min_count=min_count, size=max_words)
        self.alphabet = WordVocabulary(min_count=min_count, size=max_words)

    @property
    def recipe(self) -> dict[str, Any]:
        """The options that `encode` depends on; what `fit` made of the others is in the state."""
        return {"columns": self.columns, "casefold": self.casefold, **self.options}

    @property
    def spec(self) -> TextSpec:
        """Size of the vocabulary and of the alphabet, and whose ids they are."""
        model = self.vocabulary.model if isinstance(self.vocabulary, PretrainedTokenizer) else None
        letters = len(self.alphabet) if self.letters else 0
        return TextSpec(len(self.vocabulary), letters, self.tokenizer, max_length=self.max_length, model=model)

    def fit(self, table: Table) -> None:
        """Choose the vocabulary: the most frequent words first, equally frequent ones by alphabet; letters likewise.

        Raises:
            ConfigError: the pretrained tokenizer cannot be loaded.
        """
        rows = self._rows(table)
        self.vocabulary.fit(rows)
        if self.letters:
            self.alphabet.fit(chain.from_iterable(rows))

    def state(self) -> dict[str, Any]:
        """The vocabulary, and with `letters` the alphabet."""
        return self.vocabulary.state() | ({"letters": self.alphabet.state()["words"]} if self.letters else {})

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the vocabulary that `state` gave."""
        self.vocabulary.load_state(state)
        if self.letters:
            self.alphabet.load_state({"words": state["letters"]})

    def encode(self, table: Table) -> tuple[dict[str, np.ndarray | list[np.ndarray]], np.ndarray]:
        """`ids` and `words`, vectors of int32 a row: the second numbers the word that each id belongs to, from 1; 0 is none.

        With `letters` also `letters`: so many for each id, 0 behind a shorter word's, end to end.
        """
        rows = self._rows(table)
        found = [(ids[: self.max_length], words[: self.max_length]) for ids, words in self.vocabulary.number(rows)]
        ids = [row for row, _ in found]
        arrays: dict[str, np.ndarray | list[np.ndarray]] = {"ids": list(ids), "words": [words for _, words in found]}
        if self.letters:
            arrays["letters"] = list(self._spelled(rows))
        return arrays, np.array([len(row) > 0 for row in ids], bool)

    def collate(self, stored: Mapping[str, Ragged], rows: np.ndarray) -> Text:
        """Ids of the rows' words, (K, L) int64, and their letters, (K, L, S) int64."""
        ids, mask = stored["ids"].pad(rows)
        words = torch.from_numpy(stored["words"].pad(rows)[0]).long()
        letters = stored["letters"].pad(rows)[0].reshape(*ids.shape, self.letters) if self.letters else ids[:, :, None][:, :, :0]
        return Text(torch.from_numpy(ids).long(), torch.from_numpy(mask), torch.from_numpy(letters).long(), words)

    def forward(self, inputs: Text) -> Text:
        """Ids stay as they are."""
        return inputs

    def _spelled(self, rows: list[list[str]]) -> list[np.ndarray]:
        """Ids of the letters of each row's words, int32."""
        words = list(dict.fromkeys(chain.from_iterable(rows)))
        places = {word: place for place, word in enumerate(words)}
        spelled = np.zeros((len(words), self.letters), np.int32)
        for place, letters in enumerate([self.alphabet.ids_of(word[: self.letters]) for word in words]):
            spelled[place, : len(letters)] = letters
        return [spelled[[places[word] for word in row]].ravel() for row in rows]

    def _rows(self, table: Table) -> Any:
        """What the vocabulary numbers: the first words of every row over all columns, or for a tokenizer the row's whole text."""
        lists = [isinstance(table.frame[column].dtype, pl.List) for column in self.columns]
        if self.tokenizer is not None and self.split == "words" and not any(lists):
            cells = zip(*(table.text(column) for column in self.columns), strict=True)
            return [" ".join(cell for cell in row if cell is not None) for row in cells]
        columns = [
            self._listed(table, name) if listed else self._written(table, name) for name, listed in zip(self.columns, lists, strict=True)
        ]
        return [list(chain.from_iterable(row))[: self.max_length] for row in zip(*columns, strict=True)]

    def _listed(self, table: Table, column: str) -> list[list[str]]:
        """Words of cells that are lists; a missing one is an empty word, so that each keeps its place."""
        cells = table.frame[column].cast(pl.List(pl.String)).to_list()
        return [[self._folded(word or "") for word in cell or ()] for cell in cells]

    def _written(self, table: Table, column: str) -> list[list[str]]:
        """Words of cells that are text."""
        return [[] if cell is None else self._split(self._folded(cell)) for cell in table.text(column)]

    def _folded(self, text: str) -> str:
        return unicodedata.normalize("NFC", text.casefold() if self.casefold else text)

    def _split(self, text: str) -> list[str]:
        if self.split == "blanks":
            return [word for word in text.split(" ") if word]  # no other space parts words: it may be one, with a label of its own
        return [word for word, _ in self.splitter.pre_tokenize_str(text)]


def _check(columns: list[str], vocabulary: str, tokenizer: str | None, letters: int) -> None:
    problems = []
    if not columns:
        problems.append(Problem("", "no column", "name at least one"))
    if tokenizer is not None and vocabulary != "word":
        problems.append(Problem("", f"vocabulary={vocabulary} beside the tokenizer '{tokenizer}'", "leave one of the two out"))
    if letters and (tokenizer is not None or vocabulary != "word"):
        found = f"letters={letters}, but {vocabulary if tokenizer is None else 'a tokenizer'} reads words in pieces"
        problems.append(Problem("", found, "set letters=0, or vocabulary=word"))
    if problems:
        raise ConfigError(*problems)
