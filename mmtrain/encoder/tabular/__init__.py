"""Encoders of tables: numbers, (rows, N), and category codes, (rows, C), to one token a row or one a column."""

from mmtrain.encoder.tabular.embedding import Embedding
from mmtrain.encoder.tabular.ft_transformer import FTTransformer
from mmtrain.encoder.tabular.mlp import MLP
from mmtrain.encoder.tabular.resnet import ResNet

__all__ = ["MLP", "Embedding", "FTTransformer", "ResNet"]
