"""Encoders of clips: frames, (rows, frames, channels, height, width), from -1 to 1, to one token a frame or a patch."""

from mmtrain.encoder.video.cnn3d import CNN3D
from mmtrain.encoder.video.embedding import Embedding
from mmtrain.encoder.video.frames import Frames

__all__ = ["CNN3D", "Embedding", "Frames"]
