"""The section `smtp` of the configuration, and what goes wrong on purpose."""

from typing import Annotated, Literal

import msgspec

Code = Annotated[int, msgspec.Meta(ge=400, le=599)]


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is wrong with the server, until it is set right."""

    refuse: Literal["connection", "greeting", "sender", "data"] | None = None  # with 5xx
    busy: Literal["greeting", "sender", "recipient", "data", "content"] | None = None  # with 4xx
    slow_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0  # before each answer
    slow_content_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0  # kept, answered late
    drop: Literal["before_content", "after_content"] | None = None  # after: the mail is kept
    utf8: bool = True  # whether SMTPUTF8 is offered
    mailboxes: dict[str, Code] = msgspec.field(default_factory=dict)  # refused with this code


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Without a port there is no mail server."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] | None = None
    users: dict[str, str] = msgspec.field(default_factory=dict)  # with any, a mail wants a login
    starttls: bool = False
    largest_bytes: Annotated[int, msgspec.Meta(ge=1_000, le=50_000_000)] = 10_000_000
