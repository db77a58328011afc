"""The multi-task model: a pre-trained encoder and a head for each thing to be said of a query."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel

from streams.labels import INTENTS, SENTIMENTS, bio_tags
from training.errors import ConfigError
from training.network.decoders import reads_left_to_right

VECTOR_WIDTH = 384
RELATION_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Heads:
    """What the model says of B texts of L pieces, special ones included."""

    intent: Tensor  # [B, intents]
    sentiment: Tensor  # [B, 3]
    tags: Tensor  # [B, L, tags]
    subject: Tensor  # [B, L, 32]
    object: Tensor  # [B, L, 32]
    vector: Tensor  # [B, 384], L2-normalised


class _Classifier(nn.Module):
    """Two layers over the first piece and the mean of all, side by side.

    Of a base that reads from left to right, the last piece stands for both.
    """

    def __init__(self, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.outer = nn.Linear(width, classes)

    def forward(self, pooled: Tensor) -> Tensor:
        found: Tensor = self.outer(self.dropout(functional.gelu(self.inner(pooled))))
        return found


class QueryModel(nn.Module):
    """The encoder and its heads.

    The relation of a product and an attribute is a bilinear score of their first pieces'
    vectors (Dozat and Manning, ICLR 2017); the subject's last dimension is 1, so that the
    object's last one is a bias.

    Raises:
        ConfigError: the sentence vector would not have 384 dimensions.
    """

    def __init__(self, encoder: nn.Module, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.width = width
        self.left_to_right = reads_left_to_right(encoder.config)
        self.dropout = nn.Dropout(dropout)
        self.intent = _Classifier(width, len(INTENTS), dropout)
        self.sentiment = _Classifier(width, len(SENTIMENTS), dropout)
        self.tags = nn.Linear(width, len(bio_tags()))
        self.subject = nn.Linear(width, RELATION_WIDTH - 1)
        self.object = nn.Linear(width, RELATION_WIDTH)
        self.vector = nn.Linear(width, VECTOR_WIDTH, bias=False)
        if width == VECTOR_WIDTH:
            nn.init.eye_(self.vector.weight)  # starts as the base's own sentence vector

    @classmethod
    def from_base(cls, folder: Path, dropout: float = 0.1) -> "QueryModel":
        """A model on a pre-trained encoder, with fresh heads."""
        encoder = AutoModel.from_pretrained(
            folder, attn_implementation="eager", local_files_only=True
        )
        return cls(encoder.float(), _width(encoder.config), dropout)

    @classmethod
    def from_config(cls, folder: Path, dropout: float = 0.1) -> "QueryModel":
        """A model of the right shape, with random weights, for a state to be loaded into."""
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        encoder = AutoModel.from_config(config, attn_implementation="eager")  # type: ignore[no-untyped-call] # transformers
        return cls(encoder, _width(config), dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Heads:
        """Heads for ids [B, L] whose mask [B, L] is 0 where padded."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask.to(states.dtype)
        weights = weights / weights.sum(dim=1, keepdim=True)
        mean = torch.bmm(weights[:, None], states)[:, 0]
        whole = states[:, 0]
        if self.left_to_right:  # only the last piece has read the whole text
            whole = mean = states[torch.arange(len(ids), device=ids.device), mask.sum(dim=1) - 1]
        pooled = self.dropout(torch.cat((whole, mean), dim=-1))
        dropped = self.dropout(states)
        subject = self.subject(dropped)
        return Heads(
            intent=self.intent(pooled),
            sentiment=self.sentiment(pooled),
            tags=self.tags(dropped),
            subject=torch.cat((subject, torch.ones_like(subject[..., :1])), dim=-1),
            object=self.object(dropped),
            vector=functional.normalize(self.vector(mean).float(), dim=-1),
        )


def _width(config: object) -> int:
    width = getattr(config, "hidden_size", None)
    if not isinstance(width, int):
        raise ConfigError("the base's config.json has no hidden_size", "use an encoder")
    return width


def sentence_vectors(encoder: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """The base's own sentence vectors [B, width]: the normalised mean over pieces."""
    states = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.to(states.dtype)
    weights = weights / weights.sum(dim=1, keepdim=True)
    return functional.normalize(torch.bmm(weights[:, None], states)[:, 0].float(), dim=-1)


def fit(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Gives linear layers the sizes that a pruned model's weights have, so that they load."""
    for name, module in list(model.named_modules()):
        weight = state.get(f"{name}.weight")
        if isinstance(module, nn.Linear) and weight is not None:
            outputs, inputs = weight.shape
            if (inputs, outputs) != (module.in_features, module.out_features):
                parent, _, last = name.rpartition(".")
                new = nn.Linear(inputs, outputs, bias=module.bias is not None)
                setattr(model.get_submodule(parent), last, new)
