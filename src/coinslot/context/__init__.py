"""What every verb is given: the database, the clock, the windows of time, the accounts, the link to
machines."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from msgspec import Struct
from msgspec.structs import replace

from coinslot.channels.base import Sending
from coinslot.channels.price_caps import PriceCaps
from coinslot.context.background import BackgroundTasks
from coinslot.db.pool import Database
from coinslot.gateways.base import Practise
from coinslot.gateways.breaker import Breakers, Rules
from coinslot.kit.clock import Clock
from coinslot.kit.failures import Failures
from coinslot.kit.ids import token
from coinslot.kit.secrets import Peppers, Secret, Vault
from coinslot.merchants.accounts import Account
from coinslot.notices.base import Form, Notifier
from coinslot.storage.base import NoStorage, Storage

FORGERIES_KEPT_PER_MINUTE: Final = 60  # of one account, by one process
HINTS_KEPT_PER_MINUTE: Final = 300  # each of them costs two calls of the gateway


class Windows(Struct, frozen=True, kw_only=True):
    """Every window of time that bounds the promise, in seconds unless the name says otherwise.

    `<kind>_<name>` takes the place of `<name>` at outlets of that kind: see `at`."""

    order_s: float = 900  # an order waits for its payment
    unpaid_s: float = 900  # an order or a code that is unpaid counts against its network
    hold_s: float = 120  # a shown code is said to be in the way of the next customer
    code_wait_s: float = 120  # a code that cannot be made within it is refused
    codes_per_minute: int = 12  # a count: codes of one machine's page
    network_codes_per_minute: int = 4  # a count: of them for one network
    network_unpaid_codes: int = 10  # a count: of them unpaid, within unpaid_s
    network_orders: int = 20  # a count: unpaid orders of one network at one machine, in unpaid_s
    browser_orders: int = 3  # a count: the same of one browser
    dispatch_s: float = 120  # from the gateway's capture time to the last offer
    counter_dispatch_s: float = 600  # staff accept what was paid, or the money goes back
    prepare_s: float = 14400  # from then on it is made ready, or the money goes back
    pickup_s: float = 7200  # from then on it is fetched, or the money goes back
    board_silent_s: float = 30  # a board of staff that is unheard for longer is closed
    alarm_repeat_s: float = 20  # an order that nobody accepts sounds again
    alarm_tell_s: float = 45  # and people get mail and a push; at once where no board is open
    alarm_call_s: float = 70  # and the phone of the outlet is called
    alarm_pause_s: float = 300  # between two calls to one outlet
    phone_messages: int = 12  # a count: text messages and calls to one phone in a day
    network_messages: int = 40  # a count: the same for orders from one network
    outlet_messages: int = 300  # a count: the same of one outlet in an hour
    message_cents: int = 8  # a count: what one costs while its service has not said it
    merchant_message_cents: int = 2500  # a count: what those of one merchant cost in a day
    resend_s: float = 60  # between two requests of a customer to have the code sent again
    resends: int = 3  # a count: of them for one order
    print_again_s: float = 5  # between two tries to reach a printer
    print_late_s: float = 900  # paper that was not sent by then is not printed
    print_answer_s: float = 60  # a printer says what became of a job, or that is in doubt
    print_shown_s: float = 7200  # paper that did not come out is shown on the board
    code_s: float = 3600  # a code that hands over is good, from the payment and from ready
    offer_s: float = 5  # one offer waits for its ACCEPT
    offers: int = 3  # a count: offers before the unit is queued again
    silent_offers: int = 9  # a count: offers in a row without an answer that stop a machine
    silent_pause_s: float = 60  # it sells nothing for so long, then one offer tries it
    temp_lock_s: float = 300  # the same of one that says it is too warm and has no food lock
    lease_ms: int = 10_000  # a machine may start within it, by its own clock
    choose_s: float = 60  # the same beside another controller: its customer chooses first
    config_s: float = 30  # a configuration is sent again to a machine that has not applied it
    config_hold_s: float = 3600  # and waits at most so long for units paid under the one before
    run_s: float = 30  # the longest run and its flush, after the lease
    query_s: float = 5  # between two questions to a silent machine
    in_doubt_s: float = 600  # from GO to settlement by policy
    grace_s: float = 180  # a command that was taken is carried out, unless its customer denies it
    heard_s: float = (
        300  # a machine of another's telemetry that is unheard for longer sells nothing
    )
    decide_s: float = 86400  # a person decides about a denied unit, then policy does
    capture_s: float = 3600  # a capture is matched, or returned
    match_s: float = 5  # before the gateway is asked whose an unmatched capture is
    page_ask_s: float = 3  # between two looks that pages of one order cause
    poll_s: float = 20  # between two looks at a QR code's payments
    online_s: float = 20  # a machine unheard for longer is offline
    refund_look_s: float = 5  # first pause before a refund is looked at again; it doubles
    refund_pause_max_s: float = 600
    attempt_look_s: float = 5  # first pause before an attempt is looked at again; it doubles
    attempt_pause_max_s: float = 6 * 3600
    processing_s: float = 3600  # a payment that is unclear for longer opens a case for a person
    counters_s: float = 60  # between two looks at the machines' own counters
    counter_quiet_s: float = 300  # all of a machine settled for so long: its own count is compared
    cases_s: float = 30  # between two looks at what wants a person
    nightly_after_s: float = 3 * 3600  # after the end of a day its books are compared
    paid_out_s: float = 7 * 86400  # a capture that its gateway has not paid out by then is reported
    audit_every_s: float = 86400  # between two audits that the worker makes by itself; 0: none
    answer_s: float = 60  # a call with an idempotency key runs at most so long
    breaker_failures: int = 5  # a count: calls in a row without a clear answer that open it
    breaker_window_s: float = 60  # within it
    breaker_pause_s: float = 30  # before one try finds out whether the gateway is back
    keys_kept_s: float = 30 * 24 * 3600  # an idempotency key, after its answer
    clock_skew_s: float = 5  # our clock may differ from a gateway's by so much
    deliveries_kept_s: float = 30 * 24 * 3600  # a webhook to a merchant, after it ended
    refund_owed_s: float = 3600  # after it a refund refused for lack of money opens a case
    receipt_look_s: float = 10  # first pause before a receipt is asked about again; it doubles
    receipt_pause_max_s: float = 3600
    receipt_late_s: float = 4 * 3600  # after its money a receipt is registered, or opens a case
    receipt_contacts_kept_s: float = 30 * 86400  # where a receipt went, after it ended
    access_token_s: float = 600  # a JWT is good for
    refresh_grace_s: float = 30  # a refresh token that was used is answered again
    session_idle_s: float = 14 * 86400  # a session that nobody uses ends
    session_life_s: float = 90 * 86400  # any session ends
    step_up_s: float = 600  # what needs a fresh proof may be done after one
    challenge_s: float = 300  # a challenge is answered
    sign_in_window_s: float = 900  # failed tries to sign in are counted
    sign_in_tries: int = 10  # a count: for one account from one network, in sign_in_window_s
    account_tries: int = 100  # a count: for one account from everywhere
    network_tries: int = 60  # a count: from one network
    invitation_s: float = 7 * 86400  # an invitation may be accepted
    reset_s: float = 3600  # a password may be set anew
    device_key_s: float = 365 * 86400  # a device's API key is good for, unless said otherwise
    machine_log_lines: int = 2000  # a count: lines of one machine's log that a day keeps
    machine_logs_kept_s: float = 30 * 86400  # a line of a machine's log
    short_samples_kept_s: float = 3 * 86400  # five minutes of a machine, for the chart of a day
    hour_samples_kept_s: float = 62 * 86400  # the hours of one, for that of a month
    day_samples_kept_s: float = 1100 * 86400  # its days, for that of years
    machine_silent_s: float = 600  # a machine unheard for longer is told to people
    journal_full_percent: int = 80  # a count: so full a journal is told
    restarts_an_hour: int = 5  # a count: so many restarts of a machine are told
    weak_signal_dbm: int = 85  # a count: a Wi-Fi signal of -85 dBm or less is told
    sold_out_soon_s: float = 2 * 86400  # a slot that will probably be sold out within it is told
    machine_back_s: float = 600  # one that was silent is back when it was heard for so long
    notice_gather_s: float = 60  # what comes within it is one notice
    notice_pause_s: float = 900  # between two notices of one kind to the same people
    notices_s: float = 15  # between two looks at what people are to be told
    notices_kept_s: float = 30 * 86400  # a notice, after it ended
    call_logs_kept_s: float = 90 * 86400  # whom a call or a text message reached, after it ended
    logs_kept_s: float = 30 * 86400  # wrong codes, and the networks that orders came from
    payment_records_kept_s: float = 2557 * 86400  # the payer of a payment: seven years
    pictures_kept_s: float = 86400  # a picture that nothing shows, after its upload
    device_key_overlap_s: float = 86400  # the old key works beside the one that replaced it
    api_key_overlap_s: float = 86400  # the same of a merchant's API key
    gateway_secret_overlap_s: float = 7 * 86400  # a replaced secret still proves webhooks

    def span(self, name: str) -> timedelta:
        """A window of this name as a span of time."""
        value: float = getattr(self, name)
        return timedelta(seconds=value)

    def at(self, kind: str, own: Mapping[str, float]) -> "Windows":
        """As they are at one outlet: its own windows come before its kind's, and these before
        everybody's."""
        names = self.__struct_fields__
        of_kind = {n: getattr(self, f"{kind}_{n}") for n in names if f"{kind}_{n}" in names}
        changed = {**of_kind, **{n: seconds for n, seconds in own.items() if n in names}}
        return replace(self, **changed) if changed else self

    def breaker(self) -> Rules:
        """When a gateway is no longer asked to collect."""
        return Rules(
            failures=self.breaker_failures,
            window=self.span("breaker_window_s"),
            pause=self.span("breaker_pause_s"),
        )

    def for_sql(self) -> Mapping[str, float]:
        """The windows that the SQL functions read."""
        return {
            **{n: getattr(self, n) for n in self.__struct_fields__ if n.endswith("dispatch_s")},
            "capture_s": self.capture_s,
            "match_s": self.match_s,
            "clock_skew_s": self.clock_skew_s,
            "online_s": self.online_s,
            "offer_s": self.offer_s,
        }


