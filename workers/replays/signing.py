"""The key that signs a run, Ed25519 (RFC 8032): made, read, used.

The private key stays with whoever runs replays; an auditor needs the public one, by a way of its
own: a key that comes with the run proves nothing.
"""

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from workers.errors import SettingsError

PRIVATE: Final = "replay-key.pem"
PUBLIC: Final = "replay-key.pub.pem"
_MAKE: Final = "`intentstream replay keygen` makes a pair"


def make_pair(folder: Path) -> tuple[Path, Path]:
    """Makes a key pair in a folder: the private key is for its owner's eyes only (mode 0600).

    Raises:
        SettingsError: there is one already, or the folder cannot be written.
    """
    private, public = folder / PRIVATE, folder / PUBLIC
    key = Ed25519PrivateKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public.write_bytes(_pem(key.public_key()))
    except FileExistsError:
        raise SettingsError(
            f"there is a key in {folder} already",
            "what it has signed can only be verified with its public half: move it away first",
        ) from None
    except OSError as error:
        raise SettingsError(f"the key cannot be written to {folder}: {error.strerror}") from error
    return private, public


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file. Raises `SettingsError` when there is none in it."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SettingsError(
            f"the signing key {path} cannot be read: {error.strerror}", _MAKE
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path} holds no private key without a password", _MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"the key in {path} is not for Ed25519", _MAKE)
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises `SettingsError` when there is none in it."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise SettingsError(
            f"the public key {path} cannot be read: {error.strerror}", _MAKE
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path} holds no public key", _MAKE) from error
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"the key in {path} is not for Ed25519", _MAKE)
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """By what people compare keys: the hash of the raw public key."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"ed25519:{hashlib.sha256(raw).hexdigest()[:32]}"


def sign(key: Ed25519PrivateKey, content: bytes) -> bytes:
    """The signature of some bytes, as the line that goes into a file."""
    return base64.b64encode(key.sign(content)) + b"\n"


def is_signed(key: Ed25519PublicKey, content: bytes, line: bytes) -> bool:
    """Whether a line is the signature of these bytes; of the line, too, every byte counts."""
    try:
        signature = base64.b64decode(line.strip(), validate=True)
        key.verify(signature, content)
    except (binascii.Error, InvalidSignature, ValueError):
        return False
    return line == base64.b64encode(signature) + b"\n"


def _pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
