"""Offers: which coupons are good, and what is collected on customers' cards?"""

from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import FieldError
from coinslot.counter import offer_management
from coinslot.counter.offer_management import CouponError, NewCoupon
from coinslot.counter.offers import Program
from coinslot.kit.money import Money
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_PERCENT_BP: Final = 100
_DAY: Final = timedelta(days=1)


class OfferPages(SharedHandler):
    """Each page asks one verb of `counter`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._show(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)
        zone = self._context.zone_of(
            await zone_of_merchant(self._context.db, merchant_of(signed_in(request)))
        )

        async def work(who: SignedIn) -> Done:
            new = _coupon(form, self._context.now(), zone)
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await offer_management.make_coupon(conn, merchant_of(who), new, who.login)
                act = Act(action="coupon.made", merchant=merchant_of(who), subject=new.code)
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "offers", done="saved"))

        return await self._worked(request, form, work)

    async def end(self, request: AnyRequest, coupon: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                code = await offer_management.end_coupon(conn, coupon, self._context.now())
                if code is not None:
                    act = Act(action="coupon.ended", merchant=merchant_of(who), subject=code)
                    await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "offers", done="saved"))

        return await self._worked(request, form, work)

    async def collect(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                if form.one("stop"):
                    await offer_management.stop_program(conn, self._context.now())
                else:
                    await offer_management.set_program(conn, merchant_of(who), _program(form))
                act = Act(
                    action="card.set", merchant=merchant_of(who), subject="",
                    after={"kind": form.one("kind", 10), "stopped": bool(form.one("stop"))},
                )  # fmt: skip
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "offers", done="saved"))

        return await self._worked(request, form, work)

    async def _worked(
        self, request: AnyRequest, form: Form, work: forms.Work
    ) -> Response[str] | Redirect:
        try:
            return await once(self._context, request, form, work)
        except CouponError as error:
            problem = f"problem_offer_{error}"
        except FieldError as error:
            problem = str(error)
        return await self._show(request, problem, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _show(
        self, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            coupons = await offer_management.coupons(conn)
            program = await offer_management.program(conn)
            currencies = await offer_management.currencies(conn)
        return await self._frame.page(
            request, "offers.html", status=status, coupons=coupons, program=program,
            currencies=currencies, now=self._context.now(),
            problem=self._frame.texts(request)[problem] if problem else "",
        )  # fmt: skip


def _coupon(form: Form, now: datetime, zone: ZoneInfo) -> NewCoupon:
    """Raises FieldError."""
    currency = form.one("currency", 3)
    percent, off = form.one("percent", 3), form.one("off", 20)
    try:
        until = form.one("until", 10)
        last = datetime.fromisoformat(until).date() if until else None
        return NewCoupon(
            code=form.one("code", 40), currency=currency, begins_at=now,
            percent_bp=int(percent) * _PERCENT_BP if percent else None,
            off_minor=_minor(off, currency) if off else None,
            least_minor=_minor(form.one("least", 20) or "0", currency),
            uses=int(form.one("uses", 7)) if form.one("uses", 7) else None,
            ends_at=None if last is None else datetime.combine(last + _DAY, time(), zone),
        )  # fmt: skip
    except (ValueError, OverflowError):
        raise FieldError("problem_offer_amount") from None


def _program(form: Form) -> Program:
    """Raises FieldError."""
    currency = form.one("currency", 3)
    try:
        return Program(
            kind=form.one("kind", 10), currency=currency,
            earn_minor=_minor(form.one("earn", 20), currency),
            reward_points=int(form.one("count", 6)),
            reward_minor=_minor(form.one("reward", 20), currency),
        )  # fmt: skip
    except (ValueError, OverflowError):
        raise FieldError("problem_offer_amount") from None


def _minor(typed: str, currency: str) -> int:
    return Money.typed(typed, currency).minor
