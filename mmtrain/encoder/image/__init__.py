"""Encoders of pictures: (rows, channels, height, width), from -1 to 1, to tokens that lie on a grid."""

from mmtrain.encoder.image.cnn import CNN

__all__ = ["CNN"]
