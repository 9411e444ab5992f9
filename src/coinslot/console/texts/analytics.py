"""Texts of analytics: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "part_analytics": ("Analytics", "विश्लेषण", "Аналитика"),
    "analytics_none": ("No order was placed on these days.", "इन दिनों कोई ऑर्डर नहीं हुआ।",
                       "За эти дни заказов не было."),
    "analytics_success": ("Handed over", "दिए गए", "Выдано"),
    "analytics_average": ("Average order", "औसत ऑर्डर", "Средний заказ"),
    "analytics_payments": ("Failed payments", "असफल भुगतान", "Неудачные платежи"),
    "analytics_codes": ("Right codes", "सही कोड", "Верные коды"),
    "analytics_sms": ("SMS delivered", "पहुँचे SMS", "Доставлено SMS"),
    "analytics_calls": ("Calls delivered", "पहुँचे कॉल", "Доставлено звонков"),
    "analytics_over": ("handed over", "दिए गए", "выдано"),
    "analytics_back": ("given back", "लौटाए गए", "возвращено"),
    "analytics_unpaid": ("not paid", "भुगतान नहीं", "не оплачено"),
    "analytics_ends": (
        "{over} handed over, {back} given back, {unpaid} not paid",
        "{over} दिए गए, {back} लौटाए गए, {unpaid} का भुगतान नहीं",
        "выдано {over}, возвращено {back}, не оплачено {unpaid}",
    ),
    "analytics_orders": ("Orders placed: {count}", "{count} ऑर्डर हुए", "заказов: {count}"),
    "analytics_told": ("{day}: {over} handed over, {back} given back, {unpaid} not paid",
                       "{day}: {over} दिए गए, {back} लौटाए गए, {unpaid} का भुगतान नहीं",
                       "{day}: выдано {over}, возвращено {back}, не оплачено {unpaid}"),
    "chart_ends": ("How the orders of each day ended", "हर दिन के ऑर्डर का अंत",
                   "Чем закончились заказы каждого дня"),
    "analytics_how": (
        "Orders count on the day on which they were placed, with all that came of them since."
        " Handed over is the share of the paid orders that ended. An average is of those that were"
        " handed over. A failed payment is an attempt; its customer may have paid by the next."
        " Codes, text messages and calls count once they were right or wrong, arrived or failed."
        " Where there was none of it, there is no rate.",
        "ऑर्डर उस दिन गिने जाते हैं जब वे हुए, उसके बाद जो हुआ वह भी। दिए गए: पूरे हुए भुगतान वाले ऑर्डर का"
        " हिस्सा। औसत दिए गए ऑर्डर का है। असफल भुगतान एक प्रयास है; ग्राहक ने अगले से भुगतान किया हो सकता"
        " है। कोड, संदेश और कॉल तब गिने जाते हैं जब वे सही या ग़लत, पहुँचे या असफल हों। जहाँ कुछ नहीं हुआ,"
        " वहाँ कोई दर नहीं।",
        "Заказы относятся к дню, когда их сделали, со всем, что было потом. Выдано — доля"
        " оплаченных и завершённых. Средний заказ — из выданных. Неудачный платёж — это попытка:"
        " следующая могла пройти. Коды, сообщения и звонки учитываются, когда известен исход. Где"
        " ничего не было, доли нет.",
    ),
}  # fmt: skip
