"""Texts of the frame around every page: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "language": ("en", "hi", "ru"),
    "done_worked": (
        "Your first click did this, and its answer was lost. If it made a secret, make another.",
        "यह आपके पहले क्लिक से हो चुका है, उसका जवाब खो गया। अगर कोई गुप्त कुंजी बनी थी, तो नई बनाएँ।",
        "Это сделало первое нажатие, его ответ потерялся. Если создавался секрет, создайте новый.",
    ),
    "console": ("Console", "कंसोल", "Консоль"),
    "parts": ("Parts of the console", "कंसोल के भाग", "Разделы консоли"),
    "tab_today": ("Today", "आज", "Сегодня"),
    "tab_inbox": ("Inbox", "इनबॉक्स", "Входящие"),
    "tab_find": ("Find", "खोजें", "Поиск"),
    "tab_machines": ("Machines", "मशीनें", "Автоматы"),
    "tab_keys": ("Keys", "कुंजियाँ", "Ключи"),
    "tab_webhooks": ("Webhooks", "वेबहुक", "Вебхуки"),
    "tab_gateways": ("Gateways", "गेटवे", "Шлюзы"),
    "tab_people": ("People", "लोग", "Люди"),
    "tab_log": ("Audit log", "ऑडिट लॉग", "Журнал"),
    "tab_account": ("Account", "खाता", "Аккаунт"),
    "sign_out": ("Sign out", "साइन आउट", "Выйти"),
    "role_admin": ("Admin", "एडमिन", "Администратор"),
    "role_operator": ("Operator", "ऑपरेटर", "Оператор"),
    "role_viewer": ("Viewer", "दर्शक", "Наблюдатель"),
    "role_staff": ("Staff", "स्टाफ़", "Сотрудник"),
    "role_installation": ("Installation", "इंस्टॉलेशन", "Установка"),
    "installation": ("This installation", "यह इंस्टॉलेशन", "Эта установка"),
    "session_over": (
        "Your sign-in has ended. Load this page again to sign in.",
        "आपका साइन-इन समाप्त हुआ। साइन इन करने के लिए पेज फिर खोलें।",
        "Ваш сеанс завершён. Обновите страницу, чтобы войти снова.",
    ),
    "more": ("Older", "पुराने", "Раньше"),
    "next_page": ("Next", "आगे", "Дальше"),
    "none": ("none", "कोई नहीं", "нет"),
    "go_back": ("Back", "वापस", "Назад"),
    "reason": ("Why", "कारण", "Причина"),
    "offline": (
        "This page does not reach the server. Nothing was sent twice: the same button may be"
        " pressed again.",
        "यह पेज सर्वर तक नहीं पहुँच रहा। कुछ भी दो बार नहीं भेजा गया: वही बटन फिर दबा सकते हैं।",
        "Страница не может связаться с сервером. Дважды ничего не отправлено: кнопку можно нажать"
        " ещё раз.",
    ),
}
