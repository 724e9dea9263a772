"""Encoders of text: word ids, (rows, words), to one token a word."""

from mmtrain.encoder.text.bag import Bag
from mmtrain.encoder.text.gru import GRU

__all__ = ["GRU", "Bag"]
