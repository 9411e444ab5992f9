"""The section `yookassa` of the configuration."""

from typing import Literal

import msgspec

from sandbox import accounts, tempo


class Account(accounts.Subscribed, frozen=True, kw_only=True):
    """A shop: `account_id` is the shop's id. Without `events` it is told of everything."""

    secret_key: str
    receipts: bool = False  # whether every payment must bring what its fiscal receipt needs
    receipts_refused: tuple[Literal["payment", "refund", "till"], ...] = ()  # who refuses them
    holds_back: bool = False  # while true, every POST is answered 202: not finished, ask again


class Tempo(tempo.Tempo, frozen=True, kw_only=True):
    """Real values: notifications are repeated for 24 h, at intervals that are not published."""

    time_to_pay_ms: int = 3_600_000  # the real one: 1 h, then it is canceled
    hold_ms: int = 604_800_000  # the real one: 2 h to 7 days
    receipt_ms: int = 300  # until the till has registered a receipt; the real one: not published
    key_life_ms: int = 86_400_000  # the real one: 24 h, then the same key makes a new thing


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    accounts: list[Account] = []
    tempo: Tempo = Tempo()
