"""What a counter's privacy page says: who is responsible, what is kept, why and how long, and who
else is told. All of it is read from the settings, so that the page tells what is done."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.menu import Store
from coinslot.notices.base import Form
from coinslot.people import privacy_settings
from coinslot.people.privacy_settings import Privacy

_DAY_S: Final = 86_400
_GATEWAYS = """
SELECT DISTINCT a.gateway FROM ways_to_pay w JOIN gateway_accounts a ON a.id = w.account_id
    AND a.disabled_at IS NULL
WHERE w.outlet_id = $1 AND w.place IS NOT NULL ORDER BY 1
"""
_ASKS_WHERE = """
SELECT arrivals AND here_m IS NOT NULL FROM counter_stores WHERE outlet_id = $1
"""
_NAMES: Final[Mapping[str, str]] = {
    "stripe": "Stripe", "razorpay": "Razorpay", "yookassa": "YooKassa", "tbank": "T-Bank",
    "mock": "Practice gateway",
}  # fmt: skip

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Privacy",
        "responsible": "Who is responsible",
        "nobody": "The business that you order from. It has not named anybody here yet.",
        "write": "To see what is kept of you, or to have it ended, write to {contact}. The order"
        " stays for the books; you go from it.",
        "kept": "What is kept, and why",
        "order": "What you order, the name and the notes that you leave: so that it can be made and"
        " handed over. Until you ask for its end.",
        "phone": "Your phone number and e-mail address, where you leave them: to tell you the code"
        " and that it is ready. Only if you agree; which text you agreed to, when, and from which"
        " network, is kept as proof. Until you ask for its end.",
        "calls": "Whom messages and calls reached: {days} days.",
        "logs": "Wrong codes, and networks that orders came from, as digests that name nobody:"
        " {days} days.",
        "where": "Where your phone is, if you tap “I am here” and your browser allows it: it is"
        " compared with where the counter is, and not kept. Only whether you were near is.",
        "payments": "What was paid, as the law asks. Who paid is forgotten after {days} days.",
        "account": "If you stay signed in: the name and the note that you save, until you take them"
        " out or delete your account. The sign-in ends after 180 days.",
        "cookies": "One cookie, so that this browser finds its orders again; where you collect"
        " stamps or points it is your card. One more while you stay signed in. None follows you.",
        "others": "Who else is told",
        "gateways": "Who takes the payment: {names}. Card numbers are seen by them alone.",
        "carriers": "Who carries messages and calls, of your number and the text.",
        "nobody_else": "Nobody else.",
        "own": "More from this business",
        "link": "Privacy",
    },
    "hi": {
        "title": "निजता",
        "responsible": "कौन ज़िम्मेदार है",
        "nobody": "वही कारोबार जहाँ आप ऑर्डर करते हैं। उसने यहाँ अभी किसी का नाम नहीं दिया है।",
        "write": "आपका क्या रखा है यह देखने या मिटवाने के लिए {contact} पर लिखें। ऑर्डर बही के लिए रहता है;"
        " आपका नाम उससे हट जाता है।",
        "kept": "क्या रखा जाता है, और क्यों",
        "order": "आपका ऑर्डर, नाम और टिप्पणी: ताकि वह बने और दिया जा सके। आपके मिटाने को कहने तक।",
        "phone": "आपका फ़ोन नंबर और ई-मेल, यदि आप दें: कोड और तैयार होने की सूचना के लिए। केवल आपकी सहमति से;"
        " किस पाठ पर, कब और किस नेटवर्क से सहमति दी, प्रमाण के लिए रखा जाता है। आपके मिटाने को कहने तक।",
        "calls": "संदेश और कॉल किसे मिले: {days} दिन।",
        "logs": "ग़लत कोड, और ऑर्डर के नेटवर्क, ऐसे डाइजेस्ट के रूप में जो किसी का नाम नहीं बताते: {days} दिन।",
        "where": "आपका फ़ोन कहाँ है, जब आप “मैं आ गया” दबाएँ और ब्राउज़र अनुमति दे: उसे काउंटर की जगह से"
        " मिलाया जाता है, रखा नहीं जाता। केवल इतना रहता है कि आप पास थे या नहीं।",
        "payments": "जो भुगतान हुआ, क़ानून के अनुसार। किसने किया, {days} दिन बाद भुला दिया जाता है।",
        "account": "यदि आप साइन इन रहें: सहेजा नाम और टिप्पणी, जब तक आप उन्हें न हटाएँ या खाता न मिटाएँ।"
        " साइन इन 180 दिन बाद समाप्त होता है।",
        "cookies": "एक कुकी, ताकि यह ब्राउज़र अपने ऑर्डर फिर पाए; जहाँ आप मुहर या अंक जमा करते हैं, वही"
        " आपका कार्ड है। साइन इन रहने पर एक और। कोई कुकी आपका पीछा नहीं करती।",
        "others": "और किसे बताया जाता है",
        "gateways": "भुगतान लेने वाले: {names}। कार्ड नंबर केवल वही देखते हैं।",
        "carriers": "संदेश और कॉल पहुँचाने वाले: आपका नंबर और पाठ।",
        "nobody_else": "और किसी को नहीं।",
        "own": "इस कारोबार की ओर से",
        "link": "निजता",
    },
    "ru": {
        "title": "Личные данные",
        "responsible": "Кто отвечает",
        "nobody": "Заведение, в котором вы заказываете. Оно пока никого здесь не назвало.",
        "write": "Чтобы узнать, что о вас хранится, или удалить это, напишите: {contact}. Заказ"
        " остаётся для учёта, вы из него удаляетесь.",
        "kept": "Что хранится и зачем",
        "order": "Заказ, имя и заметки, которые вы оставили: чтобы приготовить и выдать. Пока вы не"
        " попросите удалить.",
        "phone": "Телефон и почта, если вы их оставили: чтобы сообщить код и готовность. Только с"
        " вашего согласия; с каким текстом, когда и из какой сети вы согласились, хранится как"
        " подтверждение."
        " Пока вы не попросите удалить.",
        "calls": "Кому доставлены сообщения и звонки, дней: {days}.",
        "logs": "Неверные коды и сети, из которых заказывали, в виде дайджестов без имён, дней:"
        " {days}.",
        "where": "Где ваш телефон, если вы нажали «Я на месте» и браузер разрешил: это место"
        " сравнивается с местом стойки и не хранится. Остаётся лишь, были ли вы рядом.",
        "payments": "Что оплачено, как требует закон. Кто платил, забывается через {days} дней.",
        "account": "Если вы не выходите: сохранённые имя и заметка, пока вы их не уберёте или не"
        " удалите аккаунт. Вход действует 180 дней.",
        "cookies": "Один файл cookie, чтобы браузер снова нашёл свои заказы; если вы копите отметки"
        " или баллы, это и есть карта. Ещё один, пока вы не вышли. Слежки нет.",
        "others": "Кому ещё сообщается",
        "gateways": "Кто принимает оплату: {names}. Номера карт видят только они.",
        "carriers": "Кто доставляет сообщения и звонки: ваш номер и текст.",
        "nobody_else": "Больше никому.",
        "own": "От заведения",
        "link": "Личные данные",
    },
}


class PrivacyView(Struct, frozen=True, kw_only=True):
    """What the page says of one store. `kept`: days, by what is kept so long."""

    settings: Privacy
    gateways: tuple[str, ...]
    carries: bool  # messages go out
    asks_where: bool  # of a phone, when its customer says that they wait outside
    kept: Mapping[str, int]


async def view(context: Context, at: Store) -> PrivacyView:
    """As the settings are now."""
    windows = context.windows
    async with context.db.as_merchant(at.merchant) as conn:
        settings = await privacy_settings.read(conn)
        gateways = await conn.fetch(_GATEWAYS, at.outlet.code)
        asks_where = await conn.fetchval(_ASKS_WHERE, at.outlet.code)
    return PrivacyView(
        settings=settings,
        gateways=tuple(_NAMES.get(row["gateway"], row["gateway"]) for row in gateways),
        carries=bool({Form.SMS, Form.EMAIL} & set(context.notifiers)),
        asks_where=bool(asks_where),
        kept={
            "calls": round(windows.call_logs_kept_s / _DAY_S),
            "logs": round(windows.logs_kept_s / _DAY_S),
            "payments": round(windows.payment_records_kept_s / _DAY_S),
        },
    )  # fmt: skip
