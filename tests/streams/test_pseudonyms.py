"""Pseudonyms: shape, separation, rotation, and that the secret stays out of sight."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.pseudonyms import Pseudonymiser, PseudonymKey, is_pseudonym

KEY = PseudonymKey("k1", b"0123456789abcdef")
NEXT_KEY = PseudonymKey("k2", b"fedcba9876543210")

identifiers = st.text(st.characters(codec=None), max_size=64)


def test_is_the_hmac_it_says() -> None:
    expected = hmac.new(KEY.secret, b"intentstream.user\x00u-17", hashlib.sha256).hexdigest()[:32]
    assert Pseudonymiser(KEY).user("u-17") == f"k1.{expected}"


@given(identifiers)
def test_same_id_same_pseudonym_of_the_same_shape(identifier: str) -> None:
    pseudonym = Pseudonymiser(KEY).user(identifier)
    assert is_pseudonym(pseudonym)
    assert Pseudonymiser(KEY).user(identifier) == pseudonym


@given(identifiers)
def test_users_sessions_and_keys_are_apart(identifier: str) -> None:
    first, second = Pseudonymiser(KEY), Pseudonymiser(NEXT_KEY)
    seen = {
        made.split(".")[1]
        for made in (
            first.user(identifier),
            first.session(identifier),
            second.user(identifier),
            second.session(identifier),
        )
    }
    assert len(seen) == 4


@given(st.lists(identifiers, unique=True, max_size=50))
def test_different_ids_differ(ids: list[str]) -> None:
    made = Pseudonymiser(KEY)
    assert len({made.user(identifier) for identifier in ids}) == len(ids)


def test_during_a_rotation_both_pseudonyms_are_known() -> None:
    rotated = Pseudonymiser(NEXT_KEY, previous=KEY)
    assert rotated.user("u1").startswith("k2.")
    assert rotated.user_under_all_keys("u1") == (rotated.user("u1"), Pseudonymiser(KEY).user("u1"))
    assert Pseudonymiser(KEY).user_under_all_keys("u1") == (Pseudonymiser(KEY).user("u1"),)


def test_an_evicted_id_is_hashed_again_to_the_same() -> None:
    made = Pseudonymiser(KEY, cache_size=1)
    first = made.user("a")
    made.user("b")
    assert made.user("a") == first


@pytest.mark.parametrize("secret", [b"", b"short", b"fifteen bytes.."])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="at least 16"):
        PseudonymKey("k1", secret)


@pytest.mark.parametrize("key_id", ["", "K1", "1", "k.1", "k" * 17, "k1\n"])
def test_an_odd_key_id_is_refused(key_id: str) -> None:
    with pytest.raises(ValueError, match="key id"):
        PseudonymKey(key_id, KEY.secret)


def test_two_keys_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="both called k1"):
        Pseudonymiser(KEY, previous=PseudonymKey("k1", NEXT_KEY.secret))


def test_the_secret_is_not_printed() -> None:
    assert "0123456789abcdef" not in repr(KEY)


@pytest.mark.parametrize("value", ["", "u1", "k1.", "k1.xyz", "k1." + "A" * 32, "k1." + "a" * 33])
def test_a_raw_id_is_not_a_pseudonym(value: str) -> None:
    assert not is_pseudonym(value)
