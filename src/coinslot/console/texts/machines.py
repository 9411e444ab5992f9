"""Texts of Machines and Machine: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "machines_none": (
        "No machines yet: `coinslot machines onboard` sets one up.",
        "अभी कोई मशीन नहीं: `coinslot machines onboard` से लगाएँ।",
        "Автоматов пока нет: `coinslot machines onboard` добавит первый.",
    ),
    "machines_all": ("Also those out of service", "सेवा से बाहर वाली भी", "И выведенные из работы"),
    "machine_online": ("online", "ऑनलाइन", "на связи"),
    "machine_offline": ("silent", "चुप", "молчит"),
    "machine_never_heard": ("never heard", "कभी नहीं सुनी", "ещё не выходил на связь"),
    "machine_out_of_service": ("out of service", "सेवा से बाहर", "выведен"),
    "machine_heard": ("Last heard", "आख़िरी संपर्क", "Последняя связь"),
    "machine_stock": ("stock", "स्टॉक", "запас"),
    "machine_speaks": ("Connection", "कनेक्शन", "Связь"),
    "dialect_leased": ("leased protocol", "लीज़ प्रोटोकॉल", "протокол с арендой"),
    "dialect_simple": ("simple dialect", "सरल बोली", "простой диалект"),
    "machine_sensor": ("Drop sensor", "ड्रॉप सेंसर", "Датчик выдачи"),
    "machine_firmware": ("Firmware", "फ़र्मवेयर", "Прошивка"),
    "machine_slots": ("Slots", "खाने", "Ячейки"),
    "machine_faults": ("What went wrong", "क्या बिगड़ा", "Что пошло не так"),
    "machine_no_faults": ("Nothing on record.", "कुछ दर्ज नहीं।", "Ничего не записано."),
    "yes": ("yes", "हाँ", "да"), "no": ("no", "नहीं", "нет"),
    "order_outlet": ("Machine", "मशीन", "Автомат"),
    "slot_selling": ("selling", "बिक रहा है", "продаётся"),
    "slot_empty": ("empty", "ख़ाली", "пусто"),
    "slot_failed": ("out of sale: failed twice", "बिक्री से बाहर: दो बार विफल",
                    "снята: два сбоя подряд"),
    "slot_withheld": ("taken out of sale", "बिक्री से हटाया गया", "снята с продажи"),
    "slot_promised": ("{count} promised", "{count} का वादा", "обещано: {count}"),
    "slot_code": ("Printed code for {takes}", "{takes} का छपा कोड", "Напечатан код на {takes}"),
    "slot_code_differs": ("not the price", "क़ीमत से अलग", "не равен цене"),
    "slot_change": ("Change", "बदलें", "Изменить"),
    "slot_price": ("Price", "क़ीमत", "Цена"),
    "slot_set_price": ("Set the price", "क़ीमत तय करें", "Задать цену"),
    "slot_stock": ("Now in it", "अब इसमें", "Сейчас внутри"),
    "slot_refill": ("It was filled", "भर दिया", "Заполнено"),
    "slot_off": ("Take out of sale", "बिक्री से हटाएँ", "Снять с продажи"),
    "slot_on": ("Put back on sale", "फिर बिक्री में लाएँ", "Вернуть в продажу"),
    "codes_title": ("A code is printed for this slot", "इस खाने का कोड छपा है",
                    "Для этой ячейки напечатан код"),
    "codes_lead": (
        "The printed code of slot {slot} takes {takes}; the new price is {price}. Nothing has"
        " changed yet. Replaced: the code is retired, money paid through it goes back, and a new"
        " one has to be printed. Kept: whoever scans it pays {takes} and gets the goods.",
        "खाने {slot} का छपा कोड {takes} लेता है; नई क़ीमत {price} है। अभी कुछ नहीं बदला। बदलें: कोड बंद होगा,"
        " उससे आया पैसा लौटेगा, नया छापना होगा। रखें: स्कैन करने वाला {takes} देकर सामान पाएगा।",
        "Напечатанный код ячейки {slot} берёт {takes}, новая цена {price}. Пока ничего не изменено."
        " Заменить: код отключится, деньги по нему вернутся, нужно напечатать новый. Оставить:"
        " по нему платят {takes} и получают товар.",
    ),
    "codes_replace": ("Replace the code", "कोड बदलें", "Заменить код"),
    "codes_keep": ("Keep it as it is", "वैसे ही रखें", "Оставить как есть"),
    "codes_not": ("Leave the price", "क़ीमत रहने दें", "Не менять цену"),
    "done_slot_price": ("The price is set. Open orders keep the price that they showed.",
                        "क़ीमत तय हुई। खुले ऑर्डर अपनी क़ीमत रखते हैं।",
                        "Цена задана. Открытые заказы сохраняют свою цену."),
    "done_slot_sale": ("The slot is changed.", "खाना बदला गया।", "Ячейка изменена."),
    "done_slot_refill": ("The stock is noted.", "स्टॉक दर्ज हुआ।", "Запас записан."),
    "problem_stock": ("Type how many are in it, up to {most}.", "कितने हैं लिखें, {most} तक।",
                      "Введите количество, не больше {most}."),
    "problem_stale": (
        "Somebody changed this machine meanwhile. Look at it again: nothing was overwritten.",
        "इस बीच किसी ने मशीन बदली। फिर देखें: कुछ मिटाया नहीं गया।",
        "Кто-то тем временем изменил автомат. Посмотрите ещё раз: ничего не перезаписано.",
    ),
    "problem_out_of_service": ("This machine is out of service.", "यह मशीन सेवा से बाहर है।",
                               "Этот автомат выведен из работы."),
    "problem_config": ("This is not possible.", "यह संभव नहीं।", "Это невозможно."),
}  # fmt: skip
