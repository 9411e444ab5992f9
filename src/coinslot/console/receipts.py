"""Receipts: which failed? A list with a filter and as a file, each receipt, and what a person does
about one: correct it and send it again, or note that it was made elsewhere."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from babel.numbers import get_decimal_symbol
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from coinslot.console import exports, forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.exports import Row, Sheet
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.gateways.fiscal import RATES
from coinslot.gateways.form import read_at
from coinslot.kit.money import Money
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.oversight.money_lists import Column
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments import receipt_corrections, receipt_records
from coinslot.payments.receipt_corrections import (
    Correction,
    ReceiptRefusedError,
    UnknownReceiptError,
)
from coinslot.payments.receipt_records import KINDS, STATES, ReceiptFilter, ReceiptRow
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

ACTS: Final = "cases:write"  # who has it corrects receipts, and sees where they went
_PAGE: Final = 50
_ANYTHING: Final = 100
_COLUMNS: Final = (
    Column("created", "time"), Column("kind", "word"), Column("state", "word"),
    Column("amount", "money", True), Column("number"), Column("payment"), Column("account"),
    Column("document"), Column("storage"), Column("attribute"), Column("failure"),
)  # fmt: skip


class ReceiptPages(SharedHandler):
    """Each page asks one verb of `payments`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        asked, wanted = _asked(request)
        merchant = merchant_of(signed_in(request))
        before = forms.uuid_of(request.query_params.get("before", ""))
        found = await receipt_records.listed(self._context, merchant, wanted, before, _PAGE)
        return await self._frame.page(
            request, "receipts.html", asked=asked, found=found, states=STATES, kinds=KINDS,
            counts=await receipt_records.counted(self._context, merchant),
            following=str(found[-1].id) if len(found) == _PAGE else "",
        )  # fmt: skip

    async def export(self, request: AnyRequest) -> Stream:
        """The whole of what the screen shows the first page of, without addresses. It is on record
        who took it."""
        asked, wanted = _asked(request)
        who = signed_in(request)
        merchant, c = merchant_of(who), self._frame.texts(request)
        act = Act(action="receipts.exported", merchant=merchant, after=asked)
        async with self._context.db.as_merchant(merchant) as conn:
            await record(conn, who.actor, act, self._context.now())
        sheet = Sheet(
            columns=_COLUMNS, word=lambda _, value: c[f"receipt_{value}"],
            heading=lambda name: c.get(f"col_receipt_{name}") or c[f"col_{name}"],
            zone=self._context.zone_of(await zone_of_merchant(self._context.db, merchant)),
            comma=get_decimal_symbol(self._frame.words(request).locale) == ",",
        )  # fmt: skip
        chunks = _rows(receipt_records.chunks(self._context, merchant, wanted))
        return Stream(
            exports.as_csv(sheet, chunks), media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="receipts.csv"',
                "Cache-Control": "no-store",
            },
        )  # fmt: skip

    async def one(self, request: AnyRequest, receipt: FromPath[UUID]) -> Response[str]:
        return await self._one(request, receipt)

    async def again(self, request: AnyRequest, receipt: FromPath[UUID]) -> Response[str] | Redirect:
        """Corrected, and sent again."""
        form = await forms.read(request)
        wish = Correction(contact=form.one("contact", 254), vat=form.one("vat", 20))

        async def work(who: SignedIn) -> Done:
            made = await receipt_corrections.send_again(
                self._context, who.actor, merchant_of(who), receipt, wish
            )
            return Done(to=self._frame.to(request, "receipts", str(made), done="receipt_again"))

        return await self._worked(request, receipt, form, work)

    async def by_hand(
        self, request: AnyRequest, receipt: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """It was made elsewhere."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await receipt_corrections.made_by_hand(
                self._context, who.actor, merchant_of(who), receipt, form.one("number", _ANYTHING)
            )
            return Done(to=self._frame.to(request, "receipts", str(receipt), done="receipt_noted"))

        return await self._worked(request, receipt, form, work)

    async def _worked(
        self, request: AnyRequest, receipt: UUID, form: Form, work: forms.Work
    ) -> Response[str] | Redirect:
        try:
            return await once(self._context, request, form, work)
        except UnknownReceiptError:
            raise _no_such() from None
        except ReceiptRefusedError as error:
            problem = self._frame.texts(request)[f"receipt_problem_{error.code}"]
            return await self._one(request, receipt, form, problem)

    async def _one(
        self, request: AnyRequest, receipt: UUID, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        who = signed_in(request)
        known = await receipt_records.one(
            self._context, merchant_of(who), receipt, in_full=ACTS in who.permissions
        )
        if known is None:
            raise _no_such()
        place = read_at(self._frame.texts(request)["language"])
        return await self._frame.page(
            request, "receipt.html", found=known, problem=problem, may=ACTS in who.permissions,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            typed=(form.one("contact", 254) if form else "") or known.contact, money=Money,
            rates={vat: words[place] for vat, words in RATES.items()},
        )  # fmt: skip


def _asked(request: AnyRequest) -> tuple[dict[str, str], ReceiptFilter]:
    given = {
        name: request.query_params.get(name, "").strip()[:_ANYTHING]
        for name in ("state", "kind", "text")
    }
    if given["state"] not in (*STATES, "wanting"):
        given["state"] = ""
    if given["kind"] not in KINDS:
        given["kind"] = ""
    wanting = given["state"] == "wanting"
    wanted = ReceiptFilter(
        state="" if wanting else given["state"], kind=given["kind"], text=given["text"],
        wanting=wanting,
    )  # fmt: skip
    return {name: value for name, value in given.items() if value}, wanted


async def _rows(chunks: AsyncIterator[Sequence[ReceiptRow]]) -> AsyncIterator[Sequence[Row]]:
    async for rows in chunks:
        yield [_row(row) for row in rows]


def _row(row: ReceiptRow) -> Row:
    return {
        "created": row.created_at, "kind": row.kind, "state": row.state,
        "amount": row.money.minor, "currency": row.money.currency, "number": row.number,
        "payment": row.payment, "account": f"{row.gateway}/{row.account}",
        "document": row.fiscal.get("document", ""), "storage": row.fiscal.get("storage", ""),
        "attribute": row.fiscal.get("attribute", ""), "failure": row.failure,
    }  # fmt: skip


def _no_such() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such receipt.")
