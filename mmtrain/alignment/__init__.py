"""Alignment: what two modalities say of one row is drawn together, as a penalty beside the losses of the tasks.

    Alignment(dims: Mapping[str, int], *, ...)                      dims[m] is the width D of modality m's tokens
    forward(tokens {m: Tokens (B, L, D)}, present {m: (B,) bool}) -> {name: scalar}

Called in training only, with what the encoders give, before stand-ins and `missing.dropout`. A penalty is a mean over rows, already
weighted; a batch in which nothing can be compared gives 0.

To add one: a class as above in `mmtrain/alignment/<name>.py`, its export here, `configs/alignment/<name>.yaml`, and a test.
"""

from mmtrain.alignment.contrastive import Contrastive
from mmtrain.alignment.none import Nothing

__all__ = ["Contrastive", "Nothing"]
