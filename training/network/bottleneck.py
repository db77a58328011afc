"""Bottleneck adapters: two small networks in each layer learn, the layer itself does not.

Houlsby et al., ICML 2019: a projection down, a non-linearity, a projection up and a skip, after the
attention and after the feed-forward network, before their residual sums. The way up starts at zero,
so that training starts from the base as it is. Layer norms learn too, as in the paper.
"""

from torch import Tensor, nn
from torch.nn import functional

from training.errors import ConfigError
from training.network.freezing import layers_of

_ENDS = (
    "attention.output.dense", "output.dense",  # BERT, RoBERTa, ELECTRA
    "attention.attn.o",  # MPNet
    "attention.out_lin", "ffn.lin2",  # DistilBERT
    "attn.c_proj", "mlp.c_proj",  # GPT-2
    "self_attn.o_proj", "mlp.down_proj",  # Llama and its kin
)  # fmt: skip
"""Where a layer's attention and its feed-forward network end, before the residual sum."""


class Adapted(nn.Module):
    """A module of a layer, frozen, and the adapter of its output.

    Args:
        module: gives states [..., width].
        width: of the states.
        bottleneck: of the adapter.
    """

    def __init__(self, module: nn.Module, width: int, bottleneck: int) -> None:
        super().__init__()
        self.module = module
        self.down = nn.Linear(width, bottleneck)
        self.up = nn.Linear(bottleneck, width)
        nn.init.normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, states: Tensor) -> Tensor:
        """The module's output, and what the adapter adds to it."""
        found: Tensor = self.module(states)
        added: Tensor = self.up(functional.gelu(self.down(found)))
        return found + added


def insert_adapters(encoder: nn.Module, width: int, bottleneck: int) -> None:
    """Freezes the encoder and gives each layer its two adapters.

    Raises:
        ConfigError: a layer of another make.
    """
    encoder.requires_grad_(False)
    for layer in layers_of(encoder):
        ends = [name for name, _ in layer.named_modules() if name in _ENDS]
        if len(ends) != 2:
            raise ConfigError(
                f"no place for adapters is known in a {type(layer).__name__}",
                'train it with method = "lora"',
            )
        for name in ends:
            parent, _, last = name.rpartition(".")
            holder = layer.get_submodule(parent)
            setattr(holder, last, Adapted(getattr(holder, last), width, bottleneck))
    for module in encoder.modules():
        if isinstance(module, nn.LayerNorm) or type(module).__name__.endswith("RMSNorm"):
            module.requires_grad_(True)
