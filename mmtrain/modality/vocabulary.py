"""Vocabularies that train shows: from words to ids, 0 for padding, 1 for what is unknown, from 2 on for what is known."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
from tokenizers import Tokenizer, models, trainers

UNKNOWN, FIRST = 1, 2  # 0 is padding
RESERVED = ["no word", "unknown word"]  # names of the ids 0 and 1
Numbered = tuple[np.ndarray, np.ndarray]  # a row's ids, and from 1 the number of the word that each belongs to, both int32 (L,)
NEXT, LAST = "##", "</w>"  # mark a piece that goes on with its word, and one that ends it


class WordVocabulary:
    """One id a word: the at most `size` most frequent ones that are seen at least `min_count` times; equally frequent ones by alphabet."""

    def __init__(self, *, min_count: int, size: int) -> None:
        self.min_count, self.size = min_count, size
        self.ids: dict[str, int] = {}

    def __len__(self) -> int:
        return FIRST + len(self.ids)

    def fit(self, rows: Iterable[Sequence[str]]) -> None:
        """Choose the words."""
        counts = Counter(chain.from_iterable(rows))
        frequent = sorted((-count, word) for word, count in counts.items() if count >= self.min_count)
        self._number([word for _, word in frequent[: self.size]])

    def state(self) -> dict[str, Any]:
        """The words in the order of their ids."""
        return {"words": list(self.ids)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the words that `state` gave."""
        self._number(state["words"])

    def number(self, rows: Sequence[Sequence[str]]) -> list[Numbered]:
        """Ids of each row's words."""
        return [(self.ids_of(words), np.arange(1, len(words) + 1, dtype=np.int32)) for words in rows]

    def ids_of(self, words: Sequence[str]) -> np.ndarray:
        """Ids of words, int32."""
        return np.array([self.ids.get(word, UNKNOWN) for word in words], np.int32)

    def _number(self, words: Sequence[str]) -> None:
        self.ids = {word: number for number, word in enumerate(words, FIRST)}


class PieceVocabulary:
    """One id a piece of a word, so that hardly any word is unknown: `size` pieces, letters among them, or more where train has more
    letters: without each of them, and each as marked by its place, words would be lost.

    Pieces that follow each other at least `min_count` times are joined, the most frequent pair first.

    Source: `bpe`: Sennrich et al. 2016, section 3.2, the end of a word marked; `wordpiece`: the same way of joining, but a word is
    read as the longest pieces from its start (Devlin et al. 2019, section 3). Both by the library `tokenizers`.
    """

    def __init__(self, kind: Literal["bpe", "wordpiece"], *, min_count: int, size: int) -> None:
        self.kind, self.min_count, self.size = kind, min_count, size
        self.pieces: list[str] = []
        self.merges: list[list[str]] = []
        self.model = self._model()

    def __len__(self) -> int:
        return FIRST + len(self.pieces)

    def fit(self, rows: Iterable[Sequence[str]]) -> None:
        """Choose the pieces."""
        words = [word for row in rows for word in row if word]
        # The trainer numbers marked letters in the order of a hash table, another one in every process, unless they come first.
        bpe = self.kind == "bpe"
        marked = {word[-1] + LAST for word in words} if bpe else {NEXT + letter for word in words for letter in word[1:]}
        options: dict[str, Any] = {"vocab_size": FIRST + self.size, "min_frequency": self.min_count, "show_progress": False}
        options["special_tokens"] = [*RESERVED, *sorted(marked)]
        trainer = trainers.BpeTrainer(end_of_word_suffix=LAST, **options) if bpe else trainers.WordPieceTrainer(**options)
        tokenizer = Tokenizer(self._model())
        tokenizer.train_from_iterator(words, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
        self._take(pieces[FIRST:], [list(pair) for pair in model.get("merges", [])])

    def state(self) -> dict[str, Any]:
        """The pieces in the order of their ids, and the pairs that are joined, in their order."""
        return {"pieces": self.pieces, "merges": self.merges}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the pieces that `state` gave."""
        self._take(state["pieces"], state["merges"])

    def number(self, rows: Sequence[Sequence[str]]) -> list[Numbered]:
        """Ids of the pieces of each row's words."""
        # At least: a word may be spelled as the name of padding is.
        known = {word: [max(token.id, UNKNOWN) for token in self.model.tokenize(word)] for word in set(chain.from_iterable(rows))}
        return [
            (
                np.array([number for word in words for number in known[word]], np.int32),
                np.array([place for place, word in enumerate(words, 1) for _ in known[word]], np.int32),
            )
            for words in rows
        ]

    def _take(self, pieces: list[str], merges: list[list[str]]) -> None:
        self.pieces, self.merges = pieces, merges
        self.model = self._model()

    def _model(self) -> Any:
        numbers = {piece: number for number, piece in enumerate([*RESERVED, *self.pieces])}
        if self.kind == "wordpiece":
            return models.WordPiece(numbers, unk_token=RESERVED[UNKNOWN])
        pairs = [(first, second) for first, second in self.merges]
        return models.BPE(numbers, pairs, unk_token=RESERVED[UNKNOWN], end_of_word_suffix=LAST)
