"""What a customer reads whose phone is elsewhere when they say that they are here."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "far": "You seem to be {distance} away", "far_lead": "Tap again when you are here.",
        "wrong": "Is that wrong? Phones err, indoors most of all.",
        "insist": "I am here all the same", "back": "Back to the order",
    },
    "hi": {
        "far": "लगता है आप {distance} दूर हैं", "far_lead": "यहाँ पहुँचकर फिर दबाएँ।",
        "wrong": "क्या यह ग़लत है? फ़ोन चूकते हैं, ख़ासकर इमारत के भीतर।",
        "insist": "फिर भी, मैं आ गया", "back": "ऑर्डर पर लौटें",
    },
    "ru": {
        "far": "Похоже, вам ещё {distance}", "far_lead": "Нажмите ещё раз, когда будете на месте.",
        "wrong": "Это не так? Телефоны ошибаются, особенно в помещении.",
        "insist": "Я всё-таки на месте", "back": "К заказу",
    },
}  # fmt: skip