class Accounts(Protocol):
    """Every gateway account of the installation."""

    async def by_id(self, account_id: UUID) -> Account: ...

    async def by_slug(self, gateway: str, slug: str | None) -> Account | None:
        """None as slug means the first account of that gateway."""
        ...


class MachineLink(Protocol):
    """Sends to the machines that are connected to this process."""

    def channels(self) -> Sequence[str]:
        """The channels on which this process reaches machines, though maybe not each of them."""
        ...

    def reaches(self, outlet: str, channel: str) -> bool: ...

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending: ...


class NoMachineLink:
    """A process without machines: deadlines pass here too, but nothing is sent."""

    def channels(self) -> Sequence[str]:
        return ()

    def reaches(self, outlet: str, channel: str) -> bool:
        return False

    async def send(self, outlet: str, channel: str, message: Mapping[str, object]) -> Sending:
        return Sending.UNREACHABLE


@dataclass(slots=True)
class Wakes:
    """Wakes the sweeper of this process, which also polls."""

    events: dict[str, asyncio.Event] = field(default_factory=dict)

    def of(self, table: str) -> asyncio.Event:
        return self.events.setdefault(table, asyncio.Event())

    def wake(self, *tables: str) -> None:
        for table in tables:
            self.of(table).set()


@dataclass(slots=True)
class Quota:
    """So many per key in a minute: limits what strangers can make us store."""

    per_minute: int
    minute: int = 0
    seen: Counter[UUID] = field(default_factory=Counter)

    def grants(self, key: UUID, now: datetime) -> bool:
        minute = int(now.timestamp()) // 60
        if minute != self.minute:
            self.minute = minute
            self.seen.clear()
        self.seen[key] += 1
        return self.seen[key] <= self.per_minute


