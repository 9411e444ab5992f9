"""The section `tbank` of the configuration."""

from typing import Literal

import msgspec

from sandbox import accounts, tempo


class Account(accounts.Account, frozen=True, kw_only=True):
    """A terminal: `account_id` is its TerminalKey."""

    password: str
    sbp: bool = True
    receipts: bool = False  # whether every payment must bring what its fiscal receipt needs
    receipts_refused: tuple[Literal["payment", "refund", "till"], ...] = ()  # who refuses them
    unique_orders: bool = False  # the real ones differ: some refuse an OrderId that was used
    tell_expired: bool = False  # DEADLINE_EXPIRED is told on request alone


class Tempo(tempo.Tempo, frozen=True, kw_only=True):
    """Real values: notifications are repeated hourly for a day, then daily for a month."""

    webhook_life_s: int = 2_592_000
    link_ms: int = 86_400_000  # the real one: 24 h, unless RedirectDueDate says otherwise
    receipt_ms: int = 300  # until the till has registered a receipt; the real one: not published
    sbp_refund_ms: int = 300  # the real one: not published


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    accounts: list[Account] = []
    tempo: Tempo = Tempo()
