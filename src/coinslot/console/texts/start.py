"""Texts of the first steps, from naming a business to its first sale: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "business_title": ("Your business", "आपका व्यवसाय", "Ваш бизнес"),
    "business_lead": (
        "Customers see this name on your pages and beside every code.",
        "ग्राहक यह नाम आपके पेजों पर और हर कोड के पास देखते हैं।",
        "Это имя покупатели видят на ваших страницах и рядом с каждым кодом.",
    ),
    "business_name": ("Name", "नाम", "Название"),
    "business_contact": ("Where customers ask for help", "ग्राहक मदद कहाँ माँगें",
                         "Куда обращаться покупателям"),
    "business_contact_hint": (
        "A phone number or an address. It stands on every page and sheet.",
        "फ़ोन नंबर या पता। यह हर पेज और छपे पन्ने पर रहता है।",
        "Телефон или адрес. Он стоит на каждой странице и листовке.",
    ),
    "business_zone": ("Time zone", "समय क्षेत्र", "Часовой пояс"),
    "business_currency": ("Currency", "मुद्रा", "Валюта"),
    "business_button": ("Go on", "आगे बढ़ें", "Продолжить"),
    "problem_zone": (
        "There is no such time zone: write it like Asia/Kolkata.",
        "ऐसा समय क्षेत्र नहीं है: Asia/Kolkata की तरह लिखें।",
        "Такого часового пояса нет: напишите, например, Europe/Moscow.",
    ),
    "problem_business": ("Give it a name, and choose a currency.", "नाम दें और मुद्रा चुनें।",
                         "Введите название и выберите валюту."),
    "switch_title": ("Work for", "किसके लिए काम करें", "Работать для"),
    "switch_new": ("Open another business", "एक और व्यवसाय खोलें", "Открыть ещё один бизнес"),
    "start_title": ("To the first sale", "पहली बिक्री तक", "До первой продажи"),
    "start_checklist": ("First steps", "पहले क़दम", "Первые шаги"),
    "start_done": ("Done: {done} of {all}.", "{all} में से {done} हो गए।",
                   "Готово {done} из {all}."),
    "start_next": ("Next:", "अगला:", "Дальше:"),
    "start_go_on": ("Go on", "आगे बढ़ें", "Продолжить"),
    "start_away": ("Show this no more", "इसे अब न दिखाएँ", "Больше не показывать"),
    "sheets_title": ("Sheets for your machines", "मशीनों के लिए पर्चे", "Листы для автоматов"),
    "sheets_lead": (
        "A printed sheet names the machine, its page, how to pay, and where to write when nothing"
        " came out. Choose the languages, then print.",
        "छपा पर्चा मशीन, उसका पेज, भुगतान का तरीक़ा और कुछ न निकले तो कहाँ लिखें, यह बताता है। भाषाएँ"
        " चुनें, फिर छापें।",
        "На листе указаны автомат, его страница, как платить и куда писать, если ничего не выдано."
        " Выберите языки и печатайте.",
    ),
    "sheets_button": ("Save and go to the sheets", "सहेजें और पर्चों पर जाएँ",
                      "Сохранить и перейти к листам"),
    "start_all_done": ("Everything is done", "सब हो गया", "Всё готово"),
    "step_is_done": ("done", "हो गया", "готово"),
    "step_business": ("Name the business", "व्यवसाय का नाम", "Назвать бизнес"),
    "step_practice": ("Practise without money", "बिना पैसे अभ्यास", "Потренироваться без денег"),
    "step_machine": ("Name a practice machine", "अभ्यास मशीन का नाम", "Назвать учебный автомат"),
    "step_products": ("Fill it", "उसे भरें", "Заполнить его"),
    "step_sell": ("Buy the first can", "पहली कैन ख़रीदें", "Купить первую банку"),
    "step_books": ("See what the books say", "बही देखें", "Посмотреть, что в книгах"),
    "step_gateway": ("For real: a gateway", "असल में: गेटवे", "Всерьёз: платёжный шлюз"),
    "step_real": ("For real: a machine", "असल में: मशीन", "Всерьёз: автомат"),
    "practice_lead": (
        "You sell the first can on a drawn machine, for money that is not real. Nobody is charged,"
        " everything else is as it will be: the code, the customer's page, the books.",
        "पहली कैन एक चित्रित मशीन पर बिकेगी, नक़ली पैसे से। किसी का पैसा नहीं कटता, बाक़ी सब असली जैसा है:"
        " कोड, ग्राहक का पेज, बही।",
        "Первую банку вы продадите на нарисованном автомате за ненастоящие деньги. Ни с кого ничего"
        " не спишут, всё остальное настоящее: код, страница покупателя, книги.",
    ),
    "practice_button": ("Practise", "अभ्यास करें", "Начать"),
    "machine_lead": (
        "It is drawn, and lives on this server. It takes practice money only.",
        "यह चित्रित है और इसी सर्वर पर रहती है। यह केवल अभ्यास का पैसा लेती है।",
        "Он нарисован и живёт на этом сервере. Берёт только учебные деньги.",
    ),
    "machine_code": ("Code", "कोड", "Код"),
    "machine_code_hint": (
        "Short, and written on the machine: letters, digits, dashes.",
        "छोटा, मशीन पर लिखा हुआ: अक्षर, अंक, डैश।",
        "Короткий, пишется на автомате: латинские буквы, цифры, дефис.",
    ),
    "machine_name": ("Name", "नाम", "Название"),
    "machine_place": ("Place", "जगह", "Место"),
    "products_in_lead": (
        "What is in {machine}, and for how much? An amount is typed as you write it: 40 or 40.00.",
        "{machine} में क्या है और कितने का? रक़म जैसे लिखते हैं वैसे: 40 या 40.00।",
        "Что в автомате {machine} и почём? Сумму пишите как обычно: 40 или 40.00.",
    ),
    "products_filled": (
        "{machine} is filled. Its prices and what is in it are changed on its own page.",
        "{machine} भरी है। क़ीमतें और सामान उसके अपने पेज पर बदलते हैं।",
        "Автомат {machine} заполнен. Цены и товары меняют на его странице.",
    ),
    "products_filled_button": ("Open the machine", "मशीन खोलें", "Открыть автомат"),
    "products_in_hint": ("Lines without a product are left out.", "ख़ाली पंक्तियाँ छोड़ दी जाती हैं।",
                         "Строки без товара пропускаются."),
    "products_in_more": ("More slots", "और खाने", "Ещё ячейки"),
    "products_in_button": ("Switch it on", "चालू करें", "Включить"),
    "line_slot": ("Slot", "खाना", "Ячейка"),
    "line_product": ("Product", "सामान", "Товар"),
    "line_count": ("Count", "गिनती", "Кол-во"),
    "problem_code": (
        "A code has letters, digits and dashes only, and the machine needs a name.",
        "कोड में केवल अक्षर, अंक और डैश हों, और मशीन का नाम हो।",
        "Код: только латинские буквы, цифры и дефис; и нужно название.",
    ),
    "problem_code_taken": (
        "Another machine has this code: choose another one.", "यह कोड किसी और मशीन का है: दूसरा चुनें।",
        "Этот код уже занят: выберите другой.",
    ),
    "problem_no_line": ("Name one product with its price.", "एक सामान और उसकी क़ीमत लिखें।",
                        "Введите хотя бы один товар с ценой."),
    "problem_slot": (
        "Line {line}: a slot has a short name of its own, such as A1.",
        "पंक्ति {line}: हर खाने का अपना छोटा नाम हो, जैसे A1।",
        "Строка {line}: у ячейки своё короткое имя, например A1.",
    ),
    "problem_product_name": ("Line {line}: name the product.", "पंक्ति {line}: सामान का नाम लिखें।",
                             "Строка {line}: назовите товар."),
    "problem_count": ("Line {line}: type how many are in it.", "पंक्ति {line}: कितने हैं लिखें।",
                      "Строка {line}: введите количество."),
    "problem_price": ("Line {line}: type a price such as 40 or 40.00.",
                      "पंक्ति {line}: क़ीमत लिखें, जैसे 40 या 40.00।",
                      "Строка {line}: введите цену, например 40 или 40.00."),
    "watch_none": ("Waiting for you to buy", "आपकी ख़रीद का इंतज़ार", "Ждём вашей покупки"),
    "watch_placed": ("Ordered: pay on the phone", "ऑर्डर हुआ: फ़ोन पर भुगतान करें",
                     "Заказано: оплатите на телефоне"),
    "watch_paid": ("Paid. The machine is told.", "भुगतान हुआ। मशीन को बताया गया।",
                   "Оплачено. Автомат получил команду."),
    "watch_completed": ("It dropped.", "कैन गिर गई।", "Банка выпала."),
    "watch_failed": ("It did not drop: the money goes back.", "नहीं गिरी: पैसा लौट रहा है।",
                     "Не выпала: деньги возвращаются."),
    "watch_expired": ("That order was not paid. Buy again.", "वह ऑर्डर नहीं चुकाया गया। फिर ख़रीदें।",
                      "Тот заказ не оплачен. Купите снова."),
    "books_button": ("See its record", "इसका रिकॉर्ड देखें", "Посмотреть запись"),
    "scan_title": ("Scan it with your phone", "फ़ोन से स्कैन करें", "Отсканируйте телефоном"),
    "scan_lead": ("This is what customers scan. Buy one.", "ग्राहक यही स्कैन करते हैं। एक ख़रीदें।",
                  "Этот код сканируют покупатели. Купите одну."),
    "scan_words": ("A QR code for {address}", "{address} का क्यूआर कोड", "QR-код для {address}"),
    "scan_here_title": ("Be your own customer", "ख़ुद ग्राहक बनें", "Станьте покупателем"),
    "scan_here_lead": (
        "Customers scan a code and see this page on their phones. Order there, and pay.",
        "ग्राहक कोड स्कैन करके फ़ोन पर यही पेज देखते हैं। वहाँ ऑर्डर करें और चुकाएँ।",
        "Покупатели сканируют код и видят эту страницу в телефоне. Закажите там и оплатите.",
    ),
    "scan_here_button": ("Open the customer's page", "ग्राहक का पेज खोलें",
                         "Открыть страницу покупателя"),
    "scan_open": ("Or open the customer's page here", "या ग्राहक का पेज यहाँ खोलें",
                  "Или откройте страницу покупателя здесь"),
    "scan_only_here": (
        "There is no code to scan yet: this server is reached from this computer alone. Started"
        " with --host 0.0.0.0 and COINSLOT_PUBLIC_URL it is reached by phones, too.",
        "अभी स्कैन करने को कोड नहीं है: यह सर्वर केवल इसी कंप्यूटर से खुलता है। --host 0.0.0.0 और"
        " COINSLOT_PUBLIC_URL के साथ चलाने पर फ़ोन से भी खुलेगा।",
        "Кода пока нет: сервер открывается только с этого компьютера. Запущенный с --host 0.0.0.0"
        " и COINSLOT_PUBLIC_URL, он откроется и с телефона.",
    ),
    "break_title": ("Break it", "इसे बिगाड़ें", "Сломайте его"),
    "break_lead": (
        "Then buy again, and watch the money come back.", "फिर ख़रीदें, और पैसा लौटता देखें।",
        "Потом купите снова и посмотрите, как деньги вернутся.",
    ),
    "break_no": ("It works", "ठीक है", "Исправен"),
    "break_jam": ("Jam", "अटक", "Застревание"),
    "break_silent": ("Silence", "चुप्पी", "Молчание"),
    "break_power": ("Power cut", "बिजली गुल", "Обрыв питания"),
    "break_lie": ("A lie", "झूठ", "Ложь"),
    "broken_jam": (
        "The motor turns and nothing falls. Its sensor sees that: the money goes back at once.",
        "मोटर घूमती है, कुछ नहीं गिरता। सेंसर देखता है: पैसा तुरंत लौटता है।",
        "Мотор крутится, ничего не падает. Датчик это видит: деньги возвращаются сразу.",
    ),
    "broken_silent": (
        "It says nothing more once something is paid for. It was never told to drop: the money goes"
        " back after 20 seconds.",
        "भुगतान के बाद यह चुप हो जाती है। गिराने को कभी कहा नहीं गया: 20 सेकंड में पैसा लौटता है।",
        "После оплаты он замолкает. Команды выдать не было: через 20 секунд деньги вернутся.",
    ),
    "broken_power": (
        "The power fails while the motor turns. Nobody can know whether it fell: after half a"
        " minute the money goes back, flagged.",
        "मोटर घूमते समय बिजली जाती है। कोई नहीं जान सकता कि गिरी या नहीं: आधे मिनट में पैसा लौटता है,"
        " निशान के साथ।",
        "Питание пропадает, пока мотор крутится. Никто не знает, выпало ли: через полминуты деньги"
        " вернутся с пометкой.",
    ),
    "broken_lie": (
        "Nothing falls, and it says that it did. Its sensor contradicts it: the money goes back,"
        " flagged.",
        "कुछ नहीं गिरता, फिर भी कहती है कि गिरा। सेंसर झुठलाता है: पैसा लौटता है, निशान के साथ।",
        "Ничего не падает, а он говорит, что выпало. Датчик спорит с ним: деньги вернутся с"
        " пометкой.",
    ),
    "drawn_words": (
        "Drawn machine {code}: {says}. {drops} dropped.",
        "चित्रित मशीन {code}: {says}। {drops} गिरीं।",
        "Нарисованный автомат {code}: {says}. Выпало: {drops}.",
    ),
    "drawn_title": ("Practice machine", "अभ्यास मशीन", "Учебный автомат"),
    "drawn_off": ("STARTING", "शुरू", "СТАРТ"),
    "drawn_idle": ("READY", "तैयार", "ГОТОВ"),
    "drawn_accepted": ("PAID", "भुगतान", "ОПЛАТА"),
    "drawn_running": ("VENDING", "दे रही है", "ВЫДАЧА"),
    "drawn_dark": ("DARK", "बंद", "НЕТ ТОКА"),
    "gateway_lead": (
        "Where your customers' money goes. Practice stays: real money never buys on a drawn"
        " machine.",
        "ग्राहकों का पैसा कहाँ जाए। अभ्यास बना रहता है: असली पैसा चित्रित मशीन पर कुछ नहीं ख़रीदता।",
        "Куда идут деньги покупателей. Тренировка остаётся: за настоящие деньги нарисованный"
        " автомат ничего не продаёт.",
    ),
    "gateway_button": ("Connect a gateway", "गेटवे जोड़ें", "Подключить шлюз"),
    "real_lead": (
        "Set it up with its products, then put its secret into the device. This step is done when"
        " the machine is heard.",
        "सामान के साथ मशीन लगाएँ, फिर उसका राज़ डिवाइस में डालें। मशीन की आवाज़ आने पर यह क़दम पूरा है।",
        "Добавьте его с товарами, затем внесите секрет в устройство. Шаг готов, когда автомат"
        " вышел на связь.",
    ),
    "real_button": ("Set up a machine", "मशीन लगाएँ", "Добавить автомат"),
}  # fmt: skip
