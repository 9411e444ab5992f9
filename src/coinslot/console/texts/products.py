"""Texts of Products and Health: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tab_products": ("Products", "उत्पाद", "Товары"),
    "tab_health": ("Health", "स्थिति", "Состояние"),
    "products_lead": (
        "The price here is the one that a new slot gets. What a slot costs is set at its machine.",
        "यहाँ की क़ीमत नए खाने को मिलती है। खाने की क़ीमत उसकी मशीन पर तय होती है।",
        "Эту цену получает новая ячейка. Цена ячейки задаётся у её автомата.",
    ),
    "products_cost": ("costs you", "आपकी लागत", "себестоимость"),
    "products_name": ("Name", "नाम", "Название"),
    "products_save": ("Save", "सहेजें", "Сохранить"),
    "done_product": ("The product is changed. Slots keep their prices.",
                     "उत्पाद बदला गया। खानों की क़ीमतें वही हैं।",
                     "Товар изменён. Цены ячеек прежние."),
    "problem_product": (
        "A product needs a name and a price in {currency} above nothing, such as 40 or 40.00.",
        "उत्पाद को नाम और {currency} में शून्य से ऊपर क़ीमत चाहिए, जैसे 40 या 40.00।",
        "Товару нужны название и цена в {currency} больше нуля, например 40 или 40,00.",
    ),
    "health_healthy": ("Healthy", "ठीक", "В порядке"),
    "health_degraded": ("Degraded", "कमज़ोर", "С перебоями"),
    "health_unhealthy": ("Not working", "काम नहीं कर रहा", "Не работает"),
    "health_audit": ("Every invariant is recomputed from the rows by", "हर नियम की फिर से जाँच:",
                     "Все инварианты пересчитывает по строкам"),
}  # fmt: skip
