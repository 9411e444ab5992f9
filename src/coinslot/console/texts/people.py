"""Texts of People and Audit log: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "people_since": ("since", "से", "с"),
    "people_none": ("None any more", "अब कोई नहीं", "Больше никакой"),
    "people_outlets": (
        "Machines and counters of staff, such as M01, S01",
        "स्टाफ़ की मशीनें और काउंटर, जैसे M01, S01",
        "Автоматы и стойки сотрудника, например M01, S01",
    ),
    "people_change": ("Change the role", "भूमिका बदलें", "Изменить роль"),
    "people_invited": ("Invitations that wait", "प्रतीक्षा में न्योते", "Ждущие приглашения"),
    "people_revoke": ("Take back", "वापस लें", "Отозвать"),
    "people_invite": ("Invite", "न्योता दें", "Пригласить"),
    "people_address": ("Address or login", "पता या लॉगिन", "Адрес или логин"),
    "invited_title": ("{address} is invited", "{address} को न्योता है", "Приглашение для {address}"),
    "invited_lead": (
        "Pass on the link, or tell the code another way. Neither is shown again.",
        "लिंक दें, या कोड दूसरे तरीक़े से बताएँ। दोनों दोबारा नहीं दिखेंगे।",
        "Передайте ссылку или сообщите код иначе. Повторно они не показываются.",
    ),
    "invited_link": ("Link", "लिंक", "Ссылка"),
    "invited_code": ("Code", "कोड", "Код"),
    "invited_until": ("Good until", "तब तक मान्य:", "Действует до"),
    "log_who": ("Who", "किसने", "Кто"),
    "log_nobody": ("nobody signed in", "कोई साइन इन नहीं", "без входа"),
    "done_invited": ("The invitation is made.", "न्योता बन गया।", "Приглашение создано."),
    "done_invitation_revoked": ("The invitation is taken back.", "न्योता वापस लिया गया।",
                                "Приглашение отозвано."),
    "done_member_changed": ("The role is changed.", "भूमिका बदली गई।", "Роль изменена."),
    "done_member_removed": ("They work here no more, and are signed out.",
                            "वे अब यहाँ काम नहीं करते, और साइन आउट हैं।",
                            "Человек здесь больше не работает, его сеансы завершены."),
    "problem_last_admin": ("Someone has to stay an admin: name another first.",
                           "किसी का एडमिन रहना ज़रूरी है: पहले दूसरा बनाएँ।",
                           "Кто-то должен остаться администратором: сначала назначьте другого."),
    "problem_outlets_of_staff": (
        "Name the machines of staff; other roles have none.",
        "स्टाफ़ की मशीनें लिखें; बाक़ी भूमिकाओं की नहीं होतीं।",
        "Укажите автоматы сотрудника; у других ролей их нет.",
    ),
    "problem_unknown_outlet": ("There is no such machine here.", "यहाँ ऐसी मशीन नहीं है।",
                               "Такого автомата здесь нет."),
    "problem_no_such_member": ("Nobody of that kind works here.", "ऐसा कोई यहाँ काम नहीं करता।",
                               "Такой человек здесь не работает."),
    "problem_no_address": ("Name whom you invite.", "बताएँ किसे न्योता दे रहे हैं।",
                           "Укажите, кого приглашаете."),
    "problem_too_many_invitations": ("Too many invitations wait: take some back first.",
                                     "बहुत न्योते प्रतीक्षा में हैं: पहले कुछ वापस लें।",
                                     "Слишком много приглашений: сначала отзовите часть."),
}  # fmt: skip
