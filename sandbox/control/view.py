"""What the control page shows, gathered: machines, codes to scan, payments, the weather."""

from typing import Any, NamedTuple

import msgspec

from sandbox import weather
from sandbox.clock import hour_minute
from sandbox.config import Config, Outlet
from sandbox.control import coffee, handset, tickets
from sandbox.control.drawing import MachineDrawing, draw
from sandbox.machines import Machines
from sandbox.razorpay import books, qr_codes
from sandbox.razorpay.desk import Gateway
from sandbox.razorpay.things import Payment, QrCode
from sandbox.razorpay.wire import rupees
from sandbox.shelf import everything, find
from sandbox.store import Change

ONE_ORDER_CODES_LIMIT, PAYMENTS_LIMIT = 3, 6
ELSEWHERE = "Other codes"


class Code(NamedTuple):
    """A code that the customer can scan."""

    id: str
    short: str
    slot: str
    title: str
    price: str  # empty: the customer chooses
    one_order: bool


class Codes(NamedTuple):
    """The codes that stick on one machine."""

    outlet: str
    name: str
    url: str | None
    codes: list[Code]


class Paid(NamedTuple):
    """A payment as the customer's bank shows it."""

    id: str
    what: str
    amount: str
    at: str
    status: str
    order_url: str | None


class Totals(NamedTuple):
    """The gateway's money and the machines' goods, side by side."""

    taken: str
    given_back: str
    kept: str
    dropped: int


class Scene(msgspec.Struct):
    """The parts that the page is made of."""

    gateway: Gateway
    machines: Machines
    config: Config

    def outlets(self) -> list[Outlet]:
        return [one for one in self.config.outlets if one.kind == "vending"]

    def machine(self, outlet_id: str) -> MachineDrawing | None:
        """The picture of one machine as it is now."""
        for place, outlet in enumerate(self.outlets()):
            if outlet.id == outlet_id:
                state = self.machines.state(outlet_id)
                drawn = draw(place, outlet, state, self.machines.journal(outlet_id))
                faults = msgspec.to_builtins(self.machines.faults(outlet_id))
                return msgspec.structs.replace(drawn, faults=faults)
        return None

    def all_machines(self) -> list[MachineDrawing]:
        drawn = [self.machine(outlet.id) for outlet in self.outlets()]
        return [one for one in drawn if one is not None]

    def coffees(self) -> list[coffee.CoffeeDrawing]:
        with self.gateway.store.read() as look:
            return coffee.drawings(look)

    def handset(self) -> dict[str, Any]:
        with self.gateway.store.read() as look:
            return {
                "ringing": handset.ringing(look),
                "talking": handset.talking(look),
                "texts": handset.texts(look),
            }

    def tickets(self) -> dict[str, Any]:
        with self.gateway.store.read() as look:
            return {"printers": tickets.drawings(look)}

    def codes(self) -> list[Codes]:
        """Open codes by machine: the printed ones, and the newest made for one order."""
        with self.gateway.store.read() as look:
            every = [qr_codes.as_of_now(qr) for qr in everything(look, QrCode)]
        stuck: dict[str, list[QrCode]] = {}
        known = {outlet.id: outlet for outlet in self.config.outlets}
        for qr in every:
            if qr.status == "active":
                where = self._outlet_of(qr)
                stuck.setdefault(where if where in known else ELSEWHERE, []).append(qr)
        groups = []
        for where in [*known, ELSEWHERE]:
            if found := stuck.get(where, []):
                printed = [qr for qr in found if qr.usage == "multiple_use"]
                one_order = [qr for qr in found if qr.usage == "single_use"]
                shown = printed + one_order[::-1][:ONE_ORDER_CODES_LIMIT]
                name = known[where].name if where in known else ""
                url = self._url(f"/q/{where}") if where in known else None
                groups.append(Codes(where, name, url, [self._code(qr) for qr in shown]))
        return groups

    def payments(self) -> list[Paid]:
        """The newest payments first."""
        with self.gateway.store.read() as look:
            newest = _newest(look)
            refunded = books.refunded(look, [payment.id for payment in newest])
            return [self._paid(look, payment, refunded) for payment in newest]

    def totals(self) -> Totals:
        with self.gateway.store.read() as look:
            taken, back = books.totals(look)
        dropped = sum(len(self.machines.journal(outlet.id)) for outlet in self.outlets())
        return Totals(rupees(taken), rupees(back), rupees(taken - back), dropped)

    def sky(self) -> dict[str, Any]:
        with self.gateway.store.read() as look:
            sky: dict[str, Any] = msgspec.to_builtins(weather.current(look))
        return sky

    def product(self, qr: QrCode) -> str:
        """What the code sells, as far as anybody said."""
        slot, where = qr.notes.get("slot", ""), self._outlet_of(qr)
        for outlet in self.config.outlets:
            for one in outlet.slots:
                if (outlet.id, one.slot) == (where, slot) and one.product:
                    return one.product
        # A description may end in the place, "Masala cola (M01 A1)", which stands beside it anyway.
        described = (qr.description or "").removesuffix(f" ({where} {slot})")
        return described or qr.name or "QR code"

    def _paid(self, look: Change, payment: Payment, refunded: dict[str, int]) -> Paid:
        qr = payment.qr_code_id and find(look, QrCode, payment.qr_code_id)
        back = refunded.get(payment.id, 0)
        status = "refunded" if back == payment.amount else payment.status
        where = self._outlet_of(qr) if qr else ""
        # A customer's phone is where the machine is, and the machine's page asks for that time.
        zones = {outlet.id: outlet.zone for outlet in self.config.outlets}
        minute = hour_minute(payment.created_at, zones.get(where, ""))
        finder = (
            f"/q/{where}/help?amount={rupees(payment.amount)}&time={minute}&reference={payment.rrn}"
        )
        return Paid(
            id=payment.id,
            what=self.product(qr) if qr else "Elsewhere",
            amount=rupees(payment.amount),
            at=minute,
            status="partly refunded" if 0 < back < payment.amount else status,
            order_url=self._url(finder) if where else None,
        )

    def _code(self, qr: QrCode) -> Code:
        price = rupees(qr.payment_amount) if qr.payment_amount else ""
        slot = qr.notes.get("slot", "")
        return Code(qr.id, qr.short, slot, self.product(qr), price, qr.usage == "single_use")

    def _outlet_of(self, qr: QrCode) -> str:
        for outlet in self.config.outlets:
            if outlet.qr_code_id == qr.id:
                return outlet.id
        return qr.notes.get("outlet", "")

    def _url(self, path: str) -> str | None:
        base = self.config.coinslot_url
        return f"{base.rstrip('/')}{path}" if base else None


def _newest(look: Change) -> list[Payment]:
    rows = look.all(
        "SELECT body FROM things WHERE kind = 'payment' ORDER BY seq DESC LIMIT ?",
        (PAYMENTS_LIMIT,),
    )
    return [msgspec.json.decode(row["body"], type=Payment) for row in rows]
