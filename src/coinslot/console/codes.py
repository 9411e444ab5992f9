"""Codes: what hangs at the machines, and is it still true? Sheets to be printed, each code of them
read back before it is offered."""

import asyncio
import io
import zipfile
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.response import Redirect
from msgspec import Struct

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.counter.gateway_move import is_for_money
from coinslot.pages import code_sheets, drawing, printed_sheet
from coinslot.pages.access import signed_in
from coinslot.pages.code_sheets import LAYOUTS, Label, label_of
from coinslot.pages.drawing import Sheet, UnreadableSheetError
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.texts import LANGUAGES
from coinslot.payments import gateway_accounts, printed_codes
from coinslot.payments.printed_codes import CODES_AT_MOST, SlotCode, WantedSheet
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50
_LAYOUTS: Final = {"a4": "layout_a4", "a6": "layout_a6", "a5": "layout_a5"}  # and their texts
_PRINTED_PAGE: Final = "page"  # in the place of a slot: the code of the machine's page
_DRAWING: Final = asyncio.Semaphore(1)


class Wish(Struct, frozen=True):
    """Which codes, how, and in which languages."""

    picks: tuple[tuple[str, str], ...]  # machine and slot
    layout: str
    languages: tuple[str, ...]

    @property
    def slots(self) -> list[tuple[str, str]]:
        return [pick for pick in self.picks if pick[1] != _PRINTED_PAGE]

    def query(self) -> list[tuple[str, str]]:
        picks = [("pick", f"{machine}/{slot}") for machine, slot in self.picks]
        return [*picks, ("layout", self.layout), *(("spoken", code) for code in self.languages)]


