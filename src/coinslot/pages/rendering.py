"""Pages from templates: language, nonce and layout for each."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency
from babel.units import format_unit
from litestar import Request, Response
from litestar.enums import MediaType
from msgspec import Struct

from coinslot.kit.ids import token
from coinslot.kit.money import Money
from coinslot.pages import assets, colours, security
from coinslot.pages.site import Site
from coinslot.pages.texts import LANGUAGES, Words, choose, spoken_by, words_of_kinds

_HERE = Path(__file__).parent
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{5,20}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

STORABLE = r"\A[^\0]*\Z"  # PostgreSQL has no room for a zero character
AnyRequest = Request[Any, Any, Any]


class Answer(Struct, frozen=True, kw_only=True):
    """How a page is sent, where that differs from a plain 200."""

    status: int = 200
    cache: str = "no-store"
    images: tuple[str, ...] = ()


PLAIN = Answer()


class Renderer:
    """Knows the templates and the site; decides nothing. Other pages than the customer's bring a
    folder of their own, with `templates` and `static/look`; a way of selling brings `more` folders
    of templates, which look like the customer's."""

    def __init__(self, site: Site, folder: Path = _HERE, more: Sequence[Path] = ()) -> None:
        self.site = site
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader([folder / "templates", _HERE / "templates", *more]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        base, own = _HERE / "static/look/1_base.css", sorted((folder / "static/look").iterdir())
        self._templates.globals["look"] = _squeezed(
            "".join(path.read_text() for path in dict.fromkeys((base, *own)))
        )
        self._templates.globals["palette"] = colours.palette
        self._templates.globals["site"] = site
        self._templates.globals["asset"] = assets.address
        self._templates.globals["languages"] = tuple(LANGUAGES.values())
        self._words_of_kinds = words_of_kinds(site.texts)

    def words(self, request: AnyRequest, among: Sequence[str] = ()) -> Words:
        """`among`: the languages of the page's merchant; none: all."""
        asked = request.query_params.get("lang")
        accepted = request.headers.get("accept-language", "")
        return choose(asked, accepted, self.site.mirror_language, among)

    def page(
        self,
        request: AnyRequest,
        name: str,
        answer: Answer = PLAIN,
        kind: str | None = None,
        **values: object,
    ) -> Response[str]:
        """`kind`: of the outlet that the page is about. The `brand` among the values says whose it
        is, and so in which languages."""
        nonce = token(12)
        cdn = security.origin(self.site.pictures_prefix)
        images = (*answer.images, cdn) if cdn else answer.images
        text = self.fragment(request, name, kind, nonce=nonce, **values)
        return Response(
            text,
            status_code=answer.status,
            media_type=MediaType.HTML,
            headers={
                "Content-Security-Policy": security.page_policy(nonce, images),
                "Cache-Control": answer.cache,
                "Vary": "Accept-Language, Accept-Encoding",
            },
        )

    def fragment(
        self, request: AnyRequest, name: str, kind: str | None = None, **values: object
    ) -> str:
        among = getattr(values.get("brand"), "languages", ())
        formatter = self.formatter(request, among)
        words = self._words_of_kinds.get((kind, formatter.words.code), formatter.words)
        shown = {"languages": tuple(spoken_by(among).values()), **values}
        return self._templates.get_template(name).render(t=words, formatter=formatter, **shown)

    def formatter(self, request: AnyRequest, among: Sequence[str] = ()) -> "Formatter":
        words = self.words(request, among)
        return Formatter(words, self.site, request.query_params.get("lang") == words.code)


class Formatter:
    """What a template formats with: money, times and links in one language."""

    def __init__(self, words: Words, site: Site, asked: bool) -> None:
        self.words = words
        self._site = site
        # A language asked for in the URL stays through links, as there are no cookies.
        self.lang = words.code if asked else None

    def money(self, money: Money) -> str:
        """Where a language has no sign for a currency, its letters stand apart from the digits."""
        locale = self.words.locale
        shown = str(format_currency(Decimal(money.decimal()), money.currency, locale=locale))
        return re.sub(r"([A-Z]{3})(?=\d)", "\\1\u00a0", shown)

    def distance(self, metres: float) -> str:
        """As far as a person would say it: 80 m, 2.3 km, 40 km."""
        if metres < 995:
            count, unit = float(max(10, round(metres, -1))), "length-meter"
        else:
            count, unit = round(metres / 1000, 1 if metres < 9950 else 0), "length-kilometer"
        plain = int(count) if count == int(count) else count
        return str(format_unit(plain, unit, "short", locale=self.words.locale))

    def hour(self, at: datetime, zone: str | None) -> str:
        """A moment as the clocks at the outlet show it."""
        local = at.astimezone(self._site.zone_of(zone))
        return str(format_time(local, "short", locale=self.words.locale))

    def second(self, at: datetime, zone: str | None = None) -> str:
        local = at.astimezone(self._site.zone_of(zone))
        return str(format_time(local, "medium", locale=self.words.locale))

    def day_and_hour(self, at: datetime, zone: str | None) -> str:
        local = at.astimezone(self._site.zone_of(zone))
        day = format_date(local, "medium", locale=self.words.locale)
        return f"{day}, {self.hour(at, zone)} {local.tzname()}"

    def day(self, day: date) -> str:
        """A day of the calendar, with its weekday."""
        return str(format_skeleton("MMMEd", day, locale=self.words.locale))

    def link(self, *parts: str, **query: str) -> str:
        path = "/" + "/".join(quote(part, safe="") for part in parts)
        wanted = {"lang": self.lang, **query} if self.lang else query
        return f"{path}?{urlencode(wanted)}" if wanted else path

    def milliseconds(self, at: datetime) -> int:
        return round(at.timestamp() * 1000)

    def contact_link(self, contact: str) -> str | None:
        """A link for a telephone number or a mail address; other text stays text."""
        if _PHONE.fullmatch(contact):
            return "tel:" + re.sub(r"[^+0-9]", "", contact)
        return f"mailto:{contact}" if _MAIL.fullmatch(contact) else None


def _squeezed(css: str) -> str:
    """The style without comments and spare white space: it is sent with every page."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(";}", "}").strip()
