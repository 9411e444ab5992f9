"""What a counter writes and says to its customers, in every language of its pages. A code stands in
a text message or is spoken; a mail and a push lead to the order's page, which shows it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class Texts(Struct, frozen=True, kw_only=True):
    """`{place}` is the counter's name, `{number}` the order's, `{link}` its page."""

    code: str  # {code}
    ready: str  # {code}
    spoken: str  # {code}
    press: str
    waits: str  # to the counter itself: {counter}
    no_more_calls: str
    cancelled: str
    partly: str
    history: str  # {code}
    ready_title: str
    ready_mail: str
    cancelled_title: str
    partly_title: str
    back_mail: str
    receipt_title: str
    receipt_lead: str  # {time}
    receipt_paid: str  # {price}
    receipt_seller: str  # {merchant}
    history_title: str
    history_mail: str
    discount: str
    extras: Mapping[str, str]


_ENGLISH = Texts(
    code="{place}: order {number} is paid. Your code: {code}. {link}",
    ready="{place}: order {number} is ready. Your code: {code}. {link}",
    spoken="This is {place}. Your order {number} is ready. Your code is {code}.",
    waits="This is {counter}. A paid order is waiting, and nobody has accepted it.",
    press="Press 1 to hear it again, or 9 to get no more calls.",
    no_more_calls="We will not call this number again.",
    cancelled="{place}: order {number} was cancelled. Your money goes back by itself. {link}",
    partly="{place}: a part of order {number} is not available. Its money goes back by itself."
    " {link}",
    history="{place}: {code} shows your orders. Do not tell it to anybody.",
    ready_title="Order {number} is ready",
    ready_mail="Your order {number} at {place} is ready. Its page shows the code for picking it"
    " up:",
    cancelled_title="Order {number} was cancelled",
    partly_title="A part of order {number} is not available",
    back_mail="Your money for it goes back by itself. The order's page shows how far it is:",
    receipt_title="Receipt for order {number}",
    receipt_lead="Thank you. You ordered this at {place}, {time}:",
    receipt_paid="Paid: {price}",
    receipt_seller="Seller: {merchant}",
    history_title="Your orders at {place}",
    history_mail="This link shows your orders at {place}. It is good for 15 minutes. If you did"
    " not ask for it, do nothing.",
    discount="Discount",
    extras={"tip": "Tip", "delivery_fee": "Delivery", "added_tax": "Tax"},
)
_HINDI = Texts(
    code="{place}: ऑर्डर {number} का भुगतान हुआ। आपका कोड: {code}. {link}",
    ready="{place}: ऑर्डर {number} तैयार है। आपका कोड: {code}. {link}",
    spoken="{place} से सूचना। आपका ऑर्डर {number} तैयार है। आपका कोड है {code}।",
    waits="{counter}: एक ऑर्डर का भुगतान हो चुका है, किसी ने स्वीकार नहीं किया।",
    press="फिर सुनने के लिए 1 दबाएँ, कॉल बंद करने के लिए 9।",
    no_more_calls="इस नंबर पर अब कॉल नहीं आएगी।",
    cancelled="{place}: ऑर्डर {number} रद्द हुआ। पैसा अपने आप लौट आएगा। {link}",
    partly="{place}: ऑर्डर {number} का एक हिस्सा उपलब्ध नहीं है। उसका पैसा अपने आप लौट आएगा। {link}",
    history="{place}: {code} से आपके ऑर्डर दिखेंगे। इसे किसी को न बताएँ।",
    ready_title="ऑर्डर {number} तैयार है",
    ready_mail="{place} पर आपका ऑर्डर {number} तैयार है। लेने का कोड उसके पेज पर है:",
    cancelled_title="ऑर्डर {number} रद्द हुआ",
    partly_title="ऑर्डर {number} का एक हिस्सा उपलब्ध नहीं है",
    back_mail="उसका पैसा अपने आप लौट आएगा। कहाँ तक पहुँचा, ऑर्डर के पेज पर दिखेगा:",
    receipt_title="ऑर्डर {number} की रसीद",
    receipt_lead="धन्यवाद। आपने {place} पर {time} को यह ऑर्डर किया:",
    receipt_paid="भुगतान: {price}",
    receipt_seller="विक्रेता: {merchant}",
    history_title="{place} पर आपके ऑर्डर",
    history_mail="यह लिंक {place} पर आपके ऑर्डर दिखाता है। यह 15 मिनट तक चलेगा। यदि आपने नहीं माँगा"
    " तो कुछ न करें।",
    discount="छूट",
    extras={"tip": "टिप", "delivery_fee": "डिलीवरी", "added_tax": "टैक्स"},
)
_RUSSIAN = Texts(
    code="{place}: заказ {number} оплачен. Ваш код: {code}. {link}",
    ready="{place}: заказ {number} готов. Ваш код: {code}. {link}",
    spoken="Это {place}. Ваш заказ {number} готов. Ваш код: {code}.",
    waits="{counter}. Оплаченный заказ ждёт, его никто не принял.",
    press="Нажмите 1, чтобы повторить, или 9, чтобы больше не звонили.",
    no_more_calls="На этот номер больше не позвонят.",
    cancelled="{place}: заказ {number} отменён. Деньги вернутся сами. {link}",
    partly="{place}: части заказа {number} нет. Деньги за неё вернутся сами. {link}",
    history="{place}: код {code} покажет ваши заказы. Никому его не сообщайте.",
    ready_title="Заказ {number} готов",
    ready_mail="Ваш заказ {number} ({place}) готов. Код для выдачи на его странице:",
    cancelled_title="Заказ {number} отменён",
    partly_title="Части заказа {number} нет",
    back_mail="Деньги за это вернутся сами. Где они сейчас, видно на странице заказа:",
    receipt_title="Чек заказа {number}",
    receipt_lead="Спасибо. Ваш заказ ({place}, {time}):",
    receipt_paid="Оплачено: {price}",
    receipt_seller="Продавец: {merchant}",
    history_title="Ваши заказы: {place}",
    history_mail="Эта ссылка показывает ваши заказы ({place}). Она действует 15 минут. Если вы её"
    " не просили, ничего не делайте.",
    discount="Скидка",
    extras={"tip": "Чаевые", "delivery_fee": "Доставка", "added_tax": "Налог"},
)
_IN: Final[Mapping[str, Texts]] = {"en": _ENGLISH, "hi": _HINDI, "ru": _RUSSIAN}
LOCALES: Final = {"en": "en_GB", "hi": "hi_IN", "ru": "ru_RU"}


def texts_in(language: str) -> Texts:
    """English for a language that is not here."""
    return _IN.get(language, _ENGLISH)
