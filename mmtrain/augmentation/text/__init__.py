"""Augmentation of text: word ids (rows, words), with their letters."""

from mmtrain.augmentation.text.standard import Standard

__all__ = ["Standard"]
