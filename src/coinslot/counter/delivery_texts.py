"""What a basket says of delivery, in every language of the pages."""

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "how": "How do you get it?", "pick_up": "I pick it up", "costs": "+{fee}", "free": "free",
        "least": "from {least}", "fee": "Delivery", "address": "Deliver to",
        "address_hint": "Street, number, floor. Whoever brings it asks for your code at the door.",
        "promise": "Not at your door within {hours} h after it is ready? Your money goes back, the"
        " delivery's too.", "no_outside": "It is not delivered there.",
        "no_postcode": "This zone goes by postcode. Type the address with its postcode, or choose"
        " another zone.",
        "no_least": "It is delivered there from {least} on.",
        "no_address": "Where is it to go? Type the street and number.",
    },
    "hi": {
        "how": "कैसे लेंगे?", "pick_up": "मैं लेने आऊँगा", "costs": "+{fee}", "free": "मुफ़्त",
        "least": "{least} से", "fee": "डिलीवरी", "address": "यहाँ पहुँचाएँ",
        "address_hint": "सड़क, नंबर, मंज़िल। जो लाएगा, वह दरवाज़े पर आपका कोड पूछेगा।",
        "promise": "तैयार होने के {hours} घंटे में दरवाज़े पर नहीं? पैसा वापस, डिलीवरी का भी।",
        "no_outside": "वहाँ डिलीवरी नहीं होती।",
        "no_postcode": "यह इलाक़ा पिन कोड से है। पता पिन कोड के साथ लिखें, या दूसरा इलाक़ा चुनें।",
        "no_least": "वहाँ {least} से डिलीवरी होती है।",
        "no_address": "कहाँ पहुँचाएँ? सड़क और नंबर लिखें।",
    },
    "ru": {
        "how": "Как получить?", "pick_up": "Заберу сам", "costs": "+{fee}", "free": "бесплатно",
        "least": "от {least}", "fee": "Доставка", "address": "Куда доставить",
        "address_hint": "Улица, дом, этаж. Курьер спросит ваш код у двери.",
        "promise": "Не у двери через {hours} ч после готовности? Деньги вернутся, за доставку"
        " тоже.", "no_outside": "Туда не доставляют.",
        "no_postcode": "Эта зона — по индексам. Укажите адрес с индексом или выберите другую зону.",
        "no_least": "Туда доставляют от {least}.",
        "no_address": "Куда везти? Укажите улицу и дом.",
    },
}  # fmt: skip
