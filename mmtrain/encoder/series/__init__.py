"""Encoders of series: values and what of them is known, (rows, steps, channels), to tokens in the order of the steps."""

from mmtrain.encoder.series.cnn import CNN
from mmtrain.encoder.series.embedding import Embedding
from mmtrain.encoder.series.gru import GRU
from mmtrain.encoder.series.transformer import Transformer

__all__ = ["CNN", "GRU", "Embedding", "Transformer"]
