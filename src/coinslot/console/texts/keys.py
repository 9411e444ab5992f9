"""Texts of Keys: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "keys_lead": (
        "With a key your own server asks for payments and refunds. Give each program a key"
        " of its own.",
        "कुंजी से आपका अपना सर्वर भुगतान और रिफ़ंड माँगता है। हर प्रोग्राम को अलग कुंजी दें।",
        "С ключом ваш сервер запрашивает платежи и возвраты. Дайте каждой программе свой ключ.",
    ),
    "copy_button": ("Copy", "कॉपी करें", "Копировать"),
    "copied": ("Copied", "कॉपी हुआ", "Скопировано"),
    "key_new": ("New key", "नई कुंजी", "Новый ключ"),
    "key_once": ("Copy it now: it is shown this once.", "अभी कॉपी करें: यह एक ही बार दिखती है।",
                 "Скопируйте сейчас: ключ виден только один раз."),
    "key_old_until": ("The old key works until {until}.", "पुरानी कुंजी {until} तक चलती है।",
                      "Старый ключ работает до {until}."),
    "key_live": ("Real money", "असली पैसा", "Настоящие деньги"),
    "key_test": ("Practice", "अभ्यास", "Тренировка"),
    "key_used": ("Last used", "पिछला उपयोग", "Использован"),
    "key_unused": ("Never used", "कभी उपयोग नहीं", "Не использован"),
    "key_until": ("until", "तक:", "до"),
    "key_rotate": ("Replace", "बदलें", "Заменить"),
    "key_rotate_lead": (
        "Replacing makes a new key that may do the same; the old one works beside it for a"
        " day. Revoked, a"
        " key is refused at once.",
        "बदलने पर वैसी ही नई कुंजी बनती है; पुरानी एक दिन साथ चलती है। रद्द कुंजी तुरंत"
        " नहीं मानी जाती।",
        "При замене появляется новый ключ с теми же правами, старый работает рядом ещё"
        " день. Отозванный"
        " ключ не действует сразу.",
    ),
    "key_revoke": ("Revoke", "रद्द करें", "Отозвать"),
    "key_make": ("Make a key", "कुंजी बनाएँ", "Создать ключ"),
    "key_name": ("What it is for", "किसलिए है", "Для чего"),
    "key_mode": ("Money", "पैसा", "Деньги"),
    "key_test_lead": ("Practice: it never moves real money", "अभ्यास: असली पैसा कभी नहीं छूती",
                      "Тренировка: настоящих денег не трогает"),
    "key_live_lead": ("It may move real money", "यह असली पैसा चला सकती है",
                      "Может двигать настоящие деньги"),
    "key_scopes": ("It may", "यह कर सकती है", "Ключу можно"),
    "scope_payments_read": ("read payments", "भुगतान पढ़ना", "читать платежи"),
    "scope_payments_write": ("ask for payments", "भुगतान माँगना", "запрашивать платежи"),
    "scope_refunds_write": ("give money back", "पैसा लौटाना", "возвращать деньги"),
    "scope_events_read": ("read events", "घटनाएँ पढ़ना", "читать события"),
    "scope_webhooks_write": ("change webhooks", "वेबहुक बदलना", "менять вебхуки"),
    "scope_machines_read": ("read machines", "मशीनें पढ़ना", "читать автоматы"),
    "scope_machines_write": ("run machines", "मशीनें चलाना", "управлять автоматами"),
    "scope_orders_read": (
        "read orders of machines", "मशीनों के ऑर्डर पढ़ना", "читать заказы автоматов",
    ),
    "scope_refunds_large": (
        "give back more than your limit", "आपकी सीमा से ज़्यादा लौटाना",
        "возвращать больше вашего предела",
    ),
    "scope_devices_write": ("give machines new secrets", "मशीनों को नए गुप्त शब्द देना",
                            "выдавать автоматам новые секреты"),
    "key_lasts": ("Good for", "कब तक मान्य", "Срок действия"),
    "key_days": ("{days} days", "{days} दिन", "{days} дн."),
    "key_ever": ("until it is revoked", "रद्द होने तक", "пока не отозван"),
    "keys_over": ("Keys that ended", "समाप्त कुंजियाँ", "Недействующие ключи"),
    "key_over": ("ended", "समाप्त:", "закончился"),
    "done_key_made": ("The key is made. It is not shown again.",
                      "कुंजी बन गई। दोबारा नहीं दिखेगी।",
                      "Ключ создан. Повторно он не показывается."),
    "done_key_revoked": ("The key is refused from now on.", "कुंजी अब नहीं मानी जाती।",
                         "Ключ больше не действует."),
    "problem_bad_scopes": ("Choose what the key may do.", "चुनें कि कुंजी क्या कर सकती है।",
                           "Выберите, что ключу можно."),
    "problem_bad_expiry": ("Choose how long the key is good.", "चुनें कि कुंजी कब तक मान्य है।",
                           "Выберите срок действия ключа."),
    "problem_key_replaced": ("This key was replaced already.",
                             "यह कुंजी पहले ही बदली जा चुकी है।",
                             "Этот ключ уже заменён."),
    "problem_too_many_keys": ("Too many keys are in use: revoke some first.",
                              "बहुत सी कुंजियाँ चालू हैं: पहले कुछ रद्द करें।",
                              "Слишком много ключей: сначала отзовите часть."),
}  # fmt: skip
