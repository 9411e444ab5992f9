"""Texts of tablets and PINs: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tablets": ("Tablets and PIN", "टैबलेट और पिन", "Планшеты и PIN"),
    "tablets_here": ("Enrolled tablets", "दर्ज टैबलेट", "Планшеты стойки"),
    "tablets_none": ("None yet.", "अभी कोई नहीं।", "Пока нет."),
    "tablets_this": ("This one", "यही", "Этот"),
    "tablets_all": ("all counters", "सभी काउंटर", "все стойки"),
    "tablets_end": ("Remove", "हटाएँ", "Убрать"),
    "tablets_enrol": ("Enrol this tablet", "यह टैबलेट दर्ज करें", "Добавить этот планшет"),
    "tablets_lead": (
        "Do it on the tablet itself, then sign out: members sign in on it with their PIN, for the"
        " board alone.",
        "इसे टैबलेट पर ही करें, फिर साइन आउट करें: सदस्य इस पर पिन से, सिर्फ़ बोर्ड के लिए आएँगे।",
        "Сделайте это на самом планшете и выйдите: сотрудники входят на нём по PIN, только к"
        " заказам.",
    ),
    "tablets_name": ("Name", "नाम", "Название"),
    "tablets_where": ("Where it stands; none is everywhere", "कहाँ रहेगा; ख़ाली मतलब सब जगह",
                      "Где стоит; без отметок — везде"),
    "tablets_enrol_button": ("This is a tablet of the counter", "यह काउंटर का टैबलेट है",
                             "Это планшет стойки"),
    "pin": ("PIN", "पिन", "PIN"),
    "pin_own": ("Your PIN", "आपका पिन", "Ваш PIN"),
    "pin_lead": ("Four to eight digits. It works on enrolled tablets, and opens the board alone.",
                 "चार से आठ अंक। सिर्फ़ दर्ज टैबलेट पर चलता है और सिर्फ़ बोर्ड खोलता है।",
                 "От четырёх до восьми цифр. Только на планшетах стойки и только для заказов."),
    "pin_save": ("Save the PIN", "पिन सहेजें", "Сохранить PIN"),
    "pin_title": ("Who works here?", "यहाँ कौन काम कर रहा है?", "Кто на смене?"),
    "pin_who": ("Name", "नाम", "Имя"),
    "pin_enter": ("Begin", "शुरू करें", "Начать"),
    "pin_password": ("Sign in with a password", "पासवर्ड से साइन इन करें", "Войти с паролем"),
    "pin_no_tablet": ("This tablet is not enrolled.", "यह टैबलेट दर्ज नहीं है।",
                      "Этот планшет не добавлен."),
    "pin_nobody": ("Nobody has set a PIN yet: each does at Board, Tablets and PIN.",
                   "अभी किसी ने पिन नहीं रखा: बोर्ड, टैबलेट और पिन में रखें।",
                   "PIN пока никто не задал: это делают в разделе «Планшеты и PIN»."),
    "problem_pin_invalid_credentials": ("This is not the PIN.", "यह पिन नहीं है।", "Это не тот PIN."),
    "problem_weak_pin": ("Four to eight digits, not all alike and not in a row.",
                         "चार से आठ अंक, न सब एक जैसे, न क्रम में।",
                         "От четырёх до восьми цифр, не одинаковых и не подряд."),
    "problem_tablet_refused": ("Give it a name; twenty tablets are in use at most.",
                               "नाम दें; ज़्यादा से ज़्यादा बीस टैबलेट।",
                               "Укажите название; планшетов не больше двадцати."),
    "done_tablet": ("This is a tablet of the counter now. Sign out, and members sign in by PIN.",
                    "यह अब काउंटर का टैबलेट है। साइन आउट करें, सदस्य पिन से आएँगे।",
                    "Это теперь планшет стойки. Выйдите, и сотрудники войдут по PIN."),
    "done_tablet_ended": ("It is no tablet of the counter any more.", "यह अब काउंटर का टैबलेट नहीं है।",
                          "Это больше не планшет стойки."),
    "done_pin": ("Your PIN is set.", "आपका पिन रख दिया गया।", "PIN сохранён."),
}  # fmt: skip
