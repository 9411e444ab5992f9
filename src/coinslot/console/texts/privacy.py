"""Texts of privacy: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "settings_part_privacy": ("Privacy", "निजता", "Личные данные"),
    "privacy_find": ("A person asks for their data", "कोई अपना डेटा माँगता है",
                     "Человек спрашивает о своих данных"),
    "privacy_find_lead": (
        "Find their orders, give them the file, or let the person go. The order stays for the"
        " books.",
        "उनके ऑर्डर खोजें, फ़ाइल दें, या व्यक्ति का डेटा मिटाएँ। ऑर्डर बही के लिए रहता है।",
        "Найдите заказы, передайте файл или удалите данные человека. Заказ остаётся для учёта.",
    ),
    "privacy_who": ("Phone, e-mail, or the code of an order", "फ़ोन, ई-मेल या ऑर्डर का कोड",
                    "Телефон, почта или код заказа"),
    "privacy_search": ("Search", "खोजें", "Найти"),
    "privacy_none": ("Nothing is kept of them.", "उनका कुछ भी नहीं रखा है।",
                     "О нём ничего не хранится."),
    "privacy_orders": ("Orders: {count}", "{count} ऑर्डर", "Заказов: {count}"),
    "privacy_more": ("There may be more: search again afterwards.",
                     "और भी हो सकते हैं: बाद में फिर खोजें।",
                     "Могут быть и другие: потом повторите поиск."),
    "privacy_gone": ("person gone", "व्यक्ति हटाया गया", "данные удалены"),
    "privacy_goes": ("goes when it is over", "पूरा होने पर हटेगा", "удалятся по завершении"),
    "privacy_export": ("Download what is kept", "जो रखा है, डाउनलोड करें", "Скачать данные"),
    "privacy_reason": ("Why", "कारण", "Почему"),
    "privacy_forget_lead": (
        "Name, phone, e-mail, notes and addresses go from these orders. That cannot be undone."
        " What was paid and handed over stays, and so does the proof that they agreed, as a"
        " digest. An order that is not over loses the person when it is.",
        "इन ऑर्डर से नाम, फ़ोन, ई-मेल, टिप्पणी और पते हट जाएँगे। इसे वापस नहीं किया जा सकता। जो भुगतान"
        " हुआ और दिया गया वह रहता है, और सहमति का प्रमाण भी, डाइजेस्ट के रूप में। अधूरे ऑर्डर से व्यक्ति"
        " पूरा होने पर हटता है।",
        "Имя, телефон, почта, заметки и адреса удаляются из этих заказов. Отменить это нельзя."
        " Оплата и выдача остаются, как и подтверждение согласия в виде дайджеста. Из"
        " незавершённого заказа данные уйдут, когда он завершится.",
    ),
    "privacy_forget": ("Let this person go", "इस व्यक्ति का डेटा मिटाएँ", "Удалить данные"),
    "privacy_page": ("Your privacy page", "आपका निजता पृष्ठ", "Ваша страница о данных"),
    "privacy_page_lead": (
        "Customers find it below the menu. What is kept, why and for how long, stands there by"
        " itself.",
        "ग्राहक इसे मेन्यू के नीचे पाते हैं। क्या, क्यों और कब तक रखा जाता है, वहाँ अपने-आप लिखा है।",
        "Покупатели найдут её под меню. Что хранится, зачем и сколько, там написано само.",
    ),
    "privacy_controller": ("Who is responsible", "ज़िम्मेदार कौन", "Кто отвечает"),
    "privacy_address": ("Postal address", "डाक का पता", "Почтовый адрес"),
    "privacy_contact": ("Where to write", "कहाँ लिखें", "Куда писать"),
    "privacy_own": ("Your own words", "आपके अपने शब्द", "Ваш текст"),
    "privacy_save": ("Save", "सहेजें", "Сохранить"),
    "privacy_kept": ("How long it is kept", "कब तक रखा जाता है", "Сколько хранится"),
    "privacy_kept_orders": ("Orders, and what customers left", "ऑर्डर, और ग्राहकों का दिया हुआ",
                            "Заказы и данные покупателей"),
    "privacy_kept_payments": ("Who paid", "किसने भुगतान किया", "Кто платил"),
    "privacy_kept_calls": ("Whom calls and messages reached", "कॉल और संदेश किसे मिले",
                           "Кому звонили и писали"),
    "privacy_kept_logs": ("Wrong codes, networks", "ग़लत कोड, नेटवर्क", "Неверные коды, сети"),
    "privacy_until_asked": ("until they ask", "माँगे जाने तक", "пока не попросят"),
    "privacy_days": ("days: {count}", "{count} दिन", "дней: {count}"),
    "privacy_kept_lead": (
        "Set for the installation. The audit sees that each run ended what it says.",
        "यह पूरी स्थापना के लिए तय है। ऑडिट देखता है कि हर सफ़ाई ने वही हटाया जो वह कहती है।",
        "Задано для всей установки. Проверка следит, что каждая чистка удалила заявленное.",
    ),
    "problem_privacy": ("Say who is responsible, and where to write.",
                        "बताएँ कौन ज़िम्मेदार है और कहाँ लिखें।",
                        "Укажите, кто отвечает и куда писать."),
    "problem_forget": ("Choose orders, and say why.", "ऑर्डर चुनें, और कारण बताएँ।",
                       "Выберите заказы и укажите причину."),
    "done_forgotten": ("The person is gone.", "व्यक्ति का डेटा हट गया।", "Данные удалены."),
    "done_forgotten_later": (
        "The person is gone, from orders that are not over as soon as they are.",
        "व्यक्ति का डेटा हट गया; अधूरे ऑर्डर से पूरा होते ही हटेगा।",
        "Данные удалены; из незавершённых заказов — сразу по их завершении.",
    ),
    "act_person_exported": ("Took a person's data as a file", "व्यक्ति का डेटा फ़ाइल में लिया",
                            "Выгрузил данные человека"),
    "act_person_forgotten": ("Let a person go from orders", "ऑर्डर से व्यक्ति का डेटा हटाया",
                             "Удалил данные человека"),
    "act_privacy_set": ("Changed the privacy page", "निजता पृष्ठ बदला",
                        "Изменил страницу о данных"),
    "check_who_asked_to_be_forgotten_is_named_nowhere": (
        "Who asked to be forgotten is named nowhere", "जिसने मिटाने को कहा, उसका नाम कहीं नहीं",
        "Кто просил удалить данные, нигде не назван"),
    "check_what_is_kept_for_a_time_ends_after_it": (
        "What is kept for a time ends after it", "जो कुछ समय रखा जाता है, वह उसके बाद हटता है",
        "Что хранится ограниченно, удаляется в срок"),
}  # fmt: skip
