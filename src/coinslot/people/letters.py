"""What mail to someone says who may not be able to sign in: English, Hindi, Russian."""

from typing import Final

from msgspec import Struct

from coinslot.context import Context
from coinslot.notices.base import Form
from coinslot.notices.smtp import MAILBOX
from coinslot.people.outbox import one_line

LANGUAGES: Final = ("en", "hi", "ru")
_INVITED: Final = (
    ("You are invited to {name}", "You are invited to work with {name}. Open this link, and set a"
     " password. It is good until {until}. If you know nothing of this, do nothing."),
    ("{name} में आमंत्रण", "आपको {name} के साथ काम करने का आमंत्रण है। यह लिंक खोलें और पासवर्ड रखें।"
     " लिंक {until} तक चलेगा। यदि आप यह नहीं जानते तो कुछ न करें।"),
    ("Приглашение: {name}", "Вас приглашают работать с {name}. Откройте ссылку и задайте пароль."
     " Она действует до {until}. Если вы об этом не знаете, ничего не делайте."),
)  # fmt: skip
_RESET: Final = (
    ("A new password", "Someone asked to set a new password for {name}. If it was you, open this"
     " link within an hour. If not, do nothing: the password stays as it is."),
    ("नया पासवर्ड", "किसी ने {name} के लिए नया पासवर्ड माँगा। यदि आप थे तो एक घंटे में यह लिंक खोलें।"
     " नहीं तो कुछ न करें: पासवर्ड वही रहेगा।"),
    ("Новый пароль", "Кто-то попросил задать новый пароль для {name}. Если это вы, откройте ссылку"
     " в течение часа. Если нет, ничего не делайте: пароль останется прежним."),
)  # fmt: skip


class Mail(Struct, frozen=True):
    """A subject, and what stands above the link."""

    subject: str
    text: str


def invited(language: str, name: str, until: str) -> Mail:
    return _in(language, _INVITED, name=name, until=until)


def reset(language: str, login: str) -> Mail:
    return _in(language, _RESET, name=login)


def can_be_mailed(context: Context, address: str) -> bool:
    """Whether mail goes out at all, and this is an address."""
    return Form.EMAIL in context.notifiers and MAILBOX.fullmatch(address) is not None


def _in(language: str, texts: tuple[tuple[str, str], ...], **names: str) -> Mail:
    subject, text = texts[LANGUAGES.index(language) if language in LANGUAGES else 0]
    # A name in a subject is one line, whatever somebody typed.
    clean = {key: one_line(value)[:100] for key, value in names.items()}
    return Mail(subject.format(**clean), text.format(**clean))
