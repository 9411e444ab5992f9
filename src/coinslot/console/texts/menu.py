"""Texts of menus, of a counter's hours and of its codes: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "tab_menu": ("Menu", "मेनू", "Меню"),
    "menu_count": ("items: {count}", "{count} चीज़ें", "позиций: {count}"),
    "menu_preview": ("See it as customers do", "ग्राहक की तरह देखें", "Как видят покупатели"),
    "menu_codes": ("Codes to print", "छापने के कोड", "Коды для печати"),
    "menu_hours": ("Opening hours", "खुलने का समय", "Часы работы"),
    "menu_add_title": ("Add items", "चीज़ें जोड़ें", "Добавить позиции"),
    "menu_lines": (
        "One on a line, its price at the end",
        "हर पंक्ति में एक, अंत में दाम",
        "По одной в строке, цена в конце",
    ),
    "menu_lines_example": (
        "Coffee\nLatte 3.50\nEspresso 2.20\nCakes\nCarrot cake 4.20",
        "Coffee\nLatte 3.50\nEspresso 2.20\nCakes\nCarrot cake 4.20",
        "Кофе\nЛатте 250\nЭспрессо 180\nВыпечка\nСырник 220",
    ),
    "menu_lines_hint": (
        "A line without a price begins a section. Pictures, options and the rest come later.",
        "बिना दाम की पंक्ति नया भाग शुरू करती है। तस्वीर, विकल्प और बाक़ी बाद में।",
        "Строка без цены начинает раздел. Фото, добавки и остальное — потом.",
    ),
    "menu_added": (
        "Items added: {count}, in {sections} sections.",
        "{sections} भागों में {count} चीज़ें जोड़ी गईं।",
        "Добавлено позиций: {count}, разделов: {sections}.",
    ),
    "menu_added_few": (
        "Items added: {count}.",
        "{count} चीज़ें जोड़ी गईं।",
        "Добавлено позиций: {count}.",
    ),
    "menu_added_one": ("1 item was added.", "1 चीज़ जोड़ी गई।", "Добавлена 1 позиция."),
    "menu_added_in": (
        "Lines without a price, taken as sections: {names}",
        "बिना दाम की पंक्तियाँ, जो भाग बनीं: {names}",
        "Строки без цены стали разделами: {names}",
    ),
    "menu_tax": ("Tax in per cent", "टैक्स, प्रतिशत में", "Налог, %"),
    "menu_shared": ("Shared stock", "साझा स्टॉक", "Общий запас"),
    "menu_shared_hint": (
        "Choices of several items that take from one stock, such as oat milk, name it here, and"
        " have one count.",
        "कई चीज़ों के जो विकल्प एक स्टॉक से आते हैं, जैसे जई का दूध, उसका नाम यहाँ लिखें: गिनती एक।",
        "Добавки разных позиций из одного запаса, например овсяное молоко, называют его здесь:"
        " остаток у них общий.",
    ),
    "menu_shared_title": ("Shared stocks", "साझा स्टॉक", "Общие запасы"),
    "menu_shared_lead": (
        "Each is one count for every item that uses it. Leave it empty and it is not counted.",
        "हर एक की गिनती उन सब चीज़ों के लिए एक है जो उससे बनती हैं। ख़ाली छोड़ें तो गिना नहीं जाता।",
        "Один остаток на все позиции, где он нужен. Пусто — не считается.",
    ),
    "problem_menu_shared": (
        "{about}: name a shared stock with up to 40 characters, without brackets, commas and =.",
        "{about}: साझा स्टॉक का नाम 40 अक्षर तक, बिना कोष्ठक, अल्पविराम और = के।",
        "{about}: название общего запаса — до 40 знаков, без скобок, запятых и =.",
    ),
    "menu_add": ("Add to the menu", "मेनू में जोड़ें", "Добавить в меню"),
    "menu_add_one": ("Add one with everything", "पूरे ब्योरे के साथ एक जोड़ें", "Добавить одну со всем"),
    "menu_add_here": (
        "Add an item to this section",
        "इस भाग में चीज़ जोड़ें",
        "Добавить позицию в этот раздел",
    ),
    "menu_no_section": ("Without a section", "बिना भाग", "Без раздела"),
    "menu_section_more": ("This section", "यह भाग", "Этот раздел"),
    "menu_section_name": ("Section", "भाग", "Раздел"),
    "menu_up": ("Up: {name}", "ऊपर: {name}", "Выше: {name}"),
    "menu_down": ("Down: {name}", "नीचे: {name}", "Ниже: {name}"),
    "menu_save": ("Save", "सहेजें", "Сохранить"),
    "menu_back": ("Back to the menu", "मेनू पर वापस", "К меню"),
    "menu_open": ("Open", "खोलें", "Открыть"),
    "menu_paused": ("Paused", "रुका हुआ", "Пауза"),
    "menu_file": (
        "Tables, copies and settings",
        "तालिका, नक़ल और सेटिंग",
        "Таблицы, копии, настройки",
    ),
    "menu_export": ("Take it as a table (CSV)", "तालिका के रूप में लें (CSV)", "Скачать таблицей (CSV)"),
    "menu_import": ("Read a table (CSV)", "तालिका पढ़ें (CSV)", "Загрузить таблицу (CSV)"),
    "menu_import_file": ("File", "फ़ाइल", "Файл"),
    "menu_import_rows": ("Or paste its rows", "या पंक्तियाँ चिपकाएँ", "Или вставьте строки"),
    "menu_import_stock": ("Also write what is left of each", "बचा हुआ भी लिखें", "Записать и остатки"),
    "menu_import_look": ("See what would change", "देखें क्या बदलेगा", "Посмотреть, что изменится"),
    "menu_copy": ("Copy from another counter", "दूसरे काउंटर से नक़ल", "Скопировать с другой стойки"),
    "menu_copy_from": ("From", "से", "Откуда"),
    "menu_copy_lead": (
        "Its items are added here, and those that are here get its prices. What is left stays.",
        "उसकी चीज़ें यहाँ जुड़ेंगी, और यहाँ वाली को उसके दाम मिलेंगे। बचा हुआ वैसा ही रहेगा।",
        "Её позиции добавятся сюда, а здешние получат её цены. Остатки не изменятся.",
    ),
    "menu_copy_button": ("Copy", "नक़ल करें", "Скопировать"),
    "menu_settings": ("Tips, tax and websites", "टिप, टैक्स और वेबसाइट", "Чаевые, налог и сайты"),
    "menu_origins": (
        "Websites that may order here",
        "वेबसाइटें जो यहाँ ऑर्डर कर सकती हैं",
        "Сайты, с которых можно заказывать",
    ),
    "menu_origins_hint": (
        "For a page of your own that uses the API: one on a line. Empty: none.",
        "आपके अपने पेज के लिए जो API इस्तेमाल करता है: हर पंक्ति में एक। ख़ाली: कोई नहीं।",
        "Для вашей страницы, которая пользуется API: по одному в строке. Пусто: никакие.",
    ),
    "problem_menu_origins": (
        "Write addresses like https://cafe.example, at most 20.",
        "https://cafe.example जैसे पते लिखें, अधिकतम 20।",
        "Адреса вида https://cafe.example, не больше 20.",
    ),
    "menu_tips": (
        "Tips to choose from, in per cent",
        "टिप के विकल्प, प्रतिशत में",
        "Варианты чаевых, %",
    ),
    "menu_tips_hint": (
        "Such as 10, 15, 20. Empty: no tips are asked for.",
        "जैसे 10, 15, 20। ख़ाली: टिप नहीं पूछी जाती।",
        "Например 10, 15, 20. Пусто: чаевые не предлагаются.",
    ),
    "menu_taxed": ("Prices and tax", "दाम और टैक्स", "Цены и налог"),
    "menu_taxed_in": ("Prices include tax", "दाम में टैक्स शामिल", "Налог включён в цены"),
    "menu_taxed_on_top": ("Tax is added", "टैक्स ऊपर से", "Налог сверху"),
    "menu_plan": ("What this table changes", "यह तालिका क्या बदलेगी", "Что изменит таблица"),
    "menu_plan_new": ("New", "नए", "Новые"),
    "menu_plan_changed": ("Changed", "बदले", "Изменены"),
    "menu_plan_gone": ("Leave the menu", "मेनू से हटेंगे", "Уйдут из меню"),
    "menu_plan_same": ("The menu is as this table says.", "मेनू तालिका जैसा ही है।", "Меню уже такое."),
    "menu_plan_stock": (
        "What is left of each is written, too.",
        "बचा हुआ भी लिखा जाएगा।",
        "Остатки тоже будут записаны.",
    ),
    "menu_plan_no_stock": (
        "What is left of each stays as it is.",
        "बचा हुआ वैसा ही रहेगा।",
        "Остатки не изменятся.",
    ),
    "menu_plan_apply": ("Make it the menu", "इसे मेनू बनाएँ", "Сделать таким"),
    "menu_allergens": ("Allergens", "एलर्जी वाली चीज़ें", "Аллергены"),
    "menu_allergens_hint": (
        "With commas between them: milk, nuts.",
        "बीच में अल्पविराम: दूध, मेवे।",
        "Через запятую: молоко, орехи.",
    ),
    "menu_stock": ("Left", "बचे", "Остаток"),
    "menu_stock_hint": (
        "Empty: it is not counted.",
        "ख़ाली: गिना नहीं जाता।",
        "Пусто: не считается.",
    ),
    "menu_kitchen": ("Kitchen and times", "रसोई और समय", "Кухня и время"),
    "menu_station": ("Station, such as bar", "जगह, जैसे बार", "Станция, например бар"),
    "menu_minutes": ("Minutes of work on one", "एक पर कितने मिनट", "Минут на одну порцию"),
    "menu_from": ("Only from", "कब से", "Только с"),
    "menu_to": ("until", "कब तक", "до"),
    "menu_from_hint": (
        "Empty: always. By day of the week in a table.",
        "ख़ाली: हमेशा। दिन के हिसाब से तालिका में।",
        "Пусто: всегда. По дням недели — в таблице.",
    ),
    "menu_by_day": (
        "Keep its hours by day of the week",
        "दिन के हिसाब से समय रहने दें",
        "Оставить часы по дням недели",
    ),
    "menu_options": ("Options", "विकल्प", "Добавки"),
    "menu_options_lead": (
        "At least and at most so many are chosen; the cheapest so many are free. A price may be"
        " below nothing, such as -0.50; the item never costs less than nothing.",
        "कम से कम और ज़्यादा से ज़्यादा कितने चुने जाएँ; सबसे सस्ते इतने मुफ़्त। दाम घटाने वाला भी हो सकता"
        " है, जैसे -0.50; चीज़ का दाम शून्य से कम नहीं होगा।",
        "Сколько выбирают: не меньше и не больше; столько самых дешёвых бесплатно. Цена может быть"
        " отрицательной, например -0,50; ниже нуля позиция не станет.",
    ),
    "menu_option_new": ("Another option", "एक और विकल्प", "Ещё добавка"),
    "menu_option_name": (
        "What is chosen, such as milk",
        "क्या चुनना है, जैसे दूध",
        "Что выбирают, например молоко",
    ),
    "menu_option_min": ("At least", "कम से कम", "Не меньше"),
    "menu_option_max": ("At most", "ज़्यादा से ज़्यादा", "Не больше"),
    "menu_option_free": ("Free", "मुफ़्त", "Бесплатно"),
    "menu_choice_new": ("Another choice", "एक और चुनाव", "Ещё вариант"),
    "menu_choice": ("Choice", "चुनाव", "Вариант"),
    "menu_choice_price": ("On top", "ऊपर से", "Доплата"),
    "menu_languages": (
        "Its name in other languages",
        "दूसरी भाषाओं में नाम",
        "Название на других языках",
    ),
    "menu_remove": ("Take it off the menu", "मेनू से हटाएँ", "Убрать из меню"),
    "menu_remove_lead": (
        "Orders of it go on, and reports keep it.",
        "इसके ऑर्डर चलते रहेंगे, रिपोर्ट में रहेगा।",
        "Заказы с ней продолжатся, в отчётах останется.",
    ),
    "counter_new": ("Set up a counter", "काउंटर बनाएँ", "Новая стойка"),
    "counter_new_lead": (
        "Customers scan a code, order and pay on their phones, and fetch it with a code.",
        "ग्राहक कोड स्कैन करके फ़ोन पर ऑर्डर और भुगतान करते हैं, और कोड दिखाकर लेते हैं।",
        "Покупатели сканируют код, заказывают и платят с телефона, забирают по коду.",
    ),
    "counter_instead": (
        "No machine, but people behind a counter?",
        "मशीन नहीं, काउंटर पर लोग हैं?",
        "Не автомат, а люди за стойкой?",
    ),
    "counter_another": ("Set up another counter", "एक और काउंटर बनाएँ", "Ещё одна стойка"),
    "counter_name": (
        "Its name, as customers know it",
        "नाम, जैसा ग्राहक जानते हैं",
        "Название, как его знают покупатели",
    ),
    "counter_paid_at": ("Where customers pay", "ग्राहक कहाँ भुगतान करें", "Где платят покупатели"),
    "counter_practice": (
        "Practise first: money of no worth",
        "पहले अभ्यास: बिना मोल का पैसा",
        "Сначала учебные деньги",
    ),
    "counter_paid_hint": (
        "Practice can be changed to a real gateway later.",
        "अभ्यास बाद में असली गेटवे में बदला जा सकता है।",
        "Учебный режим потом меняется на настоящий.",
    ),
    "counter_make": ("Go on to the menu", "आगे: मेनू", "Дальше: меню"),
    "hours_open": ("Open now", "अभी खुला", "Сейчас открыто"),
    "hours_closed": ("Closed now", "अभी बंद", "Сейчас закрыто"),
    "hours_opens": ("Opens {time}.", "{time} पर खुलेगा।", "Откроется: {time}."),
    "hours_zone": ("times of {zone}", "{zone} का समय", "время: {zone}"),
    "hours_week": ("Each week", "हर हफ़्ते", "Каждую неделю"),
    "hours_week_hint": (
        "Several with commas: 08:00-11:00, 12:00-18:00. Past midnight: 18:00-02:00. All empty:"
        " always open.",
        "कई हों तो अल्पविराम: 08:00-11:00, 12:00-18:00। आधी रात के बाद: 18:00-02:00। सब ख़ाली:"
        " हमेशा खुला।",
        "Несколько через запятую: 08:00-11:00, 12:00-18:00. За полночь: 18:00-02:00. Всё пусто:"
        " открыто всегда.",
    ),
    "hours_day_0": ("Monday", "सोमवार", "Понедельник"),
    "hours_day_1": ("Tuesday", "मंगलवार", "Вторник"),
    "hours_day_2": ("Wednesday", "बुधवार", "Среда"),
    "hours_day_3": ("Thursday", "गुरुवार", "Четверг"),
    "hours_day_4": ("Friday", "शुक्रवार", "Пятница"),
    "hours_day_5": ("Saturday", "शनिवार", "Суббота"),
    "hours_day_6": ("Sunday", "रविवार", "Воскресенье"),
    "hours_several": ("Several days at once", "कई दिन एक साथ", "Сразу несколько дней"),
    "hours_several_example": (
        "Mon-Fri 8-18; Sat 9-14",
        "Mon-Fri 8-18; Sat 9-14",
        "Пн-Пт 8-18; Сб 9-14",
    ),
    "hours_special": ("Special days", "विशेष दिन", "Особые дни"),
    "hours_special_hint": (
        "One on a line: its date, and its hours; without hours it is closed. Such as 2026-12-24"
        " 09:00-13:00, 24.12.2026, or for up to 60 days 2026-12-24 - 2027-01-02.",
        "हर पंक्ति में एक: तारीख़ और समय; बिना समय के बंद। जैसे 2026-12-24 09:00-13:00, 24.12.2026, या 60"
        " दिन तक के लिए 2026-12-24 - 2027-01-02।",
        "По одному в строке: дата и часы; без часов закрыто. Например 2026-12-24 09:00-13:00,"
        " 24.12.2026, или до 60 дней: 2026-12-24 - 2027-01-02.",
    ),
    "hours_lead": ("Minutes to make an order", "ऑर्डर बनाने के मिनट", "Минут на заказ"),
    "hours_lead_hint": (
        "The last order is taken so long before closing.",
        "बंद होने से इतना पहले आख़िरी ऑर्डर लिया जाता है।",
        "За столько до закрытия принимается последний заказ.",
    ),
    "hours_later": ("Orders for later", "बाद के ऑर्डर", "Заказы на потом"),
    "hours_ahead": ("Days ahead", "कितने दिन पहले", "На сколько дней вперёд"),
    "hours_ahead_hint": (
        "0 is today alone, empty takes none. Minutes of work: what the kitchen does in one slot;"
        " empty is without a limit.",
        "0 यानी केवल आज, ख़ाली यानी नहीं। काम के मिनट: रसोई एक समय में कितना कर सकती है; ख़ाली बिना सीमा।",
        "0 — только сегодня, пусто — не принимать. Минуты работы: сколько кухня успевает за один"
        " интервал; пусто — без предела.",
    ),
    "hours_slot": ("A slot, minutes", "समय का टुकड़ा, मिनट", "Интервал, минут"),
    "hours_work": ("Minutes of work in it", "इसमें काम के मिनट", "Минут работы в нём"),
    "done_hours": ("The hours are saved.", "समय सहेजा गया।", "Часы сохранены."),
    "codes_tables": ("Tables", "मेज़ें", "Столы"),
    "codes_tables_hint": (
        "Such as 1-12, Terrace 3. Empty: one code for the counter.",
        "जैसे 1-12, Terrace 3। ख़ाली: काउंटर का एक कोड।",
        "Например 1-12, Терраса 3. Пусто: один код для стойки.",
    ),
    "codes_size": ("Size", "आकार", "Размер"),
    "codes_draw": ("Show the sheet", "शीट दिखाएँ", "Показать лист"),
    "codes_take": ("Take the file (PDF)", "फ़ाइल लें (PDF)", "Скачать файл (PDF)"),
    "codes_shown": ("The first page of the sheet", "शीट का पहला पन्ना", "Первая страница листа"),
    "problem_menu_line": (
        "The price of this line cannot be read: {line}. Write it at the end, without a space in it,"
        " such as: Latte 3.50",
        "इस पंक्ति का दाम नहीं पढ़ा जा सका: {line}. दाम अंत में, बिना ख़ाली जगह के लिखें, जैसे: Latte 3.50",
        "В этой строке не читается цена: {line}. Напишите её в конце, без пробела внутри, например:"
        " Латте 250",
    ),
    "problem_menu_section": (
        "This line has no price, and no item follows it in its section: {line}",
        "इस पंक्ति में दाम नहीं है, और इसके भाग में कोई चीज़ नहीं है: {line}",
        "В этой строке нет цены, и в её разделе нет позиций: {line}",
    ),
    "problem_menu_many": (
        "At most {line} items at once.",
        "एक बार में ज़्यादा से ज़्यादा {line} चीज़ें।",
        "Не больше {line} позиций за раз.",
    ),
    "problem_menu_no_line": (
        "No line has a price at its end.",
        "किसी पंक्ति के अंत में दाम नहीं है।",
        "Ни в одной строке нет цены в конце.",
    ),
    "problem_menu_table": (
        "The table cannot be read: {why}",
        "तालिका नहीं पढ़ी जा सकी: {why}",
        "Таблица не читается: {why}",
    ),
    "problem_menu_currency": (
        "That counter has prices in another currency.",
        "उस काउंटर के दाम दूसरी मुद्रा में हैं।",
        "У той стойки цены в другой валюте.",
    ),
    "problem_menu_tips": (
        "Write at most five whole numbers up to 100.",
        "100 तक के अधिकतम पाँच पूरे अंक।",
        "До пяти целых чисел не больше 100.",
    ),
    "problem_menu_name": ("It needs a name.", "नाम चाहिए।", "Нужно название."),
    "problem_menu_price": ("{about} is no price.", "{about} दाम नहीं है।", "{about} — не цена."),
    "problem_menu_tax": (
        "{about}: write the tax in per cent, such as 19.",
        "{about}: टैक्स प्रतिशत में, जैसे 19।",
        "{about}: налог в процентах, например 19.",
    ),
    "problem_menu_stock": (
        "{about}: what is left is a whole number, or empty.",
        "{about}: बचा हुआ पूरा अंक, या ख़ाली।",
        "{about}: остаток — целое число или пусто.",
    ),
    "problem_menu_minutes": (
        "The minutes of work are a whole number up to 240.",
        "काम के मिनट 240 तक।",
        "Минуты работы — целое число до 240.",
    ),
    "problem_menu_hours": (
        "Write both times, such as 08:00 and 11:00.",
        "दोनों समय लिखें, जैसे 08:00 और 11:00।",
        "Укажите оба времени, например 08:00 и 11:00.",
    ),
    "problem_menu_option": (
        "{about}: an option needs a name and choices, and nobody can choose more than there are.",
        "{about}: नाम और चुनाव चाहिए, और जितने हैं उससे ज़्यादा नहीं चुने जा सकते।",
        "{about}: нужны название и варианты, и выбрать больше, чем есть, нельзя.",
    ),
    "problem_menu_choice_allergens": (
        "{about}: write its allergens with commas between them, without brackets, / or ;.",
        "{about}: एलर्जी वाली चीज़ें कॉमा से अलग लिखें, कोष्ठक, / या ; के बिना।",
        "{about}: пишите аллергены через запятую, без скобок, / и ;.",
    ),
    "problem_menu_choice": (
        "{about}: its price cannot be read.",
        "{about}: दाम नहीं पढ़ा जा सका।",
        "{about}: цена не читается.",
    ),
    "problem_counter_name": (
        "It needs a name and a currency.",
        "नाम और मुद्रा चाहिए।",
        "Нужны название и валюта.",
    ),
    "problem_counter_account": (
        "Nobody can pay there in this currency. Choose another place to pay.",
        "वहाँ इस मुद्रा में भुगतान नहीं हो सकता। दूसरा चुनें।",
        "Там нельзя платить в этой валюте. Выберите другое место.",
    ),
    "problem_counter_hours": (
        "This cannot be read: {about}. Hours are written like 08:00-18:00, days like 2026-12-24 or"
        " 2026-12-24 - 2027-01-02 (60 days at most).",
        "यह नहीं पढ़ा जा सका: {about}। समय 08:00-18:00 जैसे लिखें, दिन 2026-12-24 या"
        " 2026-12-24 - 2027-01-02 जैसे (ज़्यादा से ज़्यादा 60 दिन)।",
        "Не читается: {about}. Часы пишут так: 08:00-18:00, дни так: 2026-12-24 или"
        " 2026-12-24 - 2027-01-02 (не больше 60 дней).",
    ),
    "problem_counter_tables": (
        "This cannot be read: {about}",
        "यह नहीं पढ़ा जा सका: {about}",
        "Не читается: {about}",
    ),
}
