"""The letters of a text, read off frames in their order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from mmtrain.batch import Fused, Tokens
from mmtrain.metric import SPELLING_METRICS, Evaluation, best_text, evaluate, skill
from mmtrain.option import Column, Count, Dropout, ModalityName, NonNegative, Range
from mmtrain.spec import PADDING, UNSEEN, TaskSpec
from mmtrain.table import Table
from mmtrain.task.alignment import BLANK, Alignment
from mmtrain.task.head import ClassHead, sizes
from mmtrain.task.texts import as_array, count_texts, padded, plain, read_texts

STRANGE = "\N{REPLACEMENT CHARACTER}"  # stands for a letter that train never saw, which no answer has
NONE, BROKEN = 0, -1  # in place of what a frame says, plus 1: there is no frame, or its logits are not finite

Answer = Shaped[np.ndarray, "n 2"]  # texts, and of how many frames


class CTC:
    """Write the text of a cell letter by letter, off the tokens of one modality: what is said, signed or written in a recording.

    Each token (frame) says one of the letters that train has, or nothing; equal neighbours are one letter. So the letters must come in
    the order of the frames, and a text cannot have more of them than its row has frames: `too_long` is the share of rows where it has,
    rows without any frame aside.
    Texts are NFC-normalised, with one blank between words; `casefold` frees them of upper case. `spelling` gives the texts that
    stand for cells: `{"0": zero, "1": one}`. `metric` is the one that skill is measured in; `hidden` is the size of the head's hidden
    layer, or a list of sizes; 0 is a linear head. A row without a frame is answered with the constant text that is best in train.

    Source: Graves et al. 2006; answered is the best path (section 3.2).
    """

    targets: ClassVar[str] = "texts"
    kinds: ClassVar[tuple[str, ...]] = ("audio", "series", "video", "text")
    unit: ClassVar[str] = ""

    def __init__(
        self,
        name: str,
        *,
        column: Column,
        modality: ModalityName,
        weight: NonNegative = 1.0,
        metric: Literal["cer", "wer", "exact"] = "cer",
        casefold: bool = False,
        spelling: dict[str, str] | None = None,
        hidden: Annotated[int, Range(0)] | list[Count] = 0,
        dropout: Dropout = 0.0,
    ) -> None:
        self.name, self.columns, self.modalities = name, [column], [modality]
        self.weight, self.metric = weight, metric
        self.casefold, self.spelling = casefold, dict(spelling or {})
        self.hidden, self.dropout = sizes(hidden), dropout
        self.loss = Alignment()

    def fit(self, table: Table) -> None:
        """Gather the letters.

        Raises:
            DataError: fewer than two different texts.
        """
        counts = count_texts(self.name, self.columns[0], table, self._read(table))
        letters = sorted(set("".join(counts)))
        self.load_state({"letters": letters, "rows": sum(counts.values()), "constant": best_text(SPELLING_METRICS[self.metric], counts)})

    def state(self) -> dict[str, Any]:
        """Letters, labelled train rows and the constant answer."""
        return {"letters": self.letters, "rows": self.rows, "constant": self.constant}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore them."""
        self.letters, self.rows, self.constant = list(state["letters"]), state["rows"], state["constant"]

    @property
    def spec(self) -> TaskSpec:
        """Labelled train rows; for each frame a logit a letter, one of the blank, and whether it is there."""
        return TaskSpec(self.rows, False, self.weight, "numbers", (len(self.letters) + 2,), whole=False, modalities=tuple(self.modalities))

    def encode(self, table: Table) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the letters from 1, (n, S) int64, -1 for one that train never saw; and which rows are labelled."""
        numbers, texts = {letter: number for number, letter in enumerate(self.letters, 1)}, self._read(table)
        return padded([[numbers.get(letter, UNSEEN) for letter in text or ""] for text in texts], PADDING), _labelled(texts)

    def head(self, in_dim: int, token_dims: Mapping[str, int]) -> nn.Module:
        """Logits of blank and letters for each frame, and whether it is there."""
        [modality] = self.modalities
        dims = (in_dim, token_dims[modality], len(self.letters) + 1)
        return FrameHead(modality, *dims, hidden=self.hidden, dropout=self.dropout)

    def prior(self) -> Float[Tensor, " D"]:
        """No frame."""
        return torch.zeros(len(self.letters) + 2)

    def condense(self, prediction: Float[Tensor, "B T D"]) -> Int[Tensor, "B T"]:
        """What each frame says, from 1 (the blank); 0 is no frame, -1 one whose logits are not finite."""
        logits, there = prediction[..., :-1], prediction[..., -1] > 0
        said = torch.where(logits.isfinite().all(-1), logits.argmax(-1) + 1, BROKEN)
        return torch.where(there, said, NONE)

    def answer(self, prediction: Int[Tensor, "n T"]) -> Answer:
        """The text of each row, None where its logits are not finite, and how many frames it was read off."""
        said = prediction.numpy()
        letters = np.maximum(said - 1, BLANK)
        heard = (letters != BLANK) & (np.diff(letters, axis=1, prepend=BLANK) != 0)
        texts = [self._text(row, letters[place, heard[place]]) for place, row in enumerate(said)]
        return np.stack([as_array(texts), as_array((said != NONE).sum(1).tolist())], 1)

    def decode(self, answer: Answer) -> dict[str, list[Any]]:
        """The texts."""
        return {"": answer[:, 0].tolist()}

    def evaluate(self, answer: Answer, target: np.ndarray) -> Evaluation:
        """Metrics, the constant answer's score and skill; see `Task.evaluate`."""
        found = evaluate(SPELLING_METRICS, self.metric, answer[:, 0], self._texts(target), as_array([self.constant])[0:1])
        too_long = float(((least_frames(target) > answer[:, 1]) & (answer[:, 1] > 0)).mean()) if len(target) else None
        last = {name: found.pop(name) for name in ("constant", "skill")}
        return found | {"too_long": too_long} | last

    def skill(self, answer: Answer, target: np.ndarray) -> float | None:
        """The skill alone; see `Task.skill`."""
        return skill(SPELLING_METRICS[self.metric], answer[:, 0], self._texts(target), as_array([self.constant])[0:1])

    def evaluate_classes(self, answer: Answer, target: np.ndarray) -> dict[str, Evaluation]:
        """There are no classes."""
        return {}

    def _read(self, table: Table) -> list[str | None]:
        return read_texts(table, self.columns[0], casefold=self.casefold, spelling=self.spelling)

    def _text(self, said: np.ndarray, heard: np.ndarray) -> str | None:
        if not (said != NONE).any():
            return self.constant
        return None if (said == BROKEN).any() else plain("".join(self.letters[number - 1] for number in heard))

    def _texts(self, target: Int[np.ndarray, "n S"]) -> Shaped[np.ndarray, " n"]:
        names = [*self.letters, STRANGE]
        return as_array(["".join(names[max(number, 0) - 1] for number in row if number > 0 or number == UNSEEN) for row in target.tolist()])


