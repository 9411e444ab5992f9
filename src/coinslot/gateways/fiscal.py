"""The words with which a gateway's form asks for the fiscal settings of an account (54-FZ): the
same at every gateway, whatever its own codes are."""

from typing import Final

from msgspec import Meta

from coinslot.gateways.form import Choice, Words, asked, asked_name, grouped
from coinslot.gateways.receipts import Agent

GROUP: Final = grouped(
    ("Fiscal receipts (54-FZ)", "राजकोषीय रसीदें (54-FZ)", "Фискальные чеки (54-ФЗ)"),
    (
        "Leave all of it empty if your receipts are made elsewhere.",
        "अगर रसीदें कहीं और बनती हैं, तो सब ख़ाली छोड़ें।",
        "Если чеки пробиваются в другом месте, оставьте всё пустым.",
    ),
)
EMAIL: Final = asked(
    ("E-mail for receipts", "रसीदों का ई-मेल", "Почта для чеков"),
    (
        "Where a receipt goes when the customer leaves no address.",
        "जब ग्राहक पता नहीं देता, तब रसीद यहाँ जाती है।",
        "Куда уходит чек, если покупатель не оставил адреса.",
    ),
)
_TAXES: Final[dict[str, Words]] = {
    "osn": ("General (OSN)", "सामान्य (OSN)", "Общая (ОСН)"),
    "usn_income": ("Simplified, income", "सरल, आय पर", "УСН, доходы"),
    "usn_income_outcome": (
        "Simplified, income minus expenses", "सरल, आय घटा ख़र्च", "УСН, доходы минус расходы",
    ),
    "envd": ("Imputed income (ENVD)", "अनुमानित आय (ENVD)", "ЕНВД"),
    "esn": ("Agricultural", "कृषि", "ЕСХН"),
    "patent": ("Patent", "पेटेंट", "Патент"),
}  # fmt: skip
RATES: Final[dict[str, Words]] = {
    "none": ("No VAT", "VAT नहीं", "Без НДС"),
    **{
        rate: (f"VAT {rate} %", f"VAT {rate} %", f"НДС {rate} %")
        for rate in ("0", "5", "7", "10", "20", "22")
    },
    **{
        rate: (f"VAT {rate}, within the sum", f"VAT {rate}, राशि के भीतर", f"НДС {rate}, расчётная")
        for rate in ("5/105", "7/107", "10/110", "20/120", "22/122")
    },
}
_SUBJECTS: Final[dict[str, Words]] = {
    "commodity": ("Goods", "सामान", "Товар"),
    "excise": ("Excise goods", "उत्पाद-शुल्क वाला सामान", "Подакцизный товар"),
    "job": ("Work", "काम", "Работа"),
    "service": ("Service", "सेवा", "Услуга"),
    "another": ("Other", "अन्य", "Иное"),
}
_MODES: Final[dict[str, Words]] = {
    "full_payment": ("Full payment", "पूरा भुगतान", "Полный расчёт"),
    "full_prepayment": ("Full prepayment", "पूरा अग्रिम भुगतान", "Предоплата 100 %"),
}
_AGENTS: Final[dict[str, Words]] = {
    "agent": ("Agent", "एजेंट", "Агент"),
    "commissioner": ("Commission agent", "कमीशन एजेंट", "Комиссионер"),
    "attorney": ("Attorney", "मुख़्तार", "Поверенный"),
    "payment_agent": ("Payment agent", "भुगतान एजेंट", "Платёжный агент"),
    "payment_subagent": ("Payment subagent", "भुगतान उप-एजेंट", "Платёжный субагент"),
    "banking_payment_agent": (
        "Banking payment agent", "बैंक भुगतान एजेंट", "Банковский платёжный агент",
    ),
    "banking_payment_subagent": (
        "Banking payment subagent", "बैंक भुगतान उप-एजेंट", "Банковский платёжный субагент",
    ),
}  # fmt: skip


def tax_systems(codes: dict[str, str], *, required: bool = False) -> Meta:
    """`codes`: the gateway's own for each of our words."""
    return asked(
        ("Tax system", "कर प्रणाली", "Система налогообложения"),
        (
            "The one that your business is registered under.",
            "जिसके तहत आपका कारोबार पंजीकृत है।",
            "Та, на которой работает ваш бизнес.",
        ),
        choices=_choices(codes, _TAXES),
        empty=None if required else ("as the till has it", "जैसा मशीन में है", "как в кассе"),
    )


def rates(codes: dict[str, str]) -> Meta:
    return asked(
        ("VAT", "VAT", "НДС"),
        (
            "Of products that do not name their own.",
            "उन उत्पादों का, जिनका अपना नहीं लिखा।",
            "Для товаров, у которых не указан свой.",
        ),
        choices=_choices(codes, RATES), empty=RATES["none"],
    )  # fmt: skip


def subjects() -> Meta:
    return asked(
        ("What is sold", "क्या बिकता है", "Предмет расчёта"),
        ("As the receipt names it.", "जैसा रसीद पर लिखा होता है।", "Как это называется в чеке."),
        choices=_choices({one: one for one in _SUBJECTS}, _SUBJECTS), empty=_SUBJECTS["commodity"],
    )  # fmt: skip


def modes() -> Meta:
    return asked(
        ("Way of settling", "भुगतान का ढंग", "Способ расчёта"),
        (
            "Goods come out right after payment: full payment. Ask your accountant.",
            "सामान भुगतान के तुरंत बाद मिलता है: पूरा भुगतान। लेखाकार से पूछें।",
            "Товар выдаётся сразу после оплаты — полный расчёт. Уточните у бухгалтера.",
        ),
        choices=_choices({one: one for one in _MODES}, _MODES), empty=_MODES["full_payment"],
    )  # fmt: skip


def agents(codes: dict[str, str]) -> Meta:
    return asked(
        ("You sell as", "आप बेचते हैं", "Вы продаёте как"),
        (
            "Only where the goods are somebody else's.",
            "सिर्फ़ तब, जब सामान किसी और का हो।",
            "Только если товар не ваш.",
        ),
        choices=_choices(codes, _AGENTS),
        empty=("the owner of the goods", "सामान के मालिक", "владелец товара"),
    )


SUPPLIER: Final = asked_name(
    ("Supplier", "आपूर्तिकर्ता", "Поставщик"),
    ("Whose goods they are.", "सामान किसका है।", "Чей это товар."),
)
SUPPLIER_INN: Final = asked(
    ("Supplier's INN", "आपूर्तिकर्ता का INN", "ИНН поставщика"),
    ("10 or 12 digits.", "10 या 12 अंक।", "10 или 12 цифр."),
)
SUPPLIER_PHONE: Final = asked(
    ("Supplier's telephone", "आपूर्तिकर्ता का फ़ोन", "Телефон поставщика"),
    ("With the country, as +79161234567.", "देश के साथ, जैसे +79161234567।",
     "С кодом страны, например +79161234567."),
)  # fmt: skip


def agent(
    kind: str | None, supplier: str | None, inn: str | None, phone: str | None
) -> Agent | None:
    """None: the goods are the merchant's own."""
    if kind is None:
        return None
    return Agent(kind=kind, supplier=supplier or "", inn=inn or "", phone=phone or "")


def _choices(codes: dict[str, str], words: dict[str, Words]) -> list[Choice]:
    return [Choice(code, words[one]) for one, code in codes.items() if one in words]
