"""Which of an encoder's parameters learn: all, all but the embeddings, the top layers, or none."""

from typing import Any

from torch import nn

from training.errors import ConfigError


def layers_of(encoder: nn.Module) -> nn.ModuleList:
    """The encoder's layers, the lowest first.

    Raises:
        ConfigError: no list of modules is as long as the configuration says.
    """
    config: Any = encoder.config
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and len(module) == config.num_hidden_layers:
            return module
    raise ConfigError(
        f"the layers of a {config.model_type} are not where they are looked for",
        'train it with freeze = "none" and method = "full", "lora" or "adalora"',
    )


def freeze(encoder: nn.Module, kind: str, top: int = 0) -> None:
    """Stops the gradients of a part of the encoder.

    Args:
        encoder: whose parameters all learn so far.
        kind: `none` freezes nothing, `embeddings` all below the layers, `layers` also all layers but
            the uppermost `top`, `encoder` everything.
        top: how many layers learn, with `layers`.

    Raises:
        ConfigError: the encoder has fewer layers.
    """
    if kind == "none":
        return
    if kind == "encoder":
        encoder.requires_grad_(False)
        return
    layers = layers_of(encoder)
    learning = len(layers) if kind == "embeddings" else top
    if not 0 < learning <= len(layers):
        raise ConfigError(
            f"{top} layers are to learn and the base has {len(layers)}",
            "mend layers under [tuning]",
        )
    encoder.requires_grad_(False)
    for layer in layers[len(layers) - learning :]:
        layer.requires_grad_(True)
    for name, module in encoder.named_children():
        if _follows_the_layers(name):
            module.requires_grad_(True)


def _follows_the_layers(name: str) -> bool:
    """Decoders end in a norm of their own: `ln_f` in GPT-2, `norm` in Llama and its kin."""
    return name in ("ln_f", "norm", "final_layer_norm", "final_layernorm")


def depths(encoder: nn.Module) -> dict[str, int]:
    """Each parameter's distance from the top: 0 for the uppermost layer and what follows it."""
    layers = layers_of(encoder)
    count = len(layers)
    above = {id(p): count - 1 - n for n, layer in enumerate(layers) for p in layer.parameters()}
    last = {
        id(p)
        for name, module in encoder.named_children()
        if _follows_the_layers(name)
        for p in module.parameters()
    }
    return {
        name: 0 if id(p) in last else above.get(id(p), count)
        for name, p in encoder.named_parameters()
    }
