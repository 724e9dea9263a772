"""Encoders of sound: log-mel spectrograms, (rows, frames, bands), to tokens in the order of time."""

from mmtrain.encoder.audio.cnn import CNN
from mmtrain.encoder.audio.embedding import Embedding
from mmtrain.encoder.audio.transformer import Transformer

__all__ = ["CNN", "Embedding", "Transformer"]
