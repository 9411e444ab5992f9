"""Texts of the page on which a counter moves to another gateway: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "move_title": ("Where customers pay", "ग्राहक कहाँ भुगतान करते हैं", "Где платят гости"),
    "move_practice": ("Practice: no money moves.", "अभ्यास: पैसा नहीं चलता।",
                      "Практика: деньги не движутся."),
    "move_money": ("Customers pay real money.", "ग्राहक असली पैसे देते हैं।",
                   "Гости платят настоящими деньгами."),
    "move_none": ("Nobody can pay here yet.", "यहाँ अभी कोई भुगतान नहीं कर सकता।",
                  "Здесь пока нельзя платить."),
    "move_checked": ("What was looked at", "क्या जाँचा गया", "Что проверено"),
    "move_yes": ("Yes", "हाँ", "Да"),
    "move_no": ("Not yet", "अभी नहीं", "Пока нет"),
    "move_open": ("No order is open (open ones: {count})", "कोई ऑर्डर खुला नहीं (खुले: {count})",
                  "Открытых заказов нет (открыто: {count})"),
    "move_menu": ("Each item of the menu has a price", "मेन्यू की हर चीज़ की क़ीमत है",
                  "У каждой позиции меню есть цена"),
    "move_hours": ("Opening hours are set; without any it is open day and night",
                   "खुलने का समय तय है; न हो तो दिन-रात खुला है",
                   "Часы работы заданы; без них открыто круглосуточно"),
    "move_messages": ("Messages can be sent; without them the code is on the order's page alone",
                      "संदेश भेजे जा सकते हैं; न हों तो कोड केवल ऑर्डर के पेज पर है",
                      "Сообщения отправляются; без них код только на странице заказа"),
    "move_to": ("Move to {account}", "{account} पर जाएँ", "Перейти на {account}"),
    "move_live": ("Real money", "असली पैसे", "Настоящие деньги"),
    "move_test": ("No real money", "असली पैसे नहीं", "Не настоящие деньги"),
    "move_heard": ("Its webhooks arrive here", "इसके वेबहुक यहाँ आते हैं", "Его вебхуки приходят"),
    "move_unheard": (
        "No webhook of it was heard yet: payments are then found by asking, some minutes later",
        "इसका कोई वेबहुक अब तक नहीं आया: तब भुगतान पूछकर मिलते हैं, कुछ मिनट बाद",
        "Вебхуков от него ещё не было: тогда платежи находятся запросом, на минуты позже",
    ),
    "move_add": ("Add a gateway", "गेटवे जोड़ें", "Добавить шлюз"),
    "move_no_other": (
        "No other account takes this counter's currency ({currency}).",
        "कोई दूसरा खाता इस काउंटर की मुद्रा ({currency}) नहीं लेता।",
        "Другого счёта для валюты этой точки ({currency}) нет.",
    ),
    "move_wait": (
        "Hand over or reject what is open first: an order ends where it was paid.",
        "पहले जो खुला है उसे दें या अस्वीकार करें: ऑर्डर वहीं ख़त्म होता है जहाँ भुगतान हुआ।",
        "Сначала выдайте или отклоните открытое: заказ завершается там, где оплачен.",
    ),
    "problem_move_open_orders": (
        "An order is open. Nothing was changed.", "एक ऑर्डर खुला है। कुछ नहीं बदला।",
        "Есть открытый заказ. Ничего не изменено.",
    ),
    "problem_move_menu": (
        "The menu is empty, or an item has no price. Nothing was changed.",
        "मेन्यू ख़ाली है, या किसी चीज़ की क़ीमत नहीं। कुछ नहीं बदला।",
        "Меню пустое, или у позиции нет цены. Ничего не изменено.",
    ),
    "problem_move_account": (
        "This account cannot be paid at here any more. Nothing was changed.",
        "इस खाते पर यहाँ अब भुगतान नहीं हो सकता। कुछ नहीं बदला।",
        "На этот счёт здесь больше нельзя платить. Ничего не изменено.",
    ),
}  # fmt: skip
