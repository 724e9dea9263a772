"""Any text model of the hub or of a folder."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import torch
from torch import nn

from mmtrain.batch import Text, Tokens
from mmtrain.encoder.pretrained import needed
from mmtrain.errors import ConfigError, Problem
from mmtrain.option import Count, Dropout
from mmtrain.spec import TextSpec

PLACE = "name"


class HuggingFace(nn.Module):
    """The last hidden states of a model of the library `transformers`, and a linear map of each; of an encoder-decoder the encoder.

    `name` is the model's folder or its name on the hub. The modality's `tokenizer` must be the same, as the words' numbers mean
    nothing to another model. A run keeps the model's configuration and weights: a trained one is opened without the folder or the hub.
    Without `pretrained`, weights start at random. The model's own dropout stays as its configuration says; `dropout` acts in front of
    the linear map. Weights are read from safetensors alone: no other format is safe to open.

    Source: Wolf et al. 2020, section 3; the model's own paper.

    Raises:
        ConfigError: the model cannot be loaded, the modality's words are not numbered by its tokenizer, or rows are too long for it.
    """

    def __init__(
        self,
        spec: TextSpec,
        *,
        name: str,
        pretrained: bool = True,
        out_dim: Count = 128,
        dropout: Dropout = 0.1,
    ) -> None:
        super().__init__()
        if spec.tokenizer != name:
            found = f"reads ids of '{name}', but words are numbered by {_quoted(spec.tokenizer)}"
            raise ConfigError(Problem(PLACE, found, f"set the modality's tokenizer={name}"))
        self.out_dim = out_dim
        self.model = _model(name, spec.model, pretrained and needed())
        if self.model.get_input_embeddings().num_embeddings < spec.vocabulary:
            raise ConfigError(
                Problem(PLACE, f"'{name}' has fewer vectors than its tokenizer has ids ({spec.vocabulary})", "mend its folder")
            )
        places = _places(self.model)
        if places is not None and spec.max_length is not None and spec.max_length > places:
            found = f"rows may have {spec.max_length} ids, and '{name}' has places for {places}"
            raise ConfigError(Problem(PLACE, found, f"set the modality's max_length={places}"))
        self.padding: int = getattr(self.model.config, "pad_token_id", None) or 0
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(self.model.config.hidden_size, out_dim)

    @property
    def stages(self) -> list[nn.Module]:
        """What embeds words, then the layers, from input to output."""
        layers = max((part for part in self.model.modules() if isinstance(part, nn.ModuleList)), key=len)
        before = takewhile(lambda part: layers not in part.modules(), self.model.children())
        return [*before, *layers]

    def forward(self, inputs: Text) -> Tokens:
        """One token an id, special ones among them."""
        ids = torch.where(inputs.mask, inputs.ids, self.padding)
        states = self.model(input_ids=ids, attention_mask=inputs.mask.long()).last_hidden_state
        return Tokens(torch.where(inputs.mask[:, :, None], self.readout(self.dropout(states)), 0), inputs.mask)


def _model(name: str, sizes: Mapping[str, Any] | None, pretrained: bool) -> Any:
    """The model in float32, without what would pool its states; only without its configuration, or `pretrained`, is it looked for."""
    try:
        import transformers
    except ImportError as error:
        raise ConfigError(Problem(PLACE, "needs the library transformers", 'pip install "mmtrain[huggingface]"')) from error
    library: Any = transformers  # parts of it have no types
    library.utils.logging.disable_progress_bar()
    try:
        if pretrained:
            model = library.AutoModel.from_pretrained(name, use_safetensors=True)
        else:
            kind = library.AutoConfig.from_pretrained(name) if sizes is None else library.AutoConfig.for_model(**sizes)
            model = library.AutoModel.from_config(kind)
    except (OSError, ValueError) as error:
        found = f"the model '{name}' cannot be loaded ({str(error).splitlines()[0]})"
        raise ConfigError(Problem(PLACE, found, "give its folder, or a name that the hub knows while it can be reached")) from error
    model = model.get_encoder() if model.config.is_encoder_decoder else model
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model.float()


def _places(model: Any) -> int | None:
    """The longest row that the model has positions for; None where any length will do.

    RoBERTa and its kin number positions from behind the padding's own on.
    """
    places = getattr(model.config, "max_position_embeddings", None) or -1
    if places < 0:  # so XLNet says that it has no limit
        return None
    taken = [
        part.padding_idx + 1
        for name, part in model.named_modules()
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None
    ]
    return int(places - max(taken, default=0))


def _quoted(tokenizer: str | None) -> str:
    return "a vocabulary from train" if tokenizer is None else f"'{tokenizer}'"
