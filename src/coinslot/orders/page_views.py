"""What people may see of a sale: plain structs, ready to be shown, with nothing left to decide."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from coinslot.kit.money import Money
from coinslot.pictures.pictures import PictureView


class WhyNot(StrEnum):
    """Why an outlet sells nothing right now; the empty word means that it does."""

    READY = ""
    OFFLINE = "offline"
    SOLD_OUT = "sold_out"
    GATEWAY_DOWN = "gateway_down"
    OUT_OF_SERVICE = "out_of_service"  # taken out of service by a person, for good or for repair
    BUSY = "busy"  # unpaid orders enough from this browser or this network
    BROKEN = "broken"  # it failed too often and took itself out of sale
    ABOVE_CAP = "above_cap"  # it costs more than a machine of its class may sell for
    TOO_WARM = "too_warm"  # what is in it may not be sold until a person has looked


class NotNowError(Exception):
    """Nothing was placed and nobody was charged."""

    def __init__(self, why_not: WhyNot) -> None:
        super().__init__(why_not.value)
        self.why_not = why_not


class BrandView(Struct, frozen=True, kw_only=True):
    """Whose page it is: what stands first on it."""

    name: str
    colour: str | None = None  # of buttons and links, as it was chosen
    ground: str | None = None  # behind the name
    logo: PictureView | None = None
    nothing_out: str = ""  # where to write when nothing came out
    languages: tuple[str, ...] = ()  # of its pages, the usual one first; none: all


class ItemView(Struct, frozen=True, kw_only=True):
    """One slot with what it sells."""

    slot: str
    name: str
    price: Money
    available: bool
    contested: bool = False  # someone else may be paying for the last one
    names: Mapping[str, str] = {}  # by language; where a language has none, `name`
    description: str = ""
    descriptions: Mapping[str, str] = {}
    category: str = ""
    picture: PictureView | None = None

    def name_in(self, language: str) -> str:
        return self.names.get(language) or self.name

    def description_in(self, language: str) -> str:
        return self.descriptions.get(language) or self.description


class NearestView(Struct, frozen=True, kw_only=True):
    """Another outlet of the same merchant that works now."""

    code: str
    name: str
    place: str


class OutletView(Struct, frozen=True, kw_only=True):
    """An outlet as someone in front of it sees it."""

    code: str
    name: str
    place: str
    kind: str
    merchant_name: str
    brand: BrandView
    channel: str
    dialect: str
    guarantee: str  # "G0" to "G3"
    ready: bool
    why_not: WhyNot
    operator_contact: str
    currency: str
    zone: str | None = None  # IANA name, in which its times are shown; None: the installation's
    items: tuple[ItemView, ...]
    counts_stock: bool = True  # without it the customer chooses at the outlet itself
    address: str | None = None  # where on this site what it sells is chosen; None: on its page
    nearest: NearestView | None = None
    busy: bool = False  # with somebody's order

    @property
    def by_category(self) -> tuple[tuple[str, tuple[ItemView, ...]], ...]:
        """What it sells by category, in the order of the first slot of each; what is of none comes
        last. Where there is only one group, it has no name."""
        groups: dict[str, list[ItemView]] = {}
        for item in self.items:
            groups.setdefault(item.category, []).append(item)
        if len(groups) == 1:
            return (("", self.items),)
        ordered = sorted(groups.items(), key=lambda group: not group[0])
        return tuple((name, tuple(items)) for name, items in ordered)


class Progress(StrEnum):
    """How far the goods of a paid order have come."""

    QUEUED = "queued"  # they wait for their outlet
    SENDING = "sending"  # the outlet is being asked, and nothing can have come out
    WORKING = "working"  # they may be out at any moment, or are
    CHECKING = "checking"  # nobody knows whether they came out


class ToldView(Struct, frozen=True, kw_only=True):
    """One message to the customer. `form`: sms, call, email or push. `stage`: on_way, sent,
    arrived, failed, unknown, opted_out or not_sent."""

    form: str
    stage: str
    to: str  # as its owner recognises it, and nobody else does


class TaxView(Struct, frozen=True, kw_only=True):
    """Tax in a sum at one rate."""

    percent: str
    money: Money


class CreditView(Struct, frozen=True, kw_only=True):
    """A credit note: the number of a refund in the merchant's books, and the receipt that it
    corrects. `item` is what went back, or the kind of an extra; `void`: the money did not arrive
    after all."""

    number: str
    item: str = ""
    corrects: str
    at: datetime
    money: Money
    taxes: tuple[TaxView, ...] = ()
    void: bool


class Story(Struct, frozen=True, kw_only=True):
    """What the handler of a kind says of a paid order."""

    progress: Progress
    begun_at: datetime | None = None  # when the outlet was first told of it
    confirmed_at: datetime | None = None  # when it said so; None: when the first unit was sent
    unconfirmed: bool = False  # it never said so, and nobody knows whether it was reached
    shape: str = "can"  # how the goods are drawn: a can, or a cup
    code: str | None = None  # what the customer types or shows to get the goods
    asks: bool = False  # only the customer knows whether the goods came: the page asks
    may_cancel: bool = False  # nobody has begun with it
    looks_into: bool = True  # what a customer says about it is looked into
    keeps: bool = False  # past its time nothing goes back: its customer was told so
    told: tuple[ToldView, ...] = ()
    may_resend: bool = False  # the customer may have the code sent again
    push_key: str = ""  # with which a browser subscribes to notices of this order
    code_text: str | None = None  # what a picture of the code holds
    wanted_at: datetime | None = None  # the time that the customer chose
    brought: str = ""  # to a door: "deliver" while it waits for its driver, "away" after
    may_arrive: bool = False  # the customer may say that they wait outside
    asks_where: bool = False  # and their phone is asked for its position then
    here_at: datetime | None = None  # when they said so
    invoice: str | None = None  # its number in the merchant's books
    credits: tuple[CreditView, ...] = ()
    tax_included: int = 0  # in the prices of its units, minor units


class UnitView(Struct, frozen=True, kw_only=True):
    """One thing to be handed over. `state` is a word of its kind's table of moves."""

    unit_id: UUID
    name: str
    state: str
    settlement: str | None = None  # "fulfilled" or "refund_due"
    basis: str | None = None


