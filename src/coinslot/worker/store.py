"""The statements of this room, by name: worker."""

PRUNE_KEYS = "SELECT prune_keys($1, $2)"

PRUNE_DELIVERIES = "SELECT prune_deliveries($1, $2)"

PRUNE_SESSIONS = "SELECT prune_sessions($1, $2)"

PRUNE_NOTICES = "SELECT prune_notices($1, $2)"

FORGET_CALLS = "SELECT forget_calls($1, $2)"

FORGET_LOGS = "SELECT forget_logs($1, $2)"

FORGET_PAYERS = "SELECT forget_payers($1, $2)"

RETENTION_RAN = """
INSERT INTO retention_runs (what, before, ran_at) VALUES ($1, $2, $3)
ON CONFLICT (what) DO UPDATE SET before = greatest(retention_runs.before, $2), ran_at = $3
"""

FORGET_CONTACTS = "SELECT forget_contacts($1, $2)"

PRUNE_MACHINE_LOGS = "SELECT prune_machine_logs($1, $2)"

PRUNE_SHORT_SAMPLES = "SELECT prune_samples(300, $1, $2)"

PRUNE_HOUR_SAMPLES = "SELECT prune_samples(3600, $1, $2)"

PRUNE_DAY_SAMPLES = "SELECT prune_samples(86400, $1, $2)"