class CodePages(SharedHandler):
    """Each page asks one verb of `payments`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._list(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        """A code's amount is the slot's price, unless a person confirms otherwise."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        wish = _wish(form.pairs)
        if not wish.picks or not wish.languages:
            problem = self._frame.texts(request)["problem_codes_none"]
            return await self._list(request, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        found = await self._found(merchant, wish)
        untrue = [one for one in found if not one.is_true]
        answer = form.one("untrue")
        if untrue and answer not in ("replace", "keep"):
            return await self._frame.page(
                request, "codes_untrue.html", status=HTTPStatus.CONFLICT, untrue=untrue,
                fields=wish.query(),
            )  # fmt: skip

        async def work(who: SignedIn) -> Done:
            act = Act(
                action="codes.printed", merchant=merchant, subject=wish.layout,
                after={"codes": [f"{machine} {slot}" for machine, slot in wish.picks]},
            )  # fmt: skip
            slots = [(one.outlet, one.slot) for one in found]
            wanted = WantedSheet(merchant=merchant, slots=slots, replace=answer == "replace")
            await printed_codes.want(self._context, wanted, who.actor, act)
            return Done(to=self._ready(request, wish))

        return await once(self._context, request, form, work)

    async def ready(self, request: AnyRequest) -> Response[str]:
        """What can be printed now, and what still has to be made."""
        merchant, wish = merchant_of(signed_in(request)), _wish(request.query_params.multi_items())
        found = await self._read(merchant, wish)
        waiting = [one for one in found if one.payable is None]
        problem = ""
        if not waiting:
            try:
                await self._drawn(merchant, wish, found)
            except UnreadableSheetError:
                problem = self._frame.texts(request)["problem_codes_unreadable"]
        return await self._frame.page(
            request, "codes_ready.html", wish=wish, found=found, waiting=waiting, problem=problem,
            query=wish.query(), prints=await printed_codes.prints(self._context, found),
            practises=await self._practises(merchant, found),
        )  # fmt: skip

    async def sheet(self, request: AnyRequest) -> Response[bytes]:
        """The file: one PDF, or an SVG for each page. Nothing is offered that was not read."""
        params = request.query_params
        merchant, wish = merchant_of(signed_in(request)), _wish(params.multi_items())
        found = await self._read(merchant, wish)
        if any(one.payable is None for one in found):
            raise RefusedError(409, "codes_waiting", "A code is not made yet: try again shortly.")
        try:
            pages = await self._drawn(merchant, wish, found)
        except UnreadableSheetError as error:
            raise RefusedError(409, "codes_unreadable", str(error)) from None
        if params.get("show"):
            return _file(await asyncio.to_thread(_svgs, pages[:1]), "image/svg+xml", "")
        if params.get("as") == "svg":
            kind = "image/svg+xml" if len(pages) == 1 else "application/zip"
            name = "codes.svg" if len(pages) == 1 else "codes.zip"
            return _file(await asyncio.to_thread(_svgs, pages), kind, name)
        body = await asyncio.to_thread(drawing.pdf, pages, "codes")
        return _file(body, "application/pdf", "codes.pdf")

    async def gone(self, request: AnyRequest) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        picks = _picks([form.one("pick")])

        async def work(who: SignedIn) -> Done:
            now = self._context.now()
            act = Act(action="codes.taken_down", merchant=merchant, subject=form.one("pick"))
            async with self._context.db.as_merchant(merchant) as conn:
                for machine, slot in picks:
                    await printed_codes.taken_down(conn, machine, slot, now)
                await record(conn, who.actor, act, now)
            return Done(to=self._frame.to(request, "codes", done="codes_gone"))

        return await once(self._context, request, form, work)

    async def _list(
        self, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        merchant, after = merchant_of(signed_in(request)), request.query_params.get("after") or None
        async with self._context.db.as_merchant(merchant) as conn:
            found = await printed_codes.listed(conn, merchant, None, after, _PAGE)
        machines = list(dict.fromkeys((one.outlet, one.outlet_name) for one in found))
        spoken = printed_sheet.spoken(found[0].price.currency, found[0].languages) if found else ()
        return await self._frame.page(
            request, "codes.html", status=status, found=found, machines=machines, problem=problem,
            prints=await printed_codes.prints(self._context, found), layouts=_LAYOUTS,
            languages=tuple(LANGUAGES.values()), spoken=spoken,
            practises=await self._practises(merchant, found),
            following=machines[-1][0] if len(machines) == _PAGE else "",
        )  # fmt: skip

    async def _practises(self, merchant: UUID, found: Iterable[SlotCode]) -> bool:
        """No money moves at the account of one of these."""
        known = await gateway_accounts.listed(self._context, merchant)
        practice = {one.id for one in known if not is_for_money(one)}
        return any(one.account_id in practice for one in found)

    async def _found(self, merchant: UUID, wish: Wish) -> list[SlotCode]:
        """The slots that were picked, as they are now. Raises RefusedError for a stranger's."""
        outlets = sorted({machine for machine, _ in wish.picks})
        async with self._context.db.as_merchant(merchant) as conn:
            found = await printed_codes.listed(conn, merchant, outlets, None, len(outlets))
        known = {(one.outlet, one.slot): one for one in found}
        machines = {one.outlet for one in found}
        if not machines.issuperset(outlets) or not known.keys() >= set(wish.slots):
            raise RefusedError(404, "not_found", "There is no such machine or slot.")
        return [known[pick] for pick in wish.slots]

    async def _read(self, merchant: UUID, wish: Wish) -> list[SlotCode]:
        found = await self._found(merchant, wish)
        await printed_codes.read_codes(self._context, merchant, found)
        return await self._found(merchant, wish)

    async def _drawn(self, merchant: UUID, wish: Wish, found: Sequence[SlotCode]) -> list[Sheet]:
        """Raises UnreadableSheetError."""
        outlets = sorted({machine for machine, _ in wish.picks})
        async with self._context.db.as_merchant(merchant) as conn:
            slots = await printed_codes.listed(conn, merchant, outlets, None, len(outlets))
        firsts = {one.outlet: one for one in reversed(slots)}
        known = {(one.outlet, one.slot): one for one in found}
        base = self._frame.auth.base_url
        labels = [
            label_of(known.get(pick) or firsts[pick[0]], base, is_page=pick[1] == _PRINTED_PAGE)
            for pick in wish.picks
        ]
        async with _DRAWING:
            return await asyncio.to_thread(_read_sheets, wish, labels)

    def _ready(self, request: AnyRequest, wish: Wish) -> Redirect:
        to = self._frame.link(request, "codes", "ready")
        query = "&".join(f"{name}={value}" for name, value in wish.query())
        return Redirect(f"{to}{'&' if '?' in to else '?'}{query}", status_code=303)


def _wish(pairs: Iterable[tuple[str, str]]) -> Wish:
    """What a form or an address asks for. Raises RefusedError."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    layout = (fields.get("layout") or [LAYOUTS[0]])[0]
    if layout not in LAYOUTS:
        raise RefusedError(400, "bad_request", "There is no such layout.")
    languages = tuple(code for code in LANGUAGES if code in fields.get("spoken", ()))
    return Wish(_picks(fields.get("pick", ())), layout, languages)


def _picks(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for text in texts:
        machine, _, slot = text.partition("/")
        if not (_plain(machine) and _plain(slot)):
            raise RefusedError(400, "bad_request", "There is no such code.")
        found.append((machine, slot))
    if len(found) > CODES_AT_MOST:
        raise RefusedError(400, "bad_request", f"At most {CODES_AT_MOST} codes fit one file.")
    return tuple(dict.fromkeys(found))


def _plain(text: str) -> bool:
    return 0 < len(text) <= 32 and all(sign.isalnum() or sign in "_-." for sign in text)


def _read_sheets(wish: Wish, labels: Sequence[Label]) -> list[Sheet]:
    pages = code_sheets.sheets(wish.layout, labels, wish.languages or ("en",))
    for page in pages:
        drawing.read_back(page)
    return pages


def _svgs(pages: Sequence[Sheet]) -> bytes:
    if len(pages) == 1:
        return drawing.svg(pages[0]).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, page in enumerate(pages, 1):
            archive.writestr(f"codes-{number:03}.svg", drawing.svg(page))
    return out.getvalue()


def _file(body: bytes, kind: str, name: str) -> Response[bytes]:
    headers = {"Cache-Control": "no-store"}
    if name:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=kind, headers=headers)
