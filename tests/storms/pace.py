"""How fast a storm lives: every window of the promise and of the machines, a tenth of real ones."""

from collections.abc import Mapping

# Windows of the installation. Their order matters as it does in earnest: a lease and a run end
# well before doubt does, and doubt before anyone gives up.
INSTALLATION: Mapping[str, str] = {
    # One address plays all customers; that it may not use a machine up is tested elsewhere.
    "COINSLOT_CODES_PER_MINUTE": "100000",
    "COINSLOT_NETWORK_CODES_PER_MINUTE": "100000",
    "COINSLOT_NETWORK_UNPAID_CODES": "100000",
    "COINSLOT_NETWORK_ORDERS": "100000",
    "COINSLOT_DISPATCH_WINDOW_S": "9",
    "COINSLOT_OFFER_S": "0.7",
    "COINSLOT_LEASE_MS": "2000",
    "COINSLOT_RUN_S": "2",
    "COINSLOT_QUERY_S": "0.5",
    "COINSLOT_CONFIG_S": "1.5",
    "COINSLOT_COUNTER_DISPATCH_S": "12",
    "COINSLOT_PREPARE_S": "25",
    "COINSLOT_PRINT_ANSWER_S": "6",
    "COINSLOT_PRINT_AGAIN_S": "1",
    "COINSLOT_PICKUP_S": "25",
    "COINSLOT_IN_DOUBT_S": "8",
    "COINSLOT_TEMP_LOCK_S": "3",
    "COINSLOT_SILENT_PAUSE_S": "3",
    "COINSLOT_GRACE_S": "6",
    "COINSLOT_PAGE_ASK_S": "0.5",
    "COINSLOT_MATCH_S": "1",
    "COINSLOT_CAPTURE_S": "20",
    "COINSLOT_POLL_S": "1",
    "COINSLOT_ONLINE_S": "4",
    "COINSLOT_ATTEMPT_LOOK_S": "0.5",
    "COINSLOT_ATTEMPT_PAUSE_MAX_S": "3",
    "COINSLOT_PROCESSING_S": "20",
    "COINSLOT_ANSWER_S": "3",
    "COINSLOT_REFUND_LOOK_S": "0.5",
    "COINSLOT_REFUND_PAUSE_MAX_S": "3",
    "COINSLOT_REFUND_OWED_S": "30",
    "COINSLOT_RECEIPT_LOOK_S": "0.5",
    "COINSLOT_RECEIPT_PAUSE_MAX_S": "2",
    "COINSLOT_RECEIPT_LATE_S": "12",
    "COINSLOT_CASES_S": "1",
    "COINSLOT_WEBHOOK_TIMEOUT_S": "2",
    "COINSLOT_WEBHOOK_PAUSES_S": ",".join(["0.3"] * 5 + ["2"] * 60),
    "COINSLOT_WEBHOOK_PRIVATE_ADDRESSES": "true",
    "COINSLOT_SWEEP_S": "0.25",
    "COINSLOT_ROW_LEASE_S": "2",
    "COINSLOT_GATEWAY_TIMEOUT_S": "2",
    "ORDER_EXPIRATION_MINUTES": "0.25",
}

# Durations of the simulated machines, as their environment names them.
MACHINES: Mapping[str, str] = {
    "SIMULATOR_VEND_S": "0.25",
    "SIMULATOR_SLOW_S": "1.2",
    "SIMULATOR_FALL_S": "0.05",
    "SIMULATOR_RUN_BOUND_S": "1.8",
    "SIMULATOR_RESTORE_S": "0.5",
    "SIMULATOR_RESEND_S": "0.5",
    "SIMULATOR_HEALTH_S": "1",
    "SIMULATOR_COUNT_S": "2",
    "SIMULATOR_LATE_S": "1.5",
    "SIMULATOR_PROGRESS_S": "0.5",
    "SIMULATOR_BACKOFF_FIRST_S": "0.1",
    "SIMULATOR_BACKOFF_LAST_S": "1",
    "SIMULATOR_KEEPALIVE_S": "3",
    "SIMULATOR_STOP_S": "0.5",
}

# The same of boards that run the firmware; a trial is longer than any part of the town is away.
BOARDS: Mapping[str, float] = {
    "vend_s": 0.25, "slow_s": 1.2, "fall_s": 0.05, "run_bound_s": 1.8, "resend_s": 0.5,
    "health_s": 1, "count_s": 2, "progress_s": 0.5, "backoff_first_s": 0.1, "keepalive_s": 3,
    "trial_s": 40,
}  # fmt: skip

# The emulated gateway's own hurry, in milliseconds and seconds.
GATEWAY: Mapping[str, int] = {
    "retry_base_ms": 150,
    "retry_cap_ms": 1_000,
    "delivery_timeout_ms": 2_000,
    "late_ms": 500,
    "qr_shortest_s": 1,
}

STOCK = 9_000  # in the machines: a storm is not about selling out, and a count has a limit
