"""Texts of a kitchen's view, and of orders that staff enter: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "kitchen": ("Kitchen", "रसोई", "Кухня"),
    "kitchen_all": ("Everything", "सब कुछ", "Всё"),
    "kitchen_stations": ("Stations", "स्टेशन", "Места готовки"),
    "kitchen_start": ("Turn on the sound", "आवाज़ चालू करें", "Включить звук"),
    "wall": ("Screen for the wall", "दीवार की स्क्रीन", "Экран для зала"),
    "walk_in": ("Add an order", "ऑर्डर जोड़ें", "Добавить заказ"),
    "walk_in_lead": (
        "For somebody who stands here and pays at the till. It is not in our books: no code, no"
        " refund by us.",
        "जो सामने खड़ा है और काउंटर पर भुगतान करता है। यह हमारी बही में नहीं: न कोड, न हमारी वापसी।",
        "Для того, кто платит на кассе. В наших книгах его нет: ни кода, ни возврата через нас.",
    ),
    "walk_in_name": ("Name (optional)", "नाम (ज़रूरी नहीं)", "Имя (необязательно)"),
    "walk_in_note": ("A wish for the kitchen", "रसोई के लिए", "Пожелание кухне"),
    "walk_in_enter": ("Send to the kitchen", "रसोई में भेजें", "Передать на кухню"),
    "walk_in_paid": ("Paid at the till", "काउंटर पर भुगतान", "Оплата на кассе"),
    "walk_in_handed": ("Handed over", "दे दिया", "Выдано"),
    "walk_in_cancel": ("Cancel", "रद्द करें", "Отменить"),
    "walk_in_problem": ("This cannot be ordered.", "इसे ऑर्डर नहीं कर सकते।", "Так заказать нельзя."),
    "walk_in_problem_empty": ("Say how many of what.", "क्या और कितना, यह चुनें।",
                              "Укажите, чего и сколько."),
    "walk_in_problem_options": ("Choose the options of {item}.", "{item} के विकल्प चुनें।",
                                "Выберите варианты: {item}."),
    "walk_in_problem_sold_out": ("{item} is sold out.", "{item} ख़त्म है।", "{item}: закончилось."),
}  # fmt: skip
