"""What machines say of themselves, over HTTP: health with a chart, logs, the end of a food lock,
and their own counts against ours."""

from collections.abc import Sequence
from typing import Annotated

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import strictly
from coinslot.api.machines import code_of, editor_of, found
from coinslot.channels.messages import BIGINT_MAX
from coinslot.channels.reports import LogLevel
from coinslot.context import Context
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.telemetry import audits, counters, dex, food, health, logs
from coinslot.telemetry.audits import Comparison, Reader
from coinslot.telemetry.counters import CounterCheck
from coinslot.telemetry.dex import DexError
from coinslot.telemetry.food import NotLockedError, Visit
from coinslot.telemetry.health import Charted, MachineHealth, Span
from coinslot.telemetry.logs import Found, LogSearch

ChartOf = Annotated[
    Span,
    QueryParameter(
        name="span",
        description="`day`: pieces of five minutes; `month`: hours; `year`: days.",
    ),
]
AtLeast = Annotated[LogLevel, QueryParameter(description="Lines at least as grave as this.")]
Text = Annotated[
    str, QueryParameter(description="Lines with this in them, whatever the case.", max_length=100)
]
Before = Annotated[
    int | None,
    QueryParameter(description="The `id` that ended the page before.", ge=1, le=BIGINT_MAX),
]


class MachineHealthAnswer(Struct, frozen=True, kw_only=True):
    """How a machine is, and how it was."""

    health: MachineHealth
    chart: Charted
    counter: CounterCheck | None


class Looked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /machines/{machine}/unlock takes."""

    note: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\A[^\x00]+\Z")]


class CountsFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /machines/{machine}/dex takes."""

    file: Annotated[str, Meta(max_length=dex.MOST_BYTES)]


class CountsAnswer(Struct, frozen=True, kw_only=True):
    """Our ledger as a file of the machine, and its own last files compared."""

    file: str
    comparisons: Sequence[Comparison]


class Telemetry(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def health(
        self, request: AnyRequest, machine: FromPath[str], span: ChartOf = Span.DAY
    ) -> MachineHealthAnswer:
        """What it said last of each thing, why it sells nothing, and a chart."""
        merchant, code = editor_of(request).merchant, code_of(machine)
        return MachineHealthAnswer(
            health=await found(health.read(self._context, merchant, code)),
            chart=await found(health.charted(self._context, merchant, code, span)),
            counter=await counters.read(self._context, merchant, code),
        )

    async def logs(
        self,
        request: AnyRequest,
        machine: FromPath[str],
        level: AtLeast = LogLevel.DEBUG,
        text: Text = "",
        before: Before = None,
    ) -> Found:
        """Lines of its log, the newest first."""
        wanted = LogSearch(level=level, text=text, before=before)
        merchant = editor_of(request).merchant
        return await found(logs.search(self._context, merchant, code_of(machine), wanted))

    async def unlock(
        self, request: AnyRequest, machine: FromPath[str], data: JSONBody[Looked]
    ) -> MachineHealth:
        """A person looked at what is in it: its food lock ends. Their words are kept."""
        await strictly(request, data)
        editor, code = editor_of(request), code_of(machine)
        visit = Visit(merchant=editor.merchant, actor=editor.actor, note=data.note)
        try:
            await found(food.unlock(self._context, code, visit))
        except NotLockedError as error:
            raise RefusedError(409, "not_locked", f"{error}.") from None
        return await found(health.read(self._context, editor.merchant, code))

    async def read_counts(self, request: AnyRequest, machine: FromPath[str]) -> CountsAnswer:
        """What we know to have left it, as an EVA-DTS file, and what its own files said."""
        merchant, code = editor_of(request).merchant, code_of(machine)
        file = await found(audits.written(self._context, merchant, code))
        return CountsAnswer(
            file=file.decode("latin-1"),
            comparisons=await found(audits.newest(self._context, merchant, code)),
        )

    async def compare_counts(
        self, request: AnyRequest, machine: FromPath[str], data: JSONBody[CountsFile]
    ) -> Comparison:
        """Keep a file of the machine's own counts, and compare it with the ledger since its last
        one. The same file again is the same answer."""
        await strictly(request, data)
        editor, code = editor_of(request), code_of(machine)
        reader = Reader(merchant=editor.merchant, actor=editor.actor)
        try:
            raw = data.file.encode("latin-1")
            return await found(audits.take(self._context, code, raw, reader))
        except UnicodeEncodeError:
            raise RefusedError(422, "invalid_counts", "EVA-DTS files are plain text.") from None
        except DexError as error:
            raise RefusedError(422, "invalid_counts", f"{error}.".capitalize()) from None
