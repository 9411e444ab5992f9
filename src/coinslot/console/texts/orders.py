"""Texts of Find and Order: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "find_title": ("Find a payment", "भुगतान खोजें", "Найти платёж"),
    "find_text": ("Order number, link, or a reference of a bank or gateway",
                  "ऑर्डर नंबर, लिंक, या बैंक या गेटवे का संदर्भ",
                  "Номер заказа, ссылка или номер платежа в банке"),
    "find_or": ("Or by amount and time", "या राशि और समय से", "Или по сумме и времени"),
    "find_amount": ("Amount", "राशि", "Сумма"),
    "find_time": ("Time of day", "समय", "Время"),
    "find_newest": ("The newest orders", "सबसे नए ऑर्डर", "Последние заказы"),
    "find_found": ("Found", "मिले", "Найдено"),
    "find_none": (
        "Nothing matches. A number has four letters; a reference is in the payer's bank app.",
        "कुछ नहीं मिला। नंबर में चार अक्षर होते हैं; संदर्भ भुगतानकर्ता के बैंक ऐप में है।",
        "Ничего не найдено. В номере четыре буквы; номер платежа есть в приложении банка.",
    ),
    "find_empty": ("No orders yet.", "अभी कोई ऑर्डर नहीं।", "Заказов пока нет."),
    "problem_find": (
        "Type the amount as 40 or 40.00, and the time as 14:05.",
        "राशि 40 या 40.00 और समय 14:05 जैसा लिखें।",
        "Введите сумму как 40 или 40,00, время как 14:05.",
    ),
    "order_title": ("Order {number}", "ऑर्डर {number}", "Заказ {number}"),
    "order_customer": ("The customer's page", "ग्राहक का पेज", "Страница покупателя"),
    "order_gateway_receipt": (
        "Receipt of the payment service", "भुगतान सेवा की रसीद", "Квитанция платёжного сервиса"
    ),
    "order_payment": ("Payment at the gateway", "गेटवे पर भुगतान", "Платёж в системе"),
    "order_placed": ("Placed", "ऑर्डर हुआ", "Оформлен"),
    "order_paid": ("Paid", "भुगतान हुआ", "Оплачен"),
    "order_left": ("Can still be given back", "अब भी लौटाया जा सकता है", "Ещё можно вернуть"),
    "order_units": ("Units", "इकाइयाँ", "Единицы"),
    "order_waiting": ("{money} waits for its end", "{money} अंत की प्रतीक्षा में",
                      "{money} ждёт завершения"),
    "order_refunds": ("Money that goes back", "लौटता पैसा", "Возвраты"),
    "order_by_gateway": ("made at the gateway", "गेटवे पर किया गया", "сделан в платёжной системе"),
    "order_proof": ("The record", "रिकॉर्ड", "Запись"),
    "order_proof_lead_counter": (
        "Every entry of the append-only record about this order.",
        "इस ऑर्डर के बारे में रिकॉर्ड की हर प्रविष्टि।",
        "Все строки неизменяемой записи об этом заказе.",
    ),
    "order_proof_lead": (
        "Every entry of the append-only record about this order, and what its machine reported.",
        "इस ऑर्डर के बारे में रिकॉर्ड की हर प्रविष्टि, और मशीन ने जो बताया।",
        "Все строки неизменяемой записи об этом заказе и сообщения автомата.",
    ),
    "proof_at": ("When", "कब", "Когда"), "proof_of": ("Of", "किसका", "О чём"),
    "proof_event": ("What", "क्या", "Что"), "proof_state": ("State", "स्थिति", "Состояние"),
    "refund_title": ("Give money back", "पैसे लौटाएँ", "Вернуть деньги"),
    "refund_which": ("What of it", "कितना", "Что именно"),
    "refund_amount": ("Only so much of it (empty: all that is left)",
                      "केवल इतना (ख़ाली: जो भी बचा है)", "Только часть (пусто: всё оставшееся)"),
    "refund_lead_counter": (
        "What was not handed over yet is cancelled by it. Never more goes back than is left.",
        "जो अभी नहीं दिया गया वह इससे रद्द हो जाता है। बचे हुए से ज़्यादा कभी नहीं लौटता।",
        "Невыданное этим отменяется. Больше остатка вернуть нельзя.",
    ),
    "refund_lead": (
        "What was not sent yet is withdrawn. For what is with the machine, the refund waits until"
        " that is settled. Never more goes back than is left.",
        "जो अभी नहीं भेजा गया वह वापस लिया जाता है। जो मशीन के पास है उसकी वापसी निपटने तक रुकती है।",
        "Неотправленное отзывается. Для того, что уже у автомата, возврат ждёт итога. Больше"
        " остатка вернуть нельзя.",
    ),
    "refund_go": ("Give back", "लौटाएँ", "Вернуть"),
    "extra_tip": ("Tip", "टिप", "Чаевые"),
    "extra_delivery_fee": ("Delivery", "डिलीवरी", "Доставка"),
    "extra_added_tax": ("Tax", "कर", "Налог"),
    "ask_machine": ("Nothing came out: ask the machine", "कुछ नहीं निकला: मशीन से पूछें",
                    "Ничего не вышло: спросить автомат"),
    "order_customer_name": ("Name", "नाम", "Имя"),
    "refund_over": (
        "The money is given back.", "पैसा लौटा दिया गया है।", "Деньги возвращены."
    ),
    "refund_made": (
        "The refund is made: it is on its way, or waits for its unit.",
        "वापसी बन गई: रास्ते में है, या अपनी इकाई की प्रतीक्षा में।",
        "Возврат создан: он в пути или ждёт свою единицу.",
    ),
    "done_asked_machine": (
        "The machine is asked. Its answer appears in the record.",
        "मशीन से पूछा गया। जवाब रिकॉर्ड में आएगा।", "Автомат опрошен. Ответ появится в записи.",
    ),
    "problem_refund_nothing": ("Tick what is to be given back.", "चुनें कि क्या लौटाना है।",
                               "Отметьте, что вернуть."),
    "problem_refund_reason": ("Say why: it stays on record.", "कारण बताएँ: वह दर्ज रहता है।",
                              "Укажите причину: она сохраняется."),
    "problem_amount": (
        "This is not an amount in {currency}. Type it as 40 or 40.00.",
        "यह {currency} में राशि नहीं है। 40 या 40.00 जैसा लिखें।",
        "Это не сумма в {currency}. Введите, например, 40 или 40,00.",
    ),
    "problem_refund_exceeds_order": ("Only {left} is left to give back.", "केवल {left} बचा है।",
                                     "Осталось вернуть только {left}."),
    "problem_refund_nothing_left": ("Nothing is left to give back.", "लौटाने को कुछ नहीं बचा।",
                                    "Возвращать больше нечего."),
    "problem_refund_not_paid": ("No money of this order is here.", "इस ऑर्डर का पैसा यहाँ नहीं है।",
                                "Денег этого заказа здесь нет."),
    "problem_refund_not_sent_yet": (
        "Some of it was not sent yet: leave the amount empty, and the whole unit is withdrawn.",
        "कुछ अभी भेजा नहीं गया: राशि ख़ाली छोड़ें, पूरी इकाई वापस ली जाएगी।",
        "Часть ещё не отправлена: оставьте сумму пустой, и единица будет отозвана целиком.",
    ),
    "problem_refund_other": (
        "This refund is not possible. Nothing was given back.",
        "यह वापसी संभव नहीं। कुछ नहीं लौटाया गया।", "Такой возврат невозможен. Ничего не возвращено.",
    ),
    "state_placed": ("placed", "ऑर्डर हुआ", "оформлен"),
    "state_paid": ("paid", "भुगतान हुआ", "оплачен"),
    "state_completed": ("completed", "पूरा", "выполнен"),
    "state_failed": ("given back", "लौटाया", "возвращён"),
    "state_expired": ("never paid", "भुगतान नहीं हुआ", "не оплачен"),
    "settled_fulfilled": ("handed over", "दिया गया", "выдано"),
    "settled_refund_due": ("money back", "पैसे वापस", "возврат"),
    "settled_none": ("not settled yet", "अभी निपटा नहीं", "ещё не завершено"),
    "money_pending": ("on its way", "रास्ते में", "в пути"),
    "money_succeeded": ("given back", "लौट गया", "возвращено"),
    "money_owed": ("refused by the gateway", "गेटवे ने मना किया", "отказано"),
    "money_failed": ("failed", "विफल", "не прошёл"),
    "money_waiting": ("waits", "प्रतीक्षा में", "ждёт"),
    "money_covered": ("given back at the gateway", "गेटवे पर लौटाया", "возвращено в системе"),
}  # fmt: skip
