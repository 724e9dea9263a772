"""Augmentation of sounds: log-mel frames (rows, frames, bands), 0 being silence."""

from mmtrain.augmentation.audio.standard import Standard

__all__ = ["Standard"]
