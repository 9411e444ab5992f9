"""Every route of the console as every role, without a session, and by Chandra with Asha's ids and
her own. A new route is visited as soon as it exists."""

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar

from coinslot.people.roles import PERMISSIONS
from tests.console.conftest import OURS, a_browser, signed_in
from tests.people.conftest import CAST, Staffed

# What a route needs; None: to be signed in. Written down here a second time, on purpose: a route
# whose guard is forgotten is found by it.
NEEDS: dict[str, str | None] = {
    "GET /console": None,
    "GET /console/account": None,
    "POST /console/account/sessions/{session}": None,
    "POST /console/step-up": None,
    "POST /console/sign-out": None,
    "POST /console/sign-out-everywhere": None,
    "GET /console/business": "installation:write",
    "POST /console/business": "installation:write",
    "POST /console/switch": None,
    "GET /console/start": "merchant:write",
    "POST /console/start/practice": "merchant:write",
    "POST /console/start/machine": "merchant:write",
    "POST /console/start/products": "merchant:write",
    "POST /console/start/books": "merchant:write",
    "POST /console/start/languages": "merchant:write",
    "POST /console/start/away": "merchant:write",
    "POST /console/machines/{machine}/practice": "machines:write",
    "GET /console/new-machine": "machines:write",
    "POST /console/new-machine": "machines:write",
    "POST /console/new-machine/table": "machines:write",
    "GET /console/machines/{machine}/history": "machines:read",
    "POST /console/machines/{machine}/test-vend": "machines:write",
    "POST /console/machines/{machine}/sale": "machines:write",
    "POST /console/machines/{machine}/config": "machines:write",
    "POST /console/machines/{machine}/provision": "devices:write",
    "GET /console/machines/{machine}/withdraw": "machines:write",
    "POST /console/machines/{machine}/withdraw": "machines:write",
    "GET /console/machines/{machine}/stock": "machines:read",
    "GET /console/machines/{machine}/refill": "machines:write",
    "POST /console/machines/{machine}/refill": "machines:write",
    "GET /console/rollouts": "machines:read",
    "POST /console/rollouts": "machines:write",
    "GET /console/rollouts/{rollout}": "machines:read",
    "POST /console/rollouts/{rollout}/start": "devices:write",
    "POST /console/rollouts/{rollout}/pause": "machines:write",
    "POST /console/rollouts/{rollout}/resume": "devices:write",
    "POST /console/rollouts/{rollout}/abort": "machines:write",
    "POST /console/rollouts/{rollout}/machines/{machine}/give-up": "machines:write",
    "GET /console/near": "machines:read",
    "GET /console/machines/{machine}/device": "machines:write",
    "POST /console/machines/{machine}/device": "machines:write",
    "GET /console/slots": "products:write",
    "GET /console/slots/export": "machines:read",
    "POST /console/slots": "products:write",
    "GET /console/templates": "machines:write",
    "POST /console/templates": "machines:write",
    "GET /console/templates/{template}": "machines:write",
    "POST /console/templates/{template}": "machines:write",
    "POST /console/templates/{template}/assign": "products:write",
    "GET /console/firmware": "devices:write",
    "POST /console/firmware": "devices:write",
    "POST /console/firmware/keys": "devices:write",
    "POST /console/firmware/keys/{key}/retire": "devices:write",
    "GET /console/refills": "machines:read",
    "GET /console/refills/export": "machines:read",
    "GET /console/refills/routes": "machines:write",
    "POST /console/refills/routes": "machines:write",
    "GET /console/coffee": "machines:read",
    "GET /console/coffee/export": "money:read",
    "GET /console/coffee/machines": "machines:read",
    "GET /console/coffee/machines/export": "machines:read",
    "GET /console/coffee/machines/{machine}": "machines:read",
    "POST /console/coffee/machines/{machine}": "machines:write",
    "GET /console/coffee/drinks": "machines:read",
    "GET /console/coffee/drinks/export": "machines:read",
    "GET /console/coffee/setup": "merchant:write",
    "POST /console/coffee/accounts": "gateways:write",
    "POST /console/coffee/machines": "machines:write",
    "POST /console/coffee/import": "machines:write",
    "POST /console/coffee/import/apply": "machines:write",
    "POST /console/coffee/drinks": "machines:write",
    "POST /console/coffee/drinks/apply": "machines:write",
    "POST /console/coffee/rules": "merchant:write",
    "GET /console/today": "orders:read",
    "GET /console/inbox": "money:read",
    "POST /console/inbox/{case}": "cases:write",
    "GET /console/find": "orders:read",
    "GET /console/orders/{order}": "orders:read",
    "GET /console/menu": "products:read",
    "GET /console/menu/{outlet}": "products:read",
    "GET /console/menu/{outlet}/table.csv": "products:read",
    "POST /console/menu/{outlet}/table": "products:write",
    "POST /console/menu/{outlet}/lines": "products:write",
    "GET /console/menu/{outlet}/new-item": "products:write",
    "POST /console/menu/{outlet}/new-item": "products:write",
    "GET /console/menu/{outlet}/items/{item}": "products:write",
    "POST /console/menu/{outlet}/items/{item}": "products:write",
    "POST /console/menu/{outlet}/items/{item}/remove": "products:write",
    "POST /console/menu/{outlet}/stocks/{stock}": "products:write",
    "POST /console/menu/{outlet}/move": "products:write",
    "POST /console/menu/{outlet}/rename": "products:write",
    "POST /console/menu/{outlet}/copy": "products:write",
    "POST /console/menu/{outlet}/settings": "products:write",
    "GET /console/new-counter": "machines:write",
    "POST /console/new-counter": "machines:write",
    "GET /console/menu/{outlet}/delivery": "merchant:write",
    "POST /console/menu/{outlet}/delivery": "merchant:write",
    "GET /console/menu/{outlet}/rules": "merchant:write",
    "POST /console/menu/{outlet}/rules": "merchant:write",
    "GET /console/menu/{outlet}/gateway": "merchant:write",
    "POST /console/menu/{outlet}/gateway": "merchant:write",
    "GET /console/menu/{outlet}/hours": "machines:write",
    "POST /console/menu/{outlet}/hours": "machines:write",
    "GET /console/menu/{outlet}/codes": "machines:read",
    "GET /console/menu/{outlet}/codes/sheet": "machines:read",
    "GET /console/board": "board:read",
    "GET /console/board/live": "board:read",
    "POST /console/board/here": "board:write",
    "POST /console/board/{order}/accept": "board:write",
    "POST /console/board/{order}/ready": "board:write",
    "POST /console/board/{order}/back": "board:write",
    "POST /console/board/{order}/tick": "board:write",
    "POST /console/board/{order}/reject": "board:write",
    "POST /console/board/{order}/complete": "board:write",
    "POST /console/board/{order}/vouch": "board:write",
    "POST /console/board/{order}/print": "board:write",
    "POST /console/board/paper/{job}/looked": "board:write",
    "POST /console/board/paper/{job}/again": "board:write",
    "GET /console/board/printers": "machines:read",
    "POST /console/board/printers": "machines:write",
    "POST /console/board/printers/{printer}/retire": "machines:write",
    "POST /console/board/printers/{printer}/test": "machines:write",
    "POST /console/board/stores/{outlet}/phone": "machines:write",
    "GET /console/board/kitchen": "board:read",
    "GET /console/board/stores/{outlet}/walk-in": "board:write",
    "POST /console/board/stores/{outlet}/walk-in": "board:write",
    "POST /console/board/walk-ins/{walk_in}": "board:write",
    "POST /console/board/walk-ins/{walk_in}/print": "board:write",
    "GET /console/board/tablets": "board:write",
    "POST /console/board/tablets": "people:write",
    "POST /console/board/tablets/{tablet}/end": "people:write",
    "POST /console/board/pin": "board:write",
    "POST /console/board/stores/{outlet}/pause": "board:write",
    "POST /console/board/stores/{outlet}/items/{item}": "board:write",
    "POST /console/orders/{order}/refund": "refunds:write",
    "POST /console/orders/{order}/ask-machine": "machines:write",
    "POST /console/orders/{order}/print-credit": "board:write",
    "GET /console/machines": "machines:read",
    "GET /console/outlets/{outlet}": "machines:read",
    "GET /console/machines/{machine}": "machines:read",
    "GET /console/machines/{machine}/health": "machines:read",
    "POST /console/machines/{machine}/unlock": "machines:write",
    "POST /console/machines/{machine}/maintenance": "machines:write",
    "GET /console/machines/{machine}/counts": "machines:read",
    "POST /console/machines/{machine}/counts": "machines:write",
    "POST /console/machines/{machine}/slots/{slot}/price": "products:write",
    "POST /console/machines/{machine}/slots/{slot}/sale": "machines:write",
    "POST /console/machines/{machine}/slots/{slot}/refill": "machines:write",
    "GET /console/products": "products:read",
    "GET /console/new-product": "products:write",
    "POST /console/new-product": "products:write",
    "GET /console/products/{sku}": "products:write",
    "POST /console/products/{sku}": "products:write",
    "POST /console/products/{sku}/retire": "products:write",
    "GET /console/money": "money:read",
    "GET /console/money/reports": "money:read",
    "GET /console/money/profit": "money:read",
    "GET /console/money/analytics": "money:read",
    "GET /console/offers": "merchant:write",
    "POST /console/offers": "merchant:write",
    "POST /console/offers/card": "merchant:write",
    "POST /console/offers/{coupon}/end": "merchant:write",
    "GET /console/privacy": "merchant:write",
    "POST /console/privacy/search": "merchant:write",
    "POST /console/privacy/export": "merchant:write",
    "POST /console/privacy/forget": "merchant:write",
    "POST /console/privacy/settings": "merchant:write",
    "GET /console/money/{listing}": "money:read",
    "GET /console/money/{listing}/export": "money:read",
    "GET /console/receipts": "money:read",
    "GET /console/receipts/export": "money:read",
    "GET /console/receipts/{receipt}": "money:read",
    "POST /console/receipts/{receipt}/again": "cases:write",
    "POST /console/receipts/{receipt}/by-hand": "cases:write",
    "GET /console/codes": "machines:read",
    "POST /console/codes": "machines:write",
    "GET /console/codes/ready": "machines:read",
    "GET /console/codes/sheet": "machines:read",
    "POST /console/codes/gone": "machines:write",
    "GET /console/settings": "merchant:write",
    "GET /console/settings/brand": "merchant:write",
    "POST /console/settings/brand": "merchant:write",
    "GET /console/proof": "installation:read",
    "GET /console/proof/owed": "installation:read",
    "POST /console/proof/run": "installation:write",
    "GET /console/orders/{order}/proof": "orders:read",
    "GET /console/orders/{order}/proof/file": "orders:read",
    "GET /console/health": "installation:read",
    "GET /console/people": "people:read",
    "POST /console/people/invite": "people:write",
    "POST /console/people/invitations/{invitation}": "people:write",
    "POST /console/people/{person}": "people:write",
    "GET /console/log": "audit_log:read",
    "GET /console/live": None,
    "GET /console/notices": None,
    "POST /console/notices": None,
    "POST /console/notices/test": None,
    "POST /console/notices/address": None,
    "POST /console/notices/browsers": None,
    "POST /console/notices/browsers/{browser}": None,
    "POST /console/account/factors/totp": None,
    "POST /console/account/factors/totp/{factor}": None,
    "POST /console/account/factors/passkey": None,
    "POST /console/account/factors/passkey/confirm": None,
    "POST /console/account/factors/{factor}/remove": None,
    "POST /console/account/recovery-codes": None,
    "POST /console/account/password": None,
    "GET /console/settings/business": "merchant:write",
    "POST /console/settings/business": "merchant:write",
    "POST /console/settings/rules": "merchant:write",
    "GET /console/settings/selling": "merchant:write",
    "POST /console/settings/selling": "merchant:write",
    "GET /console/settings/windows": "merchant:write",
    "POST /console/settings/windows/{machine}": "merchant:write",
    "GET /console/keys": "keys:write",
    "POST /console/keys": "keys:write",
    "POST /console/keys/{api_key}/rotate": "keys:write",
    "POST /console/keys/{api_key}/revoke": "keys:write",
    "GET /console/webhooks": "webhooks:write",
    "POST /console/webhooks": "webhooks:write",
    "GET /console/webhooks/{endpoint}": "webhooks:write",
    "POST /console/webhooks/{endpoint}": "webhooks:write",
    "POST /console/webhooks/{endpoint}/rotate": "webhooks:write",
    "POST /console/webhooks/{endpoint}/remove": "webhooks:write",
    "POST /console/webhooks/{endpoint}/test": "webhooks:write",
    "POST /console/webhooks/{endpoint}/redeliver-failed": "webhooks:write",
    "GET /console/webhooks/deliveries/{delivery}": "webhooks:write",
    "POST /console/webhooks/deliveries/{delivery}": "webhooks:write",
    "GET /console/gateways": "gateways:write",
    "GET /console/gateways/new/{gateway}": "gateways:write",
    "POST /console/gateways/new/{gateway}": "gateways:write",
    "GET /console/gateways/{account}": "gateways:write",
    "GET /console/gateways/{account}/change": "gateways:write",
    "POST /console/gateways/{account}/change": "gateways:write",
    "POST /console/gateways/{account}/test": "gateways:write",
    "POST /console/gateways/{account}/enable": "gateways:write",
    "POST /console/gateways/{account}/end-former": "gateways:write",
}
OPEN = {
    f"{method} /console/{place}"
    for method in ("GET", "POST")
    for place in ("sign-in", "first-run", "join", "confirm-address", "forgot", "reset", "pin")
} | {
    f"GET /console/{file}"
    for file in ("manifest.webmanifest", "worker.js", "icon-192.png", "icon-512.png")
}
_ENDING = ("sign-out", "sign-out-everywhere")


