"""Metrics of texts: what the rows were answered (n,) and what they are (n,), both text.

`cer` and `wer` are those of jiwer: the fewest letters, or words between blanks, that must be put in, taken out or changed in all rows
together, by the letters or words that there are; above 1 where answers are longer than that. `bleu` (Papineni et al. 2002, up to four
words, its tokenizer 13a) and `chrf` (Popovic 2015) are those of sacrebleu over all rows together, from 0 to 100 as papers give them.
BLEU takes a sentence without blanks for one word: there, look at `chrf`. `exact` is the share of rows that are right to the letter.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Shaped

from mmtrain.metric.metric import Metric

Texts = Shaped[np.ndarray, " n"]

CANDIDATES, LOOKED = 8, 500  # constant texts that are tried, and train rows that each is tried on


def cer(answer: Texts, target: Texts) -> float:
    """Character error rate."""
    import jiwer

    return float(jiwer.cer(reference=list(target), hypothesis=list(answer)))


def wer(answer: Texts, target: Texts) -> float:
    """Word error rate."""
    import jiwer

    return float(jiwer.wer(reference=list(target), hypothesis=list(answer)))


def bleu(answer: Texts, target: Texts) -> float:
    """BLEU of the corpus, over n-grams of up to 4 words; where no text has so many, of as many as the longest one has: the geometric mean
    over lengths that do not occur would be 0 whatever is said."""
    from sacrebleu.metrics.bleu import BLEU

    longest = BLEU(force=True).corpus_score(list(target), [list(target)])
    orders = sum(total > 0 for total in longest.totals)  # lengths of n-grams that occur in the targets
    return BLEU(max_ngram_order=max(1, orders), force=True).corpus_score(list(answer), [list(target)]).score


def chrf(answer: Texts, target: Texts) -> float:
    """F-score of n-grams of letters, of the corpus."""
    import sacrebleu

    return sacrebleu.corpus_chrf(list(answer), [list(target)]).score


def exact(answer: Texts, target: Texts) -> float:
    """Share of rows that are right to the letter."""
    return float(np.mean([one == other for one, other in zip(answer, target, strict=True)]))


def best_text(metric: Metric, counts: Mapping[str, int]) -> str:
    """The best constant answer for texts that occur so often: of the commonest ones and the empty text, that with the best score.

    A text that no row has may score better still, and to find it is too hard (of edit distances it is the median string). Each is
    tried on rows that are spread evenly over all, if there are many.
    """
    common = sorted(counts, key=lambda text: (-counts[text], text))[:CANDIDATES]
    rows = [text for text in sorted(counts) for _ in range(counts[text])]
    looked = _texts([rows[place] for place in np.linspace(0, len(rows) - 1, min(LOOKED, len(rows))).round().astype(int)])
    scores = {text: metric.score(_texts([text] * len(looked)), looked) for text in [*common, ""]}
    return min(scores, key=lambda text: abs(metric.perfect - (scores[text] or 0.0)))


def _texts(texts: Sequence[str]) -> Texts:
    return np.array(texts, dtype=object)


SPELLING_METRICS = {"cer": Metric(cer, 0.0, "text"), "wer": Metric(wer, 0.0, "text"), "exact": Metric(exact, 1.0, "text")}
GENERATION_METRICS = {"bleu": Metric(bleu, 100.0, "text"), "chrf": Metric(chrf, 100.0, "text"), "exact": Metric(exact, 1.0, "text")}