class WebhookInbox(Protocol):
    """Stores webhooks of gateways; one per process."""

    async def store(
        self, said: Mapping[str, object], body: bytes, at: datetime, order: str
    ) -> Mapping[str, Any]:
        """`outcome`, and what was `begun` with it: {kind, said}, to be sent now, or None."""
        ...

    async def close(self) -> None:
        """Store what waits, for a moment, and end."""
        ...


def password_hasher() -> PasswordHasher:
    """Argon2id with the least cost that OWASP advises: a small computer signs people in too."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(slots=True)
class Context:
    """One per process; tests make their own with a settable clock."""

    db: Database
    clock: Clock
    windows: Windows
    accounts: Accounts
    vault: Vault
    installation: str
    open_inbox: Callable[[Database], WebhookInbox]
    line: MachineLink = field(default_factory=NoMachineLink)
    kinds: Mapping[str, Any] = field(default_factory=dict)  # `orders/fulfillment.py` types them
    notifiers: Mapping[Form, Notifier] = field(default_factory=dict)  # how people are told
    wakes: Wakes = field(default_factory=Wakes)
    background: BackgroundTasks = field(default_factory=BackgroundTasks)
    breakers: Breakers = field(default_factory=Breakers)
    hints: Quota = field(default_factory=lambda: Quota(HINTS_KEPT_PER_MINUTE))
    forgeries: Quota = field(default_factory=lambda: Quota(FORGERIES_KEPT_PER_MINUTE))
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))  # of merchants without one
    # Signs the tokens of people who signed in; app sets the installation's, the same in every
    # process.
    signing_key: Secret = field(default_factory=lambda: Secret(token(48)))
    storage: Storage = field(default_factory=NoStorage)  # of pictures
    pictures_prefix: str = ""  # of their addresses, where a CDN is in front
    hasher: PasswordHasher = field(default_factory=password_hasher)
    public_url: str = "https://example.invalid"  # of our pages: gateways send payers back to it
    practise: Practise = field(default_factory=Practise)
    # Where printers are that the server connects to, beside the public internet.
    printer_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    price_caps: PriceCaps = field(default_factory=PriceCaps)  # of machines, by their class
    peppers: Peppers = field(init=False)  # of codes that are stored; from the vault unless named
    inbox: WebhookInbox = field(init=False)
    failures: Failures = field(init=False)  # of background work

    def __post_init__(self) -> None:
        self.inbox = self.open_inbox(self.db)
        self.failures = Failures(self.clock)
        self.peppers = Peppers.of(self.vault)

    def zone_of(self, name: str | None) -> ZoneInfo:
        """A merchant's zone by its name; the installation's when it has none."""
        return self.zone if name is None else ZoneInfo(name)

    def now(self) -> datetime:
        return self.clock.now()

    def for_sql(self, account: Account) -> Mapping[str, float]:
        """What the SQL functions read: the windows, and by how much our clock is ahead of the
        gateway's. Where this process does not know that yet, the last recorded difference
        counts."""
        ahead = account.ahead()
        known = {} if ahead is None else {"ahead_s": ahead.total_seconds()}
        return {**self.windows.for_sql(), **known}

    def after(self, window: str) -> datetime:
        """The moment when a window that opens now ends."""
        return self.now() + self.windows.span(window)
