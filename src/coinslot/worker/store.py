"""The statements of this room, by name: worker."""

PRUNE_KEYS = "SELECT prune_keys($1, $2)"

PRUNE_DELIVERIES = "SELECT prune_deliveries($1, $2)"

PRUNE_SESSIONS = "SELECT prune_sessions($1, $2)"

PRUNE_NOTICES = "SELECT prune_notices($1, $2)"

FORGET_CONTACTS = "SELECT forget_contacts($1, $2)"
