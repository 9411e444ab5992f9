"""Texts of printers behind a counter: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "printers": ("Printers", "प्रिंटर", "Принтеры"),
    "printers_paper": ("Paper", "काग़ज़", "Бумага"),
    "printers_here": ("Printers here", "यहाँ के प्रिंटर", "Принтеры здесь"),
    "printers_none": ("None yet: tickets are on the board alone.",
                      "अभी कोई नहीं: टिकट सिर्फ़ बोर्ड पर हैं।", "Пока нет: заказы только на экране."),
    "printers_made": (
        "Type this address into the printer's settings as its server. It is shown this once.",
        "इस पते को प्रिंटर की सेटिंग में सर्वर के रूप में लिखें। यह एक ही बार दिखेगा।",
        "Введите этот адрес в настройках принтера как сервер. Он показан один раз.",
    ),
    "printers_kind": ("Kind", "प्रकार", "Вид"),
    "printers_kind_escpos": ("ESC/POS on the network", "नेटवर्क पर ESC/POS", "ESC/POS в сети"),
    "printers_kind_star": ("Star CloudPRNT", "Star CloudPRNT", "Star CloudPRNT"),
    "printers_kind_epson": ("Epson Server Direct Print", "Epson Server Direct Print",
                            "Epson Server Direct Print"),
    "printers_all_stations": ("everything", "सब कुछ", "всё"),
    "printers_unheard": ("It has not asked yet.", "इसने अभी पूछा नहीं।", "Ещё не обращался."),
    "printers_test": ("Print a test", "जाँच छापें", "Пробная печать"),
    "printers_retire": ("Remove", "हटाएँ", "Убрать"),
    "printers_add": ("Add a printer at {name}", "{name} में प्रिंटर जोड़ें", "Добавить принтер: {name}"),
    "printers_name": ("Name", "नाम", "Название"),
    "printers_address": ("Address", "पता", "Адрес"),
    "printers_address_hint": (
        "Of ESC/POS printers: host and port, such as 192.168.1.50:9100. The others get an address"
        " to ask at.",
        "ESC/POS के लिए होस्ट और पोर्ट, जैसे 192.168.1.50:9100। बाक़ी को पूछने का पता मिलेगा।",
        "Для ESC/POS: узел и порт, например 192.168.1.50:9100. Остальные получат адрес для"
        " запросов.",
    ),
    "printers_width": ("Paper", "काग़ज़", "Бумага"),
    "printers_stations": ("Only what these stations make", "सिर्फ़ ये स्टेशन जो बनाते हैं",
                          "Только то, что готовят здесь"),
    "printers_tickets": ("Print tickets by itself", "टिकट अपने-आप छापें",
                         "Печатать заказы автоматически"),
    "printers_add_button": ("Add the printer", "प्रिंटर जोड़ें", "Добавить принтер"),
    "printers_phone": ("Phone of {name}", "{name} का फ़ोन", "Телефон: {name}"),
    "printers_phone_lead": (
        "It is called when nobody accepts a paid order for 70 seconds.",
        "70 सेकंड तक कोई ऑर्डर स्वीकार न करे तो यहाँ कॉल जाती है।",
        "Сюда звонят, если оплаченный заказ не принимают 70 секунд.",
    ),
    "printers_phone_field": ("Number, with + and country", "नंबर, + और देश के साथ",
                             "Номер, с + и кодом страны"),
    "printers_phone_button": ("Save the number", "नंबर सहेजें", "Сохранить номер"),
    "problem_printer_unknown_kind": ("Give it a name, a kind and a paper.",
                                     "नाम, प्रकार और काग़ज़ चुनें।", "Укажите имя, вид и бумагу."),
    "problem_printer_address": (
        "Write the address as 192.168.1.50:9100; ports 9100 to 9199 are those of printers.",
        "पता 192.168.1.50:9100 जैसा लिखें; पोर्ट 9100 से 9199।",
        "Напишите адрес как 192.168.1.50:9100; порты от 9100 до 9199.",
    ),
    "problem_printer_network": (
        "This address is inside the server's own network. Whoever runs the server can allow it:"
        " COINSLOT_PRINTER_NETWORKS.",
        "यह पता सर्वर के अपने नेटवर्क में है। सर्वर चलाने वाले इसे खोल सकते हैं: COINSLOT_PRINTER_NETWORKS।",
        "Этот адрес внутри сети самого сервера. Разрешить его может владелец сервера:"
        " COINSLOT_PRINTER_NETWORKS.",
    ),
    "problem_printer_no_room": ("There is no such counter, or it has twenty printers.",
                                "ऐसा काउंटर नहीं, या उसके बीस प्रिंटर हैं।",
                                "Такой стойки нет, или у неё уже двадцать принтеров."),
    "problem_printer_unknown": ("There is no such thing here any more.", "यह अब यहाँ नहीं है।",
                                "Этого здесь больше нет."),
    "problem_printer_phone": ("Write the number with + and its country, as +919876543210.",
                              "नंबर + और देश के साथ लिखें, जैसे +919876543210।",
                              "Напишите номер с + и кодом страны, как +79161234567."),
    "done_printers": ("Saved.", "सहेजा गया।", "Сохранено."),
    "paper_due": ("waits", "इंतज़ार में", "ждёт"),
    "paper_sent": ("sent", "भेजा", "отправлено"),
    "paper_printed": ("printed", "छपा", "напечатано"),
    "paper_unconfirmed": ("not confirmed: look at the paper", "पुष्टि नहीं: काग़ज़ देखें",
                          "нет подтверждения: проверьте бумагу"),
    "paper_failed": ("not printed", "नहीं छपा", "не напечатано"),
    "paper_is_there": ("It is there", "छपा हुआ है", "Бумага есть"),
    "paper_again": ("Print a copy", "प्रति छापें", "Печать копии"),
    "paper_receipt": ("Print a receipt", "रसीद छापें", "Печать чека"),
    "board_problem_no_printer": ("No printer here prints this.", "यहाँ कोई प्रिंटर इसे नहीं छापता।",
                                 "Здесь нет принтера для этого."),
}  # fmt: skip
