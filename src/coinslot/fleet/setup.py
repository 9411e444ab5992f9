"""How far a merchant is on the way from nothing to a first sold can, in practice and for real: what
is done is looked up, so that whoever goes away comes back to where they were."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.channels.base import PRACTICE
from coinslot.context import Context
from coinslot.fleet import onboarding, practice, store
from coinslot.fleet.config import Editor
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewMachine, NewSlot
from coinslot.gateways import drivers
from coinslot.merchants.accounts import AccountName, save_account
from coinslot.payments import ways_to_pay
from coinslot.payments.gateway_accounts import PRACTICE_SLUG
from coinslot.payments.ways_to_pay import Form

_MOCK: Final = "mock"


class Draft(Struct, frozen=True, kw_only=True):
    """The machine that is about to be set up."""

    code: str = ""
    name: str = ""
    place: str = ""


class LastOrder(Struct, frozen=True, kw_only=True):
    """The newest order at the practice machine."""

    id: UUID
    token: str
    number: str
    state: str
    paid_at: datetime | None
    unsettled: bool


class Setup(Struct, frozen=True, kw_only=True):
    """What there is. `machine` is the merchant's practice machine; `begun` that somebody wants the
    checklist."""

    slug: str
    name: str
    contact: str
    zone: str | None
    currency: str | None
    begun: bool
    put_away: bool
    draft: Draft
    practice_account: UUID | None
    live_account: bool
    machine: str | None
    order: LastOrder | None
    sold: bool
    books_seen: bool
    real_machine: bool
    real_heard: bool
    without_machines: bool = False  # it sells, and none of its outlets is a vending machine

    @property
    def steps(self) -> tuple[tuple[str, bool], ...]:
        """Each step with whether it is done, in their order. Who sells without vending machines is
        not led to one."""
        begun = (
            ("business", bool(self.name and self.currency)),
            ("practice", self.practice_account is not None),
        )
        if self.without_machines and not self.draft.code:
            paid = ("practice", self.practice_account is not None or self.live_account)
            return (begun[0], paid, ("gateway", self.live_account))
        return (
            *begun,
            ("machine", bool(self.draft.code) or self.machine is not None),
            ("products", self.machine is not None),
            ("sell", self.sold),
            ("books", self.books_seen),
            ("gateway", self.live_account),
            ("real", self.real_machine and self.real_heard),
        )

    @property
    def following(self) -> str:
        """The first step that is not done; empty where all are."""
        return next((name for name, done in self.steps if not done), "")

    @property
    def done(self) -> int:
        """How many steps."""
        return sum(done for _, done in self.steps)


async def progress(context: Context, merchant: UUID) -> Setup:
    """As it is now."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.SETUP, merchant)
        assert row is not None
        order = await conn.fetchrow(store.LAST_ORDER, row["machine"])
    return msgspec.convert(
        {**row, "draft": row["draft"] or {}, "order": None if order is None else dict(order)}, Setup
    )


async def begin(context: Context, editor: Editor) -> None:
    """The checklist is shown from now on."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(store.BEGIN_SETUP, editor.merchant, context.now())


async def open_practice(context: Context, editor: Editor, folder: Path) -> UUID:
    """The merchant's account at the mock gateway, made once: it keeps its books in this folder.
    Raises SlugTakenError."""
    known = await progress(context, editor.merchant)
    if known.practice_account is not None:
        return known.practice_account
    folder.mkdir(parents=True, exist_ok=True)
    slug = f"{PRACTICE_SLUG}{known.slug}"
    books = folder / f"{slug}.json"
    settings = drivers()[_MOCK].Settings(method="card", books=str(books.resolve()))
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(store.BEGIN_SETUP, editor.merchant, context.now())
        name = AccountName(editor.merchant, _MOCK, slug)
        account = await save_account(conn, context.vault, context.now(), name, settings)
        await editor.note(conn, "practice.begun", slug, {}, context.now())
    return account


async def keep_draft(context: Context, editor: Editor, draft: Draft) -> None:
    """What was typed of a machine, until it is set up."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(store.BEGIN_SETUP, editor.merchant, context.now())
        await conn.execute(store.KEEP_DRAFT, editor.merchant, msgspec.to_builtins(draft))


async def set_up_machine(
    context: Context, editor: Editor, slots: Sequence[NewSlot], addresses: DeviceAddresses
) -> None:
    """The practice machine of the draft with these slots, and a way to pay at it. Again it goes on
    where it stopped. Raises OnboardError."""
    known = await progress(context, editor.merchant)
    draft, account = known.draft, known.practice_account
    assert account is not None
    if await practice.look(context, editor.merchant, draft.code) is None:
        wanted = NewMachine(
            code=draft.code, name=draft.name, place=draft.place, contact=known.contact,
            channel=PRACTICE, currency=known.currency or msgspec.UNSET, slots=list(slots),
            account=f"{_MOCK}/{PRACTICE_SLUG}{known.slug}",
        )  # fmt: skip
        await onboarding.onboard(context, editor, [wanted], addresses)
    await ways_to_pay.offer(context, editor.merchant, draft.code, [(account, Form.LINK)])


async def note_books_seen(context: Context, editor: Editor) -> None:
    """Somebody looked at the record of the first sale."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(store.BEGIN_SETUP, editor.merchant, context.now())
        await conn.execute(store.BOOKS_SEEN, editor.merchant, context.now())


async def put_away(context: Context, editor: Editor) -> None:
    """The checklist is shown no more."""
    async with context.db.as_merchant(editor.merchant) as conn:
        await conn.execute(store.PUT_AWAY, editor.merchant, context.now())


def said(error: OnboardError) -> str:
    """The first thing that is wrong, as a person reads it."""
    return error.problems[0].message
