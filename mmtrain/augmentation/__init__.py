"""Augmentation: other views of the train rows, drawn anew each time. One package a kind of modality: `image`, `audio`, `text`, ...

    Augmentation(spec, *, ...)                  an nn.Module without parameters; spec says what the modality knows, as for encoders
    forward(inputs) -> inputs                   of the same kind, shape and device; B rows that all have the modality

It stands between the modality and the encoder, sees whole batches on their device, and draws for each row by itself from torch's
generators, whose state is in every checkpoint. The model calls it in training alone, in full precision. What stands
where a mask is false is neither read nor left: it comes out as 0. One that may move what a picture shows says by the class constant
`still` with which values of its options it does not, {option: value}: tasks whose targets are places in the picture need them.

Another augmentation of kind K: `mmtrain/augmentation/K/<name>.py` with a class as above, exported by that package;
`configs/augmentation/K/<name>.yaml`; `tests/augmentation/K/test_<name>.py`, and a line in `tests/augmentation/test_laws.py`.
"""
