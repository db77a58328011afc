"""Answers without a model: a few intents by their words, and never sure of anything."""

import pytest

from streams.labels import INTENTS, UNKNOWN
from streams.rules import _PHRASES, SCORE, understand_by_rules


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("I want to cancel my order [ORDER]", "cancel_order"),
        ("Cancelling an order", "cancel_order"),
        ("when do I get my money back", "refund"),
        ("can I return it?", "return_exchange"),
        ("change my delivery address", "change_address"),
        ("Where's my parcel", "track_order"),
        ("do you deliver to Norway", "delivery_info"),
        ("I need an INVOICE", "invoice"),
        ("voucher for shoes", "promotion"),
        ("let me talk to a human", "contact_agent"),
        ("我要退款", "refund"),
        ("快递到哪了", "track_order"),
        ("red cotton shoes", UNKNOWN),
        ("soundtrack of a film", UNKNOWN),
        ("裙子", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_words_tell_some_intents(text: str, intent: str) -> None:
    found = understand_by_rules(text)
    assert found.intent.label == intent
    assert found.intent.score == (0 if intent == UNKNOWN else SCORE)


def test_nothing_else_is_guessed() -> None:
    found = understand_by_rules("refund my broken red shoes!!!")
    assert (found.sentiment.label, found.spans, found.vector) == (UNKNOWN, (), None)
    assert found.language == "und"


def test_the_rules_know_only_intents_of_the_model() -> None:
    assert {intent for intent, _, _ in _PHRASES} <= set(INTENTS)