class FrameHead(nn.Module):
    """Layers as in `ClassHead` over each frame's token beside the row's vector."""

    def __init__(self, modality: str, in_dim: int, token_dim: int, classes: int, *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.modality = modality
        self.layers = ClassHead(in_dim + token_dim, torch.zeros(classes), hidden=hidden, dropout=dropout).layers

    def forward(self, vector: Float[Tensor, "B D"], fused: Fused) -> Float[Tensor, "B T _"]:
        """Logits (B, T, C) and a channel that is 1 where there is a frame; all are 0 where there is none."""
        values, mask = frames_of(fused.tokens[self.modality])
        beside = vector[:, None].expand(-1, values.shape[1], -1)
        logits = self.layers(torch.cat([values.float(), beside], 2))
        return torch.where(mask[..., None], torch.cat([logits, torch.ones_like(logits[..., :1])], 2), 0)


def frames_of(tokens: Tokens) -> tuple[Float[Tensor, "B T D"], Bool[Tensor, "B T"]]:
    """One token a moment: of a grid, which goes moment by moment, the mean over the height."""
    values, mask = torch.where(tokens.mask[..., None], tokens.values, 0), tokens.mask
    if tokens.grid is None:
        return values, mask
    values, mask = values.unflatten(1, tokens.grid), mask.unflatten(1, tokens.grid)
    return values.sum(2) / mask.sum(2).clamp(min=1)[..., None], mask.any(2)


def least_frames(target: Int[np.ndarray, "n S"]) -> Int[np.ndarray, " n"]:
    """How many frames a text needs: one a letter, and one between equal neighbours."""
    letters = (target > 0) | (target == UNSEEN)
    equal = (target[:, 1:] == target[:, :-1]) & letters[:, 1:]
    return letters.sum(1) + equal.sum(1)


def _labelled(texts: Sequence[str | None]) -> np.ndarray:
    return np.array([text is not None for text in texts], bool)
