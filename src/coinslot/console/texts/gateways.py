"""Texts of Gateways: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "gateways_none": (
        "No gateway yet. Add one, and customers can pay.",
        "अभी कोई गेटवे नहीं। एक जोड़ें, तब ग्राहक भुगतान कर सकेंगे।",
        "Шлюзов пока нет. Добавьте один — и покупатели смогут платить.",
    ),
    "gateways_add": ("Add a gateway", "गेटवे जोड़ें", "Добавить шлюз"),
    "gateways_add_lead": (
        "A gateway takes the money. Which one do you have an account at?",
        "गेटवे पैसा लेता है। आपका खाता किसमें है?",
        "Шлюз принимает деньги. Где у вас есть аккаунт?",
    ),
    "gateways_practise": ("Or practise: nobody is charged.", "या अभ्यास करें: किसी का पैसा नहीं कटता।",
                          "Или тренируйтесь: ни с кого ничего не спишут."),
    "gateways_order": (
        "A payment goes to the first that can take it.",
        "भुगतान पहले उस गेटवे में जाता है जो उसे ले सकता है।",
        "Платёж идёт в первый шлюз, который может его принять.",
    ),
    "gateway_new_title": ("Add {gateway}", "{gateway} जोड़ें", "Добавить {gateway}"),
    "gateway_live": ("Real money", "असली पैसा", "Настоящие деньги"),
    "gateway_test": ("Practice", "अभ्यास", "Тренировка"),
    "gateway_disabled": ("Disabled", "बंद", "Выключен"),
    "gateway_name": ("Name in the webhook's address", "वेबहुक के पते में नाम",
                     "Имя в адресе вебхука"),
    "gateway_name_help": ("Small letters, digits and hyphens. It stays.",
                          "छोटे अक्षर, अंक और हाइफ़न। यह बदलता नहीं।",
                          "Строчные латинские буквы, цифры и дефисы. Потом не меняется."),
    "gateway_where": ("Where", "कहाँ", "Где"),
    "gateway_at_real": ("At {gateway} itself", "{gateway} में ही", "В самом {gateway}"),
    "gateway_at_sandbox": ("In the sandbox of this installation, to practise",
                           "इस इंस्टॉलेशन के सैंडबॉक्स में, अभ्यास के लिए",
                           "В песочнице этой установки, для тренировки"),
    "gateway_optional": ("may be empty", "ख़ाली हो सकता है", "можно оставить пустым"),
    "gateway_any": ("the payer chooses", "ग्राहक चुनता है", "выбирает покупатель"),
    "gateway_choose": ("choose one", "एक चुनें", "выберите"),
    "gateway_none_of_it": ("made elsewhere", "कहीं और बनती हैं", "пробиваются в другом месте"),
    "gateway_keep": ("Test and keep", "जाँचें और रखें", "Проверить и сохранить"),
    "gateway_keep_lead": (
        "First {gateway} is asked whether it takes these. Secrets are sealed, and never"
        " shown again.",
        "पहले {gateway} से पूछा जाता है कि क्या ये सही हैं। गुप्त बातें सीलबंद रहती हैं,"
        " दोबारा नहीं दिखतीं।",
        "Сначала {gateway} спросят, верны ли они. Секреты хранятся зашифрованными и больше"
        " не видны.",
    ),
    "gateway_webhook": ("Webhook URL", "वेबहुक URL", "Адрес вебхука"),
    "gateway_webhook_lead": (
        "Type this address into the settings of {gateway}: it says here what was paid.",
        "यह पता {gateway} की सेटिंग में लिखें: वह यहाँ बताता है कि क्या भुगतान हुआ।",
        "Впишите этот адрес в настройки {gateway}: по нему шлюз сообщает об оплатах.",
    ),
    "gateway_local": (
        "This address is of this computer alone: a gateway in the internet cannot reach it.",
        "यह पता सिर्फ़ इस कंप्यूटर का है: इंटरनेट से गेटवे यहाँ नहीं पहुँच सकता।",
        "Этот адрес виден только с этого компьютера: шлюз из интернета до него не дойдёт.",
    ),
    "gateway_light_never": ("Not heard yet", "अभी कुछ नहीं सुना", "Ещё не слышно"),
    "gateway_light_heard": ("Heard", "सुना गया", "Слышно"),
    "gateway_light_refused": ("Signature refused", "हस्ताक्षर ग़लत", "Подпись отклонена"),
    "gateway_never_lead": (
        "Payments are found all the same, only later: we ask {gateway} ourselves.",
        "भुगतान फिर भी मिल जाते हैं, बस देर से: हम ख़ुद {gateway} से पूछते हैं।",
        "Оплаты всё равно находятся, только позже: мы сами спрашиваем {gateway}.",
    ),
    "gateway_refused_lead": (
        "The last webhook was signed with another secret: compare it with the one at {gateway}.",
        "पिछला वेबहुक किसी और गुप्त शब्द से हस्ताक्षरित था: {gateway} वाले से मिलाएँ।",
        "Последний вебхук подписан другим секретом: сравните его с тем, что в {gateway}.",
    ),
    "gateway_settings": ("Settings", "सेटिंग", "Настройки"),
    "gateway_secret_given": ("set", "दिया गया", "задан"),
    "gateway_secret_missing": ("not set", "नहीं दिया", "не задан"),
    "gateway_changed_at": ("Changed", "बदला गया", "Изменён"),
    "gateway_former": (
        "The secret before it is believed until {until}: retries are still signed with it.",
        "पुराना गुप्त शब्द {until} तक माना जाता है: दोबारा भेजे गए वेबहुक उसी से"
        " हस्ताक्षरित हैं।",
        "Прежнему секрету верят до {until}: повторы ещё подписаны им.",
    ),
    "gateway_end_former": ("Stop believing the old secret", "पुराना गुप्त शब्द मानना बंद करें",
                           "Больше не верить прежнему секрету"),
    "gateway_change": ("Change or rotate", "बदलें", "Изменить или сменить ключи"),
    "gateway_edit_title": ("Change {name}", "{name} बदलें", "Изменить {name}"),
    "gateway_edit_secret": ("Left empty, it stays as it is.", "ख़ाली छोड़ें, तो वही रहता है।",
                            "Пустое поле оставит прежний."),
    "gateway_try": ("Test now", "अभी जाँचें", "Проверить"),
    "gateway_test_accepted": ("The gateway takes these credentials.", "गेटवे इन्हें मानता है।",
                              "Шлюз принимает эти данные."),
    "gateway_disable": ("Disable", "बंद करें", "Выключить"),
    "gateway_disable_lead": (
        "It takes no new payments then. Refunds and webhooks go on.",
        "तब यह नए भुगतान नहीं लेता। रिफ़ंड और वेबहुक चलते रहते हैं।",
        "Новых платежей не будет. Возвраты и вебхуки продолжатся.",
    ),
    "gateway_codes": (
        "Printed codes that still lead here: {count}. What is paid with them is taken and settled.",
        "{count} छपे कोड अब भी यहाँ आते हैं: उनसे हुआ भुगतान लिया और निपटाया जाता है।",
        "Напечатанных кодов, ведущих сюда: {count}. Оплаты по ним принимаются и закрываются.",
    ),
    "gateway_enable": ("Enable", "चालू करें", "Включить"),
    "done_gateway_added": ("The gateway takes these credentials. They are kept.",
                           "गेटवे इन्हें मानता है। रख लिए गए।",
                           "Шлюз принял эти данные. Сохранено."),
    "done_gateway_kept": ("Kept. It holds at once.", "रखा गया। अभी से लागू।",
                          "Сохранено и уже действует."),
    "done_gateway_disabled": ("It takes no new payments.", "यह नए भुगतान नहीं लेता।",
                              "Новых платежей он не принимает."),
    "done_gateway_enabled": ("It takes payments.", "यह भुगतान लेता है।", "Он принимает платежи."),
    "done_gateway_former_ended": ("The old secret proves nothing any more.",
                                  "पुराना गुप्त शब्द अब नहीं माना जाता।",
                                  "Прежний секрет больше ничего не подтверждает."),
    "gateway_problem_missing": ("{field} is empty.", "{field} ख़ाली है।", "Поле {field} пустое."),
    "gateway_problem_too_long": ("{field} is too long.", "{field} बहुत लंबा है।",
                                 "Поле {field} слишком длинное."),
    "gateway_problem_not_plain": (
        "{field} has characters that no gateway gives out: copy it once more.",
        "{field} में ऐसे अक्षर हैं जो कोई गेटवे नहीं देता: फिर से कॉपी करें।",
        "В поле {field} есть знаки, которых шлюзы не выдают: скопируйте ещё раз.",
    ),
    "gateway_problem_not_a_choice": ("{field}: choose one of the list.",
                                     "{field}: सूची से चुनें।",
                                     "{field}: выберите из списка."),
    "gateway_problem_not_accepted": (
        "The gateway does not take these credentials: “{reason}”. Nothing was kept.",
        "गेटवे इन्हें नहीं मानता: “{reason}”। कुछ नहीं रखा गया।",
        "Шлюз не принимает эти данные: «{reason}». Ничего не сохранено.",
    ),
    "gateway_problem_not_answered": (
        "The gateway was not reached, or did not answer clearly. Nothing was kept. Is this computer"
        " on the internet? Then try again. What was seen: {reason}",
        "गेटवे तक पहुँच नहीं हुई, या उसने साफ़ जवाब नहीं दिया। कुछ नहीं रखा गया। क्या यह कंप्यूटर इंटरनेट पर"
        " है? फिर कोशिश करें। जो दिखा: {reason}",
        "Шлюз недоступен или не ответил ясно. Ничего не сохранено. Есть ли у этого компьютера"
        " интернет? Попробуйте ещё раз. Что произошло: {reason}",
    ),
    "gateway_problem_another_account": (
        "These are the keys of another account: it knows nothing of what was paid here, and could"
        " give nothing back. Add it as a gateway of its own.",
        "ये किसी और खाते की कुंजियाँ हैं: उसे यहाँ के भुगतान नहीं पता, वह कुछ लौटा नहीं"
        " सकता। उसे अलग गेटवे"
        " के रूप में जोड़ें।",
        "Это ключи другого аккаунта: он не знает здешних оплат и ничего не сможет вернуть."
        " Добавьте"
        " его отдельным шлюзом.",
    ),
    "gateway_problem_real_keys": (
        "These are keys for real money, and practice has none: use test keys, or choose the real"
        " gateway.",
        "ये असली पैसे की कुंजियाँ हैं, अभ्यास में असली पैसा नहीं: परीक्षण कुंजियाँ लें या असली गेटवे चुनें।",
        "Это ключи для настоящих денег, а в тренировке их нет: возьмите тестовые ключи или"
        " выберите настоящий шлюз.",
    ),
    "gateway_problem_another_mode": (
        "Practice stays practice, and real money stays real: add these keys as a gateway of"
        " its own.",
        "अभ्यास अभ्यास रहता है, असली पैसा असली: इन कुंजियों को अलग गेटवे के रूप में जोड़ें।",
        "Тренировка остаётся тренировкой, настоящее — настоящим: добавьте эти ключи"
        " отдельным шлюзом.",
    ),
    "gateway_problem_stale": (
        "Somebody else changed this gateway meanwhile. Look at it as it is now, then change it.",
        "इस बीच किसी और ने इसे बदल दिया। अभी जैसा है देखें, फिर बदलें।",
        "Тем временем шлюз изменил кто-то другой. Посмотрите, как сейчас, и измените.",
    ),
    "gateway_problem_bad_slug": ("The name takes small letters, digits and hyphens.",
                                 "नाम में छोटे अक्षर, अंक और हाइफ़न ही।",
                                 "В имени — строчные латинские буквы, цифры и дефисы."),
    "gateway_problem_slug_taken": ("This name is taken: choose another.",
                                   "यह नाम लिया जा चुका है: दूसरा चुनें।",
                                   "Это имя занято: выберите другое."),
    "gateway_problem_unknown_gateway": ("There is no such gateway.", "ऐसा कोई गेटवे नहीं।",
                                        "Такого шлюза нет."),
}  # fmt: skip
