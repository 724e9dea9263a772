"""Missing: what becomes of an absent modality, between the encoders and the fusion.

    Missing(dims: Mapping[str, int], *, dropout=0.0, ...)           dims[m] is the width D of modality m's tokens
    forward(tokens {m: Tokens (B, L, D)}, present {m: (B,) bool}) -> (tokens, present, real)
    whole_rows = True                                               class constant of a policy that answers whole rows only

Tokens of absent rows arrive exactly 0 with a false mask, L = 0 where no row has the modality. A part that supplies a
stand-in (zero, mean, learned, impute) puts one token in place of the absent ones, gives it a true mask and makes presence true
there; `mask` leaves both alone, `drop` makes all of an incomplete row absent. A row without any modality stays so under all of them:
it is answered with the task's prior. The second is for the fusion only: views and decisions go by the third, `real`, which counts
neither a stand-in nor what was taken away. `dropout` takes modalities away from training rows before anything else; see
`ModalityDropout`.

Where `whole_rows` is declared, the data take the labels of incomplete train rows away, and incomplete rows enter no loss; the
configuration reads it without importing torch.

To add one: a class as above in `mmtrain/missing/<name>.py`, its export here, `configs/missing/<name>.yaml`; the laws in
`tests/missing/test_laws.py` then test it by themselves, its values need a `tests/missing/test_<name>.py`.
"""

from mmtrain.missing.drop import Drop
from mmtrain.missing.dropout import restricted
from mmtrain.missing.impute import Impute
from mmtrain.missing.learned import Learned
from mmtrain.missing.mask import Mask
from mmtrain.missing.mean import Mean
from mmtrain.missing.zero import Zero

__all__ = ["Drop", "Impute", "Learned", "Mask", "Mean", "Zero", "restricted"]
