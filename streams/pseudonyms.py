"""Keyed hashes that stand for user and session ids everywhere downstream of the enricher."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

MIN_SECRET_BYTES: Final = 16

_KEY_ID = re.compile(r"[a-z][a-z0-9]{0,15}")
_PSEUDONYM = re.compile(r"[a-z][a-z0-9]{0,15}\.[0-9a-f]{32}")
_USER = b"intentstream.user\x00"
_SESSION = b"intentstream.session\x00"


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """A secret and the id that its pseudonyms carry in front, so that a rotation can be followed.

    Raises `ValueError` for a secret under 16 bytes, or an id that is not a lower-case letter
    followed by up to 15 lower-case letters and digits.
    """

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise ValueError(
                f"key id {self.key_id!r}: use a lower-case letter, then up to 15 lower-case "
                "letters or digits, such as k1"
            )
        if len(self.secret) < MIN_SECRET_BYTES:
            raise ValueError(
                f"the secret of pseudonym key {self.key_id} has {len(self.secret)} bytes; "
                f"at least {MIN_SECRET_BYTES} random ones are needed"
            )

    def digest(self, domain: bytes, identifier: str) -> str:
        """HMAC-SHA-256 (RFC 2104) over domain and id, cut to 128 bits: `k1.<32 hex digits>`."""
        # surrogatepass: an id with a lone surrogate is still an id, and must not stop the worker
        message = domain + identifier.encode("utf-8", "surrogatepass")
        return f"{self.key_id}.{hmac.digest(self.secret, message, hashlib.sha256)[:16].hex()}"


class Pseudonymiser:
    """Makes pseudonyms with the active key; knows those of the previous key during a rotation."""

    def __init__(
        self,
        active: PseudonymKey,
        previous: PseudonymKey | None = None,
        *,
        cache_size: int = 8_192,
    ) -> None:
        """Raises `ValueError` when both keys have the same id. `cache_size` counts ids."""
        if previous is not None and previous.key_id == active.key_id:
            raise ValueError(f"active and previous pseudonym key are both called {active.key_id}")
        self._active = active
        self._previous = previous
        self._digest = lru_cache(maxsize=cache_size)(active.digest)

    def user(self, user_id: str) -> str:
        """The pseudonym of a user, under the active key."""
        return self._digest(_USER, user_id)

    def session(self, session_id: str) -> str:
        """The pseudonym of a session; never equal to that of a user with the same id."""
        return self._digest(_SESSION, session_id)

    def user_under_all_keys(self, user_id: str) -> tuple[str, ...]:
        """All pseudonyms a user may have, the active one first: for look-ups and erasure."""
        if self._previous is None:
            return (self.user(user_id),)
        return (self.user(user_id), self._previous.digest(_USER, user_id))


def is_pseudonym(value: str) -> bool:
    """Whether a string has the shape of a pseudonym, rather than of a raw id."""
    return _PSEUDONYM.fullmatch(value) is not None
