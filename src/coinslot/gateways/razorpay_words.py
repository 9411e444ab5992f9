"""Razorpay's no in our words, and ids as steps of a path; the mouth of `razorpay.py`."""

import re

from coinslot.gateways import marks
from coinslot.gateways.asking import ABSENT
from coinslot.gateways.base import Declined, Unclear
from coinslot.gateways.wire import Reply

# Text in the description -> our code, permanent. One code of theirs (BAD_REQUEST_ERROR) covers all.
REFUSALS = {
    "different request": ("key_reused", True),
    "fully refunded": ("fully_refunded", True),
    "refund amount provided is greater": ("exceeds_capture", True),
    "6 months": ("too_old", True),
    "should be captured": ("not_captured", False),
    # No page documents the text for an empty balance; merchants report these two.
    "enough balance": ("insufficient_balance", False),
    "invalid request sent": ("insufficient_balance", False),
    "in progress": ("busy", False),
    "already closed": ("already_closed", True),
    "requested url was not found": ("not_enabled", False),  # QR codes are off for this account
    "already exists": ("key_reused", True),  # a link with this reference
    "cannot be cancelled": ("wrong_state", True),
    "does not exist": (ABSENT, True),
    "not a valid id": (ABSENT, True),
}


def refused(reply: Reply) -> Declined | Unclear:
    """Their no in our words. What is not in their form was not said by them."""
    error = reply.body.get("error")
    if reply.status == 429:
        return Declined("too many requests", "rate_limited", permanent=False)
    if not isinstance(error, dict) or not 400 <= reply.status < 500 or reply.status == 408:
        return Unclear(f"HTTP {reply.status}")
    reason = marks.clean(str(error.get("description") or "no description"))
    if error.get("code") in ("GATEWAY_ERROR", "SERVER_ERROR"):
        return Unclear(reason)
    if reply.status in (401, 403):  # mends itself when the operator corrects the keys
        return Declined(reason, "unauthorized", permanent=False)
    for words, (code, permanent) in REFUSALS.items():
        if words in reason.lower():
            # 409 in progress: our own first try may be the one that is being worked on.
            busy = reply.status == 409 and code == "busy"
            return Unclear(reason) if busy else Declined(reason, code, permanent)
    if reply.status == 409:
        return Unclear(reason)
    return Declined(reason, ABSENT if reply.status == 404 else "")


def segment(reference: str) -> str:
    """A reference as one step of a path. `-` stands in no id of theirs: such a one is absent."""
    return re.sub(r"[^A-Za-z0-9_]", "-", reference) or "-"
