"""Messages of the counter's tests: a service that keeps what it was sent, and a customer who may be
reached."""

from typing import Any
from uuid import UUID

from coinslot.counter.contacts import Contact
from coinslot.kit.secrets import Secret
from coinslot.notices.base import Form
from coinslot.notices.mock import Mock, Settings
from tests.counter.stage import Counter

PHONE = "+4915100000099"
EMAIL = "maria@shop.example"
SENDS = ("counter_messages",)


def service(counter: Counter) -> Mock:
    """This installation sends text messages, calls and mails, all by one mock."""
    made = Mock(Settings(secret=Secret("mock")), counter.stage.clock)
    counter.stage.context.notifiers = dict.fromkeys((Form.SMS, Form.CALL, Form.EMAIL), made)
    counter.stage.context.public_url = "https://pay.example"
    return made


def reach(phone: str = PHONE, email: str = "", **more: Any) -> Contact:
    return Contact(phone=phone, email=email, agreed=True, network="10.0.0.1", **more)


def texts(made: Mock, form: Form = Form.SMS) -> list[str]:
    return [box.notice.text for box in made.sent if box.form is form]


async def stages(counter: Counter, order: UUID) -> dict[str, tuple[str, str | None]]:
    rows = await counter.stage.rows(
        "SELECT purpose, form, stage, why FROM counter_messages WHERE order_id = $1"
        " ORDER BY created_at, id", order,
    )  # fmt: skip
    return {f"{row['purpose']} {row['form']}": (row["stage"], row["why"]) for row in rows}


async def swept(counter: Counter) -> None:
    await counter.stage.sweep(*SENDS)


async def row_of(
    counter: Counter, order: UUID, form: str = "sms", purpose: str | None = None
) -> dict[str, Any]:
    """Its newest message of this form."""
    found = await counter.stage.rows(
        "SELECT * FROM counter_messages WHERE order_id = $1 AND form = $2"
        " AND purpose = coalesce($3, purpose) ORDER BY created_at DESC, id DESC",
        order, form, purpose,
    )  # fmt: skip
    return found[0]
