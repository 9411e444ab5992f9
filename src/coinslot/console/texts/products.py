"""Texts of Products and Health: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "products_vat": ("VAT on receipts", "रसीद पर VAT", "НДС в чеке"),
    "products_vat_account": ("as the gateway's account says", "जैसा गेटवे के खाते में है",
                             "как задано у аккаунта шлюза"),
    "problem_vat": ("Choose a rate of the list.", "सूची में से दर चुनें।",
                    "Выберите ставку из списка."),
    "tab_products": ("Products", "उत्पाद", "Товары"),
    "tab_health": ("Health", "स्थिति", "Состояние"),
    "products_lead": (
        "The price here is the one that a new slot gets. What a slot costs is set at its machine,"
        " what an item of a counter costs in its menu.",
        "यहाँ की क़ीमत नए खाने को मिलती है। खाने की क़ीमत उसकी मशीन पर तय होती है, और काउंटर की चीज़ की"
        " क़ीमत उसके मेनू में।",
        "Эту цену получает новая ячейка. Цена ячейки задаётся у её автомата, цена позиции стойки —"
        " в её меню.",
    ),
    "products_cost": ("costs you", "आपकी लागत", "себестоимость"),
    "products_name": ("Name", "नाम", "Название"),
    "products_add": ("Add a product", "उत्पाद जोड़ें", "Добавить товар"),
    "products_none": ("Nothing is sold yet.", "अभी कुछ नहीं बिकता।", "Пока ничего не продаётся."),
    "products_sku": ("Short name", "छोटा नाम", "Краткое имя"),
    "products_sku_hint": (
        "Yours alone, and it stays: letters, digits, dots and dashes, such as masala-cola.",
        "सिर्फ़ आपके लिए, बदलता नहीं: अक्षर, अंक, बिंदु और डैश (अंग्रेज़ी में), जैसे masala-cola।",
        "Только для вас, и не меняется: латинские буквы, цифры, точки и дефисы, например"
        " masala-cola.",
    ),
    "products_picture": ("Picture", "तस्वीर", "Картинка"),
    "products_own_cost": ("What it costs you", "आपकी लागत", "Себестоимость"),
    "products_currency": ("Currency", "मुद्रा", "Валюта"),
    "products_text": ("What it is, in a few words", "थोड़े शब्दों में, यह क्या है",
                      "Что это, в нескольких словах"),
    "products_category": ("Category", "श्रेणी", "Категория"),
    "products_category_hint": (
        "Such as Drinks. Where a machine sells goods of several categories, customers see them by"
        " category.",
        "जैसे पेय। जहाँ मशीन कई श्रेणियों का सामान बेचती है, वहाँ ग्राहक उसे श्रेणी के अनुसार देखते हैं।",
        "Например, «Напитки». Если в автомате товары нескольких категорий, покупатели видят их по"
        " категориям.",
    ),
    "products_languages": ("In other languages", "दूसरी भाषाओं में", "На других языках"),
    "products_name_in": ("Name in {language}", "{language} में नाम", "Название, {language}"),
    "products_text_in": (
        "In a few words, in {language}", "{language} में, थोड़े शब्दों में",
        "В нескольких словах, {language}",
    ),
    "products_back": ("Back to products", "उत्पादों पर वापस", "К товарам"),
    "products_retired": ("retired", "बंद", "снят"),
    "products_retire": ("Retire it", "बंद करें", "Снять"),
    "products_offer": ("Offer it again", "फिर से दें", "Вернуть"),
    "products_retire_lead": (
        "Retired, it is given to no new slot. Slots that have it go on selling it.",
        "बंद होने पर यह किसी नए खाने को नहीं मिलता। जिन खानों में है, वे बेचते रहते हैं।",
        "Снятый товар не получает ни одна новая ячейка. Ячейки, где он есть, продают его дальше.",
    ),
    "products_offered_lead": (
        "No new slot gets it at present.", "अभी किसी नए खाने को यह नहीं मिलता।",
        "Сейчас его не получает ни одна новая ячейка.",
    ),
    "done_product_added": ("The product is there. Give it to a slot at its machine.",
                           "उत्पाद जुड़ गया। मशीन पर उसे खाना दें।",
                           "Товар добавлен. Дайте ему ячейку у автомата."),
    "done_product_retired": ("It is retired.", "यह बंद है।", "Товар снят."),
    "done_product_offered": ("It is offered again.", "यह फिर से मिलता है।", "Товар снова есть."),
    "problem_sku": (
        "A short name has letters, digits, dots and dashes, such as masala-cola.",
        "छोटे नाम में अंग्रेज़ी अक्षर, अंक, बिंदु और डैश होते हैं, जैसे masala-cola।",
        "Краткое имя состоит из латинских букв, цифр, точек и дефисов, например masala-cola.",
    ),
    "problem_sku_taken": ("Another product has this short name.", "यह छोटा नाम किसी और उत्पाद का है।",
                          "Это краткое имя уже у другого товара."),
    "picture_none": ("Show no picture", "तस्वीर न दिखाएँ", "Без картинки"),
    "problem_picture_too_large": (
        "This picture is larger than {most} MB.", "यह तस्वीर {most} MB से बड़ी है।",
        "Эта картинка больше {most} МБ.",
    ),
    "problem_picture_too_many_pixels": (
        "This picture has too many pixels. Send a smaller one.",
        "इस तस्वीर में बहुत ज़्यादा पिक्सेल हैं। छोटी भेजें।",
        "В этой картинке слишком много пикселей. Пришлите поменьше.",
    ),
    "problem_picture_unreadable": (
        "This is no picture that can be used. JPEG, PNG and WebP can.",
        "यह ऐसी तस्वीर नहीं जो चल सके। JPEG, PNG और WebP चलती हैं।",
        "Эту картинку использовать нельзя. Подходят JPEG, PNG и WebP.",
    ),
    "problem_picture_away": (
        "The pictures are out of reach at present, and nothing was changed. Try again, or without"
        " a picture.",
        "तस्वीरों तक अभी पहुँच नहीं है, और कुछ नहीं बदला। फिर कोशिश करें, या बिना तस्वीर के।",
        "Хранилище картинок сейчас недоступно, ничего не изменено. Повторите, или без картинки.",
    ),
    "problem_picture_busy": (
        "This picture was just being removed. Try again in a few minutes.",
        "यह तस्वीर अभी हटाई जा रही थी। कुछ मिनट बाद फिर कोशिश करें।",
        "Эту картинку как раз удаляли. Повторите через несколько минут.",
    ),
    "problem_picture_again": (
        "Choose the picture once more: it did not wait while you signed in.",
        "तस्वीर फिर चुनें: साइन इन के दौरान वह नहीं रुकी।",
        "Выберите картинку ещё раз: пока вы входили, она не сохранилась.",
    ),
    "refused_too_large": (
        "This file is larger than 10 MB. Go back and choose a smaller one.",
        "यह फ़ाइल 10 MB से बड़ी है। वापस जाकर छोटी चुनें।",
        "Этот файл больше 10 МБ. Вернитесь и выберите поменьше.",
    ),
    "refused_picture_gone": (
        "This picture is gone. Go back and choose it again.",
        "यह तस्वीर नहीं रही। वापस जाकर फिर चुनें।",
        "Этой картинки уже нет. Вернитесь и выберите её снова.",
    ),
    "products_save": ("Save", "सहेजें", "Сохранить"),
    "done_product": ("The product is changed. Slots keep their prices.",
                     "उत्पाद बदला गया। खानों की क़ीमतें वही हैं।",
                     "Товар изменён. Цены ячеек прежние."),
    "problem_product": (
        "A product needs a name and a price in {currency} above nothing, such as 40 or 40.00.",
        "उत्पाद को नाम और {currency} में शून्य से ऊपर क़ीमत चाहिए, जैसे 40 या 40.00।",
        "Товару нужны название и цена в {currency} больше нуля, например 40 или 40,00.",
    ),
    "health_healthy": ("Healthy", "ठीक", "В порядке"),
    "health_degraded": ("Degraded", "कमज़ोर", "С перебоями"),
    "health_unhealthy": ("Not working", "काम नहीं कर रहा", "Не работает"),
    "health_audit": ("Every invariant is recomputed from the rows by", "हर नियम की फिर से जाँच:",
                     "Все инварианты пересчитывает по строкам"),
}  # fmt: skip
