"""Texts of Settings: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "settings_part_business": ("Business", "व्यवसाय", "Бизнес"),
    "settings_part_windows": ("Machines' times", "मशीनों के समय", "Сроки автоматов"),
    "settings_part_brand": ("Brand", "ब्रांड", "Бренд"),
    "settings_business": ("The business", "व्यवसाय", "Бизнес"),
    "settings_name": ("Name", "नाम", "Название"),
    "settings_contact": ("Where customers turn to", "ग्राहक कहाँ संपर्क करें",
                         "Куда обращаться покупателям"),
    "settings_contact_help": ("A telephone number or a mail address, with hours if you like.",
                              "फ़ोन नंबर या ई-मेल, चाहें तो समय भी।",
                              "Телефон или почта, можно с часами работы."),
    "settings_zone": ("Time zone", "समय क्षेत्र", "Часовой пояс"),
    "settings_zone_usual": ("As the installation: {zone}", "इंस्टॉलेशन जैसा: {zone}",
                            "Как у установки: {zone}"),
    "settings_limit": ("Confirm refunds above", "इससे बड़े रिफ़ंड पर प्रमाण माँगें",
                       "Подтверждать возвраты крупнее"),
    "settings_limit_help": (
        "Whoever gives back more than this at once shows again who it is. Empty: nobody is asked.",
        "जो एक बार में इससे ज़्यादा लौटाए, वह फिर प्रमाण दे। ख़ाली: किसी से नहीं पूछा जाता।",
        "Кто возвращает больше за раз, подтверждает себя ещё раз. Пусто: никого не спрашивают.",
    ),
    "settings_save": ("Save", "सहेजें", "Сохранить"),
    "settings_rules": ("Who may come in", "कौन अंदर आ सकता है", "Кому можно войти"),
    "settings_second_factor": ("Everyone needs a second factor", "सबको दूसरा प्रमाण चाहिए",
                               "Всем нужен второй фактор"),
    "settings_second_factor_own": ("Add one to your own account first:",
                                   "पहले अपने खाते में जोड़ें:",
                                   "Сначала добавьте его себе:"),
    "settings_networks": ("Only from these addresses", "सिर्फ़ इन पतों से",
                          "Только с этих адресов"),
    "settings_networks_help": (
        "One address or network in a line, such as 203.0.113.0/24. Empty: from anywhere. Yours is"
        " {address}, and has to be among them.",
        "हर पंक्ति में एक पता या नेटवर्क, जैसे 203.0.113.0/24। ख़ाली: कहीं से भी। आपका पता"
        " {address} है, और"
        " उसे इनमें होना चाहिए।",
        "По адресу или сети в строке, например 203.0.113.0/24. Пусто: отовсюду. Ваш адрес"
        " {address},"
        " он должен быть среди них.",
    ),
    "settings_save_rules": ("Save the rules", "नियम सहेजें", "Сохранить правила"),
    "windows_lead": (
        "How long a machine is given before the money goes back. What is paid already keeps"
        " its time.",
        "पैसा लौटने से पहले मशीन को कितना समय मिलता है। जो भुगतान हो चुका उसका समय वही रहता है।",
        "Сколько времени есть у автомата, прежде чем деньги вернутся. Уже оплаченное"
        " сохраняет свой"
        " срок.",
    ),
    "window_dispatch_s": ("To begin", "शुरू करने के लिए", "На начало выдачи"),
    "window_in_doubt_s": ("To find out", "पता लगाने के लिए", "На выяснение"),
    "window_help_dispatch_s": (
        "A machine that has not begun by then, counted from the payment, does not begin any"
        " more: the money"
        " goes back.",
        "भुगतान के बाद इतने समय में मशीन शुरू न करे तो वह शुरू नहीं करती: पैसा लौटता है।",
        "Если за это время после оплаты автомат не начал, он уже не начнёт: деньги"
        " вернутся.",
    ),
    "window_help_in_doubt_s": (
        "When nobody knows whether the goods came out, the money goes back after this time.",
        "जब पता न हो कि सामान निकला या नहीं, तो इतने समय बाद पैसा लौटता है।",
        "Если неизвестно, выдан ли товар, деньги вернутся по истечении этого срока.",
    ),
    "window_own": ("its own", "अपना", "свой"),
    "done_settings": ("Saved. It holds from now on.", "सहेजा गया। अभी से लागू।",
                      "Сохранено и уже действует."),
    "problem_stale_settings": (
        "Somebody else changed this meanwhile. Load the page again, look, and change it then.",
        "इस बीच किसी और ने इसे बदल दिया। पेज फिर खोलें, देखें, तब बदलें।",
        "Тем временем это изменил кто-то другой. Откройте страницу заново, посмотрите и"
        " измените.",
    ),
    "problem_no_name": ("The business needs a name.", "व्यवसाय का नाम चाहिए।", "Нужно название."),
    "problem_unknown_zone": ("Choose a time zone of the list.", "सूची से समय क्षेत्र चुनें।",
                             "Выберите часовой пояс из списка."),
    "problem_no_currency": ("The business has no currency yet, which a limit needs.",
                            "व्यवसाय की मुद्रा अभी तय नहीं, सीमा के लिए वह चाहिए।",
                            "У бизнеса ещё нет валюты, а для предела она нужна."),
    "problem_bad_limit": ("Write the amount as 500 or 500.00.", "राशि 500 या 500.00 जैसी लिखें।",
                          "Напишите сумму как 500 или 500.00."),
    "problem_locks_you_out": ("This would lock you out yourself: nothing was changed.",
                              "इससे आप ख़ुद बाहर हो जाते: कुछ नहीं बदला।",
                              "Так вы закрыли бы вход себе: ничего не изменено."),
    "problem_bad_network": ("Write addresses or networks, such as 203.0.113.7 or 10.0.0.0/8.",
                            "पते या नेटवर्क लिखें, जैसे 203.0.113.7 या 10.0.0.0/8।",
                            "Пишите адреса или сети, например 203.0.113.7 или 10.0.0.0/8."),
    "problem_bad_window": ("This time is too short or too long.",
                           "यह समय बहुत कम या बहुत ज़्यादा है।",
                           "Это слишком мало или слишком много."),
}  # fmt: skip
