"""The life of a payment: the intent to collect one amount. Silence is never a failure."""

from coinslot.kit.flow import Flow, Row

PAYMENT = Flow(
    "payment",
    initial="created",
    terminal=("succeeded", "canceled"),
    rows=(
        Row("created", "SHOWN", "requires_action"),
        Row("created", "UNCLEAR", "processing"),
        Row("created", "AUTHORIZED", "authorized"),
        Row("created", "DECLINED", "failed"),
        Row("created", "CAPTURED", "succeeded"),
        Row("created", "DEADLINE", "canceled"),
        Row("requires_action", "SHOWN", "requires_action"),
        Row("requires_action", "UNCLEAR", "processing"),
        Row("requires_action", "AUTHORIZED", "authorized"),
        Row("requires_action", "DECLINED", "requires_action"),  # the payer may try again
        Row("requires_action", "CAPTURED", "succeeded"),
        Row("requires_action", "DEADLINE", "canceled"),
        Row("processing", "SHOWN", "requires_action"),
        Row("processing", "UNCLEAR", "processing"),
        Row("processing", "AUTHORIZED", "authorized"),
        Row("processing", "DECLINED", "failed"),
        Row("processing", "CAPTURED", "succeeded"),
        Row("processing", "DEADLINE", "canceled"),  # its order expired; late money goes back
        Row("authorized", "SHOWN", "authorized"),
        Row("authorized", "AUTHORIZED", "authorized"),
        Row("authorized", "UNCLEAR", "authorized"),
        Row("authorized", "DECLINED", "failed"),
        Row("authorized", "CAPTURED", "succeeded"),
        Row("authorized", "DEADLINE", "canceled"),
        Row("failed", "SHOWN", "requires_action"),  # asked again, the gateway made its code
        Row("failed", "UNCLEAR", "processing"),
        Row("failed", "AUTHORIZED", "authorized"),
        Row("failed", "DECLINED", "failed"),
        Row("failed", "CAPTURED", "succeeded"),  # failed yields to a later capture
        Row("failed", "DEADLINE", "canceled"),
        Row("succeeded", "SHOWN", "succeeded"),
        Row("succeeded", "AUTHORIZED", "succeeded"),
        Row("succeeded", "DECLINED", "succeeded"),
        Row("succeeded", "UNCLEAR", "succeeded"),
        Row("succeeded", "CAPTURED", "succeeded"),
        Row("succeeded", "DEADLINE", "succeeded"),
        Row("canceled", "SHOWN", "canceled"),
        Row("canceled", "AUTHORIZED", "canceled"),
        Row("canceled", "DECLINED", "canceled"),
        Row("canceled", "UNCLEAR", "canceled"),
        Row("canceled", "CAPTURED", "canceled"),
        Row("canceled", "DEADLINE", "canceled"),
    ),
)
