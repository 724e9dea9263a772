"""Encoders of text: word ids, (rows, words), and where they are kept their letters, to one token a word."""

from mmtrain.encoder.text.bag import Bag
from mmtrain.encoder.text.cnn import CNN
from mmtrain.encoder.text.embedding import Embedding
from mmtrain.encoder.text.gru import GRU
from mmtrain.encoder.text.huggingface import HuggingFace
from mmtrain.encoder.text.lstm import LSTM
from mmtrain.encoder.text.transformer import Transformer

__all__ = ["CNN", "GRU", "LSTM", "Bag", "Embedding", "HuggingFace", "Transformer"]
