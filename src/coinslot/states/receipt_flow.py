"""The states of one fiscal receipt: it goes with its payment or refund, and is followed until the
gateway has it registered, or a person takes it over. Money never waits for it."""

from coinslot.kit.flow import Flow, Row

RECEIPT = Flow(
    "receipt",
    initial="due",
    terminal=("registered", "void"),
    rows=(
        Row("due", "SENT", "sent"),
        Row("due", "REGISTERED", "registered"),
        Row("due", "REFUSED", "refused", ("call_person",)),
        Row("due", "DEADLINE", "overdue", ("call_person",)),
        Row("due", "NOT_NEEDED", "void"),
        Row("due", "REPLACED", "void"),  # less was captured than was held
        Row("sent", "SENT", "sent"),
        Row("sent", "REGISTERED", "registered"),
        Row("sent", "REFUSED", "refused", ("call_person",)),
        Row("sent", "DEADLINE", "overdue", ("call_person",)),
        Row("sent", "NOT_NEEDED", "void"),
        Row("overdue", "SENT", "overdue"),
        Row("overdue", "REGISTERED", "registered"),  # late, and all the same
        Row("overdue", "REFUSED", "refused", ("call_person",)),
        Row("overdue", "DEADLINE", "overdue"),
        Row("overdue", "NOT_NEEDED", "void"),
        Row("overdue", "REPLACED", "void"),
        Row("overdue", "MADE_BY_HAND", "registered"),
        Row("refused", "SENT", "refused"),
        Row("refused", "REGISTERED", "registered"),
        Row("refused", "REFUSED", "refused"),
        Row("refused", "DEADLINE", "refused"),
        Row("refused", "NOT_NEEDED", "void"),
        Row("refused", "REPLACED", "void"),
        Row("refused", "MADE_BY_HAND", "registered"),
        Row("registered", "SENT", "registered"),
        Row("registered", "REGISTERED", "registered"),
        Row("registered", "REFUSED", "registered"),
        Row("registered", "DEADLINE", "registered"),
        Row("registered", "NOT_NEEDED", "registered"),
        Row("void", "SENT", "void"),
        Row("void", "REGISTERED", "void"),
        Row("void", "REFUSED", "void"),
        Row("void", "DEADLINE", "void"),
        Row("void", "NOT_NEEDED", "void"),
    ),
)
