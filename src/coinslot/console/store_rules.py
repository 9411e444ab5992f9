"""A counter's rules: how long staff and customers have, what becomes of what nobody fetches, and
whose phones are called and written to."""

import re
from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.counter import contacts, rules, store
from coinslot.counter.delivery import Point
from coinslot.counter.rules import (
    CAPS,
    HERE_M,
    TIMES,
    Known,
    Rules,
    RulesError,
    StaleRulesError,
)
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_PER: Final = {"dispatch_s": 60, "prepare_s": 60, "pickup_s": 3600}
_WHOSE: Final = ("usual", "own", "nobody")
_MOST: Final = 999_999
_BETWEEN: Final = re.compile(r"[\s,;]+")


class StoreRulesPages(SharedHandler):
    """One page and its form."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def rules(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._page(request, outlet)

    async def set_rules(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))

        async def work(who: SignedIn) -> Done:
            wanted, seen = _typed(form), form.one("seen", 4000)
            async with self._context.db.as_merchant(merchant) as conn:
                await rules.set_rules(
                    conn, self._context, who.actor, merchant, outlet, wanted, seen
                )
            return Done(to=self._frame.to(request, "menu", outlet, "rules", done="settings"))

        c = self._frame.texts(request)
        try:
            return await once(self._context, request, form, work)
        except LookupError:
            raise _unknown() from None
        except StaleRulesError:
            return await self._page(request, outlet, form, c["problem_stale_settings"])
        except RulesError as error:
            return await self._page(request, outlet, form, c[f"problem_rules_{error.field}"])

    async def _page(
        self, request: AnyRequest, outlet: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        """What somebody typed is kept, and so is what they had seen."""
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            known = await rules.rules_of(conn, self._context, outlet)
            shops = {row["outlet_id"]: row for row in await conn.fetch(store.STORES)}
        if known is None or outlet not in shops:
            raise _unknown()
        shop, names = (
            shops[outlet],
            ("fetched", "whose", "prefixes", "calls", "arrivals", "place", "here_m", *TIMES, *CAPS),
        )
        typed = _shown(known) if form is None else {name: form.one(name, 1000) for name in names}
        limits = {n: (least // _PER[n], most // _PER[n]) for n, (least, most) in TIMES.items()}
        return await self._frame.page(
            request, "menu_rules.html", outlet=outlet, shop=shop, problem=problem, typed=typed,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            seen=known.rules.seen if form is None else form.one("seen", 4000),
            here_m=HERE_M,
            limits=limits | {name: (0, getattr(self._context.windows, name)) for name in CAPS},
            usual={name: f"{getattr(known.usual, name) / _PER[name]:g}" for name in TIMES}
            | {name: str(getattr(self._context.windows, name)) for name in CAPS},
            by_currency=contacts.prefixes(None, shop["currency"]),
        )  # fmt: skip


def _shown(known: Known) -> dict[str, str]:
    now = known.rules
    own = now.prefixes
    return {
        "fetched": "kept" if now.keeps else "refund", "calls": "1" if now.calls else "",
        "arrivals": "1" if now.arrivals else "",
        "place": "" if now.place is None else str(now.place),
        "here_m": "" if now.here_m is None else str(now.here_m),
        "whose": "usual" if own is None else "own" if own else "nobody",
        "prefixes": " ".join(own or ()),
        **{name: f"{now.times[name] / _PER[name]:g}" if name in now.times else ""
           for name in TIMES},
        **{name: str(now.caps.get(name, "")) for name in CAPS},
    }  # fmt: skip


def _typed(form: Form) -> Rules:
    """Raises RulesError."""
    times = {name: _whole(form, name) for name in TIMES}
    caps = {name: _whole(form, name) for name in CAPS}
    whose, fetched = form.one("whose"), form.one("fetched")
    if whose not in _WHOSE or fetched not in ("refund", "kept"):
        raise RefusedError(400, "bad_request", "This form is none of ours.")
    typed = tuple(dict.fromkeys(filter(None, _BETWEEN.split(form.one("prefixes", 1000)))))
    if whose == "own" and not typed:
        raise RulesError("prefixes")
    return Rules(
        times={name: value * _PER[name] for name, value in times.items() if value is not None},
        keeps=fetched == "kept", calls=form.one("calls") == "1",
        arrivals=form.one("arrivals") == "1", place=_place(form), here_m=_whole(form, "here_m"),
        prefixes=None if whose == "usual" else typed if whose == "own" else (),
        caps={name: value for name, value in caps.items() if value is not None},
    )  # fmt: skip


def _place(form: Form) -> Point | None:
    """None where it is left empty. Raises RulesError."""
    typed = form.one("place", 60)
    found = Point.read(typed)
    if typed and found is None:
        raise RulesError("place")
    return found


def _whole(form: Form, name: str) -> int | None:
    """None where it is left empty. Raises RulesError."""
    typed = form.one(name, 12)
    if not typed:
        return None
    found = whole(typed, _MOST)
    if found is None:
        raise RulesError(name)
    return found


def _unknown() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such counter.")
