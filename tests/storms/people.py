"""People who click while a storm goes on: signed in over HTTP, with the cookies and the forms of a
browser, as admin and operator of each merchant. Where no answer comes they press again, or give up.
What each pressed and was told is kept, to be compared with what stands on record."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from html.parser import HTMLParser
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct

from coinslot.app.demo_world import DEMO_MACHINES, MEMBERS, SHELF
from coinslot.kit.ids import token
from tests.storms.chronicle import EVERYONE, Chronicle
from tests.storms.clicks import Click
from tests.storms.town import AWAY, Town, until

INSIST_S = 40.0
_AGAIN_S = 0.3
_HEADERS: Final = {"sec-fetch-site": "same-origin", "accept": "text/html"}
_LATER: Final = frozenset({429, 502, 503, 504})
CLICKERS: Final = {one.login: one for one in MEMBERS if one.role in ("admin", "operator")}
# How a form is sent: once; twice at the same moment, from one page or from two tabs; or late.
WAYS: Final = ("once", "once", "one page twice", "two tabs", "late")
SETTLED: Final = frozenset({"refund", "leave", "close"})  # how a person ends cases here


class Form(Struct):
    """A form as a page has it. `choices` are boxes to tick, `buttons` what it is sent with."""

    fields: dict[str, str] = {}
    choices: dict[str, list[str]] = {}
    buttons: dict[str, list[str]] = {}


class Page(HTMLParser):
    """A page's forms, by where they go, and where its links lead."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.links: list[str] = []
        self._form = Form()
        self._select: str | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        name, value = found.get("name", ""), found.get("value", "")
        match tag:
            case "form":
                self._form = self.forms[found["action"]] = Form({}, {}, {})
            case "a":
                self.links.append(found.get("href", ""))
            case "input" if found.get("type") in ("checkbox", "radio"):
                self._form.choices.setdefault(name, []).append(value)
                if "checked" in found:
                    self._form.fields[name] = value
            case "input":
                self._form.fields[name] = value
            case "select":
                self._select = name
            case "option" if self._select and (
                "selected" in found or self._select not in self._form.fields
            ):
                self._form.fields[self._select] = value
            case "button" if name:
                self._form.buttons.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None

    def form(self, place: str) -> Form:
        if place not in self.forms:
            raise AssertionError(f"no form goes to {place}, only to {sorted(self.forms)}")
        return self.forms[place]

    def under(self, path: str) -> list[str]:
        """Where its links under this path lead, each once."""
        return list(dict.fromkeys(one for one in self.links if one.startswith(path)))


