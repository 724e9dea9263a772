"""Any network of the library timm."""

from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from mmtrain.batch import Image, Tokens
from mmtrain.encoder.image.colours import Rescale
from mmtrain.encoder.image.grid import GridReadout, every_token
from mmtrain.encoder.normalisation import masked_batch_norms
from mmtrain.encoder.pretrained import fetch, needed, read_weights
from mmtrain.errors import ConfigError, Problem, nearest
from mmtrain.option import Count, Dropout
from mmtrain.spec import ImageSpec


class Timm(nn.Module):
    """The network that timm calls `name`, without its classifier.

    A network that ends in a map is read out as `grid` x `grid` tokens, or fewer where the map is smaller; one that ends in tokens keeps
    them all, a class token too. `pretrained` true fetches timm's weights, a path names a file of them (safetensors, or a
    torch file of tensors). Pixels are scaled as the network's weights expect; timm adapts its first convolution to other channels
    than 3, and positions to other sizes. Batch normalisation is replaced by one that can train on a single row.

    Source: Wightman 2019, github.com/huggingface/pytorch-image-models; each network's own source stands there.

    Raises:
        ConfigError: timm is not installed, does not know the name, or the network cannot take such pictures; the weights are not
            there, or do not fit.
    """

    def __init__(
        self,
        spec: ImageSpec,
        *,
        name: str,
        pretrained: bool | str = False,
        out_dim: Count = 128,
        grid: Count = 4,
        dropout: Dropout = 0.0,
    ) -> None:
        super().__init__()
        self.out_dim = out_dim
        network: Any = _network(spec, name, pretrained)
        self.rescale = Rescale(spec.channels, network.pretrained_cfg["mean"], network.pretrained_cfg["std"])
        self.network = masked_batch_norms(network)
        self.readout: nn.Module
        shape = self._shape(spec, name)
        if len(shape) == 3:
            self.readout = GridReadout(shape[0], out_dim, grid=min(grid, *shape[1:]), dropout=dropout)
        else:
            self.readout = nn.Sequential(nn.Dropout(dropout), nn.Linear(shape[1], out_dim))

    @property
    def stages(self) -> list[nn.Module]:
        """The blocks whose maps timm offers as features, from input to output."""
        offered: Any = getattr(self.network, "feature_info", [])
        named = [self.network.get_submodule(info["module"]) for info in offered]
        return [module for module in named if any(True for _ in module.parameters())]

    def forward(self, inputs: Image) -> Tokens:
        """Tokens row by row of the grid, or in the network's own order."""
        found = self.readout(self._features(inputs.pixels))
        return found if isinstance(found, Tokens) else every_token(found, None)

    def _features(self, pixels: Tensor) -> Tensor:
        """A map (B, C, H, W), or tokens (B, L, C)."""
        network: Any = self.network
        values = network.forward_features(self.rescale(pixels).contiguous(memory_format=torch.channels_last))
        if not (isinstance(values, Tensor) and values.ndim in (3, 4)):
            found = f"a {type(network).__name__} ends neither in one map nor in one sequence of tokens"
            raise ConfigError(Problem("name", found, "choose another network"))
        last = values.ndim == 4 and str(getattr(network, "output_fmt", "NCHW")) == "NHWC"
        return values.permute(0, 3, 1, 2) if last else values

    @torch.no_grad()
    def _shape(self, spec: ImageSpec, name: str) -> tuple[int, ...]:
        """What the features of one picture measure."""
        self.network.eval()
        try:
            features = self._features(torch.zeros(1, spec.channels, spec.height, spec.width))
        except (RuntimeError, AssertionError, ValueError) as error:  # whichever of the network's layers notices first
            found = f"'{name}' cannot take pictures of {spec.height} x {spec.width} pixels ({str(error).partition('. ')[0]})"
            raise ConfigError(Problem("name", found, "change the modality's height and width, or the network")) from None
        self.network.train()
        return tuple(features.shape[1:])


def _network(spec: ImageSpec, name: str, pretrained: bool | str) -> nn.Module:
    """timm's own, with weights."""
    try:
        import timm
    except ImportError:
        raise ConfigError(Problem("", "timm is not installed", 'pip install "mmtrain[timm]"')) from None
    usual = timm.get_pretrained_cfg(name) if timm.is_model(name) else None
    if not timm.is_model(name):
        close = get_close_matches(name, timm.list_models(), n=5)
        raise ConfigError(Problem("name", f"timm knows no '{name}'", nearest(name, close) if close else "see timm.list_models()"))
    options: dict[str, Any] = {"num_classes": 0, "in_chans": spec.channels}
    if usual is not None and usual.fixed_input_size:
        options["img_size"] = (spec.height, spec.width)
    if pretrained is False or not needed():
        return _created(name, **options)
    if pretrained is True:
        return fetch(lambda: _created(name, pretrained=True, **options), f"of timm's '{name}'", "pretrained")
    return _from_file(name, pretrained, options)


def _created(name: str, **options: Any) -> nn.Module:
    """Without pooling, so that what normalises pooled features does so before; with it where the network insists: no feature is pooled."""
    import timm

    try:
        return timm.create_model(name, global_pool="", **options)
    except AssertionError:
        return timm.create_model(name, **options)


def _from_file(name: str, path: str, options: dict[str, Any]) -> nn.Module:
    weights = read_weights(path, "pretrained")
    marks = {_mark(value) for value in weights.values() if value.ndim > 1}
    fix = "name weights of this very network, or false"
    try:
        network = _created(name, pretrained=True, pretrained_cfg_overlay={"state_dict": weights}, **options)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(Problem("pretrained", f"'{path}' does not fit '{name}': {reason}", fix)) from None
    own = [value for value in network.parameters() if value.ndim > 1]  # vectors of ones and zeros are in every file
    loaded = sum(_mark(value) in marks for value in own)
    if loaded < len(own) / 2:  # timm leaves out in silence what it finds no place for, and changes a few to fit
        found = f"'{path}' does not fit '{name}': {loaded} of its {len(own)} tensors were found there"
        raise ConfigError(Problem("pretrained", found, fix))
    return network


def _mark(value: Tensor) -> tuple[float, ...]:
    """What tells a tensor from others, whatever it is called."""
    return (*value.shape, float(value.detach().double().sum()))
