"""Prices, par levels and capacities of many machines as a table: brought, looked at, and then done
as it was shown, whole or not at all."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec
from litestar import Response
from litestar.response import Redirect, Stream
from msgspec.structs import replace

from coinslot.console import exports, forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.fleet import bulk, bulk_sheet
from coinslot.fleet.bulk import BulkError, MachineChange, MachinePlan, WindowsBy
from coinslot.fleet.bulk_sheet import BulkSheet
from coinslot.fleet.config import Codes
from coinslot.pages.access import Access, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

TABLE_CHARS: Final = 2_000_000
SETS_TIMES: Final = "merchant:write"  # as on the page of machines' times
CODES: Final = ("ask", "replace", "keep")
_Windows = dict[str, dict[str, float | None]]


class BulkPages(SharedHandler):
    """Each page asks one verb of `fleet`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def ask(self, request: AnyRequest) -> Response[str]:
        return await self._frame.page(request, "bulk.html", columns=bulk_sheet.COLUMNS)

    async def file(self, request: AnyRequest) -> Stream:
        slots = await bulk.table(self._context, merchant_of(signed_in(request)))
        headers: dict[str, Any] = {
            "Content-Disposition": 'attachment; filename="slots.csv"', "Cache-Control": "no-store",
        }  # fmt: skip
        content = exports.plain_csv(bulk_sheet.COLUMNS, bulk_sheet.lines(slots))
        return Stream(content, media_type="text/csv; charset=utf-8", headers=headers)

    async def bring(self, request: AnyRequest) -> Response[str] | Redirect:
        """What the table would change; `do=apply` does what was shown, of the versions that were
        shown."""
        form = await forms.read(request, most_chars=TABLE_CHARS)
        raw = form.files.get("file") or form.raw("table").encode()
        slots = await bulk.table(self._context, merchant_of(signed_in(request)))
        read = bulk_sheet.read(raw, {one.machine: one.price.currency for one in slots})
        who = signed_in(request)
        by: WindowsBy = "typed" if SETS_TIMES in who.permissions else "nobody"
        read = replace(read, changes=[replace(one, windows_by=by) for one in read.changes])
        text = raw.decode("utf-8-sig", errors="replace")
        if read.problems or form.one("do") != "apply":
            return await self._planned(request, read, text)
        wanted = of_versions(read.changes, form)
        there = {one.machine: one.windows for one in slots}
        if by == "typed" and any(
            there[one.machine].get(name) != value
            for one in wanted for name, value in one.windows.items()
        ):  # fmt: skip
            Access(self._frame.auth, cookies=True).must_be_fresh(who)

        async def work(who: SignedIn) -> Done:
            await bulk.apply(self._context, editor_of(who), wanted, codes_of(form))
            return Done(to=self._frame.to(request, "slots", done="bulk"))

        try:
            return await once(self._context, request, form, work)
        except BulkError as error:
            said = self._frame.texts(request)["problem_bulk"].format(why=error)
            return await self._planned(request, read, text, said)

    async def _planned(
        self, request: AnyRequest, read: BulkSheet, text: str, problem: str = ""
    ) -> Response[str]:
        plans: Sequence[MachinePlan] = ()
        if not read.problems:
            editor = editor_of(signed_in(request))
            plans = await bulk.plan(self._context, editor, read.changes)
        wrong = bool(read.problems or problem or any(one.problem for one in plans))
        return await self._frame.page(
            request, "bulk_preview.html", table=text, problems=read.problems, problem=problem,
            columns=bulk_sheet.COLUMNS, **shown(plans),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        )  # fmt: skip


def shown(plans: Sequence[MachinePlan]) -> Mapping[str, Any]:
    """What a preview shows: machines that change, that cannot, and the versions that it is of."""
    changing = [one for one in plans if one.differences]
    return {
        "changing": changing,
        "impossible": [one for one in plans if one.problem],
        "untrue": [(one.machine, code) for one in changing for code in one.codes],
        "versions": " ".join(f"{one.machine}={one.version}" for one in plans if one.version),
        "windows": msgspec.json.encode(
            {one.machine: one.windows for one in plans if one.windows}
        ).decode(),
    }


def of_versions(wanted: Sequence[MachineChange], form: Form) -> list[MachineChange]:
    """Of the versions and the windows of time that the page had shown. Raises RefusedError where it
    had shown none."""
    seen = dict(pair.split("=", 1) for pair in form.raw("versions").split() if "=" in pair)
    try:
        times = msgspec.json.decode(form.raw("windows") or "{}", type=_Windows)
        return [
            replace(
                one, version=int(seen[one.machine]),
                windows_seen=times[one.machine] if one.windows else None,
            )
            for one in wanted
        ]  # fmt: skip
    except (KeyError, ValueError):  # which msgspec's errors are, too
        raise RefusedError(400, "bad_request", "This form is none of ours.") from None


def codes_of(form: Form) -> Codes:
    """What becomes of printed codes."""
    said = form.one("codes") or "ask"
    if said not in CODES:
        raise RefusedError(400, "bad_request", "This form is none of ours.")
    return cast(Codes, said)