def served(app: Litestar) -> Iterator[str]:
    for route in app.routes:
        path = re.sub(r":\w+", "", route.path)
        if path == "/console" or path.startswith("/console/"):
            for method in sorted(getattr(route, "methods", set()) - {"OPTIONS", "HEAD"}):
                yield f"{method} {path}"


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)


STREAMS = ("GET /console/live", "GET /console/board/live")  # without end, with tests of their own
_NOBODYS = "0193d3a4-1c00-7000-8000-00000000a001"
IDS = {
    "session": _NOBODYS,
    "order": _NOBODYS,
    "job": _NOBODYS,
    "walk_in": _NOBODYS,
    "tablet": _NOBODYS,
    "coupon": _NOBODYS,
    "printer": _NOBODYS,
    "person": _NOBODYS,
    "invitation": _NOBODYS,
    "browser": _NOBODYS,
    "case": "999999",
    "receipt": _NOBODYS,
    "rollout": _NOBODYS,
    "template": "nothing",
    "key": _NOBODYS,
    "machine": "X9",
    "sku": "nothing",
    "slot": "A1",
    "listing": "orders",
    "account": _NOBODYS,
    "api_key": _NOBODYS,
    "factor": _NOBODYS,
    "endpoint": _NOBODYS,
    "delivery": _NOBODYS,
    "gateway": "nothing",
    "outlet": "X9",
    "item": _NOBODYS,
    "stock": _NOBODYS,
}


