"""The page of whoever brings an order to a door: no sign-in, no script, and large enough for a
glove."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.counter import driving
from coinslot.counter.driving import Trip
from coinslot.counter.flow import COUNTER
from coinslot.counter.staff import CounterError, Why
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

Secret = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]
_TEMPLATES: Final = Path(__file__).parent / "templates"
_AGAIN_S: Final = 20
_SPACES: Final = re.compile(r"\D")
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "to": "Deliver to", "not_ready": "Not ready yet", "not_ready_lead": "This page says when"
        " you can take it.", "take": "Ready: take it along", "leave": "I am on my way",
        "away": "On the way since {time}", "code": "Code of the customer",
        "ask": "Ask at the door for the six digits on the customer's page.",
        "hand_over": "Hand over", "wrong_code": "This is not the code. Tries left: {left}",
        "code_before": "This was the code until the order was ready. Ask for the new one, which"
        " stands on the order's page. Tries left: {left}",
        "code_locked": "Locked after five wrong codes. Call the shop: they can hand it over"
        " without one.", "code_expired": "The code is too old. Call the shop: they set the order"
        " to ready again, and the customer's page shows a new one.",
        "too_many_wrong_codes": "Too many wrong codes at this shop. Call the shop.",
        "too_late": "Its time is over: the money goes back. Bring it back to the shop.",
        "handed": "Handed over", "handed_lead": "Thank you. You can close this page.",
        "back": "Not to be delivered any more", "back_lead": "The customer gets the money back."
        " Bring it back to the shop.", "until": "At the door by {time}: after that the money goes"
        " back.",
    },
    "hi": {
        "to": "यहाँ पहुँचाएँ", "not_ready": "अभी तैयार नहीं", "not_ready_lead": "ले जाने का समय यही पेज"
        " बताएगा।", "take": "तैयार: साथ ले जाएँ", "leave": "मैं निकल गया", "away": "{time} से रास्ते में",
        "code": "ग्राहक का कोड", "ask": "दरवाज़े पर ग्राहक के पेज के छह अंक पूछें।",
        "hand_over": "दे दें", "wrong_code": "कोड ग़लत है। {left} कोशिशें बाक़ी",
        "code_before": "यह ऑर्डर तैयार होने से पहले का कोड है। नया कोड माँगें, वह ऑर्डर के पेज पर है।"
        " {left} कोशिशें बाक़ी",
        "code_locked": "पाँच ग़लत कोड के बाद बंद। दुकान को फ़ोन करें: वे बिना कोड दे सकते हैं।",
        "code_expired": "कोड पुराना हो गया। दुकान को फ़ोन करें: वे ऑर्डर फिर तैयार करेंगे, ग्राहक के पेज पर"
        " नया कोड दिखेगा।", "too_many_wrong_codes": "इस दुकान पर बहुत ग़लत कोड। दुकान को फ़ोन करें।",
        "too_late": "समय बीत गया: पैसा लौट रहा है। सामान दुकान पर वापस लाएँ।",
        "handed": "दे दिया", "handed_lead": "धन्यवाद। यह पेज बंद कर सकते हैं।",
        "back": "अब नहीं पहुँचाना है", "back_lead": "ग्राहक को पैसा वापस मिल रहा है।"
        " सामान दुकान पर वापस लाएँ।",
        "until": "{time} तक दरवाज़े पर: उसके बाद पैसा लौट जाएगा।",
    },
    "ru": {
        "to": "Доставить", "not_ready": "Ещё не готово", "not_ready_lead": "Эта страница скажет,"
        " когда можно забирать.", "take": "Готово, забирайте", "leave": "Я в пути",
        "away": "В пути с {time}", "code": "Код покупателя",
        "ask": "Спросите у двери шесть цифр со страницы покупателя.",
        "hand_over": "Выдать", "wrong_code": "Это не тот код. Осталось попыток: {left}",
        "code_before": "Это код, который был до готовности заказа. Попросите новый: он на странице"
        " заказа. Осталось попыток: {left}",
        "code_locked": "Закрыт после пяти неверных кодов. Позвоните в заведение: там выдадут без"
        " кода.", "code_expired": "Код устарел. Позвоните в заведение: заказ снова отметят"
        " готовым, и у покупателя появится новый.",
        "too_many_wrong_codes": "Слишком много неверных кодов. Позвоните в заведение.",
        "too_late": "Время вышло, деньги возвращаются. Привезите заказ обратно.",
        "handed": "Выдано", "handed_lead": "Спасибо. Страницу можно закрыть.",
        "back": "Доставлять больше не нужно", "back_lead": "Покупателю возвращают деньги."
        " Привезите заказ обратно.", "until": "У двери до {time}, потом деньги вернутся.",
    },
}  # fmt: skip


class CodeForm(Struct):
    """What the customer says when it is delivered."""

    code: Annotated[str, Meta(max_length=20, pattern=STORABLE)] = ""


Code = Annotated[CodeForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


class DriverPages(SharedHandler):
    """Calls one verb, shows or redirects."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(_TEMPLATES,))

    async def show(self, request: AnyRequest, secret: Secret) -> Response[str]:
        return self._page(request, secret, await self._trip(secret))

    async def left(self, request: AnyRequest, secret: Secret) -> Response[str]:
        try:
            await driving.leave(self._context, secret)
        except CounterError as error:
            if error.why is Why.UNKNOWN:
                raise _nothing() from None
        return self._again(request, secret)

    async def handed(self, request: AnyRequest, secret: Secret, data: Code) -> Response[str]:
        try:
            await driving.hand_over(self._context, secret, _SPACES.sub("", data.code))
        except CounterError as error:
            if error.why is Why.UNKNOWN:
                raise _nothing() from None
            words = WORDS.get(self._renderer.words(request).code, WORDS["en"])
            name = "code_before" if error.was_before else error.why.value
            said = words.get(name, "").format(left=error.left)
            return self._page(request, secret, await self._trip(secret), said)
        return self._again(request, secret)

    def _again(self, request: AnyRequest, secret: str) -> Response[str]:
        to = self._renderer.formatter(request).link("driver", secret)
        return Redirect(to, status_code=303)

    async def _trip(self, secret: str) -> Trip:
        try:
            return await driving.trip(self._context, secret)
        except CounterError:
            raise _nothing() from None

    def _page(
        self, request: AnyRequest, secret: str, trip: Trip, problem: str = ""
    ) -> Response[str]:
        page = self._renderer.page(
            request, "driver.html", Answer(status=422 if problem else 200), COUNTER.name,
            trip=trip, order=trip.order, problem=problem, secret=secret,
            w=WORDS.get(self._renderer.words(request).code, WORDS["en"]),
        )  # fmt: skip
        if not trip.is_ready and not trip.is_over:
            page.headers["Refresh"] = str(_AGAIN_S)  # nobody types on it yet
        return page


def _nothing() -> RefusedError:
    return RefusedError(404, "no_such_page", "No order has this page.", sentence="nothing_here")
