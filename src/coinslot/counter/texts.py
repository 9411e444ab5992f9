"""What the customer of a counter reads, in every language of the pages."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

# What stands beside a printed code, in the place of a machine's words.
ON_SHEETS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "1. Scan with your phone's camera, choose, and pay.",
        "2. Your phone shows when it is ready, and your code.",
        "3. Not handed over? Your money comes back by itself.",
    ),
    "hi": (
        "1. फ़ोन के कैमरे से स्कैन करें, चुनें और भुगतान करें।",
        "2. तैयार होने पर फ़ोन पर दिखेगा, और आपका कोड भी।",
        "3. नहीं मिला? पैसा अपने-आप लौट आएगा।",
    ),
    "ru": (
        "1. Отсканируйте камерой телефона, выберите и оплатите.",
        "2. Телефон покажет, когда готово, и ваш код.",
        "3. Не выдали? Деньги вернутся сами.",
    ),
}


class CounterWords(Struct, frozen=True, kw_only=True):
    """The menu and the basket. Of what is refused, a sentence by its code."""

    menu: str
    allergens: str  # {list}
    left: str  # {count}
    add: str  # {price}
    add_each: str  # {price}
    add_from: str  # {price}
    how_many: str
    note: str
    note_hint: str
    free_first: str  # {count}
    choose_up_to: str  # {count}
    choose_exactly: str  # {count}
    choose_between: str  # {least} {most}
    basket: str
    basket_link: str  # {count} {price}
    basket_empty: str
    remove: str
    one_more: str  # {item}
    one_fewer: str  # {item}
    more: str
    back: str
    tip: str
    no_tip: str
    tax_added: str
    tax_included: str
    total: str
    name: str
    name_hint: str
    reach: str
    reach_hint: str
    phone: str
    email: str
    consent_phone: str  # {place}
    consent_email: str  # {place}
    bad_phone: str
    bad_phone_country: str
    bad_email: str
    bad_consent: str
    pay_link: str  # {price} {gateway}
    pay_code: str  # {price} {gateway}
    price_changed: str  # {old} {new}
    promise_lead: str  # {minutes}
    keeps: str  # {hours} {place}
    history: str
    history_contact: str
    history_how: str
    history_ask: str
    history_code: str
    history_sent: str
    history_mailed: str
    history_show: str
    history_wrong: str
    history_bad: str
    history_often: str
    closed: str
    closed_lead: str
    busy: str
    cannot_pay: str
    unknown_store: str
    unknown_store_lead: str
    cancel: str
    cancel_late: str
    sold_out: str  # {item}
    choice_sold_out: str  # {item}
    options: str  # {item}
    quantity: str
    unknown_item: str
    empty: str
    too_many: str
    unreadable: str
    nothing_to_pay: str
    too_little: str
    too_little_lead: str  # {least}
    at_table: str  # {table}
    opens_at: str  # {time}
    later_lead: str
    later_hint: str
    not_served: str
    pickup: str
    as_soon: str
    choose_time: str
    no_slot: str
    kitchen_full: str
    kitchen_full_until: str  # {time}


_ENGLISH = CounterWords(
    menu="Menu",
    allergens="Contains: {list}",
    left="{count} left",
    add="Add for {price}",
    add_each="Add, {price} each",
    add_from="Add, from {price}",
    how_many="How many",
    note="A wish for the kitchen",
    note_hint="Optional, such as “no onions”.",
    free_first="{count} free: the cheapest.",
    choose_up_to="up to {count}.",
    choose_exactly="choose {count}.",
    choose_between="{least} to {most}.",
    basket="Your order",
    basket_link="Your order: {count}, {price}",
    basket_empty="Nothing in it yet.",
    remove="Remove",
    one_more="One more {item}",
    one_fewer="One fewer {item}",
    more="Add something else",
    back="Back to the menu",
    tip="Tip for the team",
    no_tip="No tip",
    tax_added="Tax",
    tax_included="Tax is included.",
    total="Total",
    name="Your name",
    name_hint="Optional. They call it out when your order is ready.",
    reach="Be told when it is ready",
    reach_hint="Optional. Without it, your order's page tells you everything.",
    phone="Mobile number",
    email="E-mail, for the receipt",
    consent_phone="{place} may write to me and call me about this order. Nothing else is sent, and"
    " I can stop it at any time.",
    consent_email="{place} may write to me about this order. Nothing else is sent.",
    bad_phone="This is not a phone number. Begin with + and the country, or leave it empty.",
    bad_phone_country="We cannot send messages to this country. Please leave the number empty: your"
    " order's page tells you everything.",
    bad_email="This is not an e-mail address. Correct it, or leave it empty.",
    bad_consent="Please tick that we may write to you, or leave number and e-mail empty.",
    pay_link="Pay {price} with {gateway}",
    pay_code="Show a code to scan, {price} ({gateway})",
    price_changed="It costs {new} now, not {old}. You have not been charged.",
    history="Your orders",
    history_contact="Phone or e-mail of the order",
    history_how="Those that you typed when you ordered. A code goes there, or a link.",
    history_ask="Send the code",
    history_code="Code from the text message",
    history_sent="If there are orders with this number, a code is on its way. It is good "
    "for 15 minutes.",
    history_mailed="If there are orders with this address, a link is on its way. It is "
    "good for 15 minutes.",
    history_show="Show my orders",
    history_wrong="This code is wrong or too old. After five tries ask for a new one.",
    history_bad="Type a phone number with + and the country, or an e-mail address.",
    history_often="That was asked for very often from your network. Please try again in an hour.",
    keeps="If it is ready, you were told, and nobody fetches it within {hours} h, {place} keeps the"
    " money. Without a phone number the money goes back then, too.",
    promise_lead="If nobody accepts your order within {minutes} min, that happens by itself.",
    closed="Not taking orders right now",
    closed_lead="You can look at the menu. You have not been charged.",
    busy="There are unpaid orders from you or your network. Pay one of them, or try again in a few"
    " minutes.",
    cannot_pay="Payments are not getting through right now. You have not been charged.",
    unknown_store="There is no such menu",
    unknown_store_lead="Scan the code on the table or counter once more.",
    cancel="Cancel the order",
    cancel_late="They have begun with your order, so it cannot be cancelled any more. Please speak"
    " to the people at the counter.",
    sold_out="{item} is sold out, or there is not enough of it.",
    choice_sold_out="There is not enough of a choice for {item}. Please choose another one.",
    options="{item}: please choose as many as its options ask for.",
    quantity="One to ten pieces of each.",
    unknown_item="This is not on the menu any more.",
    empty="Choose something first.",
    too_many="That is more than one order takes. Please place two.",
    unreadable="We could not read that. Please choose again.",
    too_little="That is less than can be paid here. Add something else.",
    too_little_lead="The smallest sum that can be paid here is {least}. Add something else.",
    nothing_to_pay="This order costs nothing. Please ask at the counter.",
    at_table="Table {table}",
    opens_at="Opens {time}.",
    later_lead="You can order now for later: choose a time before you pay.",
    later_hint="They are closed now, and make your order for this time.",
    not_served="not at this time",
    pickup="Pick up",
    as_soon="As soon as it is ready",
    choose_time="Choose a time",
    no_slot="This time is over or closed. Please choose another one. You have not been charged.",
    kitchen_full="The kitchen has no time for this order then. You have not been charged.",
    kitchen_full_until="The kitchen has no time for this order then: the next free time is {time}."
    " You have not been charged.",
)

_HINDI = CounterWords(
    menu="मेनू",
    allergens="इसमें है: {list}",
    left="{count} बचे",
    add="{price} में जोड़ें",
    add_each="जोड़ें, हर एक {price}",
    add_from="जोड़ें, {price} से",
    how_many="कितने",
    note="रसोई के लिए बात",
    note_hint="ज़रूरी नहीं, जैसे “बिना प्याज़”।",
    free_first="{count} मुफ़्त: सबसे सस्ते।",
    choose_up_to="{count} तक।",
    choose_exactly="{count} चुनें।",
    choose_between="{least} से {most}।",
    basket="आपका ऑर्डर",
    basket_link="आपका ऑर्डर: {count}, {price}",
    basket_empty="अभी कुछ नहीं है।",
    remove="हटाएँ",
    one_more="{item}: एक और",
    one_fewer="{item}: एक कम",
    more="कुछ और जोड़ें",
    back="मेनू पर वापस",
    tip="टीम के लिए टिप",
    no_tip="टिप नहीं",
    tax_added="टैक्स",
    tax_included="टैक्स शामिल है।",
    total="कुल",
    name="आपका नाम",
    name_hint="ज़रूरी नहीं। तैयार होने पर यही पुकारा जाएगा।",
    reach="तैयार होने पर सूचना पाएँ",
    reach_hint="ज़रूरी नहीं। इसके बिना भी ऑर्डर का पेज सब बताता है।",
    phone="मोबाइल नंबर",
    email="रसीद के लिए ई-मेल",
    consent_phone="{place} इस ऑर्डर के बारे में मुझे संदेश भेज सकता है और कॉल कर सकता है। और कुछ नहीं भेजा जाएगा,"
    " और मैं इसे कभी भी रोक सकता हूँ।",
    consent_email="{place} इस ऑर्डर के बारे में मुझे लिख सकता है। और कुछ नहीं भेजा जाएगा।",
    bad_phone="यह फ़ोन नंबर नहीं है। + और देश के कोड से शुरू करें, या खाली छोड़ें।",
    bad_phone_country="हम इस देश में संदेश नहीं भेज सकते। नंबर खाली छोड़ें: ऑर्डर का पेज सब बताता है।",
    bad_email="यह ई-मेल पता नहीं है। ठीक करें, या खाली छोड़ें।",
    bad_consent="चुनें कि हम आपको लिख सकते हैं, या नंबर और ई-मेल खाली छोड़ें।",
    pay_link="{gateway} से {price} चुकाएँ",
    pay_code="स्कैन का कोड दिखाएँ, {price} ({gateway})",
    price_changed="अब दाम {new} है, {old} नहीं। आपसे कुछ नहीं लिया गया।",
    history="आपके ऑर्डर",
    history_contact="ऑर्डर का फ़ोन या ई-मेल",
    history_how="जो ऑर्डर करते समय लिखा था। उस पर कोड या लिंक जाएगा।",
    history_ask="कोड भेजें",
    history_code="SMS का कोड",
    history_sent="इस नंबर के ऑर्डर हों तो कोड आ रहा है। यह 15 मिनट चलेगा।",
    history_mailed="इस पते के ऑर्डर हों तो लिंक आ रहा है। यह 15 मिनट चलेगा।",
    history_show="मेरे ऑर्डर दिखाएँ",
    history_wrong="कोड ग़लत या पुराना है। पाँच बार के बाद नया माँगें।",
    history_bad="+ और देश के कोड के साथ फ़ोन नंबर, या ई-मेल लिखें।",
    history_often="आपके नेटवर्क से बहुत बार माँगा गया। एक घंटे बाद कोशिश करें।",
    keeps="तैयार होने की सूचना के बाद {hours} घंटे में कोई लेने नहीं आया तो {place} पैसा रखेगा।"
    " फ़ोन नंबर के बिना तब भी पैसा लौट आएगा।",
    promise_lead="{minutes} मिनट में किसी ने ऑर्डर स्वीकार नहीं किया तो यह अपने आप होगा।",
    closed="अभी ऑर्डर नहीं ले रहे",
    closed_lead="मेनू देख सकते हैं। आपसे कुछ नहीं लिया गया।",
    busy="आपके या आपके नेटवर्क के ऑर्डर बिना भुगतान के हैं। एक का भुगतान करें, या कुछ मिनट बाद कोशिश करें।",
    cannot_pay="अभी भुगतान नहीं हो पा रहा। आपसे कुछ नहीं लिया गया।",
    unknown_store="ऐसा कोई मेनू नहीं है",
    unknown_store_lead="मेज़ या काउंटर का कोड फिर से स्कैन करें।",
    cancel="ऑर्डर रद्द करें",
    cancel_late="आपका ऑर्डर बनना शुरू हो गया है, अब रद्द नहीं हो सकता। काउंटर पर बात करें।",
    sold_out="{item} ख़त्म है, या उतना नहीं है।",
    choice_sold_out="{item}: चुना हुआ विकल्प उतना नहीं बचा। दूसरा चुनें।",
    options="{item}: जितने विकल्प माँगे हैं, उतने चुनें।",
    quantity="हर चीज़ एक से दस तक।",
    unknown_item="यह अब मेनू में नहीं है।",
    empty="पहले कुछ चुनें।",
    too_many="यह एक ऑर्डर से ज़्यादा है। दो ऑर्डर दें।",
    unreadable="हम इसे पढ़ नहीं सके। फिर से चुनें।",
    too_little="इतनी छोटी रकम यहाँ नहीं चुका सकते। कुछ और जोड़ें।",
    too_little_lead="यहाँ कम से कम {least} चुका सकते हैं। कुछ और जोड़ें।",
    nothing_to_pay="इस ऑर्डर का कोई दाम नहीं है। काउंटर पर पूछें।",
    at_table="मेज़ {table}",
    opens_at="{time} पर खुलेगा।",
    later_lead="बाद के लिए अभी ऑर्डर कर सकते हैं: भुगतान से पहले समय चुनें।",
    later_hint="अभी बंद है। ऑर्डर इसी समय के लिए बनेगा।",
    not_served="इस समय नहीं",
    pickup="कब लेंगे",
    as_soon="तैयार होते ही",
    choose_time="समय चुनें",
    no_slot="यह समय बीत गया या बंद है। दूसरा समय चुनें। आपसे कुछ नहीं लिया गया।",
    kitchen_full="रसोई के पास तब समय नहीं है। आपसे कुछ नहीं लिया गया।",
    kitchen_full_until="रसोई के पास तब समय नहीं है: अगला ख़ाली समय {time}। आपसे कुछ नहीं लिया गया।",
)

_RUSSIAN = CounterWords(
    menu="Меню",
    allergens="Содержит: {list}",
    left="осталось {count}",
    add="Добавить за {price}",
    add_each="Добавить, {price} за штуку",
    add_from="Добавить, от {price}",
    how_many="Сколько",
    note="Пожелание для кухни",
    note_hint="Не обязательно, например «без лука».",
    free_first="Бесплатно: {count}, самые дешёвые.",
    choose_up_to="не больше {count}.",
    choose_exactly="выберите {count}.",
    choose_between="от {least} до {most}.",
    basket="Ваш заказ",
    basket_link="Ваш заказ: {count}, {price}",
    basket_empty="Пока пусто.",
    remove="Убрать",
    one_more="{item}: ещё одна порция",
    one_fewer="{item}: на одну порцию меньше",
    more="Добавить ещё",
    back="К меню",
    tip="Чаевые команде",
    no_tip="Без чаевых",
    tax_added="Налог",
    tax_included="Налог включён.",
    total="Итого",
    name="Ваше имя",
    name_hint="Не обязательно. Его назовут, когда заказ готов.",
    reach="Сообщить, когда готово",
    reach_hint="Не обязательно. И без этого всё видно на странице заказа.",
    phone="Мобильный номер",
    email="Почта, для чека",
    consent_phone="{place}: согласен получать сообщения и звонки об этом заказе. Ничего другого не"
    " присылают, и это можно прекратить в любой момент.",
    consent_email="{place}: согласен получать письма об этом заказе. Ничего другого не присылают.",
    bad_phone="Это не номер телефона. Начните с + и кода страны или оставьте поле пустым.",
    bad_phone_country="В эту страну мы не отправляем сообщения. Оставьте номер пустым: всё видно на"
    " странице заказа.",
    bad_email="Это не адрес почты. Исправьте его или оставьте поле пустым.",
    bad_consent="Отметьте, что вам можно писать, или оставьте номер и почту пустыми.",
    pay_link="Оплатить {price} через {gateway}",
    pay_code="Показать код для сканирования, {price} ({gateway})",
    price_changed="Теперь это стоит {new}, а не {old}. С вас ничего не списано.",
    history="Ваши заказы",
    history_contact="Телефон или почта заказа",
    history_how="Те, что вы указали при заказе. Туда придёт код или ссылка.",
    history_ask="Отправить код",
    history_code="Код из SMS",
    history_sent="Если с этим номером есть заказы, код уже в пути. Он действует 15 минут.",
    history_mailed="Если с этим адресом есть заказы, ссылка уже в пути. Она действует 15 минут.",
    history_show="Показать мои заказы",
    history_wrong="Код неверный или устарел. После пяти попыток запросите новый.",
    history_bad="Введите телефон с + и кодом страны или адрес почты.",
    history_often="Из вашей сети спрашивали слишком часто. Попробуйте через час.",
    keeps="Если заказ готов, вам сообщили, а его не забрали за {hours} ч, деньги остаются у"
    " продавца ({place}). Без номера телефона деньги вернутся и тогда.",
    promise_lead="Если заказ не примут за {minutes} мин, это произойдёт само.",
    closed="Сейчас заказы не принимаются",
    closed_lead="Меню можно посмотреть. С вас ничего не списано.",
    busy="Есть неоплаченные заказы от вас или из вашей сети. Оплатите один из них или попробуйте"
    " через несколько минут.",
    cannot_pay="Платежи сейчас не проходят. С вас ничего не списано.",
    unknown_store="Такого меню нет",
    unknown_store_lead="Отсканируйте код на столе или стойке ещё раз.",
    cancel="Отменить заказ",
    cancel_late="Заказ уже готовят, отменить его нельзя. Обратитесь к стойке.",
    sold_out="{item}: закончилось, или столько нет.",
    choice_sold_out="{item}: выбранной добавки столько нет. Выберите другую.",
    options="{item}: выберите столько, сколько нужно.",
    quantity="От одной до десяти штук.",
    unknown_item="Этого больше нет в меню.",
    empty="Сначала выберите что-нибудь.",
    too_many="Это больше, чем один заказ. Сделайте, пожалуйста, два.",
    unreadable="Мы не смогли это прочитать. Выберите ещё раз.",
    too_little="Такую маленькую сумму здесь оплатить нельзя. Добавьте что-нибудь.",
    too_little_lead="Наименьшая сумма оплаты здесь: {least}. Добавьте что-нибудь.",
    nothing_to_pay="Этот заказ ничего не стоит. Спросите у стойки.",
    at_table="Стол {table}",
    opens_at="Откроется: {time}.",
    later_lead="Можно заказать на потом: выберите время перед оплатой.",
    later_hint="Сейчас закрыто, заказ приготовят к этому времени.",
    not_served="не в это время",
    pickup="Когда забрать",
    as_soon="Как только будет готово",
    choose_time="Выберите время",
    no_slot="Это время прошло или закрыто. Выберите другое. С вас ничего не списано.",
    kitchen_full="Кухня не успеет к этому времени. С вас ничего не списано.",
    kitchen_full_until="Кухня не успеет: ближайшее свободное время — {time}."
    " С вас ничего не списано.",
)

_IN: Final[Mapping[str, CounterWords]] = {"en": _ENGLISH, "hi": _HINDI, "ru": _RUSSIAN}


def words_in(code: str) -> CounterWords:
    """English for a language that is not here."""
    return _IN.get(code, _ENGLISH)
