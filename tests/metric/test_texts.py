import math
from collections import Counter

import numpy as np
import pytest

from mmtrain.metric import GENERATION_METRICS, SPELLING_METRICS, best_text, evaluate, skill


def texts(*found: str | None) -> np.ndarray:
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def edits(one: str | list[str], other: str | list[str]) -> int:
    """Levenshtein's distance, by the book."""
    table = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        before, table[0] = table[0], row
        for column, second in enumerate(other, 1):
            before, table[column] = table[column], min(table[column] + 1, table[column - 1] + 1, before + (letter != second))
    return table[-1]


TRUE = texts("a red circle", "two", "the end of it")
SAID = texts("a rad circle", "too", "the end")


def test_error_rates_are_edits_of_all_rows_by_what_there_is() -> None:
    letters = sum(edits(said, true) for said, true in zip(SAID, TRUE, strict=True)) / sum(map(len, TRUE))
    words = sum(edits(said.split(), true.split()) for said, true in zip(SAID, TRUE, strict=True)) / sum(len(true.split()) for true in TRUE)
    assert SPELLING_METRICS["cer"].score(SAID, TRUE) == pytest.approx(letters)
    assert SPELLING_METRICS["wer"].score(SAID, TRUE) == pytest.approx(words)
    assert SPELLING_METRICS["exact"].score(SAID, texts("a rad circle", "two", "the end")) == pytest.approx(2 / 3)


def test_bleu_is_the_mean_of_logarithms_with_a_penalty_for_what_is_short() -> None:
    """Of rows long enough that no n-gram is without a match, where nothing is smoothed."""
    said, true = texts("a red circle on the left side"), texts("a red circle on the left of it")
    matched, possible = [], []
    for n in range(1, 5):
        ours, theirs = (Counter(tuple(row.split()[i : i + n]) for i in range(len(row.split()) - n + 1)) for row in (said[0], true[0]))
        matched.append((ours & theirs).total())
        possible.append(ours.total())
    expected = math.exp(1 - 8 / 7) * math.prod(m / p for m, p in zip(matched, possible, strict=True)) ** 0.25
    assert GENERATION_METRICS["bleu"].score(said, true) == pytest.approx(100 * expected)


def test_perfect_is_perfect_and_empty_is_not() -> None:
    for name, metric in (SPELLING_METRICS | GENERATION_METRICS).items():
        assert metric.score(TRUE, TRUE) == pytest.approx(metric.perfect), name
        assert metric.score(texts("", "", ""), TRUE) == pytest.approx(0 if metric.perfect else 1, abs=1e-6), name


def test_the_best_constant_is_the_best_of_the_commonest_and_nothing() -> None:
    assert best_text(SPELLING_METRICS["exact"], {"one": 2, "two": 3}) == "two"
    assert best_text(SPELLING_METRICS["cer"], {"ab": 1, "cd": 1, "a": 1}) == "a"
    long, short = {10 * letter: 2 for letter in "abcdefgh"}, dict.fromkeys("ijklmnopqrstuvwxyz", 1)
    assert best_text(SPELLING_METRICS["cer"], long | short) == ""


def test_a_text_that_is_none_is_not_scored() -> None:
    constant = texts("two")
    found = evaluate(SPELLING_METRICS, "cer", texts("a", None, "b"), TRUE, constant)
    assert found["cer"] is found["skill"] is None
    assert found["constant"] is not None
    assert skill(SPELLING_METRICS["cer"], texts(None, "a", "b"), TRUE, constant) is None
    assert skill(SPELLING_METRICS["cer"], TRUE, TRUE, constant) == 1


def test_bleu_of_texts_that_are_all_short() -> None:
    """Where no text has four words, there is nothing to count of four in a row."""
    bleu, true = GENERATION_METRICS["bleu"].score, texts("red square", "blue circle", "a b c")
    assert bleu(true, true) == pytest.approx(100)
    assert 0 < (bleu(texts("red square", "blue square", "a b c"), true) or 0) < 100
