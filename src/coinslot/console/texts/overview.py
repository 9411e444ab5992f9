"""Texts of Today and Inbox: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "today_nothing": ("Nothing is owed", "कुछ भी बाक़ी नहीं", "Долгов нет"),
    "today_nothing_lead": (
        "Every payment has ended in goods handed over or in the money given back.",
        "हर भुगतान या तो सामान में पूरा हुआ है या पैसे वापस हो गए हैं।",
        "Каждый платёж закончился выдачей товара или возвратом денег.",
    ),
    "today_moving": ("Under way by itself", "अपने-आप चल रहा है", "Идёт само"),
    "today_moving_lead": (
        "Goods or refunds are under way. Nothing needs you: if they stop, it is in your inbox.",
        "सामान या वापसी चल रही है। आपकी ज़रूरत नहीं: रुकने पर वह इनबॉक्स में होगा।",
        "Товары или возвраты в пути. Вы не нужны: если что-то встанет, оно появится во «Входящих».",
    ),
    "today_cases": ("{count} waiting for you", "{count} आपके इंतज़ार में", "Ждут вас: {count}"),
    "today_oldest": ("The oldest since", "सबसे पुराना:", "Самое старое с"),
    "today_open": ("Open the inbox", "इनबॉक्स खोलें", "Открыть входящие"),
    "today_owed": ("Owed now", "अभी बाक़ी", "Сейчас должны"),
    "today_unsettled": ("Paid, not settled yet", "भुगतान हुआ, निपटा नहीं", "Оплачено, не завершено"),
    "today_going_back": ("Refunds under way", "वापसी जारी", "Возвраты в пути"),
    "today_pace": ("Paid to settled, 24 h", "भुगतान से निपटान, 24 घंटे", "От оплаты до итога, 24 ч"),
    "today_practice": (
        "All of it is practice money: no gateway for real money is connected yet.",
        "यह सब अभ्यास का पैसा है: असली पैसे का गेटवे अभी जुड़ा नहीं है।",
        "Всё это учебные деньги: шлюз для настоящих денег ещё не подключён.",
    ),
    "today_half": ("{seconds} s", "{seconds} से॰", "{seconds} с"),
    "today_most": ("95% within {seconds} s", "95% {seconds} से॰ में", "95% за {seconds} с"),
    "today_orders": ("orders: {count}", "ऑर्डर: {count}", "заказов: {count}"),
    "today_refunds": ("refunds: {count}", "रिफ़ंड: {count}", "возвратов: {count}"),
    "today_sales": ("Since midnight", "आधी रात से", "С полуночи"),
    "today_sold": ("Paid", "भुगतान", "Оплачено"),
    "today_gave_back": ("Given back", "वापस किया", "Возвращено"),
    "today_failed": ("Orders without goods", "बिना सामान के ऑर्डर", "Заказы без товара"),
    "today_online": ("Online", "ऑनलाइन", "На связи"),
    "today_sold_out": ("Empty slots", "ख़ाली खाने", "Пустые ячейки"),
    "today_out_of_sale": ("Out of sale", "बिक्री से बाहर", "Сняты с продажи"),
    "today_as_of": ("As of", "समय:", "По состоянию на"),
    "inbox_empty": ("Nothing needs you", "आपके लिए कुछ नहीं", "Всё решается само"),
    "inbox_empty_lead": (
        "What cannot end by itself appears here, with what to do about it.",
        "जो अपने-आप पूरा नहीं हो सकता वह यहाँ आता है, और क्या करना है यह भी।",
        "Здесь появляется то, что не может завершиться само, с предложением, что сделать.",
    ),
    "inbox_first": ("The oldest {shown} of {total}", "{total} में से सबसे पुराने {shown}",
                    "Самые старые: {shown} из {total}"),
    "case_number": ("case", "केस", "случай"),
    "case_since": ("since", "से", "с"),
    "case_facts": ("What is known", "क्या मालूम है", "Что известно"),
    "case_note": ("What you know, and from where", "आप क्या जानते हैं, और कहाँ से",
                  "Что вы знаете и откуда"),
    "case_note_optional": ("A note, if you like", "टिप्पणी, अगर चाहें", "Заметка, если нужно"),
    "case_reference": ("The payment's id at the gateway", "गेटवे पर भुगतान की आईडी",
                       "Номер платежа в платёжной системе"),
    "case_how_captured": ("Ask the gateway about it", "गेटवे से पूछें", "Спросить платёжную систему"),
    "case_how_failed": ("No money came", "पैसा नहीं आया", "Денег не было"),
    "case_how_paid": ("I paid it another way", "मैंने दूसरे तरीक़े से लौटाया",
                      "Возвращено другим способом"),
    "case_how_refund": ("Give the money back", "पैसे लौटाएँ", "Вернуть деньги"),
    "case_how_leave": ("The sale stands", "बिक्री मान्य है", "Продажа остаётся"),
    "case_how_close": ("It is dealt with", "निपट गया", "Разобрано"),
    "case_payment_unresolved": ("A payment without an answer", "बिना जवाब का भुगतान",
                                "Платёж без ответа"),
    "case_payment_unresolved_lead": (
        "The gateway has not said whether it took the money. Look at its dashboard. Its answer is"
        " booked, whatever is said here.",
        "गेटवे ने नहीं बताया कि पैसा लिया या नहीं। उसका डैशबोर्ड देखें। दर्ज उसका ही जवाब होगा।",
        "Платёжная система не сказала, взяла ли деньги. Посмотрите в её кабинете. Учтён будет её"
        " ответ.",
    ),
    "case_refund_owed": ("A refund that the gateway refuses", "वापसी जिसे गेटवे ने मना किया",
                         "Возврат, в котором отказано"),
    "case_refund_owed_lead": (
        "The customer's money has to go back another way: by bank or in cash. Then say so here.",
        "ग्राहक का पैसा दूसरे तरीक़े से लौटाना है: बैंक से या नक़द। फिर यहाँ बताएँ।",
        "Деньги нужно вернуть иначе: переводом или наличными. Затем отметьте это здесь.",
    ),
    "case_refund_not_taken_up": ("A refund that is not confirmed", "वापसी की पुष्टि नहीं",
                                 "Возврат не подтверждён"),
    "case_refund_not_taken_up_lead": (
        "For an hour the gateway has not said that it has this refund. It is asked on, and this"
        " closes itself when it answers.",
        "एक घंटे से गेटवे ने इस वापसी की पुष्टि नहीं की। पूछना जारी है; जवाब मिलते ही यह बंद होगा।",
        "Уже час платёжная система не подтверждает возврат. Опрос продолжается; случай закроется"
        " сам.",
    ),
    "case_receipt_refused": ("A receipt was refused", "रसीद मना हुई", "Чек не принят"),
    "case_receipt_refused_lead": (
        "The money did not wait for it. The law wants the receipt all the same: correct it, and"
        " send it again.",
        "पैसा इसके लिए नहीं रुका। क़ानून को रसीद फिर भी चाहिए: सुधारें और दोबारा भेजें।",
        "Деньги его не ждали. Но по закону чек нужен: исправьте и отправьте ещё раз.",
    ),
    "case_receipt_overdue": ("A receipt is overdue", "रसीद में देर हुई", "Чек задерживается"),
    "case_receipt_overdue_lead": (
        "The gateway has not said that it is registered. It is asked on, and this closes itself"
        " when it is. Look at the till.",
        "गेटवे ने नहीं बताया कि रसीद पंजीकृत हुई। पूछना जारी है; होते ही यह बंद होगा। कैश मशीन देखें।",
        "Платёжная система не подтвердила регистрацию. Опрос продолжается; случай закроется сам."
        " Проверьте кассу.",
    ),
    "case_money_without_a_purpose": ("Money without a purpose", "पैसा, मक़सद नहीं मालूम",
                                     "Деньги без назначения"),
    "case_money_without_a_purpose_lead": (
        "Money came that matches nothing sold here. Look whose it is at the gateway.",
        "ऐसा पैसा आया जो यहाँ की किसी बिक्री से नहीं मिलता। गेटवे पर देखें किसका है।",
        "Пришли деньги, не совпадающие ни с одной продажей. Узнайте у платёжной системы, чьи они.",
    ),
    "case_no_drop_after_fulfilled": ("A machine took its drop back", "मशीन ने अपनी बात बदली",
                                     "Автомат отказался от своих слов"),
    "case_no_drop_after_fulfilled_lead": (
        "It reported the goods as out, and later that they are not. Believe which report?",
        "उसने पहले कहा कि सामान निकला, बाद में कि नहीं। किस पर भरोसा करें?",
        "Сначала он сообщил о выдаче, потом — что её не было. Какому сообщению верить?",
    ),
    "case_handover_unknown": ("Did the customer get it?", "क्या ग्राहक को मिला?",
                              "Покупатель получил товар?"),
    "case_handover_unknown_lead": (
        "The customer says that nothing came, or nobody knows whether the machine heard us. Look at"
        " the machine, or ask the customer; then decide.",
        "ग्राहक कहता है कि कुछ नहीं निकला, या पता नहीं कि मशीन ने हमें सुना। मशीन देखें या ग्राहक से पूछें;"
        " फिर फ़ैसला करें।",
        "Покупатель говорит, что ничего не вышло, или неизвестно, дошла ли команда до автомата."
        " Проверьте автомат или спросите покупателя и решите.",
    ),
    "case_until": ("If nobody decides, it ends by itself: {time}",
                   "कोई फ़ैसला न करे तो यह अपने-आप ख़त्म होगा: {time}",
                   "Если никто не решит, завершится само: {time}"),
    "case_order": ("The order", "ऑर्डर", "Заказ"),
    "case_dispute_open": ("A payer's bank investigates", "भुगतानकर्ता का बैंक जाँच कर रहा है",
                          "Банк плательщика проверяет платёж"),
    "case_dispute_open_lead": (
        "Answer the bank at the gateway's dashboard. This closes itself when the bank has decided.",
        "गेटवे के डैशबोर्ड पर बैंक को जवाब दें। बैंक के फ़ैसले पर यह अपने-आप बंद होगा।",
        "Ответьте банку в кабинете платёжной системы. Случай закроется после решения банка.",
    ),
    "case_webhook_not_worked": ("A webhook that cannot be worked", "वेबहुक जिस पर काम नहीं हो सका",
                                "Вебхук не обработан"),
    "case_webhook_not_read": ("Webhooks that cannot be read", "वेबहुक जो पढ़े नहीं जाते",
                              "Вебхуки не читаются"),
    "case_clock_differs": ("A server's clock is wrong", "सर्वर की घड़ी ग़लत है",
                           "Часы сервера неточны"),
    "case_machine_floods": ("A machine sends too much", "मशीन बहुत भेज रही है",
                            "Автомат шлёт слишком много"),
    "case_machine_contradicts": ("A machine contradicts itself", "मशीन अपनी ही बात काट रही है",
                                 "Автомат противоречит сам себе"),
    "case_machine_contradicts_lead": (
        "Two reports in its name cannot both be true. Nothing was lost and no money moved, but"
        " somebody else may have its secret. Give it a new one, and look at its firmware.",
        "इसके नाम से आई दो रिपोर्ट एक साथ सच नहीं हो सकतीं। कुछ खोया नहीं, कोई पैसा नहीं गया, पर शायद इसका"
        " सीक्रेट किसी और के पास है। नया सीक्रेट दें और फ़र्मवेयर देखें।",
        "Два сообщения от его имени не могут быть верны сразу. Ничего не потеряно, деньги не"
        " двигались, но его секрет, возможно, у чужого. Выдайте новый и проверьте прошивку.",
    ),
    "case_counter_differs": ("A machine's counter differs", "मशीन की गिनती अलग है",
                             "Счётчик автомата расходится"),
    "case_counter_differs_lead": (
        "The machine counted another number of items than our record of the same time. Look"
        " whether something fell that nobody paid for, or did not fall. No money moves by this.",
        "मशीन ने उसी समय में हमारे रिकॉर्ड से अलग गिनती की। देखें कि कुछ बिना भुगतान गिरा या कुछ नहीं गिरा।"
        " इससे कोई पैसा नहीं जाता।",
        "Автомат насчитал не столько, сколько у нас записано за то же время. Проверьте, не выпало"
        " ли что-то без оплаты и всё ли выпало. Деньги от этого не двигаются.",
    ),
    "case_rollout_paused": ("A roll-out stopped by itself", "रोल-आउट अपने-आप रुका",
                            "Обновление остановилось само"),
    "case_rollout_paused_lead": (
        "Too many machines failed, or the new firmware sold worse or too little to tell. Look at"
        " it, then resume or abort it.",
        "बहुत मशीनें असफल रहीं, या नया फ़र्मवेयर कम बिका या बहुत कम बिका कि पता चले। देखें, फिर जारी रखें या"
        " रद्द करें।",
        "Слишком много автоматов не обновилось, или новая прошивка продаёт хуже, или продаж мало."
        " Посмотрите и продолжите или прервите.",
    ),
    "case_machine_silent_in_update": ("A machine did not return from its update",
                                      "मशीन अपडेट से नहीं लौटी",
                                      "Автомат не вернулся после обновления"),
    "case_machine_silent_in_update_lead": (
        "It sells nothing until it is heard again, or until you say in its roll-out what became of"
        " it.",
        "वह तब तक कुछ नहीं बेचेगी जब तक फिर सुनाई न दे, या आप उसके रोल-आउट में न बताएँ कि क्या हुआ।",
        "Он ничего не продаёт, пока снова не отзовётся или пока вы не скажете в обновлении, что с"
        " ним.",
    ),
    "case_stray": ("An event that fits no state", "घटना जो किसी स्थिति में नहीं बैठती",
                   "Событие не подходит к состоянию"),
    "case_dropped_after_refund": ("Goods came out after the refund", "वापसी के बाद सामान निकला",
                                  "Товар вышел после возврата"),
    "case_refunded_twice": ("Refunded twice at the gateway", "गेटवे पर दो बार वापसी",
                            "Возвращено дважды"),
    "case_refunded_outside_and_handed_over": (
        "Goods and money are both gone", "सामान और पैसा दोनों गए", "Отданы и товар, и деньги",
    ),
    "case_not_paid_out": ("Not in any payout yet", "किसी भुगतान-निपटान में नहीं",
                          "Ещё не выплачено"),
    "problem_case": ("This case did not end.", "यह केस बंद नहीं हुआ।", "Случай не закрыт."),
    "done_case_over": ("That case was over already.", "वह केस पहले ही बंद था।",
                       "Этот случай уже закрыт."),
    "done_case_captured": ("The gateway's answer is booked.", "गेटवे का जवाब दर्ज है।",
                           "Ответ платёжной системы учтён."),
    "done_case_failed": (
        "Closed: no money came. If some turns up, it goes back.",
        "बंद: पैसा नहीं आया। आया तो लौट जाएगा।", "Закрыто: денег не было. Если придут, вернутся.",
    ),
    "done_case_paid": ("Booked as paid by hand.", "हाथ से लौटाया दर्ज हुआ।",
                       "Учтено как возвращённое вручную."),
    "done_case_refund": ("The money goes back.", "पैसा लौट रहा है।", "Деньги возвращаются."),
    "done_case_leave": ("The sale stands. No money moved.", "बिक्री मान्य। पैसा नहीं हिला।",
                        "Продажа остаётся. Деньги не двигались."),
    "done_case_close": ("Closed. No money moved.", "बंद। पैसा नहीं हिला।",
                        "Закрыто. Деньги не двигались."),
}  # fmt: skip
