"""Which event may come in which state: for the laws, which demand a row for each."""

from collections.abc import Mapping

PAYMENTS = (
    "created", "requires_action", "processing", "authorized", "failed", "succeeded", "canceled",
)  # fmt: skip
ATTEMPTS = ("started", "pending", "unknown", "failed", "succeeded")
REFUNDS = ("pending", "owed", "succeeded", "failed")
RECEIPTS = ("due", "sent", "overdue", "refused", "registered", "void")

# Who may send what, and in which states: two processes, a network that repeats and delays, and
# clocks. A report about a run needs a GO; everything else may come at any time.
MAY_MEET: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "order": {
        "PAID": ("placed", "paid", "expired", "completed", "failed"),
        "DEADLINE": ("placed", "expired"),
        "HANDED_OVER": ("paid",),
        "GONE_BACK": ("paid",),
    },
    "payment": dict.fromkeys(
        (
            "SHOWN",
            "UNCLEAR",
            "AUTHORIZED",
            "DECLINED",
            "CAPTURED",
            "DEADLINE",
            "CONFIRM",
            "CANCEL",
            "CLOSED",
            "TAKE",
            "LET_GO",
            "VOIDED",
        ),
        PAYMENTS,
    ),
    "attempt": dict.fromkeys(("SHOWN", "UNCLEAR", "DECLINED", "CAPTURED", "CLOSED"), ATTEMPTS),
    "refund": {
        **dict.fromkeys(("UNCLEAR", "TAKEN_UP", "PROVED", "REFUSED", "FAILED_THERE"), REFUNDS),
        **dict.fromkeys(("COVERED", "PARTLY_COVERED"), ("pending", "owed")),
        "PAID_BY_HAND": ("owed",),
        "UNCOVERED": ("succeeded",),
    },
    "receipt": {
        **dict.fromkeys(("SENT", "REGISTERED", "REFUSED", "DEADLINE", "NOT_NEEDED"), RECEIPTS),
        "REPLACED": ("due", "overdue", "refused"),
        "MADE_BY_HAND": ("overdue", "refused"),
    },
}
