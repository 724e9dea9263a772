"""Augmentation of series: scaled values (rows, steps, channels), and which of them are known."""

from mmtrain.augmentation.series.standard import Standard

__all__ = ["Standard"]
