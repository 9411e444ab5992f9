"""What the pages of coffee share."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from litestar.response import Redirect, Stream

from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.imports import TooManyLinesError
from coinslot.coffee.machines import DeviceTakenError, StaleMachineError
from coinslot.coffee.vendors import AccountTakenError, OpenVendors
from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import FieldError
from coinslot.orders.fulfillment import handler
from coinslot.outlets.machines import OutletTakenError
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act
from coinslot.people.sessions import SignedIn

PAGE: Final = 50
TABLE_CHARS: Final = 60_000


class TableError(FieldError):
    """A table has more lines than are read at once; none of them is."""

    def __init__(self, error: TooManyLinesError) -> None:
        super().__init__("problem_coffee_many")
        self.lines, self.most = error.lines, error.most


class CoffeePages(SharedHandler):
    """Each page asks one verb of `coffee`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    @property
    def vendors(self) -> OpenVendors:
        kind: Coffee = handler(self._context, "coffee")  # type: ignore[assignment]
        return kind.vendors

    async def worked(
        self, request: AnyRequest, form: Form, work: forms.Work, again: Any
    ) -> Response[str] | Redirect:
        try:
            return await once(self._context, request, form, work)
        except FieldError as error:
            problem = error
        except (AccountTakenError, DeviceTakenError, OutletTakenError):
            problem = FieldError("problem_coffee_taken")
        except StaleMachineError:
            problem = FieldError("problem_coffee_stale")
        answer: Response[str] = await again(request, problem=problem)
        return answer

    async def page(
        self, request: AnyRequest, part: str, name: str, problem: FieldError | None = None,
        **values: Any,
    ) -> Response[str]:  # fmt: skip
        c = self._frame.texts(request)
        said = said_of(problem, c) if problem else ""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return await self._frame.page(
            request, name, status=status, problem=said, part=part, **values
        )


def said_of(problem: FieldError, c: Mapping[str, str]) -> str:
    if isinstance(problem, TableError):
        return c[problem.text].format(lines=problem.lines, most=problem.most)
    return c[problem.text]


def csv_file(name: str, content: AsyncIterator[bytes]) -> Stream:
    return Stream(
        content, media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
        },
    )  # fmt: skip


def act_of(action: str, who: SignedIn, subject: str, after: dict[str, str] | None = None) -> Act:
    return Act(action=action, merchant=merchant_of(who), subject=subject, after=after)


def no_such_machine() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such coffee machine.")
