"""Why a unit counts as handed over, or its money went back, or where it is: English, Hindi and
Russian. A name is that of the basis or the state in the books."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "basis_vended": ("the machine reported it", "मशीन ने बताया", "сообщил автомат"),
    "basis_drop_evidence": ("the sensor saw it fall", "सेंसर ने गिरते देखा", "датчик видел выдачу"),
    "basis_no_drop": ("nothing fell", "कुछ नहीं गिरा", "ничего не выпало"),
    "basis_tombstone": ("the machine will never do it", "मशीन यह कभी नहीं करेगी",
                        "автомат этого уже не сделает"),
    "basis_rejected": ("the machine did not take it", "मशीन ने नहीं लिया", "автомат не принял"),
    "basis_declared": ("the machine said so", "मशीन ने ऐसा कहा", "так сказал автомат"),
    "basis_never_sent": ("never sent to the machine", "मशीन को कभी नहीं भेजा",
                         "автомату не отправлялось"),
    "basis_policy": ("by policy: nobody knows what came out", "नियम से: क्या निकला, पता नहीं",
                     "по правилам: что выпало, неизвестно"),
    "basis_policy_goods": ("by the rule for doubt: it counts as handed over",
                           "संदेह के नियम से: दिया गया माना", "по правилу для сомнений: выдано"),
    "basis_command_taken": ("the machine took the command", "मशीन ने आदेश लिया",
                            "автомат принял команду"),
    "basis_customer_confirmed": ("the customer confirmed it", "ग्राहक ने पुष्टि की",
                                 "подтвердил покупатель"),
    "basis_person_said": ("a person said so", "एक व्यक्ति ने बताया", "так сказал человек"),
    "basis_reported": ("the vendor reported it", "विक्रेता ने बताया", "сообщил поставщик"),
    "basis_refused": ("the machine refused", "मशीन ने मना किया", "автомат отказал"),
    "basis_handed_over": ("goods were handed over", "सामान दिया गया", "товар выдан"),
    "basis_not_handed_over": ("no goods were handed over", "सामान नहीं दिया गया", "товар не выдан"),
    "basis_delivery_failed": ("the delivery failed", "डिलीवरी नहीं हुई", "доставка не удалась"),
    "basis_withdrawn": ("withdrawn", "वापस लिया", "отозвано"),
    "basis_asked": ("asked for", "माँगा गया", "по просьбе"),
    "basis_corrected": ("corrected later", "बाद में सुधारा", "исправлено позже"),
    "basis_queued": ("waits for the machine", "मशीन का इंतज़ार", "ждёт автомат"),
    "basis_offered": ("offered to the machine", "मशीन को बताया गया", "предложено автомату"),
    "basis_going": ("the machine is told to go", "मशीन को चलने को कहा", "автомат получил команду"),
    "basis_started": ("the motor runs", "मोटर चल रही है", "мотор работает"),
    "basis_in_doubt": ("in doubt", "संदेह में", "под вопросом"),
    "basis_failed": ("it failed", "नहीं हुआ", "не вышло"),
    "basis_to_make": ("waits for the machine", "मशीन का इंतज़ार", "ждёт автомат"),
    "basis_making": ("is being made", "बन रहा है", "готовится"),
    "basis_in_grace": ("the customer may still object", "ग्राहक अभी आपत्ति कर सकता है",
                       "покупатель ещё может возразить"),
    "basis_made": ("made", "बन गया", "готово"),
    "basis_not_made": ("not made", "नहीं बना", "не готово"),
}  # fmt: skip
