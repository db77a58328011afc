# ruff: noqa: E501 - templates read better one a line
"""Templates of requests that tell a bank account, an identity document or an address.

What the redactor leaves of those: the slots {account}, {id} and {home} are its placeholders. The other
slots, and a leading `-` or `+`, are those of `requests`.
"""

from typing import Final

PERSONAL: Final[dict[str, tuple[str, ...]]] = {
    "place_order": (
        "(i want to|can i|let me|) (order|buy) (the|a|) {product} (and have it sent|delivered|shipped) to {home}",
        "(send|ship|deliver) (me|) (a|one|the) {product} to {home}(, i pay from {account}|)",
    ),
    "track_order": (
        "(where is|when will i get) (my|the) (package|parcel|order|delivery) (that was going|sent|addressed) to {home}",
        "- (the tracking says|it says|you say) it (was|has been) delivered (to|at) {home} (but|and) (nothing|no parcel) (is here|came|arrived)",
    ),
    "change_order": (
        "(add|put) (another|one more) {product} (to|on) (my order|{order}) (going|shipping) to {home}",
    ),
    "delivery_info": (
        "(do|can) you (deliver|ship) to {home}",
        "(how long|how many days) (does|would) (delivery|shipping) to {home} take",
        "(what|how much) (does it cost|is shipping|is delivery) to {home}",
        "(can|could) (the courier|the driver|you) (leave it|drop it off) (at|with the neighbor at) {home}",
    ),
    "change_address": (
        "(change|update|correct) (my|the) (delivery|shipping|billing|) address to {home}",
        "(please|can you|) (send|ship|deliver) (it|{order}|my order|the package) to {home} instead",
        "(my|our) (new|correct|current) address is {home}",
        "(i|we) (have|just|) moved to {home}(, please update my account|)",
        "{home} is my (old|previous|former) address, (the new one is|use|please change it to) {home}",
        "(not|no longer) {home}(,| but) {home} (please|from now on|)",
        "(add|save|set) {home} as (my|a|the) (second|default|new|work) (delivery|shipping|) address",
        "redirect (my|the) (package|parcel|order) (to|from) {home}",
    ),
    "return_exchange": (
        "(can you|please|) (pick up|collect) (the|my) (return|{product}|parcel) (at|from) {home}",
        "(do|should) i send the (return|{product}) (back |)to {home}",
    ),
    "refund": (
        "(please|) (refund|pay|transfer|send) (it|me|the money|{money}) (back |)to (my |)(account|iban|bank account) {account}",
        "(my|the) (iban|bank account|account number|account) (for|to receive) (the|my) refund is {account}",
        "(send|transfer) the (refund|reimbursement) (for {order} |)to {account}",
        "- (the|my) refund (never arrived|did not arrive|is not) on {account}",
        "will you (refund|pay it back|send the money) to (the old account |my account |){account} or to (my card |){card}",
    ),
    "complaint": (
        "- (your|the) (driver|courier) (threw|dumped|left) (my|the) (parcel|package) (in the rain|over the fence|in the street) at {home}",
        "- (someone at your shop|your support|your driver) (copied|asked for|wrote down) my (passport|id card|driving licence) {id}",
    ),
    "payment": (
        "(can i|i want to|how do i) pay (by direct debit|by bank transfer|) from (my account|iban|account|) {account}",
        "- you (charged|debited|took {money} from) (my account|iban|) {account} (twice|without my consent|by mistake|)",
        "(change|update) my (direct debit|bank details|account|iban) to {account}",
        "i (transferred|sent|paid) {money} (from|to) {account} (on {date}|{date}|)",
        "is {account} (your|the right) (account|iban|account number)",
    ),
    "invoice": (
        "(put|print|write) {home} on (the|my) (invoice|bill|receipt) (for {order}|)",
        "(the|my) (invoice|bill) (needs|should have|must show) (my tax id|the tax id|tax id) {id}",
        "(the|my) (invoice|receipt) (for {order}|) has the wrong (billing address|address), it (is|should be) {home}",
        "(send|mail|post) (me|) (the|a paper) (invoice|receipt) to {home}",
    ),
    "promotion": ("(is there|do you have) (a|any) (discount|offer) for (people|customers) (at|near|around) {home}",),
    "account": (
        "(my|the) (passport|id card|identity card|national id|driving licence) (number|no|) (is|:) {id}",
        "(verify|confirm) my (account|identity|profile) (with|by) (my|) (id|passport|id card) {id}",
        "why do you need my (social security number|passport number|id), (it is|here it is) {id}",
        "- (identity check|verification|id check) (fails|failed|does not work) (with|for) {id}",
        "(delete|remove|correct) (my|the) (passport|id|ssn|tax id) {id} (from|in|on) (my account|my profile|your system)",
        "(add|save|delete|remove) (bank account|iban|the account) {account} (to|in|from|on) my (profile|account)",
        "(the|my) profile (still|) (says|shows|has) {home}",
    ),
    "contact_agent": (
        "(can|could) (someone|an agent|a person) (come|write|send a letter) to {home}",
        "(is there|do you have) (a shop|a branch|an office|a person i can talk to) (at|near) {home}",
    ),
    "business": (
        "(we are|our company is) (at|based at|located at) {home} and (need|want|would like) (a quote|bulk prices|an offer|wholesale prices)",
        "(our|the company's) (tax id|vat number) is {id}, (can we|how do we) (buy without tax|open a business account|order in bulk)",
    ),
    "out_of_scope": (
        "(transfer|send|move) {cash} (from {account} |)to {account}",
        "(what is|how much is|show me) the balance (of|on) (my bank account|account|) {account}",
        "(how do i get|directions|the way|how far is it) (from here |)to {home}",
        "(renew|replace|i lost) my (passport|driving licence|id card) {id}",
    ),
}  # fmt: skip
"""Further templates of some intents."""
