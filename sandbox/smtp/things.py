"""What the mail server keeps."""

from typing import ClassVar

from sandbox.shelf import Thing


class Mail(Thing):
    """One mail for one recipient, as he reads it."""

    kind: ClassVar[str] = "smtp.mail"
    to: str
    sender: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str]
