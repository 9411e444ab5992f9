"""Texts of where a counter delivers to: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "zones_title": ("Delivery", "डिलीवरी", "Доставка"),
    "zones_lead": (
        "Customers choose a zone by its name, with its fee and least sum.",
        "ग्राहक इलाक़ा नाम से चुनते हैं, उसके शुल्क और न्यूनतम राशि के साथ।",
        "Покупатели выбирают зону по названию, с её ценой и минимальной суммой.",
    ),
    "zones_none": (
        "Off until there is a zone: orders are picked up.",
        "जब तक कोई इलाक़ा नहीं, बंद: ऑर्डर लेने आना होता है।",
        "Выключена, пока нет зоны: заказы забирают сами.",
    ),
    "zones_how": (
        "A zone has postcodes, or a circle around a place, or both: whoever is in one of them is in"
        " it. Maps on a phone copy a place as two numbers. Clear a name to end its zone.",
        "इलाक़े में पिन कोड, या किसी जगह के चारों ओर घेरा, या दोनों: किसी एक में होना काफ़ी है। फ़ोन का"
        " नक़्शा जगह दो संख्याओं में देता है। हटाने को नाम मिटाएँ।",
        "У зоны есть индексы, круг вокруг места или то и другое: достаточно быть в одном. Карты на"
        " телефоне копируют место двумя числами. Чтобы убрать зону, сотрите её название.",
    ),
    "zone_new": ("Another zone", "एक और इलाक़ा", "Ещё зона"),
    "zone_name": ("Name", "नाम", "Название"),
    "zone_postcodes": ("Postcodes", "पिन कोड", "Индексы"),
    "zone_centre": ("Latitude, longitude", "अक्षांश, देशांतर", "Широта, долгота"),
    "zone_metres": ("Radius in metres", "त्रिज्या, मीटर", "Радиус, м"),
    "zone_corners": (
        "It also has a shape from a file (corners: {count}); it stays.",
        "फ़ाइल से {count} कोनों का आकार भी है; वह रहेगा।",
        "У неё есть и контур из файла, углов: {count}; он останется.",
    ),
    "zone_fee": ("Fee", "शुल्क", "Цена доставки"),
    "zone_least": ("Least sum of goods", "सामान की न्यूनतम राशि", "Минимум товаров"),
    "zone_try": ("Try a place", "जगह जाँचें", "Проверить место"),
    "zone_try_place": (
        "Address, postcode, or latitude, longitude",
        "पता, पिन कोड, या अक्षांश, देशांतर",
        "Адрес, индекс или широта, долгота",
    ),
    "zone_try_hint": (
        "An address is found by the postcode in it, a circle by the two numbers.",
        "पता उसके पिन कोड से मिलता है, घेरा दो संख्याओं से।",
        "Адрес находится по индексу в нём, круг — по двум числам.",
    ),
    "zone_try_goods": ("Goods for", "सामान की राशि", "Товаров на"),
    "zone_try_button": ("Try", "जाँचें", "Проверить"),
    "zone_yes": ("Delivered", "पहुँचता है", "Доставляем"),
    "zone_no": ("Not delivered", "नहीं पहुँचता", "Не доставляем"),
    "zone_tried_in": ("{name}: {fee}.", "{name}: {fee}।", "{name}: {fee}."),
    "zone_tried_from": ("From {least} on.", "{least} से।", "От {least}."),
    "zone_tried_outside": (
        "It is in no zone.",
        "यह किसी इलाक़े में नहीं है।",
        "Это вне всех зон.",
    ),
    "zone_tried_least": (
        "It is in a zone, from {least} on.",
        "यह इलाक़े में है, {least} से।",
        "Это в зоне, но от {least}.",
    ),
    "problem_zone_name": (
        "Give each zone a name: customers choose by it.",
        "हर इलाक़े को नाम दें: ग्राहक उसी से चुनते हैं।",
        "Назовите каждую зону: покупатели выбирают по названию.",
    ),
    "problem_zone_shape": (
        "{name}: give postcodes, or a place and a radius.",
        "{name}: पिन कोड दें, या जगह और त्रिज्या।",
        "{name}: укажите индексы или место и радиус.",
    ),
    "problem_zone_postcodes": (
        "{about}: postcodes have a digit and up to 12 signs, with commas between; at most 200.",
        "{about}: पिन कोड में अंक, 12 चिह्न तक, बीच में अल्पविराम; ज़्यादा से ज़्यादा 200।",
        "{about}: в индексе есть цифра и до 12 знаков, между ними запятые; не больше 200.",
    ),
    "problem_zone_centre": (
        "{about}: write the place as 48.137, 11.575: latitude first, then longitude.",
        "{about}: जगह ऐसे लिखें 48.137, 11.575: पहले अक्षांश, फिर देशांतर।",
        "{about}: место пишется как 48.137, 11.575: сначала широта, потом долгота.",
    ),
    "problem_zone_metres": (
        "{about}: the radius is 1 to 200000 metres.",
        "{about}: त्रिज्या 1 से 200000 मीटर है।",
        "{about}: радиус от 1 до 200000 метров.",
    ),
    "problem_zone_amount": (
        "{about}: the fee or the least sum is no amount.",
        "{about}: शुल्क या न्यूनतम राशि ठीक नहीं।",
        "{about}: цена или минимум — не сумма.",
    ),
}  # fmt: skip
