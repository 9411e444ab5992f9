"""Texts of Codes: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tab_codes": ("Codes", "कोड", "Коды"),
    "codes_page_lead": (
        "Choose what to print. A code takes the price of its slot, and every sheet is read back"
        " by a scanner before you get it.",
        "चुनें कि क्या छापना है। कोड अपने खाने की क़ीमत लेता है, और हर पन्ना आपको "
        "देने से पहले स्कैनर से पढ़ा जाता है।",
        "Выберите, что печатать. Код берёт цену своей ячейки, и каждый лист проверяет сканер,"
        " прежде чем вы его получите.",
    ),
    "codes_nothing": (
        "No machine is in service yet.", "अभी कोई मशीन चालू नहीं है।",
        "Пока ни один автомат не работает.",
    ),
    "codes_of_counters": (
        "Codes of a counter are printed from its menu.", "काउंटर के कोड उसके मेनू से छपते हैं।",
        "Коды стойки печатаются из её меню.",
    ),
    "reach_computer": (
        "No phone can open these codes yet.",
        "अभी कोई फ़ोन ये कोड नहीं खोल सकता।",
        "Эти коды пока не откроет ни один телефон.",
    ),
    "reach_computer_do": (
        "They lead to {address}, which is this computer alone. Set COINSLOT_PUBLIC_URL to the"
        " address that customers reach, start Coinslot again, and print then. To let a phone in"
        " your Wi-Fi try it, start it with --host 0.0.0.0 and"
        " COINSLOT_PUBLIC_URL=http://<address of this computer>:<port>.",
        "वे {address} पर जाते हैं, जो केवल यही कंप्यूटर है। COINSLOT_PUBLIC_URL में वह पता लिखें जहाँ ग्राहक"
        " पहुँचते हैं, Coinslot फिर चलाएँ, और तब छापें। अपने Wi-Fi के फ़ोन से आज़माने के लिए --host 0.0.0.0"
        " और COINSLOT_PUBLIC_URL=http://<इस कंप्यूटर का पता>:<पोर्ट> के साथ चलाएँ।",
        "Они ведут на {address}, а это только этот компьютер. Задайте в COINSLOT_PUBLIC_URL адрес,"
        " доступный покупателям, запустите Coinslot снова и тогда печатайте. Чтобы попробовать с"
        " телефона в вашем Wi-Fi, запустите его с --host 0.0.0.0 и"
        " COINSLOT_PUBLIC_URL=http://<адрес этого компьютера>:<порт>.",
    ),
    "reach_network": (
        "Only phones in your own network can open these codes.",
        "ये कोड केवल आपके नेटवर्क के फ़ोन खोल सकते हैं।",
        "Эти коды откроют только телефоны в вашей сети.",
    ),
    "reach_network_do": (
        "They lead to {address}: good for trying it in your Wi-Fi. For customers, set"
        " COINSLOT_PUBLIC_URL to an address on the internet, start Coinslot again, and print then.",
        "वे {address} पर जाते हैं: अपने Wi-Fi में आज़माने के लिए ठीक। ग्राहकों के लिए COINSLOT_PUBLIC_URL"
        " में इंटरनेट का पता लिखें, Coinslot फिर चलाएँ, और तब छापें।",
        "Они ведут на {address}: этого хватит, чтобы попробовать в вашем Wi-Fi. Для покупателей"
        " задайте в COINSLOT_PUBLIC_URL адрес в интернете, запустите Coinslot снова и тогда"
        " печатайте.",
    ),
    "reach_practice": (
        "Whoever scans them pays with practice money.",
        "इन्हें स्कैन करने वाला अभ्यास के पैसे देता है।",
        "По ним платят учебными деньгами.",
    ),
    "reach_practice_do": (
        "Connect a gateway before you hang them up.",
        "टाँगने से पहले गेटवे जोड़ें।",
        "Подключите платёжный сервис, прежде чем их повесить.",
    ),
    "codes_old": (
        "An old print takes {old}, and money through it goes back. Take it off the machine.",
        "पुराना छपा कोड {old} लेता है, और उससे आया पैसा लौट जाता है। उसे मशीन से हटाएँ।",
        "Старая наклейка берёт {old}, и деньги по ней возвращаются. Снимите её с автомата.",
    ),
    "codes_gone": ("It is off", "हटा दिया", "Снята"),
    "done_codes_gone": ("Noted: the old print is off the machine.",
    "दर्ज हुआ: पुराना छपा कोड हट गया।",
                        "Записано: старая наклейка снята."),
    "codes_no_gateway": (
        "its gateway issues no printed codes: print the code of the page",
        "इसका गेटवे छपने वाले कोड नहीं देता: पन्ने का कोड छापें",
        "его сервис не выпускает печатных кодов: напечатайте код страницы",
    ),
    "codes_untrue": ("code takes {takes}", "कोड {takes} लेता है", "код берёт {takes}"),
    "codes_sheet_at": ("sheet made", "पन्ना बना", "лист сделан"),
    "codes_page": ("Code of its page", "इसके पन्ने का कोड", "Код страницы"),
    "codes_page_hint": (
        "opens everything it sells, in every way to pay",
        "यह जो बेचती है सब खोलता है, भुगतान के हर तरीक़े से",
        "открывает всё, что он продаёт, с любым способом оплаты",
    ),
    "codes_layout": ("Size", "आकार", "Размер"),
    "layout_a4": ("A4, eight labels to cut", "A4, काटने के लिए आठ लेबल", "A4, восемь этикеток"),
    "layout_a6": (
        "A6, a sticker for each code",
        "A6, हर कोड का एक स्टिकर",
        "A6, наклейка на каждый код",
    ),
    "layout_a5": (
        "A5, a poster for each code",
        "A5, हर कोड का एक पोस्टर",
        "A5, плакат на каждый код",
    ),
    "codes_languages": ("Languages of the words", "शब्दों की भाषाएँ", "Языки текста"),
    "codes_make": ("Make the sheets", "पन्ने बनाएँ", "Сделать листы"),
    "problem_codes_none": (
        "Choose at least one code and one language.", "कम से कम एक कोड और एक भाषा चुनें।",
        "Выберите хотя бы один код и один язык.",
    ),
    "problem_codes_unreadable": (
        "A scanner cannot read one of these codes from the sheet, so it is not offered. Try a"
        " larger size.",
        "स्कैनर इनमें से एक कोड पन्ने से नहीं पढ़ पाता, इसलिए वह नहीं दिया जाता। बड़ा आकार चुनें।",
        "Сканер не читает один из этих кодов с листа, поэтому лист не выдан. Выберите размер"
        " больше.",
    ),
    "codes_untrue_title": ("These codes take another amount", "ये कोड दूसरी रक़म लेते हैं",
                           "Эти коды берут другую сумму"),
    "codes_untrue_lead": (
        "Their slots cost something else now. What shall be printed?",
        "अब इनके खानों की क़ीमत कुछ और है। क्या छापना है?",
        "Их ячейки теперь стоят иначе. Что печатать?",
    ),
    "codes_untrue_one": ("takes {takes}, the slot costs {price}",
    "{takes} लेता है, खाना {price} का है",
                         "берёт {takes}, ячейка стоит {price}"),
    "codes_make_new": (
        "New codes at today's prices",
        "आज की क़ीमत पर नए कोड",
        "Новые коды по нынешним ценам",
    ),
    "codes_print_old": ("The old ones, as they are", "पुराने, जैसे हैं", "Старые, как есть"),
    "codes_replace_hint": (
        "New codes make the old prints invalid: money through those goes back.",
        "नए कोड से पुराने छपे कोड अमान्य होते हैं: उनसे आया पैसा लौट जाता है।",
        "Новые коды отменяют старые наклейки: деньги по ним возвращаются.",
    ),
    "codes_back": ("Back to all codes", "सब कोड पर वापस", "Ко всем кодам"),
    "codes_waiting": ("The gateway is making your codes", "गेटवे आपके कोड बना रहा है",
                      "Платёжный сервис делает ваши коды"),
    "codes_waiting_lead": (
        "This page looks again by itself. You may also come back later.",
        "यह पन्ना अपने आप फिर देखता है। आप बाद में भी आ सकते हैं।",
        "Страница обновляется сама. Можно вернуться и позже.",
    ),
    "codes_is_ready": ("ready", "तैयार", "готов"),
    "codes_is_waiting": ("being made", "बन रहा है", "делается"),
    "codes_ready": ("Ready to print", "छापने के लिए तैयार", "Готово к печати"),
    "codes_ready_lead": (
        "Codes: {count}. Each was read back from the sheet by a scanner.",
        "कोड: {count}। हर एक को स्कैनर ने पन्ने से पढ़ लिया।",
        "Кодов: {count}. Каждый прочитан с листа сканером.",
    ),
    "codes_pdf": ("Download PDF", "PDF डाउनलोड करें", "Скачать PDF"),
    "codes_svg": ("Download SVG", "SVG डाउनलोड करें", "Скачать SVG"),
    "codes_first_page": ("The first page", "पहला पन्ना", "Первая страница"),
    "refused_codes_waiting": (
        "A code is not made yet. Go back and look again in a moment.",
        "एक कोड अभी नहीं बना। वापस जाकर थोड़ी देर में देखें।",
        "Один код ещё не сделан. Вернитесь и посмотрите чуть позже.",
    ),
    "refused_codes_unreadable": (
        "A scanner cannot read one of these codes. Choose a larger size.",
        "स्कैनर इनमें से एक कोड नहीं पढ़ पाता। बड़ा आकार चुनें।",
        "Сканер не читает один из этих кодов. Выберите размер больше.",
    ),
}  # fmt: skip
