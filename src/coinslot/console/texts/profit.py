"""Texts of profit: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "part_profit": ("Profit", "लाभ", "Прибыль"),
    "part_profits": ("Profit by order", "ऑर्डर के अनुसार लाभ", "Прибыль по заказам"),
    "profit_of": ("Profit, orders: {count}", "{count} ऑर्डर का लाभ", "Прибыль, заказов: {count}"),
    "profit_most": ("at most {money}", "अधिकतम {money}", "не больше {money}"),
    "profit_sum": (
        "{earned} was earned, and {took} went to taxes, goods, fees and messages.",
        "{earned} की कमाई हुई, और {took} कर, सामान, शुल्क और संदेशों में गया।",
        "Получено {earned}, из них {took} ушло на налоги, товар, комиссии и сообщения.",
    ),
    "profit_no_fee": (
        "Payments whose fee the gateway has not stated: {count}.",
        "गेटवे ने {count} भुगतानों का शुल्क नहीं बताया है।",
        "Платежей, чью комиссию система ещё не назвала: {count}.",
    ),
    "profit_no_cost": (
        "Pieces without a cost entered: {count}.", "{count} इकाइयों की लागत दर्ज नहीं है।",
        "Порций без указанной себестоимости: {count}.",
    ),
    "profit_no_price": (
        "Messages without a price in this currency: {count}.",
        "{count} संदेशों की इस मुद्रा में क़ीमत नहीं है।",
        "Сообщений без цены в этой валюте: {count}.",
    ),
    "profit_unknown": (
        "That is not in the sum, so the profit is at most this.",
        "यह जोड़ में नहीं है, इसलिए लाभ अधिकतम इतना है।",
        "Этого в сумме нет, поэтому прибыль не больше указанной.",
    ),
    "profit_none": ("No order ended on these days.", "इन दिनों में कोई ऑर्डर पूरा नहीं हुआ।",
                    "За эти дни ни один заказ не завершён."),
    "profit_none_lead": (
        "An order counts on the day on which it was handed over, or its money went back.",
        "ऑर्डर उस दिन गिना जाता है जब वह दिया गया या उसका पैसा लौटा।",
        "Заказ считается в тот день, когда его выдали или вернули за него деньги.",
    ),
    "profit_items": ("By item", "सामान के अनुसार", "По позициям"),
    "profit_items_lead": (
        "Fees, messages and tips belong to whole orders, so they are not in here.",
        "शुल्क, संदेश और टिप पूरे ऑर्डर के होते हैं, इसलिए यहाँ नहीं हैं।",
        "Комиссии, сообщения и чаевые относятся к целым заказам, здесь их нет.",
    ),
    "profit_margin": ("Left", "बचा", "Осталось"),
    "profit_not_entered": ("not entered", "दर्ज नहीं", "не указана"),
    "profit_took": ("Taxes and costs", "कर और लागत", "Налоги и расходы"),
    "profit_told": (
        "{day}: {profit} of {earned}, taxes and costs {took}",
        "{day}: {earned} में से {profit}, कर और लागत {took}",
        "{day}: {profit} из {earned}, налоги и расходы {took}",
    ),
    "profit_how": (
        "Price, tips and delivery of what was handed over, less what was given back afterwards, is"
        " earned. Taxes, the cost of the goods as it was when they were ordered, the fee that the"
        " gateway states, and the messages are taken off. The fee of a payment that went back"
        " stays a cost. An order counts on the day on which it ended; a fee that is stated later"
        " is added to that day.",
        "जो दिया गया उसकी क़ीमत, टिप और डिलीवरी, घटा बाद में लौटाया पैसा: यही कमाई है। इसमें से कर,"
        " ऑर्डर के समय की लागत, गेटवे का बताया शुल्क और संदेश घटते हैं। लौटे भुगतान का शुल्क लागत रहता है।"
        " ऑर्डर अपने पूरे होने के दिन गिना जाता है; बाद में बताया शुल्क उसी दिन में जुड़ता है।",
        "Получено — это цена, чаевые и доставка выданного за вычетом возвращённого потом. Из этого"
        " вычитаются налоги, себестоимость на момент заказа, комиссия, которую назвала платёжная"
        " система, и сообщения. Комиссия возвращённого платежа остаётся расходом. Заказ относится"
        " к дню, когда он завершён; названная позже комиссия добавляется к этому дню.",
    ),
    "chart_profit": ("Profit by day, and what it took", "दिन के अनुसार लाभ, और उसमें क्या लगा",
                     "Прибыль по дням и расходы"),
    "col_ended_at": ("Ended", "पूरा हुआ", "Завершён"),
    "col_orders": ("Orders", "ऑर्डर", "Заказов"),
    "col_pieces": ("Pieces", "इकाइयाँ", "Порций"),
    "col_paid": ("Price", "क़ीमत", "Цена"),
    "col_tips": ("Tips", "टिप", "Чаевые"),
    "col_delivery": ("Delivery", "डिलीवरी", "Доставка"),
    "col_taxes": ("Taxes", "कर", "Налоги"),
    "col_back": ("Given back after", "बाद में लौटाया", "Возвращено после"),
    "col_cost": ("Cost", "लागत", "Себестоимость"),
    "col_messages": ("Messages", "संदेश", "Сообщения"),
    "col_profit": ("Profit", "लाभ", "Прибыль"),
    "col_unknown": ("Not known yet", "अभी अज्ञात", "Пока не известно"),
}  # fmt: skip
