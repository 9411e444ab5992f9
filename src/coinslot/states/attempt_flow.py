"""The states of one attempt at one gateway: its facts never change, its outcome is set once on
evidence."""

from coinslot.kit.flow import Flow, Row

ATTEMPT = Flow(
    "attempt",
    initial="started",
    terminal=("succeeded",),
    rows=(
        Row("started", "SHOWN", "pending"),
        Row("started", "UNCLEAR", "unknown"),
        Row("started", "DECLINED", "failed"),
        Row("started", "CAPTURED", "succeeded"),
        Row("started", "CLOSED", "failed"),
        Row("pending", "SHOWN", "pending"),
        Row("pending", "UNCLEAR", "unknown"),
        Row("pending", "DECLINED", "pending"),
        Row("pending", "CAPTURED", "succeeded"),
        Row("pending", "CLOSED", "failed"),
        Row("unknown", "SHOWN", "pending"),
        Row("unknown", "UNCLEAR", "unknown"),
        Row("unknown", "DECLINED", "failed"),
        Row("unknown", "CAPTURED", "succeeded"),
        Row("unknown", "CLOSED", "failed"),
        Row("failed", "SHOWN", "pending"),  # asked again, the gateway made its code
        Row("failed", "UNCLEAR", "unknown"),
        Row("failed", "DECLINED", "failed"),
        Row("failed", "CAPTURED", "succeeded"),  # the gateway itself says failed is not final
        Row("failed", "CLOSED", "failed"),
        Row("succeeded", "SHOWN", "succeeded"),
        Row("succeeded", "UNCLEAR", "succeeded"),
        Row("succeeded", "DECLINED", "succeeded"),
        Row("succeeded", "CAPTURED", "succeeded"),
        Row("succeeded", "CLOSED", "succeeded"),
    ),
)
