"""Texts of the board behind a counter: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tab_board": ("Board", "बोर्ड", "Заказы"),
    "board_PLACED": ("New", "नए", "Новые"),
    "board_PREPARING": ("Preparing", "बन रहे हैं", "Готовятся"),
    "board_READY": ("Ready", "तैयार", "Готовы"),
    "board_COMPLETED": ("Handed over", "दे दिया", "Выдан"),
    "board_CANCELLED": ("Money back", "पैसा वापस", "Деньги возвращены"),
    "board_empty": ("Nothing here", "यहाँ कुछ नहीं", "Пусто"),
    "board_minutes": ("{minutes} min", "{minutes} मिनट", "{minutes} мин"),
    "board_accept": ("Accept", "स्वीकार करें", "Принять"),
    "board_ready": ("Ready", "तैयार है", "Готово"),
    "board_back_PLACED": ("Back to new", "वापस नए में", "Вернуть в новые"),
    "board_back_PREPARING": ("Back to preparing", "वापस बनाने में", "Вернуть в готовку"),
    "board_driver": ("Driver's page", "डिलीवरी वाले का पेज", "Страница курьера"),
    "board_driver_lead": (
        "Whoever brings it scans this: the address, and the field for the customer's code.",
        "जो पहुँचाएगा, वह इसे स्कैन करे: पता और ग्राहक के कोड का ख़ाना।",
        "Курьер сканирует это: адрес и поле для кода покупателя.",
    ),
    "board_driver_open": ("Open it here", "यहीं खोलें", "Открыть здесь"),
    "board_away_since": ("On the way since {time}", "{time} से रास्ते में", "В пути с {time}"),
    "board_here": ("Waits outside", "बाहर इंतज़ार कर रहे हैं", "Ждёт у входа"),
    "board_here_near": (
        "Waits outside, and the phone is near",
        "बाहर इंतज़ार कर रहे हैं, फ़ोन पास है",
        "Ждёт у входа, телефон рядом",
    ),
    "board_here_said": (
        "Says they wait outside, not seen",
        "कहते हैं कि बाहर हैं, देखा नहीं गया",
        "Говорит, что ждёт у входа; не проверено",
    ),
    "board_code": ("Code of the customer", "ग्राहक का कोड", "Код покупателя"),
    "board_hand_over": ("Hand over", "दे दें", "Выдать"),
    "board_tries": ("Tries left: {left}", "{left} कोशिशें बाक़ी", "Осталось попыток: {left}"),
    "board_locked": (
        "Locked after five wrong codes: hand it over without one, and say why.",
        "पाँच ग़लत कोड के बाद बंद: बिना कोड के दें, और कारण लिखें।",
        "Закрыт после пяти неверных кодов: выдайте без кода и укажите причину.",
    ),
    "board_code_old": (
        "The code is too old. Take it back to preparing, and set it to ready again: its page shows"
        " a new one.",
        "कोड पुराना हो गया। वापस बनाने में लें और फिर तैयार करें: पेज पर नया कोड दिखेगा।",
        "Код устарел. Верните заказ в готовку и снова отметьте готовым: на странице будет новый.",
    ),
    "board_vouch": ("No code?", "कोड नहीं?", "Нет кода?"),
    "board_vouch_lead": (
        "You hand it over on your word. It is listed with your name.",
        "आप अपनी ज़िम्मेदारी पर दे रहे हैं। आपके नाम के साथ दर्ज होगा।",
        "Вы выдаёте под своё слово. Это записывается с вашим именем.",
    ),
    "board_vouch_button": ("Hand over without code", "बिना कोड दें", "Выдать без кода"),
    "board_reject": ("Not possible?", "संभव नहीं?", "Не получится?"),
    "board_reject_lead": (
        "Tick what there is not: it is sold out from then on, until somebody puts it back. A choice"
        " that is out ends its pieces alone: the item is sold without it. Nothing"
        " ticked is all of the order, and what nobody had begun is for sale again. The money goes"
        " back at once.",
        "जो नहीं है उसे चुनें: वह तब से ख़त्म रहेगा, जब तक कोई उसे वापस न लाए। कोई विकल्प ख़त्म हो तो"
        " केवल उसके टुकड़े नहीं बनेंगे, चीज़ उसके बिना बिकती रहेगी। कुछ न चुनने पर पूरा ऑर्डर, और जो"
        " शुरू नहीं हुआ वह फिर बिक्री में। पैसा तुरंत लौटेगा।",
        "Отметьте, чего нет: оно закончилось, пока кто-нибудь не вернёт его в продажу. Нет добавки"
        " — не выйдут только порции с ней, без неё позиция продаётся. Без отметок — весь заказ, и"
        " то, что не начали, снова в продаже. Деньги вернутся сразу.",
    ),
    "board_choice": ("A choice", "विकल्प", "Добавка"),
    "board_choice_out": ("{item}: {choice} is out", "{item}: {choice} ख़त्म है",
                         "{item}: закончилось — {choice}"),
    "board_reject_button": ("Give the money back", "पैसा लौटाएँ", "Вернуть деньги"),
    "board_reason": ("Why", "क्यों", "Почему"),
    "board_tick": ("Done: {name}", "हो गया: {name}", "Сделано: {name}"),
    "board_ticks": (
        "The numbers are pieces: tap one when it is made, so that nobody makes it twice. The order"
        " goes on with “Ready”.",
        "अंक टुकड़े हैं: बन जाने पर उस पर टैप करें, ताकि कोई दोबारा न बनाए। ऑर्डर “तैयार” से आगे बढ़ता है।",
        "Числа — это порции: нажмите, когда порция сделана, чтобы её не сделали дважды. Дальше"
        " заказ ведёт кнопка «Готово».",
    ),
    "board_untick": ("Not done: {name}", "नहीं हुआ: {name}", "Не сделано: {name}"),
    "board_refunds_at": ("Money back at {time}", "{time} पर पैसा वापस", "Возврат денег в {time}"),
    "board_ended": ("Lately", "हाल में", "Недавно"),
    "board_menu": ("Sold out, pause: {name}", "ख़त्म, विराम: {name}", "Закончилось, пауза: {name}"),
    "board_pause": ("Pause: take no orders", "रोकें: ऑर्डर न लें", "Пауза: не принимать заказы"),
    "board_resume": ("Take orders again", "फिर ऑर्डर लें", "Снова принимать заказы"),
    "board_pause_for": ("For", "कब तक", "На сколько"),
    "board_pause_open": ("until I say so", "जब तक मैं न कहूँ", "пока не отменю"),
    "board_paused_until": ("It takes them again at {time}.", "{time} से फिर लेगा।",
                           "Снова с {time}."),
    "board_paused": ("{name} takes no orders now.", "{name} अभी ऑर्डर नहीं ले रहा।",
                     "{name}: заказы сейчас не принимаются."),
    "board_item_gone": ("Sold out", "ख़त्म", "Закончилось"),
    "board_gone": ("Sold out now: {names}.", "अभी ख़त्म: {names}।", "Сейчас закончилось: {names}."),
    "board_gone_more": ("{names} and {count} more", "{names} और {count} अन्य",
                        "{names} и ещё {count}"),
    "board_gone_back": ("Put something back", "कुछ वापस लाएँ", "Вернуть в продажу"),
    "board_item_back": ("Back on sale", "फिर बिक्री में", "Снова в продаже"),
    "board_item_left": ("{count} left", "{count} बचे", "осталось {count}"),
    "board_item_stock": ("How many; empty is not counted", "कितने; ख़ाली का मतलब गिनती नहीं",
                         "Сколько; пусто — без счёта"),
    "board_no_store": (
        "There is no counter here yet. It is set up on the server: coinslot counter add.",
        "यहाँ अभी कोई काउंटर नहीं। सर्वर पर बनाएँ: coinslot counter add.",
        "Здесь ещё нет стойки. Она заводится на сервере: coinslot counter add.",
    ),
    "board_problem_no_such_order": ("There is no such order here.", "यहाँ ऐसा ऑर्डर नहीं है।",
                                    "Такого заказа здесь нет."),
    "board_problem_not_paid": ("This order is not paid.", "इस ऑर्डर का भुगतान नहीं हुआ।",
                               "Заказ не оплачен."),
    "board_problem_not_accepted": ("Accept it first.", "पहले स्वीकार करें।", "Сначала примите его."),
    "board_problem_too_late": (
        "Its time is over: the money is on its way back.",
        "समय बीत गया: पैसा लौट रहा है।", "Время вышло: деньги возвращаются.",
    ),
    "board_problem_order_over": ("This order is over.", "यह ऑर्डर ख़त्म है।", "Заказ завершён."),
    "board_problem_already_accepted": ("It was accepted already.", "यह पहले ही स्वीकार हुआ।",
                                       "Его уже приняли."),
    "board_problem_wrong_status": (
        "Somebody moved this order meanwhile.", "इस बीच किसी ने यह ऑर्डर बदल दिया।",
        "Этот заказ тем временем уже изменили.",
    ),
    "board_problem_reason_missing": ("Say why.", "कारण लिखें।", "Укажите причину."),
    "board_problem_wrong_code": (
        "This is not the code. Tries left: {left}.", "यह कोड नहीं है। {left} कोशिशें बाक़ी।",
        "Это не тот код. Осталось попыток: {left}.",
    ),
    "board_problem_code_before": (
        "This was the code until the order was ready. Ask for the new one, which stands on the"
        " order's page. Tries left: {left}.",
        "यह ऑर्डर तैयार होने से पहले का कोड है। नया कोड माँगें, वह ऑर्डर के पेज पर है। {left} कोशिशें"
        " बाक़ी।",
        "Это код, который был до готовности заказа. Попросите новый: он на странице заказа."
        " Осталось попыток: {left}.",
    ),
    "board_problem_code_expired": (
        "The code is too old. Set the order to ready again: its page shows a new one.",
        "कोड पुराना हो गया। ऑर्डर फिर तैयार करें: पेज पर नया कोड दिखेगा।",
        "Код устарел. Снова отметьте заказ готовым: на странице будет новый.",
    ),
    "board_problem_code_locked": (
        "Five wrong codes: hand it over without one, and say why.",
        "पाँच ग़लत कोड: बिना कोड के दें, और कारण लिखें।",
        "Пять неверных кодов: выдайте без кода и укажите причину.",
    ),
    "board_problem_too_many_wrong_codes": (
        "Too many wrong codes here within an hour. Hand it over without one, and say why.",
        "एक घंटे में बहुत ग़लत कोड। बिना कोड के दें, और कारण लिखें।",
        "За час слишком много неверных кодов. Выдайте без кода и укажите причину.",
    ),
    "board_seen": ("Seen", "देखा गया", "Просмотрен"),
    "board_sound": ("Sound", "आवाज़", "Звук"),
    "board_start": ("Start shift", "शिफ़्ट शुरू करें", "Начать смену"),
    "board_sound_before": ("This board is silent until you start.",
                           "शुरू करने तक यह बोर्ड चुप रहेगा।", "До начала смены звука нет."),
    "board_sound_on": ("Sound is on. New orders ring.", "आवाज़ चालू है। नए ऑर्डर पर घंटी बजेगी।",
                       "Звук включён. Новые заказы звонят."),
    "board_sound_off": ("Sound is off.", "आवाज़ बंद है।", "Звука нет."),
    "board_sound_off_lead": ("Tap anywhere to hear orders again.", "फिर सुनने के लिए कहीं भी छुएँ।",
                             "Коснитесь экрана, чтобы снова слышать заказы."),
    "board_away": ("No network. This is the board as it was at", "नेटवर्क नहीं। बोर्ड तब का है:",
                   "Нет сети. Вот заказы, какими они были в"),
    "board_away_lead": (
        "Codes cannot be checked: write down what you hand over, and enter it afterwards under “No"
        " code?”.",
        "कोड जाँचे नहीं जा सकते: जो दें उसे लिख लें और बाद में “कोड नहीं?” में दर्ज करें।",
        "Коды не проверить: записывайте, что выдали, и внесите потом через «Нет кода?».",
    ),
    "board_keys": ("Digits", "अंक", "Цифры"),
    "board_key_back": ("take the last one back", "आख़िरी हटाएँ", "стереть последнюю"),
    "board_problem_stock": ("Write how many as a number.", "कितने, यह संख्या में लिखें।",
                            "Укажите количество числом."),
}  # fmt: skip
