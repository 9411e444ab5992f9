"""The states of one refund: driven until the gateway proves it, or a person takes it over."""

from coinslot.kit.flow import Flow, Row

REFUND = Flow(
    "refund",
    initial="pending",
    terminal=("failed",),
    rows=(
        Row("pending", "UNCLEAR", "pending"),
        Row("pending", "TAKEN_UP", "pending"),  # the gateway has it and works on it
        Row("pending", "PROVED", "succeeded", ("book_refund",)),
        Row("pending", "COVERED", "succeeded", ("book_covered",)),  # it gave the money back itself
        Row("pending", "PARTLY_COVERED", "failed", ("make_smaller",)),  # a part of it
        Row("pending", "REFUSED", "owed", ("call_person",)),
        Row("pending", "FAILED_THERE", "failed", ("try_anew",)),
        Row("owed", "TAKEN_UP", "pending"),
        Row("owed", "PROVED", "succeeded", ("book_refund",)),
        Row("owed", "COVERED", "succeeded", ("book_covered",)),
        Row("owed", "PARTLY_COVERED", "failed", ("make_smaller",)),
        Row("owed", "REFUSED", "owed"),
        Row("owed", "FAILED_THERE", "failed", ("try_anew",)),
        Row("owed", "UNCLEAR", "owed"),
        Row("owed", "PAID_BY_HAND", "succeeded", ("book_refund",)),
        Row("succeeded", "TAKEN_UP", "succeeded"),
        Row("succeeded", "PROVED", "succeeded"),
        Row("succeeded", "UNCLEAR", "succeeded"),
        Row("succeeded", "REFUSED", "succeeded"),  # a second send of it came too late
        Row("succeeded", "FAILED_THERE", "failed", ("unbook_refund", "try_anew")),
        Row("succeeded", "UNCOVERED", "failed", ("try_anew",)),  # what had paid it failed
        Row("failed", "TAKEN_UP", "failed"),
        Row("failed", "UNCLEAR", "failed"),
        Row("failed", "REFUSED", "failed"),
        Row("failed", "FAILED_THERE", "failed"),
        # A dead refund that comes alive would pay twice beside its successor.
        Row("failed", "PROVED", "failed", ("note_discrepancy",)),
    ),
)
