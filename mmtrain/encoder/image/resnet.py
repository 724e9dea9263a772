"""torchvision's residual networks, from scratch or with pretrained weights."""

from collections import OrderedDict
from typing import Annotated, Any, Literal

import torch
from torch import nn

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.colours import IMAGENET, Rescale, with_channels
from mmtrain.encoder.image.grid import GridReadout
from mmtrain.encoder.normalisation import MaskedBatchNorm
from mmtrain.encoder.pretrained import fetch, load_weights, needed, read_weights
from mmtrain.option import Count, Dropout, Range
from mmtrain.spec import ImageSpec

WHERE = "pretrained"
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3)}  # by depth, in each of the four layers


class ResNet(nn.Module):
    """ResNet of `depth` 18, 34 or 50, read out as `grid` x `grid` tokens, or fewer where the map is smaller.

    `pretrained` is a file of weights that fit torchvision's model (safetensors, or a torch file of tensors), or `imagenet` for those
    that torchvision fetches; null draws them at random. Pretrained weights get the pixels scaled as ImageNet's were. Of the first
    convolution, grey pictures use the sum over the colours; opacity enters with weight 0 and is learned. `layers` is how many of
    the four groups of blocks are kept: a place of the fourth stands for 32 x 32 pixels, one of the third for 16 x 16.

    Source: He et al. 2016, table 1; the stride of depth 50 as in torchvision.

    Raises:
        ConfigError: the weights are not there, or do not fit.
    """

    def __init__(
        self,
        spec: ImageSpec,
        *,
        depth: Literal[18, 34, 50],
        pretrained: str | None = None,
        out_dim: Count = 128,
        layers: Annotated[int, Range(1, 4)] = 4,
        grid: Count = 2,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        self.network, width = _network(spec.channels, depth, layers)
        if pretrained is not None and needed():
            _load(self.network, depth, pretrained, spec.channels)
        self.rescale = nn.Identity() if pretrained is None else Rescale(spec.channels, *IMAGENET)
        side = -(-min(spec.height, spec.width) // 2 ** (layers + 1))
        self.readout = GridReadout(width, out_dim, grid=min(grid, side), dropout=dropout)

    @property
    def stages(self) -> list[nn.Module]:
        """The residual blocks, from input to output."""
        return [block for name, layer in self.network.named_children() if name.startswith("layer") for block in layer.children()]

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid."""
        return self.readout(self.network(self.rescale(inputs.pixels).contiguous(memory_format=torch.channels_last)))


def _network(channels: int, depth: int, layers: int) -> tuple[nn.Module, int]:
    """The network without its classifier, its parts called as torchvision calls them, and the channels of its map."""
    from torchvision.models.resnet import BasicBlock, Bottleneck

    block: Any = Bottleneck if depth == 50 else BasicBlock
    parts: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False),
        "bn1": MaskedBatchNorm(64),
        "relu": nn.ReLU(),
        "maxpool": nn.MaxPool2d(3, 2, padding=1),
    }
    width = 64
    for layer, count in enumerate(BLOCKS[depth][:layers]):
        parts[f"layer{layer + 1}"], width = _layer(block, width, 64 * 2**layer, count, stride=1 if layer == 0 else 2)
    network = nn.Sequential(OrderedDict(parts))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")  # as torchvision draws them
    return network, width


def _layer(block: Any, width: int, planes: int, count: int, *, stride: int) -> tuple[nn.Module, int]:
    widened = planes * block.expansion
    shortcut = None
    if (stride, width) != (1, widened):
        shortcut = nn.Sequential(nn.Conv2d(width, widened, 1, stride, bias=False), MaskedBatchNorm(widened))
    first = block(width, planes, stride, shortcut, norm_layer=MaskedBatchNorm)
    return nn.Sequential(first, *(block(widened, planes, norm_layer=MaskedBatchNorm) for _ in range(count - 1))), widened


def _load(network: nn.Module, depth: int, pretrained: str, channels: int) -> None:
    if pretrained == "imagenet":
        from torchvision.models import get_model_weights

        best = get_model_weights(f"resnet{depth}").DEFAULT
        weights = fetch(lambda: best.get_state_dict(check_hash=True, weights_only=True), f"'imagenet' of resnet{depth}", WHERE)
    else:
        weights = read_weights(pretrained, WHERE)
    first = weights.get("conv1.weight")
    if first is not None and first.shape[1] == 3 != channels:
        weights["conv1.weight"] = with_channels(first, channels)
    load_weights(network, weights, pretrained, WHERE)
