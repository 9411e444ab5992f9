"""Texts of templates of machines: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "templates_title": ("Templates", "टेम्पलेट", "Шаблоны"),
    "templates_lead": (
        "What many machines have in common: products, prices, par levels, food lock and device"
        " settings.",
        "जो कई मशीनों में एक-सा है: उत्पाद, क़ीमतें, पूरा स्तर, खाने का लॉक और डिवाइस की सेटिंग।",
        "То, что общее у многих автоматов: товары, цены, запас, замок по температуре и настройки"
        " устройства.",
    ),
    "template_slots": ("slots: {count}", "खाने: {count}", "ячеек: {count}"),
    "template_shipped": ("shipped, without products", "साथ आया, बिना उत्पाद",
                         "поставляется, без товаров"),
    "template_make": ("Make one from a machine", "किसी मशीन से बनाएँ", "Создать из автомата"),
    "template_from": ("Machine", "मशीन", "Автомат"),
    "template_name": ("Name of the template", "टेम्पलेट का नाम", "Название шаблона"),
    "template_name_hint": ("Small letters, digits and -, such as snacks-north.",
                           "छोटे अंग्रेज़ी अक्षर, अंक और -, जैसे snacks-north।",
                           "Строчные латинские буквы, цифры и -, например snacks-north."),
    "template_make_button": ("Make the template", "टेम्पलेट बनाएँ", "Создать шаблон"),
    "template_assign": ("Give it to machines", "मशीनों को दें", "Применить к автоматам"),
    "template_assign_hint": (
        "Take out those that should stay as they are. You see what changes before anything does.",
        "जो वैसी ही रहनी हैं, उन्हें हटा दें। बदलने से पहले आप देखेंगे कि क्या बदलेगा।",
        "Уберите те, которые не нужно менять. Сначала вы увидите, что изменится.",
    ),
    "template_others": ("Choose other machines", "दूसरी मशीनें चुनें", "Выбрать другие автоматы"),
    "template_edit": ("Change the template", "टेम्पलेट बदलें", "Изменить шаблон"),
    "template_lines": ("Slots", "खाने", "Ячейки"),
    "template_lines_hint": (
        "One on each line: slot, sku of the product, price, full at. Without a product, each"
        " machine keeps its own.",
        "हर पंक्ति में एक: खाना, उत्पाद का sku, क़ीमत, पूरा स्तर। उत्पाद न लिखें तो हर मशीन का अपना रहेगा।",
        "По одной в строке: ячейка, sku товара, цена, полный запас. Без товара у каждого автомата"
        " остаётся свой.",
    ),
    "template_windows_hint": (
        "What is left empty stays at each machine as it is there. To change these times you show a"
        " factor again.",
        "जो ख़ाली है, वह हर मशीन पर वैसा ही रहेगा। ये समय बदलने के लिए दोबारा पहचान दिखानी होगी।",
        "Что не заполнено, у каждого автомата остаётся своим. Чтобы изменить эти сроки, нужно ещё"
        " раз подтвердить вход.",
    ),
    "template_save": ("Save the template", "टेम्पलेट सहेजें", "Сохранить шаблон"),
    "done_template": ("The template is saved. Machines stay as they are until you give it to them.",
                      "टेम्पलेट सहेजा गया। मशीनें तब तक वैसी ही रहेंगी जब तक आप इसे उन्हें न दें।",
                      "Шаблон сохранён. Автоматы не изменятся, пока вы не примените его к ним."),
    "problem_template_there": ("There is a template of this name: choose another.",
                               "इस नाम का टेम्पलेट है: दूसरा नाम चुनें।",
                               "Шаблон с таким названием есть: выберите другое."),
    "problem_template_name": ("A name has small letters, digits and - only.",
                              "नाम में सिर्फ़ छोटे अंग्रेज़ी अक्षर, अंक और - हों।",
                              "В названии только строчные латинские буквы, цифры и -."),
    "problem_template_machine": ("There is no such machine.", "ऐसी कोई मशीन नहीं।",
                                 "Такого автомата нет."),
    "problem_template_machines": ("Name from 1 to 500 machines.", "1 से 500 मशीनें लिखें।",
                                  "Укажите от 1 до 500 автоматов."),
    "problem_template_line": ("Slots, line {line} cannot be read: {why}",
                              "खाने, पंक्ति {line} पढ़ी नहीं जा सकी: {why}",
                              "Ячейки, строка {line} не читается: {why}"),
}  # fmt: skip
