"""Texts of Brand: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tab_settings": ("Settings", "सेटिंग", "Настройки"),
    "brand": ("Brand", "ब्रांड", "Бренд"),
    "brand_lead": (
        "What customers see first on the pages of your machines. Our own name stands last, small.",
        "ग्राहक आपकी मशीनों के पन्नों पर सबसे पहले यही देखते हैं। हमारा नाम सबसे नीचे, छोटा रहता है।",
        "То, что покупатели видят первым на страницах ваших автоматов. Наше имя стоит последним.",
    ),
    "brand_name": ("Name", "नाम", "Название"),
    "brand_logo": ("Logo", "लोगो", "Логотип"),
    "brand_colour": ("Colour of buttons and links", "बटन और लिंक का रंग", "Цвет кнопок и ссылок"),
    "brand_banded": (
        "A coloured band behind the name", "नाम के पीछे रंगीन पट्टी", "Цветная полоса под названием"
    ),
    "brand_ground": ("Colour of the band", "पट्टी का रंग", "Цвет полосы"),
    "brand_support": ("Contact for questions", "सवालों के लिए संपर्क", "Контакт для вопросов"),
    "brand_support_hint": (
        "A phone number or an e-mail address. A machine with a contact of its own shows that one.",
        "फ़ोन नंबर या ई-मेल पता। जिस मशीन का अपना संपर्क है, वह वही दिखाती है।",
        "Телефон или адрес почты. Автомат со своим контактом показывает свой.",
    ),
    "brand_nothing_out": (
        "Where to write when nothing came out", "कुछ न निकले तो कहाँ लिखें",
        "Куда писать, если ничего не вышло",
    ),
    "brand_nothing_out_hint": (
        "Shown with the help of a page, and printed beside codes. The money comes back by itself:"
        " this is for people who want to tell you.",
        "पन्ने की मदद में और कोड के पास छपता है। पैसा अपने आप लौटता है: यह उनके लिए है जो आपको बताना चाहें।",
        "Показывается в помощи и печатается у кодов. Деньги возвращаются сами: это для тех, кто"
        " хочет вам написать.",
    ),
    "brand_save": ("Save", "सहेजें", "Сохранить"),
    "brand_look": ("Look first", "पहले देखें", "Сначала посмотреть"),
    "brand_preview": ("How it looks", "ऐसा दिखेगा", "Как это выглядит"),
    "brand_light": ("On a light screen", "उजली स्क्रीन पर", "На светлом экране"),
    "brand_dark": ("On a dark screen", "गहरी स्क्रीन पर", "На тёмном экране"),
    "brand_moved": (
        "Your colour is hard to read on one of these screens, so it is shown there darker or"
        " lighter.",
        "इनमें से एक स्क्रीन पर आपका रंग पढ़ना कठिन है, इसलिए वहाँ वह गहरा या हल्का दिखता है।",
        "На одном из этих экранов ваш цвет трудно читать, поэтому там он темнее или светлее.",
    ),
    "brand_no_contact": ("no contact yet", "अभी कोई संपर्क नहीं", "контакта пока нет"),
    "done_brand": ("Customers see it from now on.", "ग्राहक अब से यही देखेंगे।",
                   "С этой минуты покупатели видят это."),
    "problem_colour": (
        "A colour is written like #0b6b4f.", "रंग #0b6b4f की तरह लिखा जाता है।",
        "Цвет пишется так: #0b6b4f.",
    ),
}  # fmt: skip
