import math

import pytest
import torch
from torch.testing import assert_close

from mmtrain.modality.mel import mel_matrix


def test_bands_are_evenly_spaced_triangles_in_mel() -> None:
    """HTK: mel = 1127 ln(1 + hertz / 700). At 16 kHz, 3 bands: edges at quarters of the mel of 8000 Hz."""
    top = 1127 * math.log(1 + 8000 / 700)
    peaks = [700 * (math.exp(top * part / 4 / 1127) - 1) for part in (1, 2, 3)]
    weights = mel_matrix(3, 16000, at_least=4096)
    assert weights.shape == (2049, 3)
    hertz = torch.linspace(0, 8000, 2049)
    assert_close(hertz[weights.argmax(0)], torch.tensor(peaks), atol=8000 / 2048, rtol=0)
    edges = [0, *peaks, 8000]
    for band in range(3):
        outside = (hertz < edges[band]) | (hertz > edges[band + 2])
        assert not weights[outside, band].any()
        halfway = (edges[band] + edges[band + 1]) / 2
        assert weights[(hertz - halfway).abs().argmin(), band] == pytest.approx(0.5, abs=0.01)


def test_neighbours_add_up_to_one() -> None:
    """Between the first and the last peak every frequency is shared out fully."""
    weights = mel_matrix(10, 16000, at_least=1024)
    first, last = weights[:, 0].argmax(), weights[:, -1].argmax()
    assert_close(weights[first + 1 : last].sum(1), torch.ones(int(last - first - 1)))


@pytest.mark.parametrize(("bands", "rate", "window"), [(40, 8000, 200), (80, 16000, 400), (128, 8000, 200), (1, 8000, 8)])
def test_no_band_is_empty(bands: int, rate: int, window: int) -> None:
    weights = mel_matrix(bands, rate, at_least=window)
    assert (weights.sum(0) > 0).all()
    length = 2 * (len(weights) - 1)
    assert length >= window
    assert length & (length - 1) == 0
