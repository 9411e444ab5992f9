"""Texts of a machine's health and of its own counts: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "mh_title": ("Health", "हालत", "Состояние"),
    "mh_sells": ("It may sell", "बेच सकती है", "Может продавать"),
    "mh_sells_nothing": ("It sells nothing", "कुछ नहीं बेच रही", "Ничего не продаёт"),
    "stop_food_lock": (
        "Too warm for too long. Somebody has to look at what is in it.",
        "बहुत देर तक ज़्यादा गर्म रही। किसी को अंदर का सामान देखना होगा।",
        "Слишком долго было тепло. Кто-то должен осмотреть товар.",
    ),
    "stop_no_temperature": (
        "It tells no temperature, so nobody knows how warm it is. It sells again when it tells"
        " one.",
        "तापमान नहीं बता रही, इसलिए गर्मी का पता नहीं। बताते ही फिर बेचेगी।",
        "Не сообщает температуру, и никто не знает, насколько внутри тепло. Сообщит — продолжит"
        " продавать.",
    ),
    "stop_no_answer": (
        "It is heard and does not answer. It is tried again in a moment.",
        "संपर्क है पर जवाब नहीं देती। थोड़ी देर में फिर कोशिश होगी।",
        "На связи, но не отвечает. Скоро попробуем ещё раз.",
    ),
    "stop_maintenance": ("Somebody works at it.", "इस पर काम चल रहा है।", "С ним работают."),
    "stop_update": ("Its firmware is updated.", "फ़र्मवेयर बदल रहा है।", "Обновляется прошивка."),
    "stop_before_update": (
        "It waits for a moment to update its firmware: what is paid is handed over, and nothing new"
        " is sold until {until} at the latest.",
        "फ़र्मवेयर बदलने के लिए रुकी है: चुकाया हुआ सामान मिलेगा, नया {until} तक नहीं बिकेगा।",
        "Ждёт момента для обновления прошивки: оплаченное выдаётся, новое не продаётся самое"
        " позднее до {until}.",
    ),
    "mh_since": ("since {at}", "{at} से", "с {at}"),
    "mh_unlock": ("I looked: end the lock", "मैंने देखा: लॉक हटाएँ", "Осмотрено: снять блокировку"),
    "mh_unlock_note": ("What you saw and did", "क्या देखा और क्या किया", "Что увидели и сделали"),
    "mh_unlock_hint": (
        "Your words stay in the log. If it is still warm half an hour later, it locks again.",
        "आपके शब्द लॉग में रहेंगे। आधे घंटे बाद भी गर्म हो तो फिर लॉक होगी।",
        "Ваши слова останутся в журнале. Если через полчаса всё ещё тепло, снова закроется.",
    ),
    "mh_begin": ("Begin maintenance", "रखरखाव शुरू करें", "Начать обслуживание"),
    "mh_end": ("It is done: sell again", "काम पूरा: फिर बेचें", "Готово: снова продавать"),
    "mh_begin_note": ("What for", "किस लिए", "Для чего"),
    "mh_maintenance": ("Maintenance", "रखरखाव", "Обслуживание"),
    "mh_maintenance_hint": (
        "Until it ends, its page sells nothing and nothing is sent to it.",
        "पूरा होने तक इसका पेज कुछ नहीं बेचता और इसे कुछ नहीं भेजा जाता।",
        "Пока не закончите, страница ничего не продаёт, и автомату ничего не посылается.",
    ),
    "mh_never": (
        "This machine has not said how it is yet.", "इस मशीन ने अभी अपनी हालत नहीं बताई।",
        "Этот автомат ещё не сообщал о своём состоянии.",
    ),
    "mh_last": ("It last said so {at}", "आख़िरी बार बताया: {at}", "Последнее сообщение: {at}"),
    "mh_temperature": ("Temperature", "तापमान", "Температура"),
    "mh_limit": ("limit {limit} °C", "सीमा {limit} °C", "предел {limit} °C"),
    "mh_door": ("Door", "दरवाज़ा", "Дверь"),
    "mh_open": ("open", "खुला", "открыта"), "mh_closed": ("closed", "बंद", "закрыта"),
    "mh_restarts": ("Restarts in an hour", "एक घंटे में कितनी बार चालू", "Перезапусков за час"),
    "mh_journal": ("Journal in use", "जर्नल भरा", "Журнал заполнен"),
    "mh_up": ("Running for", "कितनी देर से चालू", "Работает"),
    "mh_hours": ("{hours} h", "{hours} घंटे", "{hours} ч"),
    "mh_wifi": ("Wi-Fi signal", "वाई-फ़ाई सिग्नल", "Сигнал Wi-Fi"),
    "mh_memory": ("Free memory", "ख़ाली मेमोरी", "Свободная память"),
    "mh_sales": ("Sold", "बिका", "Продано"),
    "mh_uptime": ("Heard", "संपर्क में", "На связи"),
    "mh_day": ("Day", "दिन", "День"), "mh_month": ("Month", "महीना", "Месяц"),
    "mh_year": ("Year", "साल", "Год"),
    "mh_counter": ("Its counter and ours", "मशीन की और हमारी गिनती", "Счётчик автомата и наш"),
    "mh_counter_since": ("Since", "कब से", "С какого времени"),
    "mh_counter_machine": ("Counted by the machine", "मशीन ने गिना", "Насчитал автомат"),
    "mh_counter_ours": ("By our record", "हमारे रिकॉर्ड से", "По нашим записям"),
    "mh_counter_agrees": ("they agree", "दोनों मिलती हैं", "сходятся"),
    "mh_counter_busy": (
        "compared when it is at rest", "मशीन के ख़ाली होने पर मिलाई जाएगी",
        "сверим, когда простаивает",
    ),
    "mh_counter_hint": (
        "Items that the machine counted, and items that left it by our record, since both last"
        " agreed. Unsure: nobody knows whether they fell. No money moves by this.",
        "जब दोनों पिछली बार मिलीं, उसके बाद मशीन ने जितना गिना और हमारे रिकॉर्ड से जितना निकला। पता नहीं:"
        " गिरा या नहीं, कोई नहीं जानता। इससे कोई पैसा नहीं जाता।",
        "Сколько товаров насчитал автомат и сколько вышло по нашим записям с тех пор, как счётчики"
        " сходились. Неясно: никто не знает, выпали ли они. Деньги от этого не двигаются.",
    ),
    "mh_nothing_yet": (
        "Nothing in this time.", "इस समय में कुछ नहीं।", "За это время ничего нет.",
    ),
    "mh_log": ("Log", "लॉग", "Журнал работы"),
    "mh_find": ("Find", "खोजें", "Найти"), "mh_find_text": ("Text", "शब्द", "Текст"),
    "mh_at_least": ("At least", "कम से कम", "Не ниже"),
    "level_debug": ("everything", "सब कुछ", "всё"), "level_info": ("info", "जानकारी", "сведения"),
    "level_warning": ("warning", "चेतावनी", "предупреждение"),
    "level_error": ("error", "त्रुटि", "ошибка"),
    "mh_no_lines": ("No lines.", "कोई पंक्ति नहीं।", "Строк нет."),
    "mh_older": ("Older", "और पुराने", "Более старые"),
    "mh_left_out": (
        "Lines of the last week over the day's limit, which are not kept: {count}.",
        "पिछले हफ़्ते की {count} पंक्तियाँ रोज़ की सीमा से ज़्यादा थीं और नहीं रखी गईं।",
        "Строк сверх дневного предела за неделю: {count}. Они не сохранены.",
    ),
    "mh_problem_note": ("Say what you saw.", "बताएँ कि क्या देखा।", "Скажите, что вы увидели."),
    "mh_problem_not_locked": (
        "It is not locked any more.", "अब लॉक नहीं है।", "Блокировки уже нет.",
    ),
    "done_food_unlocked": ("It may sell again.", "फिर बेच सकती है।", "Снова может продавать."),
    "done_maintenance": (
        "It sells nothing until you say that it is done.",
        "जब तक आप पूरा न बताएँ, कुछ नहीं बेचेगी।",
        "Ничего не продаёт, пока вы не скажете, что готово.",
    ),
    "done_maintained": ("It sells again.", "फिर बेच रही है।", "Снова продаёт."),
    "mc_title": ("Its own counts", "मशीन की अपनी गिनती", "Собственные счётчики"),
    "mc_lead": (
        "Bring the file that the machine gives (EVA-DTS, also called DEX). What it counted since"
        " its file before is compared with what we sold, slot by slot.",
        "मशीन की फ़ाइल (EVA-DTS या DEX) लाएँ। पिछली फ़ाइल के बाद की गिनती हमारी बिक्री से"
        " खाना-दर-खाना मिलाई जाएगी।",
        "Загрузите файл автомата (EVA-DTS, или DEX). Что он насчитал с прошлого файла, сравнивается"
        " с нашими продажами по ячейкам.",
    ),
    "mc_file": ("File", "फ़ाइल", "Файл"), "mc_bring": ("Compare", "मिलाएँ", "Сравнить"),
    "mh_problem_file": (
        "This file cannot be read:", "यह फ़ाइल नहीं पढ़ी जा सकी:", "Этот файл нельзя прочитать:",
    ),
    "mc_first": (
        "The first file: the next one is compared with it.",
        "पहली फ़ाइल: अगली इससे मिलाई जाएगी।", "Первый файл: с ним сравнится следующий.",
    ),
    "mc_agrees": ("All slots agree", "सब खाने मिलते हैं", "Все ячейки сходятся"),
    "mc_differ": ("Slots that differ: {count}", "{count} खाने अलग हैं", "Расходятся ячейки: {count}"),
    "mc_slot": ("Slot", "खाना", "Ячейка"), "mc_machine": ("Machine", "मशीन", "Автомат"),
    "mc_ours": ("We", "हम", "Мы"), "mc_unsure": ("Unsure", "पता नहीं", "Неясно"),
    "mc_unknown": ("counts none", "गिनती नहीं", "не считает"),
    "mc_price": ("other prices", "दाम अलग", "другие цены"),
    "mc_count_differs": ("differs", "अलग", "расходится"),
}  # fmt: skip