class LineView(Struct, frozen=True, kw_only=True):
    """So many pieces of one thing, and what they cost together before a discount."""

    name: str
    quantity: int
    money: Money


class ExtraView(Struct, frozen=True, kw_only=True):
    """What the order costs beside its units: "tip", "delivery_fee" or "added_tax"."""

    kind: str
    money: Money


class RefundView(Struct, frozen=True, kw_only=True):
    """Money on its way back."""

    money: Money
    state: str  # pending, succeeded, failed, owed
    at: datetime
    gateway_refund_id: str | None = None
    surplus: bool = (
        False  # of money that bought nothing: paid twice, late, or in a way that was left
    )


class WayView(Struct, frozen=True, kw_only=True):
    """One way to pay that works now. `name` goes back with its form."""

    name: str
    form: str  # link, code
    title: str  # of the gateway
    practice: bool = False  # nobody is charged: its gateway is this installation
    receipts: bool = False  # a fiscal receipt goes with it, to the customer's address


class PayView(Struct, frozen=True, kw_only=True):
    """What the customer pays by now: the gateway's link, its code as a picture or as text."""

    form: str = "code"  # link, code
    title: str = ""  # of the gateway
    url: str | None = None  # of its own page, or of a payment app, as the gateway issued it
    text: str | None = None  # what a code holds
    image_url: str | None = None
    qr_code_id: str | None = None
    expires_at: datetime


class OrderView(Struct, frozen=True, kw_only=True):
    """An order for the whole of its life. `version` grows with any change that this view shows."""

    token: str
    number: str
    version: int
    state: str  # placed, paid, completed, failed, expired
    outlet_code: str
    outlet_name: str
    kind: str  # as the outlet's
    merchant_name: str
    brand: BrandView
    operator_contact: str
    zone: str | None = None  # as the outlet's
    slot: str
    money: Money
    units: tuple[UnitView, ...]
    lines: tuple[LineView, ...] = ()  # as they were chosen
    discount: Money | None = None  # what was taken off its lines; None: nothing
    extras: tuple[ExtraView, ...] = ()
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None = None
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    taken_at: datetime | None = None
    refund_by: datetime | None = None  # the automatic refund happens at the latest then
    refunds: tuple[RefundView, ...] = ()
    told: tuple[ToldView, ...] = ()  # what was sent to the customer
    may_resend: bool = False  # the customer may have the code sent again
    push_key: str = ""  # with which a browser subscribes to notices of this order
    kept_by: datetime | None = None  # past it the goods are lost, and nothing goes back
    refund_waiting: Money | None = None  # a person refunds it as soon as its unit is settled
    pay: PayView | None = None
    ways: tuple[WayView, ...] = ()  # while it is not paid
    way_now: str | None = None  # the way that is under way
    way_failed: str | None = None  # the gateway at which the last attempt came to nothing
    pay_at: datetime | None = None  # when its attempt is made; None: none is under way
    by_policy: bool = False
    progress: Progress = Progress.QUEUED
    code: str | None = None  # what the customer types or shows to get the goods
    asks: bool = False  # whether the goods came, because only the customer knows
    may_cancel: bool = False  # nobody has begun with it
    looks_into: bool = True  # what a customer says about it is looked into
    shape: str = "can"  # how the goods are drawn
    code_text: str | None = None  # what a picture of the code holds
    wanted_at: datetime | None = None  # the time that the customer chose
    brought: str = ""  # to a door: "deliver" while it waits for its driver, "away" after
    may_arrive: bool = False  # the customer may say that they wait outside
    asks_where: bool = False  # and their phone is asked for its position then
    here_at: datetime | None = None  # when they said so
    invoice: str | None = None  # its number in the merchant's books
    credits: tuple[CreditView, ...] = ()
    tax_included: Money | None = None
    gateway_payment_id: str | None = None
    gateway_receipt: str | None = None  # the address of the gateway's own receipt

    @property
    def currency(self) -> str:
        return self.money.currency


class Check(Struct, frozen=True, kw_only=True):
    """One thing that the installation needs, and its status."""

    status: str  # healthy, degraded, unhealthy
    detail: str = ""


class Devices(Struct, frozen=True, kw_only=True):
    """How many machines are online."""

    online: int
    offline: int
    total: int


class Health(Struct, frozen=True, kw_only=True):
    """The state of the installation. `checks` by name: database, broker, gateway, mirror, clock,
    background."""

    status: str  # healthy, degraded, unhealthy
    version: str
    checks: dict[str, Check]
    devices: Devices
