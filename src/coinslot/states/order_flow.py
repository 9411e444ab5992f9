"""The states of an order. Money decides: payment opens the obligation, goods or a refund end it."""

from coinslot.kit.flow import Flow, Row

ORDER = Flow(
    "order",
    initial="placed",
    terminal=("completed", "failed", "expired"),
    rows=(
        Row("placed", "PAID", "paid", ("queue_units",)),
        Row("placed", "DEADLINE", "expired", ("close_payment",)),
        Row("paid", "PAID", "paid"),  # the second capture goes back on its own row
        Row("paid", "HANDED_OVER", "completed"),
        Row("paid", "GONE_BACK", "failed"),
        Row("expired", "PAID", "expired"),  # late money goes back on its capture's row
        Row("expired", "DEADLINE", "expired"),
        Row("completed", "PAID", "completed"),
        Row("failed", "PAID", "failed"),
    ),
)
