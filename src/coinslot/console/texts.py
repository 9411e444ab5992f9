"""Every text of the console in English, Hindi and Russian, side by side, so that none is left
out."""

from collections.abc import Mapping
from functools import cache
from typing import Final

_LANGUAGES: Final = ("en", "hi", "ru")
_FRAME: Final[Mapping[str, tuple[str, str, str]]] = {
    "console": ("Console", "कंसोल", "Консоль"),
    "parts": ("Parts of the console", "कंसोल के भाग", "Разделы консоли"),
    "tab_today": ("Today", "आज", "Сегодня"),
    "tab_inbox": ("Inbox", "इनबॉक्स", "Входящие"),
    "tab_find": ("Find", "खोजें", "Поиск"),
    "tab_machines": ("Machines", "मशीनें", "Автоматы"),
    "tab_products": ("Products", "उत्पाद", "Товары"),
    "tab_people": ("People", "लोग", "Люди"),
    "tab_log": ("Audit log", "ऑडिट लॉग", "Журнал"),
    "tab_health": ("Health", "स्थिति", "Состояние"),
    "tab_account": ("Account", "खाता", "Аккаунт"),
    "sign_out": ("Sign out", "साइन आउट", "Выйти"),
    "role_admin": ("Admin", "एडमिन", "Администратор"),
    "role_operator": ("Operator", "ऑपरेटर", "Оператор"),
    "role_viewer": ("Viewer", "दर्शक", "Наблюдатель"),
    "role_staff": ("Staff", "स्टाफ़", "Сотрудник"),
    "role_installation": ("Installation", "इंस्टॉलेशन", "Установка"),
    "installation": ("This installation", "यह इंस्टॉलेशन", "Эта установка"),
    "back": ("Back", "वापस", "Назад"),
    "more": ("Older", "पुराने", "Раньше"),
    "next_page": ("Next", "आगे", "Дальше"),
    "none": ("none", "कोई नहीं", "нет"),
    "reason": ("Why", "कारण", "Причина"),
    "offline": (
        "This page does not reach the server. Nothing was sent twice: the same button may be"
        " pressed again.",
        "यह पेज सर्वर तक नहीं पहुँच रहा। कुछ भी दो बार नहीं भेजा गया: वही बटन फिर दबा सकते हैं।",
        "Страница не может связаться с сервером. Дважды ничего не отправлено: кнопку можно нажать"
        " ещё раз.",
    ),
}
_SIGN_IN: Final[Mapping[str, tuple[str, str, str]]] = {
    "sign_in": ("Sign in", "साइन इन", "Вход"),
    "sign_in_button": ("Sign in", "साइन इन करें", "Войти"),
    "login": ("Login", "लॉगिन", "Логин"),
    "password": ("Password", "पासवर्ड", "Пароль"),
    "new_password": ("Password, at least 10 characters", "पासवर्ड, कम से कम 10 अक्षर",
                     "Пароль, не короче 10 знаков"),
    "code": ("Code of your app, or a recovery code", "ऐप का कोड, या रिकवरी कोड",
             "Код из приложения или код восстановления"),
    "second_title": ("One more proof", "एक और प्रमाण", "Ещё одно подтверждение"),
    "second_lead": (
        "Your account has a second factor. Show it to go on.",
        "आपके खाते में दूसरा प्रमाण है। आगे बढ़ने के लिए उसे दिखाएँ।",
        "У вашего аккаунта есть второй фактор. Подтвердите вход.",
    ),
    "use_passkey": ("Use a passkey", "पासकी इस्तेमाल करें", "Использовать ключ доступа"),
    "start_again": ("Start again", "फिर से शुरू करें", "Начать заново"),
    "which_title": ("For whom do you work now?", "अभी किसके लिए काम कर रहे हैं?",
                    "Для кого вы сейчас работаете?"),
    "go_on": ("Go on", "आगे बढ़ें", "Продолжить"),
    "input_kept": (
        "You were signed out meanwhile. What you had typed is kept: sign in, and it goes on.",
        "इस बीच आप साइन आउट हो गए। जो लिखा था वह रखा है: साइन इन करें, और काम जारी रहेगा।",
        "Сеанс тем временем закончился. Введённое сохранено: войдите, и работа продолжится.",
    ),
    "input_kept_proof": (
        "What you had typed is kept and goes on after this.",
        "जो लिखा था वह रखा है और इसके बाद जारी रहेगा।",
        "Введённое сохранено и будет отправлено после подтверждения.",
    ),
    "resume_title": ("You are signed in", "आप साइन इन हैं", "Вы вошли"),
    "resume_lead": (
        "What you were about to do was not done yet. Do it now?",
        "आप जो करने वाले थे वह अभी नहीं हुआ है। अब करें?",
        "То, что вы собирались сделать, ещё не сделано. Сделать сейчас?",
    ),
    "resume_go": ("Do it now", "अब करें", "Сделать"),
    "resume_not": ("Leave it", "रहने दें", "Не делать"),
    "step_up_title": ("Show that it is you", "दिखाएँ कि यह आप ही हैं", "Подтвердите, что это вы"),
    "step_up_lead": (
        "This needs a fresh proof, so that nobody can do it at a computer that was left open.",
        "इसके लिए ताज़ा प्रमाण चाहिए, ताकि खुले छोड़े गए कंप्यूटर पर कोई और यह न कर सके।",
        "Нужно свежее подтверждение, чтобы этого не сделал кто-то за оставленным компьютером.",
    ),
    "first_title": ("The first account", "पहला खाता", "Первый аккаунт"),
    "first_lead": (
        "It runs this installation. It is made once, with the link that the server printed.",
        "यह इस इंस्टॉलेशन को चलाता है। यह सर्वर के छापे लिंक से एक ही बार बनता है।",
        "Он управляет этой установкой. Создаётся один раз, по ссылке, которую вывел сервер.",
    ),
    "first_button": ("Make the account", "खाता बनाएँ", "Создать аккаунт"),
    "invitation_title": ("You are invited", "आपको न्योता मिला है", "Вас пригласили"),
    "invitation_lead": (
        "As {role}, under the address {address}. If you have an account with this login, give its"
        " password; else choose one.",
        "{role} के रूप में, पते {address} के साथ। इस लॉगिन का खाता हो तो उसका पासवर्ड दें;"
        " नहीं तो नया चुनें।",
        "Роль: {role}, адрес: {address}. Если аккаунт с таким логином уже есть, введите его пароль;"
        " иначе придумайте новый.",
    ),
    "invitation_code": (
        "Code of your app, if your account has one", "ऐप का कोड, अगर खाते में है",
        "Код из приложения, если он включён",
    ),
    "invitation_button": ("Accept", "स्वीकार करें", "Принять"),
    "invitation_none": (
        "This invitation is unknown, used, or too old. Ask for a new one.",
        "यह न्योता अज्ञात, इस्तेमाल किया हुआ या बहुत पुराना है। नया माँगें।",
        "Приглашение неизвестно, использовано или устарело. Попросите новое.",
    ),
    "done_signed_out": ("You are signed out.", "आप साइन आउट हैं।", "Вы вышли."),
    "done_session_ended": ("That sign-in is over.", "वह साइन-इन समाप्त है।", "Тот сеанс завершён."),
    "problem_invalid_credentials": (
        "Login or password is wrong.", "लॉगिन या पासवर्ड ग़लत है।", "Неверный логин или пароль.",
    ),
    "problem_invalid_code": (
        "This code is wrong, or was used before.", "यह कोड ग़लत है, या पहले इस्तेमाल हो चुका है।",
        "Код неверен или уже использован.",
    ),
    "problem_challenge_expired": (
        "This took too long: sign in from the start.", "बहुत देर हो गई: शुरू से साइन इन करें।",
        "Прошло слишком много времени: войдите заново.",
    ),
    "problem_too_many_tries": (
        "Too many tries failed. Wait a few minutes, then try again.",
        "बहुत सारी कोशिशें विफल रहीं। कुछ मिनट रुकें, फिर कोशिश करें।",
        "Слишком много неудачных попыток. Подождите несколько минут.",
    ),
    "problem_busy": (
        "Many sign in at this moment. Try again.", "इस समय बहुत लोग साइन इन कर रहे हैं। फिर कोशिश करें।",
        "Сейчас входят многие. Попробуйте ещё раз.",
    ),
    "problem_weak_password": (
        "This password is too short or too easy to guess: choose another one.",
        "यह पासवर्ड बहुत छोटा या आसान है: दूसरा चुनें।",
        "Пароль слишком короткий или простой: выберите другой.",
    ),
    "problem_no_membership": (
        "You work for nobody here any more.", "अब आप यहाँ किसी के लिए काम नहीं करते।",
        "Вы здесь больше ни у кого не работаете.",
    ),
    "problem_address_not_allowed": (
        "Not from this address: ask your admin.", "इस पते से नहीं: अपने एडमिन से पूछें।",
        "С этого адреса нельзя: обратитесь к администратору.",
    ),
    "problem_login_taken": (
        "Somebody has this login: choose another one.", "यह लॉगिन किसी और का है: दूसरा चुनें।",
        "Этот логин занят: выберите другой.",
    ),
    "problem_another_address": (
        "This invitation is for another address.", "यह न्योता दूसरे पते के लिए है।",
        "Приглашение выписано на другой адрес.",
    ),
    "problem_first_run_invalid_token": (
        "This link is not the one that was printed, or the account is made already.",
        "यह छापा हुआ लिंक नहीं है, या खाता पहले ही बन चुका है।",
        "Это не та ссылка, которую вывел сервер, либо аккаунт уже создан.",
    ),
    "problem_invitation_invalid_credentials": (
        "There is an account with this login, and this is not its password.",
        "इस लॉगिन का खाता है, और यह उसका पासवर्ड नहीं है।",
        "Аккаунт с таким логином есть, и пароль к нему другой.",
    ),
    "problem_invitation_second_factor_required": (
        "Your account has a second factor: type its code too.",
        "आपके खाते में दूसरा प्रमाण है: उसका कोड भी लिखें।",
        "У вашего аккаунта есть второй фактор: введите и код.",
    ),
    "account_title": ("Your account", "आपका खाता", "Ваш аккаунт"),
    "account_as": ("Signed in as", "साइन इन:", "Вы вошли как"),
    "account_for": ("Works for", "किसके लिए", "Работает для"),
    "account_role": ("Role", "भूमिका", "Роль"),
    "account_outlets": ("Outlets", "आउटलेट", "Точки"),
    "account_factors": ("Second factors", "दूसरे प्रमाण", "Вторые факторы"),
    "account_codes_left": ("{count} recovery codes left", "{count} रिकवरी कोड बाक़ी",
                           "осталось кодов восстановления: {count}"),
    "account_factor_missing": (
        "Your merchant asks for a second factor. Until you add one, nothing else is open.",
        "आपका व्यापारी दूसरा प्रमाण माँगता है। जोड़ने तक बाक़ी सब बंद है।",
        "Ваша организация требует второй фактор. Пока его нет, остальное закрыто.",
    ),
    "account_staff": (
        "Staff works at the outlets above. Orders, machines and money are open to operators.",
        "स्टाफ़ ऊपर के आउटलेट पर काम करता है। ऑर्डर, मशीनें और पैसे ऑपरेटरों के लिए हैं।",
        "Сотрудники работают в точках, указанных выше. Заказы, автоматы и деньги видят операторы.",
    ),
    "places": ("Where you are signed in", "कहाँ-कहाँ साइन इन हैं", "Где вы вошли"),
    "place_here": ("here", "यहाँ", "здесь"),
    "place_used": ("last used", "आख़िरी बार", "последнее действие"),
    "place_end": ("End", "समाप्त करें", "Завершить"),
    "everywhere": ("Sign out everywhere", "सब जगह से साइन आउट", "Выйти везде"),
    "refused_title": ("Not possible", "संभव नहीं", "Невозможно"),
    "refused_forbidden": (
        "Your role may not do this. Ask an admin.", "आपकी भूमिका यह नहीं कर सकती। एडमिन से पूछें।",
        "Вашей роли это недоступно. Обратитесь к администратору.",
    ),
    "refused_second_factor_missing": (
        "Add a second factor first: your merchant asks for one.",
        "पहले दूसरा प्रमाण जोड़ें: आपका व्यापारी माँगता है।",
        "Сначала добавьте второй фактор: этого требует ваша организация.",
    ),
    "refused_cross_site": (
        "This was sent by another site's page, and nothing was done.",
        "यह किसी और साइट के पेज से आया, और कुछ नहीं किया गया।",
        "Это отправила страница другого сайта; ничего не сделано.",
    ),
    "refused_not_found": (
        "There is no such thing here.", "यहाँ ऐसा कुछ नहीं है।", "Такого здесь нет.",
    ),
    "refused_too_often": (
        "Too often. Wait a moment.", "बहुत बार। थोड़ा रुकें।", "Слишком часто. Подождите немного.",
    ),
    "refused_busy": (
        "Much is going on. Try again in a moment.", "बहुत काम चल रहा है। थोड़ी देर में कोशिश करें।",
        "Сейчас много работы. Попробуйте чуть позже.",
    ),
    "refused_form_changed": (
        "This page was sent before with other content. Load it again, and look whether it is done.",
        "यह पेज पहले दूसरी सामग्री के साथ भेजा जा चुका है। फिर से खोलें, और देखें कि काम हुआ या नहीं।",
        "Эта страница уже отправлялась с другим содержимым. Откройте её заново и проверьте.",
    ),
    "refused_form_running": (
        "The first click is still being worked. Look again in a moment.",
        "पहला क्लिक अभी चल रहा है। थोड़ी देर में फिर देखें।",
        "Первое нажатие ещё обрабатывается. Посмотрите чуть позже.",
    ),
    "refused_other": (
        "That did not work, and nothing was changed. Go back and try again.",
        "यह नहीं हो सका, और कुछ नहीं बदला। वापस जाकर फिर कोशिश करें।",
        "Не получилось, ничего не изменено. Вернитесь и попробуйте ещё раз.",
    ),
}  # fmt: skip
_OVERVIEW: Final[Mapping[str, tuple[str, str, str]]] = {
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
TEXTS: Final[Mapping[str, tuple[str, str, str]]] = {**_FRAME, **_SIGN_IN, **_OVERVIEW}


@cache
def in_language(code: str) -> Mapping[str, str]:
    """The texts of one language; English for one that is not here."""
    place = _LANGUAGES.index(code) if code in _LANGUAGES else 0
    return {name: texts[place] for name, texts in TEXTS.items()}
