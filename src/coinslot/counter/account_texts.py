"""What a customer reads of their account."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Your account",
        "stay": "Keep me signed in on this device",
        "stay_hint": "For 180 days, or until you sign out. Not on a device that others use.",
        "again": "Order again",
        "none": "There are no orders yet.",
        "yours": "For your next order",
        "name": "Name on the order",
        "note": "Note for the kitchen",
        "note_hint": "Such as an allergy. It is filled in at each dish, and you can change it"
        " there. Kept until you take it out.",
        "save": "Save",
        "saved": "Saved.",
        "card": "Your card",
        "out": "Sign out",
        "out_all": "Sign out on all devices",
        "delete": "Delete my account",
        "delete_hint": "Your name, note, phone and address go, from your orders as well. The orders"
        " stay for the books. What is on your card is lost.",
        "delete_sure": "I want that",
    },
    "hi": {
        "title": "आपका खाता",
        "stay": "मुझे इस डिवाइस पर साइन इन रखें",
        "stay_hint": "180 दिन तक, या जब तक आप साइन आउट न करें। साझा डिवाइस पर नहीं।",
        "again": "फिर से ऑर्डर करें",
        "none": "अभी कोई ऑर्डर नहीं है।",
        "yours": "आपके अगले ऑर्डर के लिए",
        "name": "ऑर्डर पर नाम",
        "note": "रसोई के लिए टिप्पणी",
        "note_hint": "जैसे कोई एलर्जी। यह हर व्यंजन पर भरी मिलेगी, वहाँ आप बदल सकते हैं। जब तक आप न"
        " हटाएँ, रखी जाती है।",
        "save": "सहेजें",
        "saved": "सहेजा गया।",
        "card": "आपका कार्ड",
        "out": "साइन आउट",
        "out_all": "सभी डिवाइसों से साइन आउट",
        "delete": "मेरा खाता मिटाएँ",
        "delete_hint": "आपका नाम, टिप्पणी, फ़ोन और पता मिट जाते हैं, ऑर्डरों से भी। ऑर्डर बही के लिए रहते"
        " हैं। कार्ड पर जो है वह खो जाता है।",
        "delete_sure": "मैं यही चाहता/चाहती हूँ",
    },
    "ru": {
        "title": "Ваш аккаунт",
        "stay": "Не выходить на этом устройстве",
        "stay_hint": "180 дней или пока вы не выйдете. Не на чужом устройстве.",
        "again": "Заказать снова",
        "none": "Заказов пока нет.",
        "yours": "Для следующего заказа",
        "name": "Имя на заказе",
        "note": "Заметка для кухни",
        "note_hint": "Например, аллергия. Она подставляется к каждому блюду, и там её можно"
        " изменить. Хранится, пока вы её не уберёте.",
        "save": "Сохранить",
        "saved": "Сохранено.",
        "card": "Ваша карта",
        "out": "Выйти",
        "out_all": "Выйти на всех устройствах",
        "delete": "Удалить аккаунт",
        "delete_hint": "Имя, заметка, телефон и почта удаляются, из заказов тоже. Сами заказы"
        " остаются для учёта. То, что на карте, пропадёт.",
        "delete_sure": "Да, удалить",
    },
}


def words_in(language: str) -> Mapping[str, str]:
    return WORDS.get(language, WORDS["en"])
