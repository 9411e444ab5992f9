"""A second one of everything: every row of a shop is copied, with names and ids of its own, so that
a verb has beside its own rows others that are in the very same state."""

import json
import re
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from coinslot.db.pool import RawConnection

# In an order in which nothing matters: no key is checked.
COPIED = (
    "outlets", "devices", "device_journals", "device_events", "slots", "ways_to_pay", "orders",
    "order_lines", "order_extras", "payments", "attempts", "qr_codes", "captures", "fulfillments",
    "vend_units", "refunds", "disputes", "ledger", "discrepancies", "cases", "corrections",
    "order_refunds", "order_refund_parts", "idempotency_keys", "machine_health", "outlet_stops",
)  # fmt: skip
MACHINE, TWIN = "M01", "M02"
# What is unique and no id: the gateway's names, keys and tokens.
NAMES = frozenset(
    {
        "gateway_payment_id", "gateway_refund_id", "gateway_dispute_id", "qr_code_id", "key",
        "client_key", "token", "number", "reference", "payer_reference", "gateway_order_id",
        "journal_id",
    }
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_PLACES = "SELECT array_agg(ctid) FROM {table}"
_COLUMNS = """
SELECT column_name AS name, udt_name AS kind, is_identity = 'YES' AS made, is_generated AS computed
FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public'
"""


# Words that say how far a thing has come.
_WORDS = frozenset(
    {
        "state", "stage", "settlement", "basis", "kind", "reason", "failure", "failure_code",
        "outcome", "origin", "account", "how", "status", "wish", "way", "why", "currency",
        "open",
    }
)  # fmt: skip
_EACH_TIME = frozenset({"id", "seq", "leased_until", "txn", "said"})


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.items()
        if name not in _EACH_TIME
        and (name in _WORDS or value is None or isinstance(value, int | datetime))
    }


class Twins:
    """The copies of one database."""

    def __init__(self, conn: RawConnection) -> None:
        self._conn = conn
        self._shared: set[str] = set()  # ids of what is not copied: the merchant, its account
        self._counted: dict[tuple[str, str], str] = {}  # ids that the database counts: old and new
        self.rows: dict[str, list[str]] = {}

    async def make(self) -> "Twins":
        await self._conn.execute("SET session_replication_role = replica")
        for table in ("merchants", "gateway_accounts", "products", "api_keys"):
            for row in await self._conn.fetch(f"SELECT id FROM {table}"):
                self._shared.add(str(row["id"]))
        before = {table: await self._conn.fetch(f"SELECT * FROM {table}") for table in COPIED}
        places = {table: await self._conn.fetchval(_PLACES.format(table=table)) for table in COPIED}
        for table, rows in before.items():
            columns = await self._conn.fetch(_COLUMNS, table)
            kept = [c for c in columns if not c["made"] and c["computed"] == "NEVER"]
            names = ", ".join(column["name"] for column in kept)
            given = ", ".join(f"${n + 1}" for n in range(len(kept)))
            for row in rows:
                values = [self._of(column["name"], row[column["name"]]) for column in kept]
                made = await self._conn.fetchrow(
                    f"INSERT INTO {table} ({names}) VALUES ({given}) RETURNING *", *values
                )
                if "id" in dict(row):
                    self._counted[table, str(row["id"])] = str(made["id"]) if made else ""
        for table in COPIED:  # behind their twins: who takes the first row takes the wrong one
            await self._conn.execute(
                f"UPDATE {table} SET merchant_id = merchant_id WHERE ctid = ANY($1)", places[table]
            )
        self.rows = await self.now()
        return self

    async def originals(self) -> dict[str, list[dict[str, Any]]]:
        """All that is no copy, without what differs each time: ids, keys, names and leases."""
        found = {}
        for table in COPIED:
            rows = await self._conn.fetch(f"SELECT t.*, t.*::text AS said FROM {table} t")
            plain = [_plain(row) for row in rows if not self._is_copy(row["said"])]
            found[table] = sorted(plain, key=repr)
        return found

    async def now(self) -> dict[str, list[str]]:
        """Every copy as it stands: rows that name a copied thing, or the twin of the machine."""
        found = {}
        for table in COPIED:
            rows = await self._conn.fetch(f"SELECT t.*::text AS said FROM {table} t")
            found[table] = sorted(row["said"] for row in rows if self._is_copy(row["said"]))
        return found

    def _is_copy(self, said: str) -> bool:
        return (
            f"{TWIN}" in said
            or "~" in said
            or any(UUID(one).version == 5 for one in _UUID.findall(said))
        )

    def _of(self, column: str, value: Any) -> Any:
        match value:
            case UUID():
                return self._id(value)
            case str() if value == MACHINE:
                return TWIN
            case str() if column == "subject" and ("discrepancies", value) in self._counted:
                return self._counted["discrepancies", value]
            case str() if column in NAMES or column.endswith("_key"):
                return f"{value}~"
            case str():
                return _UUID.sub(lambda m: str(self._id(UUID(m[0]))), value)
            case dict() | list():
                return json.loads(self._of("", json.dumps(value)).replace(MACHINE, TWIN))
            case _:
                return value

    def _id(self, value: UUID) -> UUID:
        return value if str(value) in self._shared else uuid5(NAMESPACE_OID, str(value))
