"""The control page and its live feed, and the page on which a customer pays a code."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import jinja2
import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage

from sandbox.control.coffee import SIZES
from sandbox.control.feed import Feed
from sandbox.control.ledger import Ledger, List, lists_of
from sandbox.control.view import Scene
from sandbox.endpoints import books_of
from sandbox.errors import RefusedError, UnknownError, UnreadableError
from sandbox.party import Outsider
from sandbox.razorpay import customer, qr_codes
from sandbox.razorpay.customer import Scan
from sandbox.razorpay.things import Payment, QrCode
from sandbox.razorpay.wire import rupees
from sandbox.shelf import find
from sandbox.store import Store

HERE = Path(__file__).parent
LARGEST_PAISE = 10_000_000_000
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAINTER = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
SWITCHES = (
    ("jam", "Jam"),
    ("offline", "Offline"),
    ("slow", "Slow"),
    ("wrong_slot", "Wrong slot"),
    ("duplicate_done", "Repeats"),
    ("late_done", "Late"),
)
# Of the feed: name, words, and whether it is seen from the start.
KINDS_OF_LINES = (
    ("money", "Money", True),
    ("machines", "Machines", True),
    ("webhooks", "Webhooks", True),
    ("calls", "API calls", False),
    ("mirror", "Mirror", False),
)
SHARES = (
    ("webhooks", "lose", "Lost"),
    ("webhooks", "repeat", "Repeated"),
    ("webhooks", "reorder", "Out of order"),
    ("webhooks", "forge", "Forged copies"),
    ("api", "error_5xx", "Server errors"),
    ("api", "drop_response", "Answers cut off"),
    ("api", "refund_fails_later", "Refunds fail later"),
)


def painted(template: str, **values: Any) -> str:
    return PAINTER.get_template(template).render(**values)


def page(template: str, status: int = 200, **values: Any) -> Response[str]:
    return Response(painted(template, **values), media_type=MediaType.HTML, status_code=status)


@get("/", media_type=MediaType.HTML)
async def control(scene: Scene, feed: Feed) -> Response[str]:
    """Everything at once; the feed replaces parts of it."""
    return page(
        "control.html",
        machines=scene.all_machines(),
        coffees=scene.coffees(),
        sizes=SIZES,
        **scene.handset(),
        **scene.tickets(),
        groups=scene.codes(),
        payments=scene.payments(),
        totals=scene.totals(),
        sky=scene.sky(),
        lines=feed.lines[::-1],
        kinds=KINDS_OF_LINES,
        coinslot_url=scene.config.coinslot_url,
        switches=SWITCHES,
        shares=SHARES,
    )


@get("/events")
async def events(scene: Scene, feed: Feed) -> ServerSentEvent:
    """Lines and fragments, as server-sent events."""

    def paint(part: str) -> str:
        return msgspec.json.encode(part_of(scene, part)).decode()

    async def stream() -> AsyncIterator[ServerSentEventMessage]:
        yield ServerSentEventMessage(comment="hello", retry=1_000)
        async for item in feed.watch(paint):
            if item.name:
                yield ServerSentEventMessage(event=item.name, data=item.data)
            else:
                yield ServerSentEventMessage(comment="still here")

    return ServerSentEvent(stream())


def part_of(scene: Scene, part: str) -> dict[str, Any]:
    """A part of the page as it is now: HTML to put in, or values to set."""
    if part == "phone":
        html = painted("phone.html", groups=scene.codes(), payments=scene.payments())
        return {"id": "phone-screen", "html": html}
    if part == "coffee":
        drawn = [(f"coffee-{one.number}", one) for one in scene.coffees()]
        return {"drawings": [{"id": name, "html": painted("coffee.html", coffee=one)}
                             for name, one in drawn]}  # fmt: skip
    if part == "handset":
        return {"id": "handset", "html": painted("handset.html", **scene.handset())}
    if part == "tickets":
        return {"id": "tickets", "html": painted("tickets.html", **scene.tickets())}
    if part == "totals":
        return {"id": "totals", "html": painted("totals.html", totals=scene.totals())}
    if part == "weather":
        return {"sky": scene.sky()}
    machine = scene.machine(part.removeprefix("machine-"))
    if machine is None:
        return {}
    html = painted("machine.html", machine=machine)
    return {"id": f"drawing-{machine.outlet}", "html": html, "faults": dict(machine.faults)}


@get("/books")
async def books_for_all(
    request: Request[Any, Any, Any], store: Store, outsiders: list[Outsider]
) -> Any:
    """Everybody's own truth: a page for people, JSON for programs."""
    told = books_of(store, outsiders)
    if "text/html" not in request.headers.get("accept", ""):
        return Response(told, headers={"vary": "accept"})
    gateways = {name: said for name, said in told.items() if "payments" in said}
    others = [lists_of(name, said) for name, said in told.items() if name not in gateways]
    return page(
        "books.html",
        parties=[Ledger.of(name, said) for name, said in gateways.items()],
        others=[List.of(*named) for lists in others for named in lists],
    )


