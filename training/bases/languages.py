"""The language of a base, and of the model that is trained on it: `en` or `zh`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.bases.encoders import ENCODERS
from training.config import LANGUAGES
from training.errors import ConfigError
from training.network.run_folder import base_of, facts_in, manifest_of

PRETRAINING = "pretraining.json"
"""What `pretrain` writes beside a base that it has trained on."""


def known_language(base: str) -> str | None:
    """The language that a base says it is of; nothing where it does not say.

    One of the recipes' bases has its own. What `pretrain` has made says it in its `pretraining.json`,
    and a base that a run has made (with words added, or smaller) in the run's `manifest.json`.

    Raises:
        ConfigError: one of these files is damaged.
    """
    if (encoder := ENCODERS.get(base)) is not None:
        return encoder.language
    folder = Path(base).expanduser()
    if not (folder / "config.json").is_file():  # a repository of the hub
        return None
    file = folder / PRETRAINING
    said = facts_in(file) if file.is_file() else manifest_of(folder.parent)
    language = said.get("language")
    if language is None:  # of before it was kept
        of = ENCODERS.get(base_of(said) or str(said.get("arguments", {}).get("base", "")))
        return of.language if of else None
    if language not in LANGUAGES:
        raise ConfigError(
            f"{base} says that its language is {language!r}",
            f"there are {' and '.join(LANGUAGES)}: mend {file.name if file.is_file() else 'its run'}",
        )
    return str(language)


def language_of(base: str, said: str = "") -> str:
    """The language of what is trained on a base: English where neither the base nor the recipe says.

    Args:
        base: by name or path.
        said: what the recipe calls it; empty where it leaves that to the base.

    Raises:
        ConfigError: the recipe contradicts the base.
    """
    known = known_language(base)
    if said and known and said != known:
        raise ConfigError(
            f'the recipe says language = "{said}", and the base {base} is of "{known}"',
            "leave language out under [model], or name another base",
        )
    return said or known or "en"


def language_in(manifest: Mapping[str, Any], default: str = "en") -> str:
    """The language of a run or of an exported model, as its manifest says; else that of its base.

    Args:
        manifest: of a run or a version.
        default: where the manifest names no base either.
    """
    if language := manifest.get("language"):
        return str(language)
    base = base_of(manifest)
    return (
        language_of(base, manifest["arguments"]["model"].get("language", "")) if base else default
    )
