"""Missing: what becomes of an absent modality, between the encoders and the fusion.

    Missing(dims: Mapping[str, int], *, ...)                        dims[m] is the width D of modality m's tokens
    forward(tokens {m: Tokens (B, L, D)}, present {m: (B,) bool}) -> (tokens, present)

Tokens of absent rows arrive exactly 0 with a false mask, L = 0 where no row has the modality. A part that supplies a
stand-in (zero, mean, learned, imputed) gives it a true mask and makes presence true there; `mask` leaves both alone.
Whatever presence it returns is for the fusion only: decisions and logs keep the original one.

To add one: a class as above in `mmtrain/missing/<name>.py`, its export here, `configs/missing/<name>.yaml`, and a test.
"""

from mmtrain.missing.mask import Mask

__all__ = ["Mask"]
