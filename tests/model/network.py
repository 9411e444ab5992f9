"""A network that loses, repeats, reorders and delays: whatever was sent may arrive 0 to n times.

So it is a set that only grows, kept as a bit mask: never arriving is loss, arriving in a later
state is delay. One thing shrinks it: a record that is evicted cannot be sent again (see forget).
"""

from typing import NamedTuple


class Message(NamedTuple):
    """One message for all kinds; a kind leaves the fields it does not have at their defaults."""

    kind: str
    seq: int = 0
    boot: int = 0
    journal: int = 0
    word: str = ""  # a REJECT's code, a RESULT's outcome, a STATUS's state
    late: bool = False  # the nonce: a QUERY asked after the lease's end, and its STATUS


_bits: dict[Message, int] = {}
_masks: dict[str, int] = {}
_found: dict[tuple[str, int], tuple[Message, ...]] = {}


def _bit(message: Message) -> int:
    if message not in _bits:
        _bits[message] = 1 << len(_bits)
        _masks[message.kind] = _masks.get(message.kind, 0) | _bits[message]
    return _bits[message]


def sent(net: int, message: Message) -> int:
    """The network after this message was handed to it."""
    return net | _bit(message)


def forget(net: int, message: Message) -> int:
    """The network when the last copy is gone and nobody is left who would send it again."""
    return net & ~_bit(message)


def arriving(net: int, kind: str) -> tuple[Message, ...]:
    """Every message of a kind that may arrive now."""
    some = net & _masks.get(kind, 0)
    if not some:
        return ()
    key = (kind, some)
    if key not in _found:
        _found[key] = tuple(m for m, bit in _bits.items() if m.kind == kind and bit & some)
    return _found[key]
