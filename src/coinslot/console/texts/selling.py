"""Texts of Settings, times and limits: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "settings_part_selling": ("Times and limits", "समय और सीमाएँ", "Сроки и пределы"),
    "selling_lead": (
        "For orders from now on. What is paid already keeps what it was paid under. A machine may"
        " have times of its own.",
        "अब से आने वाले ऑर्डर के लिए। जो भुगतान हो चुका उसका समय वही रहता है। किसी मशीन के अपने समय"
        " हो सकते हैं।",
        "Для заказов с этого момента. Уже оплаченное сохраняет прежние сроки. У автомата могут быть"
        " свои.",
    ),
    "selling_kind_vending": ("Vending machines", "वेंडिंग मशीनें", "Торговые автоматы"),
    "selling_kind_coffee": ("Coffee machines", "कॉफ़ी मशीनें", "Кофейные автоматы"),
    "selling_kind_counter": ("Counters", "काउंटर", "Прилавки"),
    "selling_unpaid": ("Orders that are not paid", "बिना भुगतान वाले ऑर्डर", "Неоплаченные заказы"),
    "selling_unpaid_lead": (
        "An unpaid order reserves nothing. These limits keep somebody who orders and never pays"
        " from filling a machine's queue.",
        "बिना भुगतान का ऑर्डर कुछ नहीं रोकता। ये सीमाएँ उसे रोकती हैं जो ऑर्डर करके भुगतान नहीं"
        " करता।",
        "Неоплаченный заказ ничего не бронирует. Эти пределы не дают занять автомат тому, кто"
        " заказывает и не платит.",
    ),
    "limit_order_s": ("To pay", "भुगतान के लिए", "На оплату"),
    "limit_help_order_s": (
        "An order waits so long for its payment. Money that comes later goes back.",
        "ऑर्डर इतनी देर भुगतान की राह देखता है। बाद में आया पैसा लौटता है।",
        "Столько заказ ждёт оплаты. Деньги, пришедшие позже, возвращаются.",
    ),
    "limit_browser_orders": ("At one time, of one phone", "एक साथ, एक फ़ोन से",
                             "Сразу, с одного телефона"),
    "limit_help_browser_orders": (
        "So many unpaid orders of one phone at one machine. The next has to wait.",
        "एक मशीन पर एक फ़ोन के इतने बिना भुगतान वाले ऑर्डर। अगला इंतज़ार करे।",
        "Столько неоплаченных заказов одного телефона у одного автомата. Следующий подождёт.",
    ),
    "limit_network_orders": ("At one time, of one network", "एक साथ, एक नेटवर्क से",
                             "Сразу, из одной сети"),
    "limit_help_network_orders": (
        "The same for one network, such as the Wi-Fi of a hall. Who has paid before is not counted"
        " with it.",
        "एक नेटवर्क के लिए यही, जैसे हॉल का वाई-फ़ाई। जो पहले भुगतान कर चुका, वह इसमें नहीं गिना जाता।",
        "То же для одной сети, например Wi-Fi зала. Кто уже платил, в неё не считается.",
    ),
    "limit_unpaid_s": ("Counted for", "इतनी देर गिना जाता है", "Считается"),
    "limit_help_unpaid_s": (
        "So long an unpaid order counts against its phone and network.",
        "बिना भुगतान का ऑर्डर इतनी देर फ़ोन और नेटवर्क पर गिना जाता है।",
        "Столько неоплаченный заказ засчитывается телефону и сети.",
    ),
    "unit_seconds": ("seconds", "सेकंड", "секунд"),
    "unit_minutes": ("minutes", "मिनट", "минут"),
    "unit_orders": ("orders", "ऑर्डर", "заказов"),
    "field_bounds": ("{least} to {most} {unit}.", "{least} से {most} {unit}।",
                     "От {least} до {most} {unit}."),
    "field_usual": ("Empty: {usual} {unit}.", "ख़ाली: {usual} {unit}।", "Пусто: {usual} {unit}."),
    "settings_currency": ("Currency", "मुद्रा", "Валюта"),
    "settings_currency_none": ("not said yet", "अभी तय नहीं", "не указана"),
    "settings_currency_help": (
        "Of new machines and products, and of the amount below. Machines and products that are"
        " there keep theirs.",
        "नई मशीनों और उत्पादों की, और नीचे की राशि की। जो हैं उनकी वही रहती है।",
        "Для новых автоматов и товаров и для суммы ниже. У имеющихся остаётся своя.",
    ),
    "settings_languages": ("Languages of your pages and sheets", "आपके पेजों और पर्चों की भाषाएँ",
                           "Языки ваших страниц и листов"),
    "settings_languages_help": (
        "A customer's phone says which it wants; it gets one of these. New printed sheets begin"
        " with them too.",
        "ग्राहक का फ़ोन बताता है कि उसे कौन-सी चाहिए; उसे इनमें से एक मिलती है। नए छपे पर्चे भी इन्हीं"
        " से।",
        "Телефон покупателя говорит, какой язык нужен; он получит один из этих. С них начинаются и"
        " новые листы.",
    ),
    "settings_first_language": ("When the phone wants none of them", "फ़ोन को इनमें से कोई न चाहिए तो",
                                "Если телефону не подходит ни один"),
}  # fmt: skip