def test_every_route_is_written_down(staffed: Staffed) -> None:
    assert set(served(staffed.app)) == set(NEEDS) | OPEN


async def test_without_a_session_every_route_asks_for_signing_in(staffed: Staffed) -> None:
    nobody = a_browser(staffed).client
    for route in NEEDS:
        method, path = route.split(" ")
        answer = await nobody.request(method, filled(path, IDS), headers=OURS)
        if route in STREAMS:  # an open page is told, and stays as it is
            assert "event: over" in answer.text
        elif method == "GET":
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/console/sign-in"), route
        else:
            assert answer.status_code == 401, route


@pytest.mark.parametrize(("login", "role"), [(one[0], one[2]) for one in CAST])
async def test_a_role_opens_what_it_may_and_nothing_else(
    staffed: Staffed, login: str, role: str
) -> None:
    browser = await signed_in(staffed, login)
    for route, permission in NEEDS.items():
        method, path = route.split(" ")
        may = permission is None or permission in PERMISSIONS[role]
        if path.rpartition("/")[2] in _ENDING or (route in STREAMS and may):
            continue
        answer = await browser.client.request(method, filled(path, IDS), headers=OURS)
        refused = "Your role may not do this" in answer.text
        assert refused == (not may), route
        assert answer.status_code < 500, (route, answer.text)


@pytest.mark.parametrize("login", ["asha", "boris", "vera", "ravi", "chandra", "meera"])
async def test_the_navigation_leads_nowhere_that_is_refused(staffed: Staffed, login: str) -> None:
    browser = await signed_in(staffed, login)
    page = await browser.look("/console")
    (tabs,) = re.findall(r'<nav class="tabs".*?</nav>', page.text, re.DOTALL)
    found = re.findall(r'href="([^"]+)"', tabs)
    assert "/console/account" in found
    for path in found:
        assert (await browser.look(path)).status_code == 200, path
