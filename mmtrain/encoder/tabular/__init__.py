"""Encoders of tables: numbers, (rows, N), and category codes, (rows, C), to one token a row."""

from mmtrain.encoder.tabular.mlp import MLP

__all__ = ["MLP"]
