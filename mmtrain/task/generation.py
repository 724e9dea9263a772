"""A text written from scratch: a caption, a translation, a summary."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.errors import ConfigError, Problem
from mmtrain.metric import GENERATION_METRICS, Evaluation, best_text, evaluate, skill
from mmtrain.option import Column, Count, Dropout, ModalityName, NonNegative, Part, Range
from mmtrain.spec import PADDING, TargetSpec, TaskSpec
from mmtrain.table import Table
from mmtrain.task.beam import search
from mmtrain.task.decoder import END, Decoder
from mmtrain.task.memory import MemoryHead, TeacherForcing, opened
from mmtrain.task.objective import build_loss, first_prediction
from mmtrain.task.texts import as_array, count_texts, padded, plain, read_texts
from mmtrain.vocabulary import FIRST, UNKNOWN, PieceVocabulary, WordVocabulary

BROKEN = -1  # in place of an id: the memory is not finite
NOTHING = 0.5  # of a piece that train never shows, as often as this it is expected

Texts = Shaped[np.ndarray, " n"]


class Generation:
    """Write the text of a cell: what a picture shows, a sentence in another language, the short of a long text.

    A transformer decoder reads the fused vector and the tokens of `modalities`, and writes a piece at a time. `vocabulary`: `bpe` writes
    words in pieces, so that it can write any word in the letters of train; `word` gives each word that stands between blanks in train at
    least `min_count` times one id, and never writes others. `max_words` bounds both. Texts are NFC-normalised, with one blank between
    words; `casefold` frees them of upper case. None gets longer than the longest in train, of which `max_length` pieces count.

    `dim` (a multiple of `heads`), `layers`, `heads` and `dropout` are the decoder's. `beams` are the texts that go on side by side when
    one is written, 1 is greedy; `length_penalty` is the power of its length that a text's log probability is divided by: at 0 short texts
    win, at 1 the mean counts. `metric` is the one that skill is measured in. A row that the view knows nothing of is answered with the
    constant text that is best in train.

    Source: Vaswani et al. 2017, section 3, for the decoder; with pictures as in Xu et al. 2015, section 3, whose memory are places.
    """

    targets: ClassVar[str] = "texts"
    scored: ClassVar[str] = "classes"
    generates: ClassVar[bool] = True
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        modalities: list[ModalityName],
        loss: Part,
        weight: NonNegative = 1.0,
        metric: Literal["bleu", "chrf", "exact"] = "bleu",
        vocabulary: Literal["bpe", "word"] = "bpe",
        casefold: bool = False,
        min_count: Count = 2,
        max_words: Count = 8000,
        max_length: Count = 64,
        dim: Count = 128,
        layers: Count = 2,
        heads: Count = 4,
        dropout: Dropout = 0.1,
        beams: Annotated[int, Range(1, 32)] = 1,
        length_penalty: NonNegative = 1.0,
    ) -> None:
        if dim % heads:
            found = f"{heads} heads do not share dim={dim} evenly"
            raise ConfigError(Problem(f"tasks.{name}.heads", found, "choose a divisor of the width"))
        self.name, self.columns, self.modalities = name, [column], sorted(set(modalities))
        self.weight, self.metric = weight, metric
        self.casefold, self.max_length = casefold, max_length
        self.dim, self._decoder = dim, partial(Decoder, dim, layers=layers, heads=heads, dropout=dropout)
        self.beams, self.length_penalty = beams, length_penalty
        kind = {"min_count": min_count, "size": max_words}
        self.vocabulary = WordVocabulary(**kind) if vocabulary == "word" else PieceVocabulary("bpe", **kind)
        self._loss_part = loss

    def fit(self, table: Table) -> None:
        """Choose the vocabulary and measure the longest text.

        Raises:
            DataError: fewer than two different texts.
            ConfigError: the loss is not for classes.
        """
        counts = count_texts(self.name, self.columns[0], table, self._read(table))
        rows = [text.split() for text in chain.from_iterable([text] * count for text, count in counts.items())]
        self.vocabulary.fit(rows)
        ids = [row[: self.max_length] for row in self._numbered(rows)]
        seen = Counter(chain.from_iterable(ids))
        constant = best_text(GENERATION_METRICS[self.metric], counts)
        facts = {"rows": len(ids), "length": 1 + max(map(len, ids)), "constant": constant}
        counted = [len(ids), *(seen[number] for number in range(FIRST, len(self.vocabulary)))]
        self.load_state({"vocabulary": self.vocabulary.state(), "counts": counted, **facts})

    def state(self) -> dict[str, Any]:
        """The vocabulary, how often train has the end and each piece, labelled rows, most ids of a text with its end, and the constant."""
        facts = {"rows": self.rows, "length": self.length, "constant": self.constant}
        return {"vocabulary": self.vocabulary.state(), "counts": self.counts, **facts}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore them."""
        self.vocabulary.load_state(state["vocabulary"])
        self.counts, self.rows = list(state["counts"]), state["rows"]
        self.length, self.constant = state["length"], state["constant"]
        pieces = self.vocabulary.words if isinstance(self.vocabulary, WordVocabulary) else self.vocabulary.pieces
        counts = {name: max(count, 1) for name, count in zip(["", *pieces], self.counts, strict=True)}
        self._loss = build_loss(self._loss_part, TargetSpec(self.name, counts), self.scored)
        self._forcing: TeacherForcing | None = None

    @property
    def loss(self) -> nn.Module:
        """The decoder, held against the text of each row. Its weights are drawn when it is first asked for: the seed is set after `fit`."""
        return self._decoding

    @property
    def _decoding(self) -> TeacherForcing:
        if self._forcing is None:
            shares = np.maximum(self.counts, NOTHING) / sum(self.counts)
            prior = first_prediction(torch.from_numpy(np.log(shares)).float(), self._loss)
            self._forcing = TeacherForcing(self._decoder(prior), self._loss, self.length)
        return self._forcing

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows; the memory, of as many tokens as there are."""
        return TaskSpec(self.rows, False, self.weight, "numbers", (self.dim + 1,), whole=False)

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """What is learned and what is compared, (n, length + S) int64: first the ids with their end, cut to `length` and filled up with 0;
        then the text itself, by the numbers of its signs. And which rows are labelled."""
        texts = self._read(table)
        ids = self._numbered([(text or "").split() for text in texts])
        ends = [[*row, END] if text is not None else [] for row, text in zip(ids, texts, strict=True)]
        signs = padded([[ord(sign) for sign in text or ""] for text in texts], PADDING)
        learned = padded([row[: self.length] for row in ends], 0, width=self.length)
        return np.concatenate([learned, signs], 1), np.array([text is not None for text in texts], bool)

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """What the decoder looks at: the vector and the tokens, each with a channel that says that it is there."""
        return MemoryHead(in_dim, {name: token_dims[name] for name in self.modalities}, self.dim)

    def prior(self) -> Float[Tensor, " D"]:
        """A memory of nothing."""
        return torch.zeros(self.dim + 1)

    @torch.no_grad()
    def condense(self, prediction: Float[Tensor, "B M D"]) -> Int[Tensor, "B L"]:
        """Write a text for each row: its ids with the end, and then 0; all 0 where the memory holds nothing, -1 where it is not finite."""
        memory, mask = opened(prediction)
        options = {"beams": self.beams, "length": self.length, "penalty": self.length_penalty}
        ids = search(self._decoding.decoder, memory, mask, **options)
        ids = torch.where(mask.any(1)[:, None], ids, 0)
        return torch.where(prediction.isfinite().flatten(1).all(1)[:, None], ids, BROKEN)

    def answer(self, prediction: Int[Tensor, "n L"]) -> Texts:
        """The text of each row, None where its memory is not finite."""
        return as_array([self._text(row) for row in prediction.tolist()])

    def decode(self, answer: Texts) -> dict[str, list[Any]]:
        """The texts."""
        return {"": answer.tolist()}

    def evaluate(self, answer: Texts, target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        return evaluate(GENERATION_METRICS, self.metric, answer, self._texts(target), as_array([self.constant]))

    def skill(self, answer: Texts, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(GENERATION_METRICS[self.metric], answer, self._texts(target), as_array([self.constant]))

    def evaluate_classes(self, answer: Texts, target: np.ndarray) -> dict[str, Evaluation]:
        """There are no classes."""
        return {}

    def _read(self, table: Table) -> list[str | None]:
        return read_texts(table, self.columns[0], casefold=self.casefold)

    def _numbered(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        """Ids of the pieces of each row's words; the unknown one comes last, as the decoder has it."""
        unknown = len(self.vocabulary)
        return [[unknown if number == UNKNOWN else number for number in ids.tolist()] for ids, _ in self.vocabulary.number(rows)]

    def _text(self, ids: Sequence[int]) -> str | None:
        if BROKEN in ids:
            return None
        return plain(self.vocabulary.text([number for number in ids if number > END])) if any(ids) else self.constant

    def _texts(self, target: Int[np.ndarray, "n _"]) -> Texts:
        return as_array(["".join(chr(sign) for sign in row if sign >= 0) for row in target[:, self.length :].tolist()])
