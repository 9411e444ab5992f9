"""Texts of builds and of the keys that sign them: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "fw_title": ("Builds and keys", "बिल्ड और कुंजियाँ", "Сборки и ключи"),
    "fw_upload": ("Bring a signed build", "साइन की हुई बिल्ड लाएँ", "Загрузить подписанную сборку"),
    "fw_file": ("File that coinslot-sign wrote", "coinslot-sign की बनाई फ़ाइल",
                "Файл, созданный coinslot-sign"),
    "fw_file_hint": ("No machine hears of it before you start a roll-out.",
                     "रोल-आउट शुरू करने से पहले किसी मशीन को इसका पता नहीं चलता।",
                     "Ни один автомат о ней не узнает, пока вы не начнёте обновление."),
    "fw_send": ("Send the build", "बिल्ड भेजें", "Отправить сборку"),
    "fw_keys": ("Keys that sign builds", "बिल्ड साइन करने वाली कुंजियाँ", "Ключи подписи сборок"),
    "fw_keys_lead": (
        "Make a key with coinslot-sign on your own computer, and register its public half here. The"
        " secret half stays with you. A device learns the key with its secret: give those that were"
        " set up before a new one.",
        "अपने कंप्यूटर पर coinslot-sign से कुंजी बनाएँ और उसका सार्वजनिक भाग यहाँ जोड़ें। गुप्त भाग"
        " आपके पास रहता है।",
        "Создайте ключ программой coinslot-sign на своём компьютере и добавьте сюда его открытую"
        " часть. Секретная остаётся у вас.",
    ),
    "fw_retired": ("retired", "हटाई गई", "отозван"),
    "fw_retire": ("Retire", "हटाएँ", "Отозвать"),
    "fw_retire_lead": ("It signs no more builds. Those that it signed stay.",
                       "यह और बिल्ड साइन नहीं करेगी। जो कर चुकी, वे रहेंगी।",
                       "Он больше не подпишет сборок. Подписанные останутся."),
    "fw_key_name": ("Name of the key", "कुंजी का नाम", "Название ключа"),
    "fw_key": ("Public key, 64 letters and digits", "सार्वजनिक कुंजी, 64 अक्षर और अंक",
               "Открытый ключ, 64 знака"),
    "fw_add_key": ("Register the key", "कुंजी जोड़ें", "Добавить ключ"),
    "done_fw_uploaded": ("The build is here. Roll it out when you want.",
                         "बिल्ड आ गई। जब चाहें भेजें।", "Сборка загружена. Разошлите её, когда нужно."),
    "done_fw_key": ("The key is registered.", "कुंजी जुड़ गई।", "Ключ добавлен."),
    "done_fw_key_retired": ("The key is retired.", "कुंजी हटाई गई।", "Ключ отозван."),
    "problem_fw_choose": ("Choose the file.", "फ़ाइल चुनें।", "Выберите файл."),
    "problem_fw_file": ("This is no file that coinslot-sign wrote, or it is damaged.",
                        "यह coinslot-sign की बनाई फ़ाइल नहीं है, या ख़राब है।",
                        "Этот файл создан не coinslot-sign или повреждён."),
    "problem_fw_refused": ("The build is not taken. {why}", "बिल्ड नहीं ली गई। {why}",
                           "Сборка не принята. {why}"),
    "problem_fw_storage": ("The storage does not answer. Try again in a minute.",
                           "स्टोरेज जवाब नहीं दे रहा। एक मिनट में फिर कोशिश करें।",
                           "Хранилище не отвечает. Повторите через минуту."),
    "problem_fw_key": ("A key has a name, and 64 digits and letters from a to f.",
                       "कुंजी का नाम हो, और a से f तक के अक्षरों और अंकों के 64 चिह्न।",
                       "У ключа есть название и 64 знака: цифры и буквы от a до f."),
    "problem_fw_key_there": ("This key is registered already.", "यह कुंजी पहले से जुड़ी है।",
                             "Этот ключ уже добавлен."),
}  # fmt: skip
