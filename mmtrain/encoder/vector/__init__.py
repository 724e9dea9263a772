"""Encoders of vectors that were computed elsewhere: (rows, D) to one token a row, or several."""

from mmtrain.encoder.vector.embedding import Embedding
from mmtrain.encoder.vector.mlp import MLP

__all__ = ["MLP", "Embedding"]
