"""The books of the mock gateway: in memory, or in a file that outlives the process."""

import fcntl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from coinslot.gateways.base import PaymentFact, QrFact, RefundFact, Taken
from coinslot.gateways.collecting import Charge
from coinslot.kit.clock import Clock
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money

P = ParamSpec("P")
T = TypeVar("T")


class Books:
    """What the gateway itself knows. It lasts as long as the process."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.payments: dict[str, PaymentFact] = {}
        self.refunds: dict[str, RefundFact] = {}  # by key
        self.qr_codes: dict[str, QrFact] = {}
        self.charges: dict[str, Charge] = {}  # by reference, which is made of the key
        self.closed: dict[str, str] = {}  # reference to reason

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While a call is worked on."""
        yield

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{uuid7(self.clock.now()).hex}"

    def paid(self, reference: str, money: Money, *, qr: QrFact | None = None) -> PaymentFact:
        """The money moves; a charge that asked for an authorization gets one."""
        charge = self.charges.get(reference)
        held = charge is not None and not charge.capture
        made = charge or qr
        return PaymentFact(
            gateway_payment_id=reference,
            taken=Taken.AUTHORIZED if held else Taken.CAPTURED,
            money=money,
            at=self.clock.now(),
            qr_code_id=qr.qr_code_id if qr else None,
            mark=made.mark if made else None,
            refunded=Money.zero(money.currency),
        )


class _Page(Struct):
    payments: dict[str, PaymentFact] = {}
    refunds: dict[str, RefundFact] = {}
    qr_codes: dict[str, QrFact] = {}
    charges: dict[str, Charge] = {}
    closed: dict[str, str] = {}


class BooksOnFile(Books):
    """The same on a file, for any number of processes: read and written anew with each call."""

    def __init__(self, clock: Clock, path: Path) -> None:
        super().__init__(clock)
        self._path = path

    @contextmanager
    def opened(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._path.read_bytes() if self._path.exists() else b"{}"
            page = msgspec.json.decode(before, type=_Page)
            for name in _Page.__struct_fields__:
                setattr(self, name, getattr(page, name))
            yield
            after = msgspec.json.encode(page)
            if after != before:
                half = self._path.with_suffix(".half")
                half.write_bytes(after)
                half.replace(self._path)


def with_books(
    verb: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """A verb of the gateway that reads or writes its books."""

    @wraps(verb)
    async def call(self: Any, /, *args: P.args, **more: P.kwargs) -> T:
        with self._books.opened():
            return await verb(self, *args, **more)

    return call
