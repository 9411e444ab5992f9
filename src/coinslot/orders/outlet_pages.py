"""What pages show, read from the rows: an outlet as it is now, an order for its whole life."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from msgspec.structs import replace

from coinslot.channels import drivers
from coinslot.channels.base import Guarantee, Powers, guarantee
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.orders import fulfillment, store
from coinslot.orders.page_views import (
    BrandView,
    ExtraView,
    ItemView,
    LineView,
    NearestView,
    OrderView,
    OutletView,
    PayView,
    Progress,
    RefundView,
    Story,
    UnitView,
    WayView,
    WhyNot,
)
from coinslot.payments import attempts, gateway_accounts, ways_to_pay
from coinslot.payments.ways_to_pay import Form, Way
from coinslot.pictures.pictures import view_of
from coinslot.states.unit_flow import UnknownKindError

log = structlog.get_logger(__name__)


async def outlet(context: Context, code: str) -> OutletView | None:
    """The outlet with this code, or None."""
    async with context.db.system_transaction() as conn:
        merchant = await conn.fetchval(store.OUTLET_OWNER, code)
    if merchant is None:
        return None
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.OUTLET, code, context.now())
        shown_since = context.now() - context.windows.span("hold_s")
        slots = await conn.fetch(store.SLOTS, code, shown_since)
    if row is None:
        return None
    why_not = _why_not(context, row, slots) or await _unpayable(context, row, slots)
    nearest = None
    if why_not:
        async with context.db.as_merchant(merchant) as conn:
            nearest = await _nearest(context, conn, row)
    return OutletView(
        code=code,
        name=row["name"],
        place=row["place"],
        kind=row["kind"],
        merchant_name=row["merchant_name"],
        brand=_brand(row),
        channel=row["channel"],
        dialect=row["dialect"],
        guarantee=class_of(row).value,
        ready=not why_not,
        why_not=why_not,
        operator_contact=row["contact_shown"],
        currency=row["currency"],
        zone=row["zone_shown"],
        items=tuple(_item(context, row, slot) for slot in slots),
        counts_stock=_counts_stock(context, row),
        address=await _address(context, merchant, row),
        nearest=nearest,
        busy=any(slot["promised"] for slot in slots),
    )


def above_cap(context: Context, machine: asyncpg.Record, price: Money) -> str | None:
    """Why this machine does not sell for that; None: it may. Its class is that of its last HELLO,
    so what it earned once and lost since counts no more."""
    return context.price_caps.refusal(class_of(machine).value, price)


def _item(context: Context, outlet: asyncpg.Record, slot: asyncpg.Record) -> ItemView:
    price = Money(slot["price_minor"], outlet["currency"])
    sold = slot["out_of_sale_at"] is None and above_cap(context, outlet, price) is None
    return ItemView(
        slot=slot["slot"],
        name=slot["name"],
        price=price,
        available=sold and slot["promised"] < slot["stock"],
        contested=slot["promised"] + slot["being_paid"] >= slot["stock"],
        names=slot["names"],
        description=slot["description"],
        descriptions=slot["descriptions"],
        category=slot["category"],
        picture=view_of(slot),
    )


async def _address(context: Context, merchant: UUID, row: asyncpg.Record) -> str | None:
    """Where what it sells is chosen; None: on its page."""
    kind = context.kinds.get(row["kind"])
    if kind is None or kind.counts_stock:
        return None
    async with context.db.as_merchant(merchant) as conn:
        found: str | None = await kind.address(conn, row["id"])
    return found


def _brand(row: asyncpg.Record) -> BrandView:
    return BrandView(
        name=row["brand_name"], colour=row["colour"], ground=row["ground"],
        nothing_out=row["nothing_out"] or "", logo=view_of(row, "logo_"),
        languages=tuple(row["languages"]),
    )  # fmt: skip


def class_of(outlet: asyncpg.Record) -> Guarantee:
    """The class of a machine, from its channel and from what its last HELLO said."""
    has_sensor, mdb = bool(outlet["has_sensor"]), bool(outlet["mdb"])
    return guarantee(powers(outlet["channel"], outlet["dialect"], has_sensor, mdb))


def powers(channel: str, dialect: str, has_sensor: bool | None, mdb: bool = False) -> Powers:
    """What a channel can do with this machine: evidence needs a sensor. What stands beside another
    controller gives a command that it does not carry out itself: no journal makes that run once."""
    driver = drivers().get(channel)
    found: Powers | None = driver.powers.get(dialect) if driver is not None else None
    if found is None:
        return Powers()
    if found.idempotent_command and mdb:
        return Powers(
            status_query=found.status_query, result_push=found.result_push, expiry=found.expiry,
            cancel=found.cancel,
        )  # fmt: skip
    if found.idempotent_command and not has_sensor:
        return Powers(
            idempotent_command=True, status_query=found.status_query,
            result_push=found.result_push, expiry=found.expiry, cancel=found.cancel,
        )  # fmt: skip
    return found


def _why_not(context: Context, row: asyncpg.Record, slots: list[asyncpg.Record]) -> WhyNot:
    if row["decommissioned_at"] is not None or row["paused_at"] is not None:
        return WhyNot.OUT_OF_SERVICE
    try:
        if why_not := fulfillment.handler(context, row["kind"]).why_not(context, row):
            return why_not
    except UnknownKindError as error:
        log.error("outlet_cannot_sell", outlet=row["id"], error=str(error))
        return WhyNot.OUT_OF_SERVICE
    if not _counts_stock(context, row):
        return WhyNot.READY
    if slots and all(slot["out_of_sale_at"] is not None for slot in slots):
        return WhyNot.BROKEN
    there = [s for s in slots if s["out_of_sale_at"] is None and s["promised"] < s["stock"]]
    if not there:
        return WhyNot.SOLD_OUT
    prices = (Money(slot["price_minor"], row["currency"]) for slot in there)
    if all(above_cap(context, row, price) for price in prices):
        return WhyNot.ABOVE_CAP
    return WhyNot.READY


def _counts_stock(context: Context, row: asyncpg.Record) -> bool:
    kind = context.kinds.get(row["kind"])
    return kind is None or bool(kind.counts_stock)


async def _unpayable(context: Context, row: asyncpg.Record, slots: list[asyncpg.Record]) -> WhyNot:
    """Whether customers can pay here: no gateway is asked, but one that did not answer just now is
    known."""
    if not slots and not _counts_stock(context, row):  # no price is known before one chooses
        return WhyNot.READY if row["has_ways"] else WhyNot.OUT_OF_SERVICE
    dearest = max((slot["price_minor"] for slot in slots), default=1)
    money = Money(dearest, row["currency"])
    if await ways_to_pay.offered(context, row["merchant_id"], row["id"], money):
        return WhyNot.READY
    return WhyNot.GATEWAY_DOWN if row["has_ways"] else WhyNot.OUT_OF_SERVICE


async def _nearest(context: Context, conn: Connection, row: asyncpg.Record) -> NearestView | None:
    since = context.now() - context.windows.span("online_s")
    other = await conn.fetchrow(store.OTHERS, row["id"], since, row["place"])
    if other is None:
        return None
    return NearestView(code=other["id"], name=other["name"], place=other["place"])


async def order(context: Context, token: str) -> OrderView | None:
    """The order behind an unguessable link, or None."""
    async with context.db.system_transaction() as conn:
        merchant: UUID | None = await conn.fetchval(
            "SELECT merchant_id FROM orders WHERE token = $1", token
        )
    if merchant is None:
        return None
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.ORDER_PAGE, token)
        if row is None:
            return None
        lines = await conn.fetch(store.ORDER_LINES, row["id"])
        units = await conn.fetch(store.ORDER_UNITS, row["id"])
        refunds = await conn.fetch(store.ORDER_REFUNDS, row["id"])
        extras = await conn.fetch(store.ORDER_EXTRAS, row["id"])
        story = await _story(context, conn, row["kind"], units)
    return replace(
        _order_view(row, lines, units, refunds, story),
        extras=_extras(row, extras),
        **await _paying(context, row),
    )


async def _story(
    context: Context, conn: Connection, kind: str, units: list[asyncpg.Record]
) -> Story:
    """A process that does not have the kind shows an order all the same."""
    if not units or kind not in context.kinds:
        return Story(progress=Progress.QUEUED)
    return await fulfillment.handler(context, kind).story(context, conn, units)


async def _paying(context: Context, row: asyncpg.Record) -> dict[str, Any]:
    """How an order that is not paid can be paid, and what is under way."""
    if row["state"] != "placed":
        return {}
    money = Money(row["amount_minor"], row["currency"])
    offered = await ways_to_pay.offered(context, row["merchant_id"], row["outlet_id"], money)
    found: dict[str, Any] = {
        "ways": tuple(
            WayView(
                name=w.name,
                form=w.form.value,
                title=w.title,
                practice=not gateway_accounts.is_real(w.gateway),
            )
            for w in offered
        )
    }
    if row["attempt_id"] is None or row["retired_at"] is not None:
        return found
    account = await context.accounts.by_id(row["gateway_account"])
    title = account.driver.title
    if row["attempt_state"] == "failed":
        found["way_failed"] = title
    if row["attempt_state"] in attempts.OPEN or row["qr_stage"] in ("wanted", "open"):
        name = Way(
            form=Form(row["way"]), account=account.id, gateway=account.gateway, title=title
        ).name
        return found | {"pay_at": row["make_at"], "pay": _pay(row, title), "way_now": name}
    return found


def _extras(row: asyncpg.Record, extras: list[asyncpg.Record]) -> tuple[ExtraView, ...]:
    return tuple(
        ExtraView(kind=extra["kind"], money=Money(extra["amount_minor"], row["currency"]))
        for extra in extras
    )


# What the handler of a kind says and the page shows as it is.
_OF_KIND: Final = (
    "code", "asks", "may_cancel", "looks_into", "shape", "code_text", "wanted_at", "invoice",
    "credits", "brought", "may_arrive", "asks_where", "here_at",
)  # fmt: skip


def _order_view(
    row: asyncpg.Record,
    lines: list[asyncpg.Record],
    units: list[asyncpg.Record],
    refunds: list[asyncpg.Record],
    story: Story,
) -> OrderView:
    open_units = [u for u in units if u["settlement"] is None]
    ends = max((fulfillment.last_moment(u) for u in open_units), default=None)
    return OrderView(
        token=row["token"],
        number=row["number"],
        version=row["seen_version"],
        state=row["state"],
        outlet_code=row["outlet_id"],
        outlet_name=row["outlet_name"],
        kind=row["kind"],
        merchant_name=row["merchant_name"],
        brand=_brand(row),
        operator_contact=row["contact_shown"],
        zone=row["zone"],
        slot=lines[0]["slot"],
        money=Money(row["amount_minor"], row["currency"]),
        units=tuple(_units(units, lines)),
        lines=tuple(_line(line, row["currency"]) for line in lines),
        discount=_discount(lines, row["currency"]),
        placed_at=row["placed_at"],
        expires_at=row["expires_at"] or row["placed_at"],
        paid_at=row["paid_at"],
        sent_at=story.begun_at,
        confirmed_at=None if story.unconfirmed else story.confirmed_at or _latest(units, "sent_at"),
        taken_at=_latest([u for u in units if u["settlement"] == "fulfilled"], "settled_at"),
        refund_by=None if story.keeps else ends,
        kept_by=ends if story.keeps else None,
        told=story.told,
        may_resend=story.may_resend,
        push_key=story.push_key,
        refunds=tuple(_refund(r) for r in refunds if r["state"] != "failed"),
        refund_waiting=Money(row["waiting_minor"], row["currency"])
        if row["waiting_minor"]
        else None,
        by_policy=any(u["basis"] == "policy" for u in units),
        progress=story.progress,
        **{name: getattr(story, name) for name in _OF_KIND},
        tax_included=Money(story.tax_included, row["currency"]) if story.tax_included else None,
        gateway_payment_id=row["gateway_payment_id"],
        gateway_receipt=row["receipt_url"],
    )


def _refund(row: asyncpg.Record) -> RefundView:
    return RefundView(
        money=Money(row["amount_minor"], row["currency"]),
        state=row["state"],
        at=row["ended_at"] or row["created_at"],
        gateway_refund_id=row["gateway_refund_id"],
        surplus=row["surplus"],
    )


def _line(line: asyncpg.Record, currency: str) -> LineView:
    money = Money(line["quantity"] * line["price_minor"], currency)
    return LineView(name=line["name"], quantity=line["quantity"], money=money)


def _discount(lines: list[asyncpg.Record], currency: str) -> Money | None:
    """Lines of which nobody wrote what a piece is paid with are paid at their price."""
    off = sum(
        line["quantity"] * line["price_minor"] - sum(line["unit_minor"])
        for line in lines
        if line["unit_minor"] is not None
    )
    return Money(off, currency) if off else None


def _units(units: list[asyncpg.Record], lines: list[asyncpg.Record]) -> list[UnitView]:
    """The units; before the money there are none, so each line stands for its own."""
    if not units:
        return [UnitView(unit_id=line["id"], name=line["name"], state="placed") for line in lines]
    return [
        UnitView(
            unit_id=u["id"],
            name=u["name"],
            state=u["state"],
            settlement=u["settlement"],
            basis=u["basis"],
        )
        for u in units
    ]


def _latest(units: list[asyncpg.Record], column: str) -> datetime | None:
    return max((u[column] for u in units if u[column] is not None), default=None)


def _pay(row: asyncpg.Record, title: str) -> PayView | None:
    """None while the gateway has not made it yet."""
    if row["way"] == Form.CODE:
        if row["qr_stage"] != "open":
            return None
        return PayView(
            title=title, image_url=row["image_url"], qr_code_id=row["qr_code_id"],
            expires_at=row["expires_at"],
        )  # fmt: skip
    action = row["action"]
    if action is None or row["attempt_state"] != "pending":
        return None
    address = action.get("url") or action.get("text")
    return PayView(
        form=Form.LINK.value, title=title, url=address, text=address,
        image_url=action.get("image_url"), expires_at=row["expires_at"],
    )  # fmt: skip


async def find(
    context: Context, code: str, minor: int, minutes: Sequence[datetime]
) -> list[OrderView]:
    """Orders of one outlet and amount, paid around one of those minutes: for people who paid a
    printed QR."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.FIND_ORDERS, code, minor, list(minutes))
    views = [await order(context, row["token"]) for row in rows]
    return [view for view in views if view is not None]


async def find_by_reference(context: Context, code: str, reference: str) -> str | None:
    """The token of the order at this outlet that this payment paid. Only the payer knows the
    reference: it is in the bank's app, or on the gateway's receipt."""
    async with context.db.system_transaction() as conn:
        token: str | None = await conn.fetchval(store.FIND_BY_REFERENCE, code, reference)
    return token


async def own_orders(context: Context, code: str, browser: str) -> list[OrderView]:
    """The newest orders that this browser placed at this outlet within a day."""
    owner = context.vault.digest(browser, "browser")
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.OWN_ORDERS, code, owner, context.now() - timedelta(days=1))
    views = [await order(context, row["token"]) for row in rows]
    return [view for view in views if view is not None]
