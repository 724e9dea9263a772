"""Augmentation of a table's cells: scaled numbers (rows, columns), which are known, and category codes (rows, columns)."""

from mmtrain.augmentation.tabular.standard import Standard

__all__ = ["Standard"]
