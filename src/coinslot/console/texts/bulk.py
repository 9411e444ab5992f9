"""Texts of changing many machines at once: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "bulk_title": ("Prices and par levels", "क़ीमतें और पूरा स्तर", "Цены и запас"),
    "bulk_lead": (
        "Take the table, change it in a spreadsheet, and bring it back. You see what changes before"
        " anything does.",
        "तालिका लें, स्प्रेडशीट में बदलें और वापस लाएँ। कुछ भी बदलने से पहले आप देखेंगे कि क्या बदलेगा।",
        "Скачайте таблицу, измените её и загрузите обратно. Сначала вы увидите, что изменится.",
    ),
    "bulk_export": ("Download the table", "तालिका डाउनलोड करें", "Скачать таблицу"),
    "bulk_bring": ("Bring a table", "तालिका लाएँ", "Загрузить таблицу"),
    "bulk_hint": (
        "An empty cell changes nothing. The product is there for you to read; sku says which one it"
        " is. Columns:",
        "ख़ाली ख़ाना कुछ नहीं बदलता। product सिर्फ़ पढ़ने के लिए है; कौन-सा है, यह sku बताता है। कॉलम:",
        "Пустая ячейка ничего не меняет. product — только для чтения; товар задаёт sku. Столбцы:",
    ),
    "bulk_preview": ("What would change", "क्या बदलेगा", "Что изменится"),
    "bulk_changes": ("Machines that change: {count}. All of it happens, or nothing.",
                     "बदलने वाली मशीनें: {count}। सब होगा या कुछ नहीं।",
                     "Изменится автоматов: {count}. Выполнится всё или ничего."),
    "bulk_nothing": ("Nothing would change.", "कुछ नहीं बदलेगा।", "Ничего не изменится."),
    "bulk_apply": ("Change machines: {count}", "{count} मशीनें बदलें", "Изменить автоматы: {count}"),
    "bulk_edit": ("Change the table", "तालिका बदलें", "Изменить таблицу"),
    "bulk_machine": ("Machine", "मशीन", "Автомат"),
    "bulk_slot": ("Slot", "खाना", "Ячейка"),
    "bulk_what": ("What", "क्या", "Что"),
    "bulk_before": ("Before", "पहले", "Было"),
    "bulk_after": ("After", "बाद में", "Станет"),
    "bulk_what_sku": ("product", "उत्पाद", "товар"),
    "bulk_what_price": ("price", "क़ीमत", "цена"),
    "bulk_what_par": ("full at", "पूरा स्तर", "полная"),
    "bulk_what_stock": ("lies there, until somebody counts", "वहाँ पड़ा, गिनती होने तक",
                        "лежит там, пока не пересчитают"),
    "bulk_what_capacity": ("fits", "कितने आते हैं", "вмещает"),
    "bulk_what_food_lock": ("food lock", "खाने का लॉक", "замок по температуре"),
    "bulk_what_dispatch_s": ("seconds to begin", "शुरू करने के सेकंड", "секунд на начало выдачи"),
    "bulk_what_in_doubt_s": ("seconds to find out", "पता लगाने के सेकंड", "секунд на выяснение"),
    "bulk_what_offer_s": ("seconds to accept", "मानने के सेकंड", "секунд на подтверждение"),
    "bulk_what_run_s": ("seconds of a run", "चलने के सेकंड", "секунд на выдачу"),
    "done_bulk": ("The machines are changed. Each gets it when nothing is paid and open.",
                  "मशीनें बदली गईं। अधूरा भुगतान न रहने पर हर एक को मिलेगा।",
                  "Автоматы изменены. Каждый получит это, когда не останется незавершённых оплат."),
    "problem_bulk": ("Nothing was changed. {why}", "कुछ नहीं बदला। {why}",
                     "Ничего не изменено. {why}"),
}  # fmt: skip
