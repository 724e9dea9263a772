"""Augmentation of pictures: (rows, channels, height, width), from -1 to 1, opacity (if any) in the fourth channel."""

from mmtrain.augmentation.image.rand_augment import RandAugment
from mmtrain.augmentation.image.standard import Standard

__all__ = ["RandAugment", "Standard"]
