"""Texts of the first steps, from naming a business to its first sale: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "business_title": ("Your business", "आपका व्यवसाय", "Ваш бизнес"),
    "business_lead": (
        "Customers see this name on the machine's page and beside every code.",
        "ग्राहक यह नाम मशीन के पेज पर और हर कोड के पास देखते हैं।",
        "Это имя покупатели видят на странице автомата и рядом с каждым кодом.",
    ),
    "business_name": ("Name", "नाम", "Название"),
    "business_contact": ("Where customers ask for help", "ग्राहक मदद कहाँ माँगें",
                         "Куда обращаться покупателям"),
    "business_contact_hint": (
        "A phone number or an address. It stands on every page and sheet.",
        "फ़ोन नंबर या पता। यह हर पेज और छपे पन्ने पर रहता है।",
        "Телефон или адрес. Он стоит на каждой странице и листовке.",
    ),
    "business_zone": ("Zone of time", "समय क्षेत्र", "Часовой пояс"),
    "business_currency": ("Currency", "मुद्रा", "Валюта"),
    "business_button": ("Go on", "आगे बढ़ें", "Продолжить"),
    "problem_zone": (
        "There is no such zone of time: write it like Asia/Kolkata.",
        "ऐसा समय क्षेत्र नहीं है: Asia/Kolkata की तरह लिखें।",
        "Такого часового пояса нет: напишите, например, Europe/Moscow.",
    ),
    "problem_business": ("Give it a name, and choose a currency.", "नाम दें और मुद्रा चुनें।",
                         "Введите название и выберите валюту."),
    "switch_title": ("Work for", "किसके लिए काम करें", "Работать для"),
    "switch_new": ("Open another business", "एक और व्यवसाय खोलें", "Открыть ещё один бизнес"),
}  # fmt: skip
