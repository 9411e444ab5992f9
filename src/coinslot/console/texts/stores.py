"""Texts of a counter's rules: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "rules_title": ("Times and messages", "समय और संदेश", "Сроки и сообщения"),
    "rules_lead": (
        "Orders that were placed keep what their customers read.",
        "जो ऑर्डर हो चुके, उन पर वही लागू जो ग्राहक ने पढ़ा था।",
        "Для уже принятых заказов действует то, что прочитал покупатель.",
    ),
    "rules_times": ("How long it may take", "कितना समय लग सकता है", "Сколько ждать"),
    "rules_bounds": (
        "From {least} to {most}; empty: {usual}.",
        "{least} से {most} तक; ख़ाली: {usual}।",
        "От {least} до {most}; пусто — {usual}.",
    ),
    "rules_dispatch_s": ("To accept (minutes)", "स्वीकार करने को (मिनट)", "На приём (минут)"),
    "rules_help_dispatch_s": (
        "What nobody accepts by then is refunded.",
        "तब तक कोई स्वीकार न करे तो पैसा लौटता है।",
        "Если за это время заказ никто не принял, деньги вернутся.",
    ),
    "rules_prepare_s": (
        "To make ready (minutes)",
        "तैयार करने को (मिनट)",
        "На приготовление (минут)",
    ),
    "rules_help_prepare_s": (
        "What is not ready by then is refunded.",
        "तब तक तैयार न हो तो पैसा लौटता है।",
        "Если за это время заказ не готов, деньги вернутся.",
    ),
    "rules_pickup_s": ("To pick up (hours)", "ले जाने को (घंटे)", "На получение (часов)"),
    "rules_help_pickup_s": (
        "Customers read it before they pay. It runs while a board is open.",
        "ग्राहक भुगतान से पहले पढ़ते हैं। बोर्ड खुला हो तभी गिना जाता है।",
        "Покупатель читает это до оплаты. Время идёт, пока открыт экран заказов.",
    ),
    "rules_fetched": ("If nobody picks it up", "कोई लेने न आए तो", "Если никто не забрал"),
    "rules_fetched_refund": ("The money goes back", "पैसा लौटता है", "Деньги возвращаются"),
    "rules_fetched_kept": ("You keep the money", "पैसा आपके पास रहता है", "Деньги остаются у вас"),
    "rules_fetched_help": (
        "It is kept only from customers who provably got the message that it is ready.",
        "पैसा तभी रहता है जब साबित हो कि तैयार होने का संदेश ग्राहक को मिला।",
        "Остаются, только если доказано, что покупатель получил сообщение о готовности.",
    ),
    "rules_phones": ("Phones that get messages", "किन फ़ोन पर संदेश जाएँ", "Кому слать сообщения"),
    "rules_whose_usual": (
        "The countries of your currency: {prefixes}",
        "आपकी मुद्रा के देश: {prefixes}",
        "Страны вашей валюты: {prefixes}",
    ),
    "rules_whose_usual_none": (
        "The countries of your currency: none is known",
        "आपकी मुद्रा के देश: कोई ज्ञात नहीं",
        "Страны вашей валюты: неизвестны",
    ),
    "rules_whose_own": ("These countries", "ये देश", "Эти страны"),
    "rules_prefixes": (
        "First digits, such as +49",
        "शुरू के अंक, जैसे +91",
        "Первые цифры, например +7",
    ),
    "rules_whose_nobody": ("Nobody", "कोई नहीं", "Никому"),
    "rules_phones_help": (
        "Far countries can be dear: write down only those that your customers come from.",
        "दूर के देश महँगे हो सकते हैं: वही लिखें जहाँ से ग्राहक आते हैं।",
        "Дальние страны бывают дороги: укажите лишь те, откуда ваши покупатели.",
    ),
    "rules_calls": (
        "Also call when an order is ready",
        "ऑर्डर तैयार होने पर कॉल भी करें",
        "Звонить, когда заказ готов",
    ),
    "rules_arrivals": ("Customers outside", "बाहर खड़े ग्राहक", "Покупатели снаружи"),
    "rules_arrivals_on": (
        "The order's page has a button “I am here”",
        "ऑर्डर के पेज पर “मैं आ गया” बटन हो",
        "На странице заказа есть кнопка «Я на месте»",
    ),
    "rules_arrivals_help": (
        "For whoever waits in the car: the board then says so, and where.",
        "जो गाड़ी में रुके हैं: बोर्ड पर यह और जगह दिखेगी।",
        "Для тех, кто ждёт в машине: табло скажет об этом и где.",
    ),
    "rules_place": (
        "Where the counter is: latitude, longitude",
        "काउंटर कहाँ है: अक्षांश, देशांतर",
        "Где стойка: широта, долгота",
    ),
    "rules_place_help": (
        "Maps on a phone copy a place as two numbers.",
        "फ़ोन का नक़्शा जगह दो संख्याओं में देता है।",
        "Карты на телефоне копируют место двумя числами.",
    ),
    "rules_here_m": (
        "So near their phone has to be, in metres",
        "फ़ोन कितने पास हो, मीटर में",
        "Насколько близко телефон, м",
    ),
    "rules_here_off": ("not asked", "नहीं पूछते", "не спрашивать"),
    "rules_here_help": (
        "From {least} to {most}; 150 suits a car park. Then the button asks their phone where it"
        " is, and the board says whether that was seen or is their word. Where they were is not"
        " kept. Empty: no phone is asked.",
        "{least} से {most}; पार्किंग के लिए 150 ठीक है। तब बटन फ़ोन से जगह पूछता है, और बोर्ड बताता है कि"
        " वह देखी गई या बस कही गई। जगह रखी नहीं जाती। ख़ाली: किसी फ़ोन से नहीं पूछते।",
        "От {least} до {most}; для парковки подойдёт 150. Тогда кнопка спрашивает у телефона, где"
        " он, а табло говорит, видно ли это или только со слов. Где они были, не хранится. Пусто:"
        " телефоны не спрашиваем.",
    ),
    "problem_rules_place": (
        "The place needs two numbers, such as 48.13743, 11.57549.",
        "जगह के लिए दो संख्याएँ चाहिए, जैसे 28.61391, 77.20902।",
        "Месту нужны два числа, например 55.75393, 37.62079.",
    ),
    "problem_rules_here_m": (
        "So many metres are too few or too many.",
        "इतने मीटर बहुत कम या बहुत ज़्यादा हैं।",
        "Столько метров — слишком мало или много.",
    ),
    "rules_caps": ("At most so many", "अधिकतम इतने", "Не больше"),
    "rules_outlet_messages": (
        "Text messages and calls in an hour",
        "एक घंटे में संदेश और कॉल",
        "Сообщений и звонков в час",
    ),
    "rules_help_outlet_messages": (
        "Of this counter. What is above it is not sent; the order's page shows it all.",
        "इस काउंटर के। इससे ऊपर नहीं भेजे जाते; ऑर्डर के पेज पर सब दिखता है।",
        "Этой стойки. Сверх этого не отправляем; на странице заказа всё видно.",
    ),
    "rules_phone_messages": (
        "To one phone in a day",
        "एक फ़ोन पर एक दिन में",
        "На один телефон в день",
    ),
    "rules_help_phone_messages": (
        "Of all text messages and calls.",
        "सभी संदेश और कॉल मिलाकर।",
        "Всех сообщений и звонков.",
    ),
    "problem_rules_dispatch_s": (
        "The time to accept is too short or too long.",
        "स्वीकार करने का समय बहुत कम या ज़्यादा है।",
        "Срок на приём слишком мал или велик.",
    ),
    "problem_rules_prepare_s": (
        "The time to make ready is too short or too long.",
        "तैयार करने का समय बहुत कम या ज़्यादा है।",
        "Срок на приготовление слишком мал или велик.",
    ),
    "problem_rules_pickup_s": (
        "The time to pick up is too short or too long.",
        "ले जाने का समय बहुत कम या ज़्यादा है।",
        "Срок на получение слишком мал или велик.",
    ),
    "problem_rules_outlet_messages": (
        "So many messages in an hour are not possible here.",
        "एक घंटे में इतने संदेश यहाँ संभव नहीं।",
        "Столько сообщений в час здесь нельзя.",
    ),
    "problem_rules_phone_messages": (
        "So many messages to one phone are not possible here.",
        "एक फ़ोन पर इतने संदेश यहाँ संभव नहीं।",
        "Столько сообщений на один телефон здесь нельзя.",
    ),
    "problem_rules_prefixes": (
        "Write first digits with their country, such as +49 +43, at most 60.",
        "देश के शुरू के अंक लिखें, जैसे +91 +977, अधिकतम 60।",
        "Укажите коды стран, например +7 +375, не больше 60.",
    ),
}
