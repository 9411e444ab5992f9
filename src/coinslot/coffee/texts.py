"""What the customer of a coffee machine reads, in every language of the pages."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

# Of the order's page and the outlet's: what they say instead of the words of a machine that drops.
OF_ORDERS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "one_cookie": "One cookie, so that you find your order again, and one with the address for"
        " your receipt, if you gave one. No tracking.",
        "slot": "size {slot}",
        "own_app": "You pay by card or SBP at the payment service. No account with us.",
        "paid_already": "Paid, but no drink?",
        "promise": "No drink? Money back.",
        "promise_g0": "This machine takes an order and cannot tell us whether the drink came. If it"
        " did not, tell us with one tap within a few minutes.",
        "queued_lead": "The machine is out of reach for a moment. If it stays so, your money goes"
        " back by itself.",
        "working": "Your drink is being made",
        "working_lead": "The machine has the order. If nothing comes, tell us here.",
        "checking": "Did you get your drink?",
        "checking_lead": "The machine has not told us whether it made it.",
        "checking_until": "It is decided by {time}.",
        "came_question": "Do you have your drink?",
        "done": "Enjoy your drink",
        "by_policy": "Nobody can know what the machine did. It was decided in your favour.",
        "step_take": "Take your drink",
        "step_confirmed": "The machine has the order",
        "step_nothing_out": "No drink came",
        "step_silent": "Whether a drink came, nobody knows",
        "nothing_out": "No drink?",
        "nothing_out_lead": "Tell us, and it is settled at once, or a person looks into it.",
        "nothing_out_button": "I did not get it",
        "asked": "We have noted that you did not get it.",
        "asked_done": "The machine took the order, and the time to tell us is over. If there was no"
        " drink, tell {merchant}, and name order {number}: they can refund it.",
    },
    "hi": {
        "one_cookie": "एक कुकी, ताकि आप अपना ऑर्डर फिर पाएँ, और एक रसीद के पते के लिए, अगर आपने दिया हो।"
        " कोई निगरानी नहीं।",
        "slot": "आकार {slot}",
        "own_app": "आप भुगतान सेवा के पन्ने पर कार्ड या SBP से देते हैं। हमारे यहाँ खाता नहीं चाहिए।",
        "paid_already": "भुगतान हुआ, पेय नहीं निकला?",
        "promise": "पेय नहीं मिला? पैसा वापस।",
        "promise_g0": "यह मशीन ऑर्डर लेती है और बता नहीं सकती कि पेय निकला या नहीं। न निकले तो कुछ मिनट के"
        " भीतर एक टैप से हमें बताएँ।",
        "queued_lead": "मशीन अभी पहुँच से बाहर है। ऐसा ही रहा तो पैसा अपने आप लौट आएगा।",
        "working": "आपका पेय बन रहा है",
        "working_lead": "मशीन को ऑर्डर मिल गया है। कुछ न निकले तो यहाँ बताएँ।",
        "checking": "क्या आपको पेय मिला?",
        "checking_lead": "मशीन ने नहीं बताया कि उसने बनाया या नहीं।",
        "checking_until": "{time} तक फ़ैसला हो जाएगा।",
        "came_question": "क्या पेय आपके पास है?",
        "done": "पेय का आनंद लें",
        "by_policy": "मशीन ने क्या किया, कोई नहीं जान सकता। फ़ैसला आपके पक्ष में हुआ।",
        "step_take": "अपना पेय लें",
        "step_confirmed": "मशीन को ऑर्डर मिला",
        "step_nothing_out": "पेय नहीं निकला",
        "step_silent": "पेय निकला या नहीं, कोई नहीं जानता",
        "nothing_out": "पेय नहीं मिला?",
        "nothing_out_lead": "हमें बताएँ: फ़ैसला तुरंत होगा, या कोई व्यक्ति देखेगा।",
        "nothing_out_button": "मुझे नहीं मिला",
        "asked": "हमने लिख लिया है कि आपको पेय नहीं मिला।",
        "asked_done": "मशीन ने ऑर्डर ले लिया था और बताने का समय बीत गया। पेय नहीं मिला तो {merchant} को"
        " बताएँ और ऑर्डर {number} का नाम लें: वे पैसा लौटा सकते हैं।",
    },
    "ru": {
        "one_cookie": "Одно куки, чтобы вы снова нашли свой заказ, и одно с адресом для чека,"
        " если вы его указали. Без слежки.",
        "slot": "размер {slot}",
        "own_app": "Вы платите картой или через СБП у платёжного сервиса. Регистрация не нужна.",
        "paid_already": "Оплатили, а напитка нет?",
        "promise": "Нет напитка? Вернём деньги.",
        "promise_g0": "Этот автомат принимает заказ и не сообщает, готов ли напиток. Если напитка"
        " нет, скажите нам одним касанием в течение нескольких минут.",
        "queued_lead": "Автомат ненадолго не на связи. Если он не появится, деньги вернутся сами.",
        "working": "Напиток готовится",
        "working_lead": "Автомат принял заказ. Если ничего нет, скажите нам здесь.",
        "checking": "Вы получили напиток?",
        "checking_lead": "Автомат не сообщил, приготовил ли он его.",
        "checking_until": "Решение будет до {time}.",
        "came_question": "Напиток у вас?",
        "done": "Приятного кофе!",
        "by_policy": "Узнать, что сделал автомат, нельзя. Решено в вашу пользу.",
        "step_take": "Заберите напиток",
        "step_confirmed": "Автомат принял заказ",
        "step_nothing_out": "Напитка не было",
        "step_silent": "Был ли напиток, узнать нельзя",
        "nothing_out": "Нет напитка?",
        "nothing_out_lead": "Скажите нам: решим сразу, или разберётся человек.",
        "nothing_out_button": "Я не получил напиток",
        "asked": "Мы записали, что напитка нет.",
        "asked_done": "Автомат принял заказ, и время сообщить прошло. Если напитка не было,"
        " напишите: {merchant}, заказ {number}. Вам могут вернуть деньги.",
    },
}


class CoffeeWords(Struct, frozen=True, kw_only=True):
    """The page behind the code on a machine's screen. Why nothing is sold is a title and a
    `_lead`."""

    small: str
    medium: str
    big: str
    a_drink: str  # where the vendor has no name for it
    is_it: str
    contact: str
    contact_why: str
    contact_missing: str
    contact_bad: str
    contact_kept: str
    pay_link: str  # {price}, {gateway}
    pay_code: str  # {price}, {gateway}
    price_changed: str  # {price}
    grace: str  # {minutes}
    again: str

    unknown_machine: str
    unknown_machine_lead: str
    unreadable: str
    unreadable_lead: str
    closed: str
    closed_lead: str
    silent: str
    silent_lead: str
    too_old: str
    too_old_lead: str
    no_price: str
    no_price_lead: str
    away: str
    away_lead: str
    unpayable: str
    unpayable_lead: str
    busy: str
    busy_lead: str

    # What another phone sees of an order: its state alone.
    others: str
    others_lead: str
    state: str
    created: str
    pending: str
    paid: str
    not_paid: str
    make_pending: str
    successful: str
    failed: str


_ENGLISH = CoffeeWords(
    small="small",
    medium="medium",
    big="large",
    a_drink="Drink",
    is_it="Is this your drink?",
    contact="E-mail or phone for the receipt",
    contact_why="The law asks for a fiscal receipt. It goes there, and the address is used for"
    " nothing else.",
    contact_missing="Type your e-mail address or phone number: the receipt has to go to you.",
    contact_bad="That is neither an e-mail address nor a phone number. Write it like"
    " name@example.com or +7 916 123-45-67.",
    contact_kept="This phone remembers it for the next time.",
    pay_link="Pay {price} with {gateway}",
    pay_code="Show a code to scan, {price} ({gateway})",
    price_changed="The price has changed: it is {price} now. Nothing was charged.",
    grace="The machine cannot tell us whether the drink came. If it did not, say so on the next"
    " page within {minutes} min, and your money goes back.",
    again="Look again",
    unknown_machine="We do not know this machine",
    unknown_machine_lead="The code names a machine that is not set up here. You have not been"
    " charged.",
    unreadable="This is no code of a coffee machine",
    unreadable_lead="Scan the code on the machine's screen again. You have not been charged.",
    closed="This machine is out of service",
    closed_lead="It takes no payments now. You have not been charged.",
    silent="The machine cannot be heard",
    silent_lead="It has not been in touch for a while, so we take no money for it.",
    too_old="This code is too old",
    too_old_lead="Choose your drink at the machine again, and scan the new code.",
    no_price="This drink has no price",
    no_price_lead="We sell nothing without one. Choose another drink at the machine.",
    away="The machine's service does not answer",
    away_lead="We cannot ask for the price now. Try again in a moment; you have not been charged.",
    unpayable="Payments are not getting through right now",
    unpayable_lead="You have not been charged. Try again in a few minutes.",
    busy="There are unpaid orders from you",
    busy_lead="Pay one of them, or try again in a few minutes.",
    others="Someone else has this code",
    others_lead="It was opened on another phone first. To order for yourself, choose your drink at"
    " the machine again.",
    state="Its state",
    created="placed, not paid",
    pending="being paid",
    paid="paid",
    not_paid="not paid",
    make_pending="being made",
    successful="done",
    failed="not made, the money goes back",
)

_HINDI = CoffeeWords(
    small="छोटा",
    medium="मध्यम",
    big="बड़ा",
    a_drink="पेय",
    is_it="क्या यही आपका पेय है?",
    contact="रसीद के लिए ई-मेल या फ़ोन",
    contact_why="क़ानून वित्तीय रसीद माँगता है। वह यहीं भेजी जाती है; पते का और कोई उपयोग नहीं होता।",
    contact_missing="अपना ई-मेल या फ़ोन नंबर लिखें: रसीद आप तक पहुँचनी है।",
    contact_bad="यह न ई-मेल है, न फ़ोन नंबर। ऐसे लिखें: name@example.com या +7 916 123-45-67।",
    contact_kept="यह फ़ोन इसे अगली बार के लिए याद रखता है।",
    pay_link="{gateway} से {price} दें",
    pay_code="स्कैन के लिए कोड दिखाएँ, {price} ({gateway})",
    price_changed="दाम बदल गया है: अब {price} है। कुछ नहीं काटा गया।",
    grace="मशीन हमें नहीं बता सकती कि पेय निकला या नहीं। न निकले तो अगले पन्ने पर {minutes} मिनट में बताएँ,"
    " पैसा लौट आएगा।",
    again="फिर देखें",
    unknown_machine="हम इस मशीन को नहीं जानते",
    unknown_machine_lead="कोड जिस मशीन का है, वह यहाँ दर्ज नहीं। आपसे कुछ नहीं लिया गया।",
    unreadable="यह किसी कॉफ़ी मशीन का कोड नहीं है",
    unreadable_lead="मशीन की स्क्रीन का कोड फिर स्कैन करें। आपसे कुछ नहीं लिया गया।",
    closed="यह मशीन सेवा में नहीं है",
    closed_lead="अभी यह भुगतान नहीं लेती। आपसे कुछ नहीं लिया गया।",
    silent="मशीन से संपर्क नहीं है",
    silent_lead="उसने कुछ समय से कुछ नहीं कहा, इसलिए हम पैसा नहीं लेते।",
    too_old="यह कोड पुराना है",
    too_old_lead="मशीन पर पेय फिर चुनें और नया कोड स्कैन करें।",
    no_price="इस पेय का दाम नहीं है",
    no_price_lead="बिना दाम हम कुछ नहीं बेचते। मशीन पर दूसरा पेय चुनें।",
    away="मशीन की सेवा जवाब नहीं देती",
    away_lead="अभी दाम नहीं पूछ सकते। थोड़ी देर में फिर देखें; आपसे कुछ नहीं लिया गया।",
    unpayable="अभी भुगतान नहीं हो पा रहे",
    unpayable_lead="आपसे कुछ नहीं लिया गया। कुछ मिनट बाद फिर देखें।",
    busy="आपके कुछ ऑर्डर का भुगतान बाक़ी है",
    busy_lead="उनमें से एक चुकाएँ, या कुछ मिनट बाद फिर देखें।",
    others="यह कोड किसी और के पास है",
    others_lead="यह पहले दूसरे फ़ोन पर खुला। अपने लिए मशीन पर पेय फिर चुनें।",
    state="उसकी स्थिति",
    created="ऑर्डर हुआ, भुगतान नहीं",
    pending="भुगतान हो रहा है",
    paid="भुगतान हो गया",
    not_paid="भुगतान नहीं हुआ",
    make_pending="बन रहा है",
    successful="पूरा हुआ",
    failed="नहीं बना, पैसा लौट रहा है",
)

_RUSSIAN = CoffeeWords(
    small="маленький",
    medium="средний",
    big="большой",
    a_drink="Напиток",
    is_it="Это ваш напиток?",
    contact="Почта или телефон для чека",
    contact_why="Закон требует кассовый чек. Он придёт туда, ни для чего другого адрес не нужен.",
    contact_missing="Напишите почту или телефон: чек нужно отправить вам.",
    contact_bad="Это не почта и не телефон. Напишите так: name@example.com или +7 916 123-45-67.",
    contact_kept="Этот телефон запомнит его для следующего раза.",
    pay_link="Оплатить {price}: {gateway}",
    pay_code="Показать код для оплаты, {price} ({gateway})",
    price_changed="Цена изменилась: теперь {price}. Деньги не списаны.",
    grace="Автомат не сообщает нам, готов ли напиток. Если его нет, скажите на следующей странице"
    " в течение {minutes} мин, и мы вернём деньги.",
    again="Проверить снова",
    unknown_machine="Мы не знаем этот автомат",
    unknown_machine_lead="Автомат из кода здесь не подключён. Деньги не списаны.",
    unreadable="Это не код кофейного автомата",
    unreadable_lead="Отсканируйте код с экрана автомата ещё раз. Деньги не списаны.",
    closed="Автомат не обслуживается",
    closed_lead="Сейчас он не принимает оплату. Деньги не списаны.",
    silent="Автомат не на связи",
    silent_lead="Он давно не отзывался, поэтому мы не берём за него деньги.",
    too_old="Этот код устарел",
    too_old_lead="Выберите напиток на автомате ещё раз и отсканируйте новый код.",
    no_price="У этого напитка нет цены",
    no_price_lead="Без цены мы ничего не продаём. Выберите на автомате другой напиток.",
    away="Служба автомата не отвечает",
    away_lead="Сейчас нельзя узнать цену. Попробуйте чуть позже, деньги не списаны.",
    unpayable="Оплата сейчас не проходит",
    unpayable_lead="Деньги не списаны. Попробуйте через несколько минут.",
    busy="У вас есть неоплаченные заказы",
    busy_lead="Оплатите один из них или попробуйте через несколько минут.",
    others="Этот код открыт у другого",
    others_lead="Его первым открыл другой телефон. Для себя выберите напиток на автомате ещё раз.",
    state="Состояние",
    created="оформлен, не оплачен",
    pending="оплачивается",
    paid="оплачен",
    not_paid="не оплачен",
    make_pending="готовится",
    successful="выполнен",
    failed="не приготовлен, деньги возвращаются",
)

WORDS: Final[Mapping[str, CoffeeWords]] = {"en": _ENGLISH, "hi": _HINDI, "ru": _RUSSIAN}


def words_in(language: str) -> CoffeeWords:
    """Of a language of the pages; English where there is none."""
    return WORDS.get(language, _ENGLISH)
