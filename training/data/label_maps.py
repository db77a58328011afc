"""Each public label maps to exactly one of ours, or is left out on purpose."""

from typing import Final

BITEXT: Final[dict[str, str]] = {
    "place_order": "place_order",
    "track_order": "track_order",
    "change_order": "change_order",
    "cancel_order": "cancel_order",
    "check_cancellation_fee": "cancel_order",
    "delivery_options": "delivery_info",
    "delivery_period": "delivery_info",
    "change_shipping_address": "change_address",
    "set_up_shipping_address": "change_address",
    "get_refund": "refund",
    "track_refund": "refund",
    "check_refund_policy": "refund",
    "complaint": "complaint",
    "review": "review",
    "check_payment_methods": "payment",
    "payment_issue": "payment",
    "check_invoice": "invoice",
    "get_invoice": "invoice",
    "create_account": "account",
    "delete_account": "account",
    "edit_account": "account",
    "switch_account": "account",
    "recover_password": "account",
    "registration_problems": "account",
    "newsletter_subscription": "newsletter",
    "contact_customer_service": "contact_agent",
    "contact_human_agent": "contact_agent",
}
"""The 27 intents of Bitext's customer-service utterances."""

CLINC_MAPPED: Final[dict[str, str]] = {
    "greeting": "chitchat",
    "thank_you": "chitchat",
    "goodbye": "chitchat",
    "yes": "chitchat",
    "no": "chitchat",
    "are_you_a_bot": "chitchat",
    "what_is_your_name": "chitchat",
    "how_old_are_you": "chitchat",
    "who_made_you": "chitchat",
    "what_are_your_hobbies": "chitchat",
    "do_you_have_pets": "chitchat",
    "where_are_you_from": "chitchat",
    "order_status": "track_order",
}
"""Those of CLINC150's intents that a shop has too."""

CLINC_LEFT_OUT: Final[frozenset[str]] = frozenset(
    {
        # A shop hears these words with another meaning, so they teach neither side.
        "order",
        "cancel",
        "repeat",
        "maybe",
        "card_declined",
        "account_blocked",
        "redeem_rewards",
        "rewards_balance",
        "what_can_i_ask_you",
        "who_do_you_work_for",
        "change_language",
        "restaurant_reviews",
    }
)
"""All other intents of CLINC150, and its own out-of-scope texts, are out of scope."""

TWEETEVAL: Final[dict[str, str]] = {"0": "negative", "1": "neutral", "2": "positive"}
