"""Encoders: what one modality says, as tokens. One package a kind of modality: `image`, `text`, `audio`, `video`, `tabular`,
`series`, `vector`.

Enters: the input kind that the modality gives (`Image`, `Text`, `Spectrogram`, `Video`, ...), of rows that all have the modality.
Leaves: `Tokens`, (rows, tokens, `out_dim`), exactly 0 where masked; padding, and what stands in it, changes nothing.

One that mixes no tokens says `light: ClassVar[bool] = True` in its class: a fusion that is to do all the mixing (`early`) takes no other.

Another encoder of kind K: `mmtrain/encoder/K/<name>.py` with a class `(spec, *, out_dim, ...)`, exported by that package;
`configs/encoder/K/<name>.yaml`; `tests/encoder/K/test_<name>.py`, and a line in `tests/encoder/test_laws.py`.
"""