class Person:
    """One who is signed in, and does one thing after the other."""

    def __init__(self, people: "People", login: str) -> None:
        self.login = login
        self.merchant = str(CLICKERS[login].merchant)
        self.people = people
        self.town = people.town
        self._client = httpx.AsyncClient(
            base_url=people.town.web_url,
            timeout=5,
            trust_env=False,
            verify=False,
            headers=_HEADERS,
        )
        self._one_at_a_time = asyncio.Lock()

    async def close(self) -> None:
        await self._client.aclose()

    async def do(self, work: "Callable[[Person], Awaitable[None]]") -> None:
        async with self._one_at_a_time:
            await work(self)

    async def look(self, path: str) -> Page:
        """A page, asked for until it comes. Raises TimeoutError."""
        async with asyncio.timeout(INSIST_S):
            while True:
                try:
                    answer = await self._client.get(path)
                except httpx.HTTPError:
                    await asyncio.sleep(_AGAIN_S)
                    continue
                to = answer.headers.get("location", "")
                if answer.status_code == 401 or to.startswith("/console/sign-in"):
                    await self._sign_in()
                elif to:
                    path = to
                elif answer.status_code in _LATER:
                    await asyncio.sleep(_AGAIN_S)
                elif answer.status_code == 200:
                    return Page(answer)
                else:
                    raise AssertionError(f"{path}: {answer.status_code} {answer.text[:2000]}")

    async def _sign_in(self) -> None:
        password = self.town.world.known.passwords[self.login]
        form = {"login": self.login, "password": password}
        try:
            answer = await self._client.post("/console/sign-in", data=form)
        except httpx.HTTPError:
            return
        if answer.status_code != 303:
            await asyncio.sleep(_AGAIN_S)

    async def press(
        self, kind: str, path: str, fields: Mapping[str, Any], way: str = "once"
    ) -> httpx.Response | None:
        """Send a form, `way` says how; the answer, None where none came or it was refused."""
        if way == "late":
            await asyncio.sleep(3)
        click, times = self._click(kind, fields), 2 if way == "one page twice" else 1
        answers = await asyncio.gather(*(self._insist(click, path, fields) for _ in range(times)))
        return next((one for one in answers if one is not None), None)

    def _click(self, kind: str, fields: Mapping[str, Any]) -> Click:
        known = self.people.chronicle.clicks
        return known.setdefault(
            fields["key"], Click(kind=kind, login=self.login, key=fields["key"])
        )

    async def _insist(
        self, click: Click, path: str, fields: Mapping[str, Any]
    ) -> httpx.Response | None:
        """Press until there is an answer; some give up after the first that did not come, where
        they can do without."""
        gives_up = click.kind in _NOT_NEEDED and self.people.dice.random() < 0.3
        until = asyncio.get_running_loop().time() + INSIST_S
        while asyncio.get_running_loop().time() < until:
            click.pressed += 1
            try:
                answer = await self._client.post(path, data=dict(fields))
            except httpx.HTTPError:
                if gives_up:
                    return None
                await asyncio.sleep(_AGAIN_S)
                continue
            click.status = answer.status_code
            if answer.status_code in _LATER or (
                answer.status_code == 409 and answer.headers.get("retry-after")
            ):
                await asyncio.sleep(_AGAIN_S)
                continue
            if answer.status_code >= 500:
                click.rude.append(f"{path}: {answer.status_code} {answer.text[:300]}")
            to_sign_in = answer.headers.get("location", "").startswith("/console/sign-in")
            done = answer.status_code in (200, 303) and not to_sign_in
            click.told = click.told or ("done" if done else "refused")
            return answer if done else None
        return None


class People:
    """All who click in a town."""

    def __init__(self, town: Town, chronicle: Chronicle) -> None:
        self.town = town
        self.chronicle = chronicle
        self.dice = random.Random(0)
        self._there: dict[str, Person] = {}

    async def click(self, login: str, more: Mapping[str, Any]) -> None:
        self.chronicle.counts[f"click: {more['kind']}"] += 1
        await self.at_work(
            login, lambda who: _KINDS[more["kind"]](who, random.Random(more["seed"]), more["way"])
        )

    async def at_work(self, login: str, work: Callable[[Person], Awaitable[None]]) -> None:
        person = self._there.setdefault(login, Person(self, login))
        try:
            await person.do(work)
        except TimeoutError:
            self.chronicle.counts["a page that did not come in time"] += 1

    async def close(self) -> None:
        for person in self._there.values():
            await person.close()


# What they do.


async def _refund(who: Person, dice: random.Random, way: str) -> None:
    """Of an order that was found in the list: a unit or all of them, whole or a part."""
    orders = (await who.look("/console/find")).under("/console/orders/")
    if not orders:
        return
    at = dice.choice(orders[:12])
    pages = [await who.look(at) for _ in range(2 if way == "two tabs" else 1)]
    place, presses = f"{at}/refund", []
    chosen, amount = dice.random(), dice.choice(("", "", "", "10"))
    for page in pages:
        form = page.forms.get(place)
        if form is None:
            continue
        units = form.choices.get("unit", [])
        some = [units[int(chosen * len(units))]] if chosen < 0.7 and units else units
        typed = {"unit": some, "amount": amount, "reason": f"storm {token()}"}
        presses.append(who.press("refund", place, form.fields | typed, way))
    await asyncio.gather(*presses)


