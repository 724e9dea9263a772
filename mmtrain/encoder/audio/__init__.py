"""Encoders of sound: log-mel spectrograms, (rows, frames, bands), to tokens in the order of time."""

from mmtrain.encoder.audio.cnn import CNN

__all__ = ["CNN"]
