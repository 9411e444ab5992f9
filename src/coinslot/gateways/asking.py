"""Turns the reply to an HTTP call into an answer of `base`: for every driver that uses HTTP."""

from collections.abc import Callable
from typing import TypeVar

from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.wire import Call, NoReply, Reply, Wire

T = TypeVar("T")

ABSENT = "absent"  # the code of a refusal that means: no such thing


async def ask(
    wire: Wire,
    call: Call,
    read: Callable[[object], T],
    refused: Callable[[Reply], Declined | Unclear],
) -> T | Declined | Unclear:
    """Send once, and return what came of it."""
    return meant(await wire.send(call), read, refused)


def meant(
    reply: Reply | NoReply,
    read: Callable[[object], T],
    refused: Callable[[Reply], Declined | Unclear],
) -> T | Declined | Unclear:
    """`read` raises ValueError for an answer that it cannot read: that is Unclear."""
    if isinstance(reply, NoReply):
        return Unclear(reply.reason)
    if not 200 <= reply.status < 300:
        return refused(reply)
    try:
        return read(reply.body)
    except ValueError as error:
        return Unclear(f"unreadable answer: {error}")


def known(answer: T | Declined | Unclear) -> T | Absent | Unclear:
    """For queries: only a plain "no such thing" is absence; any other refusal proves nothing."""
    if isinstance(answer, Declined):
        return Absent() if answer.code == ABSENT else Unclear(answer.reason)
    return answer