async def _program(who: Person, dice: random.Random, way: str) -> None:
    """The merchant's own program gives an order back, and insists under one key."""
    orders = (await who.look("/console/find")).under("/console/orders/")
    if not orders:
        return
    place = f"/orders/{dice.choice(orders[:12]).rpartition('/')[2]}/refunds"
    body = {"reason": "storm", **dice.choice(({}, {"amount": 500}))}
    key = token()
    click = who.people.chronicle.clicks[key] = Click(kind="program", login=who.login, key=key)
    headers = {"authorization": f"Bearer {who.town.programs[who.merchant]}",
               "idempotency-key": key}  # fmt: skip
    until_s = asyncio.get_running_loop().time() + INSIST_S
    while not click.told and asyncio.get_running_loop().time() < until_s:
        click.pressed += 1
        try:
            answer = await who.town.http.post(
                f"{who.town.web_url}{place}", json=body, headers=headers
            )
        except httpx.HTTPError:
            await asyncio.sleep(_AGAIN_S)
            continue
        if answer.status_code in _LATER | {409}:
            await asyncio.sleep(_AGAIN_S)
            continue
        if answer.status_code not in (201, 422):
            click.rude.append(f"{place}: {answer.status_code} {answer.text[:300]}")
        click.told = "done" if answer.status_code == 201 else "refused"


async def _case(who: Person, dice: random.Random, way: str) -> None:
    """A case ends by one of the actions that the inbox proposes first."""
    found = [
        (place, form)
        for place, form in (await who.look("/console/inbox")).forms.items()
        if place.startswith("/console/inbox/") and SETTLED.intersection(form.buttons["how"])
    ]
    if found:
        place, form = dice.choice(found)
        typed = {"how": form.buttons["how"][0], "note": "seen on the camera"}
        await who.press("case", place, form.fields | typed, way)


async def _price(who: Person, dice: random.Random, way: str) -> None:
    """Another price, while carts are open and, in the first slot, a code is printed."""
    machine, slot = _machine(who, dice), dice.choice(SHELF).slot
    at, amount = f"/console/machines/{machine}", str(dice.randint(21, 60))
    codes = dice.choice(("keep", "keep", "replace"))
    place = f"{at}/slots/{slot}/price"
    pages = [await who.look(at) for _ in range(2 if way == "two tabs" else 1)]
    typed = {"amount": amount, "codes": codes}
    presses = [who.press("price", place, page.form(place).fields | typed, way) for page in pages]
    if any(await asyncio.gather(*presses)) and codes == "replace" and slot == SHELF[0].slot:
        await _hang_up_code(who.town, machine)


async def _hang_up_code(town: Town, machine: str) -> None:
    """Customers scan the new code as soon as it is made."""
    for _ in range(40):
        try:
            rows = await town.rows(
                "SELECT qr_code_id FROM qr_codes WHERE outlet_id = $1 AND slot = $2"
                " AND payment_id IS NULL AND retired_at IS NULL AND stage = 'open'",
                machine, SHELF[0].slot,
            )  # fmt: skip
        except AWAY:
            rows = []
        if rows and rows[0]["qr_code_id"]:
            town.world.qr_codes[machine] = rows[0]["qr_code_id"]
            return
        await asyncio.sleep(_AGAIN_S)


async def _sale(who: Person, dice: random.Random, way: str) -> None:
    """A slot goes out of sale, and back."""
    at = f"/console/machines/{_machine(who, dice)}"
    slot = dice.choice(SHELF).slot
    await _off_and_on(who, "sale", f"{at}/slots/{slot}/sale", dice.uniform(0, 4))


async def _pause(who: Person, dice: random.Random, way: str) -> None:
    """The whole machine."""
    at = f"/console/machines/{_machine(who, dice)}"
    await _off_and_on(who, "pause", f"{at}/sale", dice.uniform(0, 4))


async def _off_and_on(who: Person, kind: str, place: str, lasts_s: float) -> None:
    at = place.partition("/slots/")[0].removesuffix("/sale")
    for to in ("off", "on"):
        form = (await who.look(at)).form(place)
        await who.press(kind, place, form.fields | {"to": to})
        await asyncio.sleep(lasts_s)


