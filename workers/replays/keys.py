"""Which keys sign and verify the runs of this deployment."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from workers.errors import SettingsError
from workers.replays.signing import PRIVATE, PUBLIC, make_pair, public_key, signing_key
from workers.settings import Settings

__all__ = ["checked_key", "key_path", "make_pair", "trusted_key"]


def key_path(settings: Settings, runs: Path) -> Path | None:
    """The key that signs: the one in the settings; in the embedded stack else one beside the runs.

    Raises `SettingsError` when that one cannot be made.
    """
    if settings.audit.signing_key is not None or settings.environment != "embedded":
        return settings.audit.signing_key
    path = runs / PRIVATE
    if not path.exists():
        make_pair(runs)
    return path


def checked_key(settings: Settings, runs: Path) -> None:
    """Raises `SettingsError` at the start when the key at the end could not be used."""
    path = key_path(settings, runs)
    if path is not None:
        signing_key(path)
    elif settings.audit.public_key is not None:
        raise SettingsError(
            "INTENTSTREAM_AUDIT__PUBLIC_KEY is set, but no INTENTSTREAM_AUDIT__SIGNING_KEY",
            "runs would not be signed: set both, or neither",
        )


def trusted_key(settings: Settings, given: Path | None, runs: Path) -> Ed25519PublicKey:
    """The public key to verify with: the one given, else the settings', else the stack's own.

    Never one that comes with the run: who can change a run can change that too.

    Raises:
        SettingsError: there is none, or it cannot be used.
    """
    path = given or settings.audit.public_key
    if path is not None:
        return public_key(path)
    if settings.audit.signing_key is not None:
        return signing_key(settings.audit.signing_key).public_key()
    if settings.environment == "embedded" and (runs / PUBLIC).exists():
        return public_key(runs / PUBLIC)
    raise SettingsError(
        "there is no public key to verify with",
        "give --public-key FILE, or set INTENTSTREAM_AUDIT__PUBLIC_KEY: the auditor gets it from "
        "whoever made the key, not with the run",
    )
