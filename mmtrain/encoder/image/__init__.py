"""Encoders of pictures: (rows, channels, height, width), from -1 to 1, to tokens, most of which lie on a grid."""

from mmtrain.encoder.image.cnn import CNN
from mmtrain.encoder.image.patches import Patches
from mmtrain.encoder.image.residual import Residual
from mmtrain.encoder.image.resnet import ResNet
from mmtrain.encoder.image.timm import Timm
from mmtrain.encoder.image.vit import ViT

__all__ = ["CNN", "Patches", "ResNet", "Residual", "Timm", "ViT"]
