"""Texts of Account, where proofs are added and removed: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "factor_none": (
        "Only the password protects this account. Add an app or a passkey.",
        "इस खाते की रक्षा सिर्फ़ पासवर्ड करता है। ऐप या पासकी जोड़ें।",
        "Аккаунт защищён только паролем. Добавьте приложение или ключ доступа.",
    ),
    "factor_totp": ("App with codes", "कोड वाला ऐप", "Приложение с кодами"),
    "factor_passkey": ("Passkey", "पासकी", "Ключ доступа"),
    "factor_app": ("An app that makes codes", "कोड बनाने वाला ऐप", "Приложение с кодами"),
    "factor_add_app": ("Add an app", "ऐप जोड़ें", "Добавить приложение"),
    "factor_add_passkey": ("Add a passkey", "पासकी जोड़ें", "Добавить ключ доступа"),
    "factor_name": ("A name for it", "इसका नाम", "Название"),
    "factor_since": ("added", "जोड़ा:", "добавлено"),
    "factor_remove": ("Remove", "हटाएँ", "Удалить"),
    "factor_scan": ("Scan this with the app, then type the code that it shows.",
                    "इसे ऐप से स्कैन करें, फिर उसमें दिखा कोड लिखें।",
                    "Отсканируйте приложением и введите код, который оно покажет."),
    "factor_typed": ("The app cannot scan?", "ऐप स्कैन नहीं कर सकता?",
                     "Приложение не сканирует?"),
    "factor_code": ("Code of the app", "ऐप का कोड", "Код из приложения"),
    "factor_confirm": ("Confirm", "पक्का करें", "Подтвердить"),
    "factor_passkey_lead": (
        "Your phone or computer proves that it is you: by a finger, a face or a PIN.",
        "आपका फ़ोन या कंप्यूटर साबित करता है कि आप ही हैं: उँगली, चेहरे या PIN से।",
        "Телефон или компьютер подтвердит, что это вы: пальцем, лицом или ПИН-кодом.",
    ),
    "factor_passkey_script": ("A passkey needs JavaScript. An app with codes does not.",
                              "पासकी के लिए JavaScript चाहिए। कोड वाले ऐप को नहीं।",
                              "Для ключа доступа нужен JavaScript. Приложению с кодами — нет."),
    "factor_make": ("Make the passkey", "पासकी बनाएँ", "Создать ключ"),
    "factor_added": ("Added. From now on it is asked for when you sign in.",
                     "जुड़ गया। अब साइन इन पर यह पूछा जाएगा।",
                     "Добавлено. Теперь это спросят при входе."),
    "factor_codes": ("Recovery codes", "रिकवरी कोड", "Коды восстановления"),
    "factor_codes_lead": (
        "Keep them away from the phone: each lets you in once when it is lost. They are"
        " shown this once.",
        "इन्हें फ़ोन से दूर रखें: फ़ोन खोने पर हर कोड एक बार अंदर आने देता है। ये एक ही बार"
        " दिखते हैं।",
        "Храните их отдельно от телефона: каждый впустит один раз, если он потерян. Коды"
        " видны только"
        " сейчас.",
    ),
    "factor_kept": ("I have kept them", "मैंने रख लिए", "Сохранено"),
    "factor_new_codes": ("New recovery codes", "नए रिकवरी कोड", "Новые коды восстановления"),
    "factor_last": ("Without it only the password protects this account.",
                    "इसके बिना सिर्फ़ पासवर्ड रक्षा करेगा।",
                    "Без этого останется только пароль."),
    "password_title": ("Password", "पासवर्ड", "Пароль"),
    "password_lead": ("Everywhere else you are signed out then.",
                      "तब बाक़ी हर जगह से साइन आउट हो जाएँगे।",
                      "На всех остальных устройствах вы выйдете."),
    "password_again": ("The same again", "वही फिर से", "Ещё раз"),
    "password_change": ("Change the password", "पासवर्ड बदलें", "Сменить пароль"),
    "done_factor_removed": ("It proves nothing any more.", "अब यह नहीं माना जाता।",
                            "Больше не действует."),
    "done_password_changed": ("The password is changed. Everywhere else you are signed out.",
                              "पासवर्ड बदल गया। बाक़ी जगहों से साइन आउट।",
                              "Пароль сменён. На других устройствах вы вышли."),
    "problem_passwords_differ": ("The two are not the same.", "दोनों एक जैसे नहीं हैं।",
                                 "Пароли не совпадают."),
    "problem_second_factor_needed": ("Sign in with the factor that you have first: sign"
                                     " out, then in.",
                                     "पहले अपने मौजूदा प्रमाण से साइन इन करें: साइन आउट"
                                     " करें, फिर इन।",
                                     "Сначала войдите со вторым фактором: выйдите и войдите"
                                     " снова."),
    "problem_too_many_factors": ("Ten are enough: remove one first.",
                                 "दस काफ़ी हैं: पहले एक हटाएँ।",
                                 "Десяти достаточно: сначала удалите один."),
    "problem_bad_passkey": ("This passkey cannot be used here: begin again.",
                            "यह पासकी यहाँ नहीं चल सकती: फिर शुरू करें।",
                            "Этот ключ доступа здесь не подходит: начните заново."),
    "problem_no_such_factor": ("Recovery codes are for someone who has a second factor.",
                               "रिकवरी कोड उनके लिए हैं जिनके पास दूसरा प्रमाण है।",
                               "Коды восстановления — для тех, у кого есть второй фактор."),
}  # fmt: skip
