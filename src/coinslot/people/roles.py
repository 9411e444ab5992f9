"""Roles and what each may do. A route names the permission that it needs; nothing else decides."""

from collections.abc import Mapping
from typing import Final

_READING: Final = (
    "events:read", "machines:read", "money:read", "orders:read", "payments:read", "products:read",
)  # fmt: skip
_OPERATING: Final = (
    *_READING, "cases:write", "machines:write", "payments:write", "products:write", "refunds:write",
)  # fmt: skip
_BOARD: Final = ("board:read", "board:write")

INSTALLATION: Final = "installation"
DEVICE: Final = "device"
STAFF: Final = "staff"  # of outlets; also whoever shows a PIN at their tablet
INVITES: Final = "people:write"  # who has it may invite
ROLES: Final = ("admin", "operator", "viewer", "staff")  # of a member of a merchant

PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    "viewer": frozenset(_READING),
    "operator": frozenset((*_OPERATING, *_BOARD)),
    "admin": frozenset(
        (
            *_OPERATING, *_BOARD, "audit_log:read", "devices:write", "gateways:write",
            "keys:write", "merchant:write", "people:read", "people:write", "webhooks:write",
        )
    ),
    "staff": frozenset(_BOARD),
    INSTALLATION: frozenset(("installation:read", "installation:write")),
}  # fmt: skip
ALL: Final = frozenset().union(*PERMISSIONS.values())
