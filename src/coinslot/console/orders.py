"""Find: where is this payment? Order: what happened, provably, and its money given back."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.outlets import page_of
from coinslot.counter import credits, reprints
from coinslot.counter.staff import CounterError, staff_of
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.orders import fulfillment, order_records, order_refunds, order_search
from coinslot.orders.order_records import OrderRecord
from coinslot.orders.order_refunds import MoreThanLeftError, OrderRefund
from coinslot.orders.order_search import OrderLine
from coinslot.outlets.machines import named
from coinslot.oversight import profit
from coinslot.oversight.order_proof import proof
from coinslot.oversight.profit import Profit
from coinslot.pages.access import Access, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.search import UnreadableError, minor_of, minutes_of
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments import receipt_records
from coinslot.payments.idempotency import KeyReusedError
from coinslot.payments.merchant_api import AboveLimitError, RuledOutError, UnknownError
from coinslot.people import merchant_settings
from coinslot.people.merchant_settings import RefundLimit
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50
_ANYTHING: Final = 100


class RefundFormError(Exception):
    """The form does not say what to give back; `text` names what is missing."""

    def __init__(self, text: str, **details: str) -> None:
        super().__init__(text)
        self.text = text
        self.details = details


class OrderPages(SharedHandler):
    """Each page asks one verb of `orders`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._access = Access(frame.auth, cookies=True)

    async def find(self, request: AnyRequest) -> Response[str]:
        asked = {
            name: request.query_params.get(name, "").strip()[:_ANYTHING]
            for name in ("text", "amount", "time", "before")
        }
        problem, found = "", []
        try:
            async with self._frame.heavy.turn(merchant_of(signed_in(request))):
                found = await self._found(request, asked)
        except UnreadableError:
            problem = self._frame.texts(request)["problem_find"]
        following = str(found[-1].id) if len(found) == _PAGE and not _is_search(asked) else ""
        return await self._frame.page(
            request, "find.html", asked=asked, found=found, following=following, problem=problem,
            searched=_is_search(asked),
        )  # fmt: skip

    async def _found(self, request: AnyRequest, asked: dict[str, str]) -> list[OrderLine]:
        """Raises UnreadableError."""
        merchant = merchant_of(signed_in(request))
        if asked["text"]:
            found = await order_search.matching(self._context, merchant, asked["text"])
            for order in await credits.numbered(self._context, merchant, asked["text"]):
                found += await order_search.matching(self._context, merchant, str(order))
            return found
        if asked["amount"] or asked["time"]:
            zone = await zone_of_merchant(self._context.db, merchant)
            sums = [
                Money(minor_of(asked["amount"], currency), currency)
                for currency in await order_search.currencies(self._context, merchant)
            ]
            now = self._context.now()
            minutes = minutes_of(asked["time"], now, self._context.zone_of(zone))
            return await order_search.paid_around(self._context, merchant, sums, minutes)
        before = forms.uuid_of(asked["before"])
        return await order_search.newest(self._context, merchant, before, _PAGE)

    async def one(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str]:
        return await self._order(request, order)

    async def refund(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        """Under the form's key: the same form gives the same refund."""
        form, known = await forms.read(request), await self._known(request, order)

        async def work(who: SignedIn) -> Done:
            wanted = replace(_wanted(known, form, who.login), limit=await self._limit_of(who))
            try:
                await order_refunds.refund(self._context, merchant_of(who), wanted, who.actor)
            except AboveLimitError:
                self._access.must_be_fresh(who)
            return Done(to=self._frame.to(request, "orders", str(order), done="refunded"))

        try:
            return await once(self._context, request, form, work, repeats=True)
        except (RefundFormError, RuledOutError, UnknownError, KeyReusedError) as error:
            problem = self._problem(request, error, known)
            return await self._order(request, order, problem, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _limit_of(self, who: SignedIn) -> RefundLimit | None:
        """What they give back of one order above it needs a fresh proof."""
        if self._access.is_fresh(who):
            return None
        found = await merchant_settings.settings(self._context.db, merchant_of(who))
        return found.refund_limit

    async def ask_machine(self, request: AnyRequest, order: FromPath[UUID]) -> Redirect:
        """Someone of the merchant says that nothing came out. The machine is asked no more often
        than a customer may have it asked."""
        known = await self._known(request, order)
        await fulfillment.nothing_came(self._context, known.token, signed_in(request).login)
        return self._frame.to(request, "orders", str(order), done="asked_machine")

    async def print_credit(
        self, request: AnyRequest, order: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """A credit note, by its counter's printer."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await reprints.credit(self._context, staff_of(who), order, form.one("number", 40))
            return Done(to=self._frame.to(request, "orders", str(order), done="credit_printed"))

        try:
            return await once(self._context, request, form, work)
        except CounterError as error:
            said = self._frame.texts(request)[f"board_problem_{error.why.value}"]
            return await self._order(request, order, said, HTTPStatus.CONFLICT)

    async def _known(self, request: AnyRequest, order: UUID) -> OrderRecord:
        merchant = merchant_of(signed_in(request))
        found = await order_records.order(self._context, merchant, order)
        if found is None:
            raise RefusedError(404, "not_found", "There is no such order.")
        return found

    async def _order(
        self, request: AnyRequest, order: UUID, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        found = await self._known(request, order)
        merchant = merchant_of(signed_in(request))
        lines = await proof(self._context, merchant, order)
        receipts = await receipt_records.of_order(self._context, merchant, order)
        return await self._frame.page(
            request, "order_record.html", status=status, order=found, lines=lines,
            receipts=receipts, problem=problem, page_of=page_of,
            outlet=await named(self._context.db, merchant, found.outlet),
            counter=await credits.facts_of(self._context, merchant, order),
            profit=await self._profit(request, order),
            refunded=request.query_params.get("done") == "refunded",
            credits=await credits.of_merchant(self._context, merchant, order),
            has_printer=await reprints.has_printer(self._context, staff_of(signed_in(request))),
        )  # fmt: skip

    async def _profit(self, request: AnyRequest, order: UUID) -> Profit | None:
        """For whoever sees the money; None while it has not ended."""
        who = signed_in(request)
        if "money:read" not in who.permissions:
            return None
        return await profit.of_order(self._context, merchant_of(who), order)

    def _problem(self, request: AnyRequest, error: Exception, order: OrderRecord) -> str:
        c = self._frame.texts(request)
        match error:
            case RefundFormError():
                return c[error.text].format(**error.details)
            case MoreThanLeftError():
                left = Money(error.left, order.currency)
                return c["problem_refund_exceeds_order"].format(left=left)
            case RuledOutError() if f"problem_refund_{error.code}" in c:
                return c[f"problem_refund_{error.code}"]
            case _:
                return c["problem_refund_other"]


def _wanted(order: OrderRecord, form: Form, login: str) -> OrderRefund:
    """What the form asks for. Raises RefundFormError: nothing ticked is not everything."""
    units = tuple(unit for text in form.all("unit") if (unit := forms.uuid_of(text)) is not None)
    extras, typed, reason = form.all("extra"), form.one("amount", 40), form.one("reason", 500)
    if not units and not extras:
        raise RefundFormError("problem_refund_nothing")
    if not reason:
        raise RefundFormError("problem_refund_reason")
    try:
        amount = Money.typed(typed, order.currency).minor if typed else None
    except (MoneyTextError, MoneyRangeError):
        raise RefundFormError("problem_amount", currency=order.currency) from None
    return OrderRefund(
        order=order.id, key=f"console-{form.one('key')}", by=login, reason=reason, units=units,
        extras=extras, amount=amount,
    )  # fmt: skip


def _is_search(asked: dict[str, str]) -> bool:
    return bool(asked["text"] or asked["amount"] or asked["time"])
