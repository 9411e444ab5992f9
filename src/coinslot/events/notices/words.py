"""What notices say: English, Hindi, Russian. Short sentences that stand alone on a locked phone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from coinslot.events.notices.alerts import (
    AILING,
    CASE,
    DRIFT,
    LOW,
    PAYOUT,
    SILENT,
    SLOT,
    SOON,
    WARM,
    since_of,
)
from coinslot.kit.money import Money
from coinslot.people.outbox import FACTOR_REMOVED, NEW_PLACE

LANGUAGES: Final = ("en", "hi", "ru")
NAMED_MAX: Final = 8  # of many, so many are named
TOGETHER: Final = 5  # so many machines at once: rather the line to all of them

Three = tuple[str, str, str]
# One, and several at once. `{names}` are the first of them.
BEGAN: Final[Mapping[str, tuple[Three, Three]]] = {
    SILENT: (
        ("{names} is silent since {at}", "{names} {at} से चुप है", "{names} молчит с {at}"),
        ("{count} machines are silent: {names}", "{count} मशीनें चुप हैं: {names}",
         "Молчат автоматы ({count}): {names}"),
    ),
    WARM: (
        ("Sells nothing because of its temperature: {names}",
         "तापमान के कारण बिक्री बंद: {names}", "Не продаёт из-за температуры: {names}"),
        ("{count} machines sell nothing because of their temperature: {names}",
         "{count} मशीनों में तापमान के कारण बिक्री बंद: {names}",
         "Не продают из-за температуры автоматы ({count}): {names}"),
    ),
    AILING: (
        ("A machine needs a look: {names}", "मशीन को देखना ज़रूरी है: {names}",
         "Автомат требует внимания: {names}"),
        ("{count} machines need a look: {names}", "{count} मशीनों को देखना ज़रूरी है: {names}",
         "Требуют внимания автоматы ({count}): {names}"),
    ),
    SLOT: (
        ("Slot {names} is out of sale", "खाना {names} बिक्री से बाहर है",
         "Ячейка {names} снята с продажи"),
        ("{count} slots are out of sale: {names}", "{count} खाने बिक्री से बाहर हैं: {names}",
         "Сняты с продажи ячейки ({count}): {names}"),
    ),
    LOW: (
        ("Nearly sold out: {names}", "लगभग ख़त्म: {names}", "Почти распродано: {names}"),
        ("{count} machines are nearly sold out: {names}", "{count} मशीनें लगभग ख़ाली: {names}",
         "Почти распроданы автоматы ({count}): {names}"),
    ),
    SOON: (
        ("Will probably be sold out soon: {names}", "शायद जल्द ही ख़त्म होगा: {names}",
         "Скоро, вероятно, распродастся: {names}"),
        ("{count} machines will probably be sold out soon: {names}",
         "{count} मशीनें शायद जल्द ही ख़ाली होंगी: {names}",
         "Скоро, вероятно, распродадутся автоматы ({count}): {names}"),
    ),
    DRIFT: (
        ("{names} shows other prices than ours and sells nothing at ours",
         "{names} हमारी क़ीमत से अलग क़ीमत दिखाती है और हमारी पर नहीं बेचती",
         "{names} показывает другие цены и по нашим не продаёт"),
        ("{count} machines show other prices than ours: {names}",
         "{count} मशीनें अलग क़ीमतें दिखाती हैं: {names}",
         "Другие цены показывают автоматы ({count}): {names}"),
    ),
    CASE: (
        ("A case is waiting for you: {names}", "एक मामला आपका इंतज़ार कर रहा है: {names}",
         "Вас ждёт случай: {names}"),
        ("{count} cases are waiting for you: {names}",
         "{count} मामले आपका इंतज़ार कर रहे हैं: {names}", "Вас ждут случаи ({count}): {names}"),
    ),
    PAYOUT: (
        ("A payout differs from the books: {names}", "एक भुगतान बही से अलग है: {names}",
         "Выплата расходится с книгами: {names}"),
        ("{count} payouts differ from the books: {names}", "{count} भुगतान बही से अलग हैं: {names}",
         "Выплаты расходятся с книгами ({count}): {names}"),
    ),
}  # fmt: skip
ENDED: Final[Mapping[str, tuple[Three, Three]]] = {
    SILENT: (
        ("{names} is back", "{names} फिर चालू है", "{names} снова на связи"),
        ("{count} machines are back: {names}", "{count} मशीनें फिर चालू हैं: {names}",
         "Снова на связи автоматы ({count}): {names}"),
    ),
}  # fmt: skip
OWN: Final[Mapping[str, Three]] = {
    FACTOR_REMOVED: (
        "A second factor was removed from your account",
        "आपके खाते से दूसरा फ़ैक्टर हटाया गया",
        "Из вашего аккаунта удалён второй фактор",
    ),
    NEW_PLACE: (
        "Someone signed in as you from a new place: {address}",
        "किसी ने नई जगह से आपके नाम से साइन इन किया: {address}",
        "В ваш аккаунт вошли из нового места: {address}",
    ),
}
ADDRESS_MOVED: Final[Three] = (
    "Mail for your account goes to {address} from now on",
    "आपके खाते की मेल अब {address} पर जाएगी",
    "Почта для вашего аккаунта теперь уходит на {address}",
)
NOT_YOU: Final[Three] = (
    "If this was not you: open your account, end the sessions that you do not know, and set a new"
    " password.",
    "यदि यह आप नहीं थे: अपना खाता खोलें, अनजान सत्र बंद करें और नया पासवर्ड रखें।",
    "Если это были не вы: откройте аккаунт, завершите незнакомые сеансы и смените пароль.",
)
LINE_AWAY: Final[Three] = (
    "So many at once: rather the network or the broker is away than the machines.",
    "एक साथ इतनी: मशीनों से ज़्यादा संभावना नेटवर्क या ब्रोकर की है।",
    "Так много сразу: скорее пропала сеть или брокер, чем сами автоматы.",
)
AND_MORE: Final[Three] = ("and {count} more", "और {count}", "и ещё {count}")
DIGEST: Final[Three] = ("What needs a look", "देखने योग्य बातें", "Что требует внимания")
TEST: Final[Three] = (
    "This is a test. Notices reach you here.",
    "यह एक परीक्षण है। सूचनाएँ यहाँ पहुँचती हैं।",
    "Это проверка. Уведомления приходят сюда.",
)
FOOT: Final[Three] = (
    "Which notices you get, and when: {link}",
    "कौन सी सूचनाएँ और कब: {link}",
    "Какие уведомления приходят и когда: {link}",
)
AILMENTS: Final[Mapping[str, Three]] = {
    "food_lock": ("too warm for too long, a person has to look", "बहुत देर से गर्म, जाँच ज़रूरी",
                  "слишком долго тепло, нужен осмотр"),
    "no_temperature": ("tells no temperature", "तापमान नहीं बता रही", "не сообщает температуру"),
    "counted": ("its own count differs from our record", "उसकी गिनती हमारे रिकॉर्ड से अलग है",
                "счётчик расходится с нашими записями"),
    "journal": ("journal nearly full", "जर्नल लगभग भरा", "журнал почти полон"),
    "signal": ("weak Wi-Fi", "कमज़ोर वाई-फ़ाई", "слабый Wi-Fi"),
    "restarts": ("keeps restarting", "बार-बार चालू होती है", "часто перезапускается"),
}  # fmt: skip
CASE_NAMES: Final[Mapping[str, Three]] = {
    "payment_unresolved": (
        "a payment whose end is unknown",
        "भुगतान जिसका अंत अज्ञात है",
        "платёж с неизвестным исходом",
    ),
    "refund_owed": (
        "a refund that the gateway refuses",
        "रिफ़ंड जिसे गेटवे मना करता है",
        "возврат, от которого отказался шлюз",
    ),
    "refund_not_taken_up": (
        "a refund that the gateway does not take up",
        "रिफ़ंड जिसे गेटवे नहीं ले रहा",
        "возврат, который шлюз не принимает",
    ),
    "receipt_refused": (
        "a fiscal receipt that was refused",
        "राजकोषीय रसीद जो मना हुई",
        "фискальный чек, который не приняли",
    ),
    "receipt_overdue": (
        "a fiscal receipt that is overdue",
        "राजकोषीय रसीद जिसका समय निकल गया",
        "фискальный чек, который не зарегистрирован вовремя",
    ),
    "counter_differs": (
        "a machine whose own count differs from our record",
        "मशीन जिसकी गिनती हमारे रिकॉर्ड से अलग है",
        "автомат, счётчик которого расходится с нашими записями",
    ),
    "dispute_open": (
        "a dispute of a payer's bank",
        "भुगतानकर्ता के बैंक का विवाद",
        "спор банка плательщика",
    ),
    "money_without_a_purpose": (
        "money that matches nothing",
        "पैसा जो किसी से मेल नहीं खाता",
        "деньги без назначения",
    ),
    "handover_unknown": (
        "goods of which nobody knows whether they came",
        "सामान, जिसके निकलने का पता नहीं",
        "неизвестно, получил ли покупатель товар",
    ),
    "no_drop_after_fulfilled": (
        "a machine that denies its own drop",
        "मशीन अपनी ही बिक्री नकारती है",
        "автомат отрицает собственную выдачу",
    ),
}  # fmt: skip


def text(found: Three, language: str) -> str:
    """English for a language that is not here."""
    return found[LANGUAGES.index(language) if language in LANGUAGES else 0]


class Reader:
    """For whom something is written: their language and zone, and whether they see amounts."""

    def __init__(self, language: str, zone: ZoneInfo, *, sees_money: bool) -> None:
        self.language, self.zone, self.sees_money = language, zone, sees_money

    def began(self, kind: str, told: Sequence[Mapping[str, Any]]) -> str:
        return self._sentence(BEGAN[kind], kind, told)

    def ended(self, kind: str, told: Sequence[Mapping[str, Any]]) -> str:
        return self._sentence(ENDED[kind], kind, told)

    def about_account(self, kind: str, data: Mapping[str, Any]) -> str:
        return text(OWN[kind], self.language).format(address=data.get("address", ""))

    def hint(self, kind: str, told: Sequence[Mapping[str, Any]]) -> str:
        """A second sentence, where there is one."""
        if kind == SILENT and len(told) >= TOGETHER:
            return text(LINE_AWAY, self.language)
        return ""

    def _sentence(
        self, forms: tuple[Three, Three], kind: str, told: Sequence[Mapping[str, Any]]
    ) -> str:
        names = ", ".join(self._name(kind, one) for one in told[:NAMED_MAX])
        if len(told) > NAMED_MAX:
            more = text(AND_MORE, self.language).format(count=len(told) - NAMED_MAX)
            names = f"{names} {more}"
        since = since_of(dict(told[0]))
        at = "" if since is None else self.moment(since)
        found = text(forms[len(told) > 1], self.language)
        return found.format(names=names, count=len(told), at=at)

    def _name(self, kind: str, data: Mapping[str, Any]) -> str:
        if kind in (SILENT, DRIFT):
            return f"{data['machine']} ({data['name']})"
        if kind in (LOW, SOON):
            return f"{data['machine']} ({data['name']}): {data['slots']}"
        if kind in (WARM, AILING):
            ailment = text(AILMENTS.get(data["what"], (data["what"],) * 3), self.language)
            return f"{data['machine']} ({data['name']}): {ailment}"
        if kind == SLOT:
            return f"{data['slot']} ({data['machine']}, {data['product']})"
        name = text(CASE_NAMES.get(data["kind"], ("",) * 3), self.language)
        amount = self._amount(data)
        return ", ".join(filter(None, (name or data["kind"].replace("_", " "), amount)))

    def _amount(self, data: Mapping[str, Any]) -> str:
        if not self.sees_money or data.get("minor") is None or not data.get("currency"):
            return ""
        money = Money(data["minor"], data["currency"])
        return f"{money.decimal()} {money.currency}"

    def moment(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return str(format_datetime(local, "d MMM HH:mm", locale=self.language))