async def _secret(who: Person, dice: random.Random, way: str) -> None:
    """A new secret for a machine; whoever got it puts it into the device, which starts anew. What
    nobody puts into a device is never used: the secrets of those at the broker, whose logins are
    the town's."""
    machine = _machine(who, dice)
    at = f"/console/machines/{machine}"
    place = f"{at}/provision"
    form = (await who.look(at)).form(place)
    answer = await who.press("secret", place, form.fields | {"when": "first_use"}, way)
    sells_by_socket = machine in who.town.by_socket
    if answer is not None and answer.status_code == 200 and sells_by_socket:
        made = msgspec.json.decode(Code(answer).text.encode(), type=dict[str, Any])
        who.people.chronicle.struck(EVERYONE, "kill simulator")
        who.town.put_secret(machine, made["secret"])
        await until(lambda: who.town.uses(machine, made["key_id"]), INSIST_S)


class Code(HTMLParser):
    """What a page shows between its first `<code>` and its end."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.text = ""
        self._in = self._over = False
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._in = tag == "code" and not self._over

    def handle_endtag(self, tag: str) -> None:
        self._over = self._over or self._in
        self._in = False

    def handle_data(self, data: str) -> None:
        if self._in:
            self.text += data


async def _gateway(who: Person, dice: random.Random, way: str) -> None:
    """New keys at Razorpay: the old ones work there for a while; our webhook secret before it."""
    town = who.town
    rows = await town.rows(
        "SELECT id::text FROM gateway_accounts WHERE gateway = 'razorpay' AND slug = $1",
        who.merchant,
    )
    place = f"/console/gateways/{rows[0]['id']}/change"
    key_secret, webhook_secret = token(), token()
    await town.rotate_keys(who.merchant, key_secret)
    form = (await who.look(place)).form(place)
    typed = {"secret-key_secret": key_secret, "secret-webhook_secrets": webhook_secret}
    if await who.press("gateway", place, form.fields | typed) is not None:
        await town.rotate_keys(who.merchant, key_secret, webhook_secret)


async def _endpoint(who: Person, dice: random.Random, way: str) -> None:
    """A new secret for the address to which webhooks go."""
    at = (await who.look("/console/webhooks")).under("/console/webhooks/")[0]
    place = f"{at}/rotate"
    form = (await who.look(at)).form(place)
    answer = await who.press("endpoint", place, form.fields)
    if answer is not None and answer.status_code == 200:
        who.town.listeners.hear_with(who.merchant, Code(answer).text)


async def _api_key(who: Person, dice: random.Random, way: str) -> None:
    """The key that the merchant's server uses is replaced: the old one works for a while."""
    known = who.town.world.known.api_keys
    page = await who.look("/console/keys")
    rows = await who.town.rows(
        "SELECT id::text FROM api_keys WHERE prefix = $1 AND replaced_by IS NULL",
        known[who.merchant][:12],
    )
    place = f"/console/keys/{rows[0]['id']}/rotate" if rows else ""
    if place not in page.forms:
        return
    answer = await who.press("api key", place, page.form(place).fields)
    if answer is not None and answer.status_code == 200:
        known[who.merchant] = Code(answer).text


async def _sign_out(who: Person, dice: random.Random, way: str) -> None:
    """Everywhere; the next thing they do signs them in again."""
    place = "/console/sign-out-everywhere"
    form = (await who.look("/console/account")).form(place)
    try:
        await who._client.post(place, data=form.fields)
    except httpx.HTTPError:
        return


def _machine(who: Person, dice: random.Random) -> str:
    return dice.choice([one.code for one in DEMO_MACHINES if one.merchant == who.merchant])


_KINDS: Final[Mapping[str, Callable[[Person, random.Random, str], Awaitable[None]]]] = {
    "refund": _refund, "case": _case, "price": _price, "sale": _sale, "pause": _pause,
    "secret": _secret, "gateway": _gateway, "endpoint": _endpoint, "api key": _api_key,
    "sign out": _sign_out, "program": _program,
}  # fmt: skip
# A lost answer is lost: the person does without. Of keys they need the answer.
_NOT_NEEDED: Final = frozenset({"refund", "case", "price", "secret", "walk in"})
BY_OPERATORS: Final = ("refund", "case", "price", "sale", "pause", "program")
BY_ADMINS: Final = tuple(_KINDS)
