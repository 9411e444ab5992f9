"""Carries due webhook deliveries, again and again until the merchant's server says 2xx."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from sandbox import outbox, weather
from sandbox.clock import now_ms
from sandbox.party import Parcel, Party
from sandbox.store import Change, Store
from sandbox.tempo import Tempo

IN_FLIGHT_LIMIT = 24
IDLE_S = 30.0
REFUSALS_LIMIT = 8  # of one webhook with a 4xx, before its account is switched off


class Came(msgspec.Struct, frozen=True):
    """How one attempt ended."""

    status: int | None = None
    problem: str | None = None
    taken: bool = False


class WebhookSender:
    """One loop over the pending rows; what was in the air at a kill goes again."""

    def __init__(self, store: Store, parties: Mapping[str, Party]) -> None:
        self._store = store
        self._parties = parties
        self._wake = asyncio.Event()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        store.on_commit.append(lambda _change: self._wake.set())

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as http:
            try:
                while True:
                    self._wake.clear()
                    wait_s = self._start_due(http)
                    try:
                        await asyncio.wait_for(self._wake.wait(), wait_s)
                    except TimeoutError:
                        continue
            finally:
                for task in self._in_flight.values():
                    task.cancel()

    def _start_due(self, http: httpx.AsyncClient) -> float:
        """Start what is due, and say in how many seconds to look again."""
        with self._store.read() as look:
            if weather.current(look).webhooks.hold:
                return IDLE_S
            rows = look.all(
                "SELECT id, due_ms FROM deliveries WHERE state = 'pending' ORDER BY due_ms, id"
                " LIMIT ?",
                (IN_FLIGHT_LIMIT * 2,),
            )
        now = now_ms()
        for row in rows:
            if row["id"] in self._in_flight:
                continue
            if row["due_ms"] > now:
                return min(float(row["due_ms"] - now) / 1_000, IDLE_S)
            if len(self._in_flight) >= IN_FLIGHT_LIMIT:
                return IDLE_S  # the first one that ends wakes the loop
            task = asyncio.create_task(self._deliver(http, row["id"]))
            self._in_flight[row["id"]] = task
        return IDLE_S

    async def _deliver(self, http: httpx.AsyncClient, delivery_id: int) -> None:
        try:
            with self._store.read() as look:
                row = _with_event(look, delivery_id)
                parcel = self._parcel(look, row)
            came = Came()
            if row["url"] and not row["disabled_at"]:
                came = await self._post(http, row, parcel)
            with self._store.change() as change:
                self._note(change, row, parcel, came)
        finally:
            self._in_flight.pop(delivery_id, None)
            self._wake.set()

    def _parcel(self, look: Change, row: Any) -> Parcel:
        """Signed over the true body, so that a forger's copy does not fit its signature."""
        parcel = Parcel(
            account_id=row["account_id"],
            event_id=row["event_id"],
            url=row["url"],
            attempts=row["attempts"],
            headers=msgspec.json.decode(row["headers"], type=dict[str, str]),
            body=row["body"],
        )
        if not row["url"]:
            return parcel
        headers = self._parties[row["party"]].headers(look, parcel)
        body = outbox.altered(row["body"]) if row["kind"] == "forged" else row["body"]
        return msgspec.structs.replace(parcel, headers=headers, body=body)

    async def _post(self, http: httpx.AsyncClient, row: Any, parcel: Parcel) -> Came:
        """One attempt: the status, or what went wrong on the way."""
        party = self._parties[row["party"]]
        try:
            async with asyncio.timeout(party.tempo.delivery_timeout_ms / 1_000):
                answer = await http.post(
                    row["url"], content=parcel.body, headers=parcel.headers, timeout=None
                )
        except TimeoutError:
            return Came(problem="no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return Came(problem=f"{type(problem).__name__}: {problem}")
        return Came(answer.status_code, taken=party.accepts(answer.status_code, answer.content))

    def _note(self, change: Change, row: Any, parcel: Parcel, came: Came) -> None:
        """Write down how the attempt ended, and when the next one is."""
        party = self._parties[row["party"]]
        tempo = party.tempo
        attempts, problem = row["attempts"] + 1, came.problem
        state, due_ms = "pending", row["due_ms"]
        if not row["url"]:
            state, problem = "nowhere", "the account has no webhook URL"
        elif row["disabled_at"]:
            state, problem = "disabled", "the webhook is switched off"
        elif came.taken:
            state = "delivered"
        elif row["kind"] == "forged":
            state = "refused"  # a forger does not come back
        elif party.gives_up(parcel, came.status):
            state = "given up"
        elif _is_refused(came, attempts) or _is_old(row, tempo):
            state = "expired"
            _switch_off(change, row)
        else:
            due_ms = now_ms() + _pause_ms(tempo, attempts)
        change.run(
            "UPDATE deliveries SET state = ?, attempts = ?, due_ms = ?, last_status = ?,"
            " last_error = ? WHERE id = ?",
            (state, attempts, due_ms, came.status, problem, row["id"]),
        )
        label = "" if row["kind"] == "first" else f" ({row['kind']})"
        change.tell(f"webhook {row['name']}{label}: {came.status or problem}")


def _is_refused(came: Came, attempts: int) -> bool:
    """The server says each time that this is none of its own: for the real ones that lasts a day,
    and then they tell it nothing any more."""
    refusal = came.status is not None and 400 <= came.status < 500 and came.status != 429
    return refusal and attempts >= REFUSALS_LIMIT


def _is_old(row: Any, tempo: Tempo) -> bool:
    return bool(now_ms() - row["created_ms"] > tempo.webhook_life_s * 1_000)


def _pause_ms(tempo: Tempo, attempts: int) -> int:
    doublings = min(attempts - 1, 16)
    return min(tempo.retry_base_ms << doublings, tempo.retry_cap_ms)


def _with_event(look: Change, delivery_id: int) -> Any:
    return look.one(
        "SELECT d.*, e.event_id, e.name, e.headers, e.body, e.created_ms, e.party, e.account_id,"
        " coalesce(u.url, a.url) AS url, a.disabled_at"
        " FROM deliveries d JOIN events e ON e.seq = d.event_seq"
        " LEFT JOIN event_urls u ON u.event_seq = e.seq"
        " LEFT JOIN accounts a ON a.party = e.party AND a.account_id = e.account_id"
        " WHERE d.id = ?",
        (delivery_id,),
    )


def _switch_off(change: Change, row: Any) -> None:
    """As the real gateway does after a day of refusals; an account update switches it on again."""
    change.run(
        "UPDATE accounts SET disabled_at = ? WHERE party = ? AND account_id = ?",
        (now_ms(), row["party"], row["account_id"]),
    )
    change.tell(f"webhook of {row['account_id']} switched off: refused for too long")