@get("/control/{name:str}")
async def asset(name: str) -> Response[bytes]:
    """The style and the script."""
    files = {path.name: path for path in (HERE / "static").iterdir()}
    if name not in files:
        raise UnknownError(f"no file {name}")
    kind = KINDS[files[name].suffix]
    headers = {"cache-control": "no-cache"}
    return Response(files[name].read_bytes(), media_type=f"{kind}; charset=utf-8", headers=headers)


@get("/razorpay/pay/{qr_id:str}", media_type=MediaType.HTML)
async def pay(qr_id: str, scene: Scene) -> Response[str]:
    """What the customer's app shows after scanning."""
    return page("pay.html", **_bill(scene, qr_id), problem="", typed="")


@post("/razorpay/pay/{qr_id:str}", media_type=MediaType.HTML)
async def pay_now(
    qr_id: str,
    scene: Scene,
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Pay by a plain form, without any script."""
    typed = data.get("amount", "")
    try:
        wanted = Scan(qr_code_id=qr_id, amount=_paise(typed), outcome=_outcome(data))
        with scene.gateway.change() as desk:
            payment = customer.scan(desk, wanted)
    except (RefusedError, UnreadableError) as problem:
        return page(
            "pay.html", problem.status, **_bill(scene, qr_id), problem=str(problem), typed=typed
        )
    return Redirect(f"/razorpay/paid/{payment.id}", status_code=303)


@get("/razorpay/paid/{reference:str}", media_type=MediaType.HTML)
async def paid(reference: str, scene: Scene) -> Response[str]:
    """The app's last screen: paid, or not."""
    with scene.gateway.store.read() as look:
        payment = find(look, Payment, reference)
    if payment is None:
        raise UnknownError(f"no payment {reference}")
    shown = next((one for one in scene.payments() if one.id == reference), None)
    return page(
        "paid.html",
        payment=payment,
        amount=rupees(payment.amount),
        order_url=shown.order_url if shown else None,
    )


def _bill(scene: Scene, qr_id: str) -> dict[str, Any]:
    with scene.gateway.store.read() as look:
        qr = qr_codes.look(scene.gateway.desk(look), qr_id)
    if qr is None:
        raise UnknownError(f"no QR code {qr_id}")
    return {"qr": qr, "product": scene.product(qr), "price": _price(qr)}


def _price(qr: QrCode) -> str:
    return rupees(qr.payment_amount) if qr.payment_amount else ""


def _outcome(data: dict[str, str]) -> Any:
    allowed = ("captured", "failed", "failed_then_captured", "authorized_only")
    outcome = data.get("outcome", "captured")
    if outcome not in allowed:
        raise UnreadableError(f"outcome is one of {', '.join(allowed)}")
    return outcome


def _paise(typed: str) -> int | None:
    """`40` and `40.5` in paise; nothing typed is the price of the code."""
    if not typed.strip():
        return None
    whole, dot, rest = typed.strip().partition(".")
    if not (whole.isdecimal() and (rest.isdecimal() if dot else True) and len(rest) <= 2):
        raise UnreadableError("the amount must be rupees, such as 40 or 40.50")
    paise = int(whole + rest.ljust(2, "0"))
    if not 1 <= paise <= LARGEST_PAISE:
        raise UnreadableError("no bank moves such an amount")
    return paise


PAGES = [control, events, books_for_all, asset, pay, pay_now, paid]
