"""Merchants' accounts at one gateway: what they log in with, their webhook, their balance."""

import base64
import binascii
import sqlite3
from typing import Any, Generic, TypeVar

import msgspec

from sandbox.errors import RefusedError, UnknownError
from sandbox.store import Change


class Account(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What every gateway knows of a merchant. An unset balance is bottomless."""

    account_id: str
    webhook_url: str | None = None
    balance: int | None = None

    @property
    def login(self) -> str:
        """The part of the credentials by which the API finds the account; unique."""
        return self.account_id

    def hears(self, event: str) -> bool:
        """Whether its webhook is told of events of this name."""
        return True


class Subscribed(Account, frozen=True, kw_only=True):
    """An account that may name the events it wants; without `events` it is told of all."""

    events: list[str] | None = None

    def hears(self, event: str) -> bool:
        return self.events is None or event in self.events


A = TypeVar("A", bound=Account)


class Accounts(Generic[A]):
    """All accounts at one gateway, which is the `party`."""

    def __init__(self, party: str, kind: type[A]) -> None:
        self.party = party
        self._kind = kind

    def read(self, said: dict[str, Any]) -> A:
        """An account as a request writes it; msgspec.ValidationError says what is wrong."""
        return msgspec.convert(said, self._kind)

    def save(self, change: Change, account: A, *, switch_on: bool) -> None:
        """Add or update; `switch_on` also revives a webhook that was switched off."""
        try:
            change.run(
                "INSERT INTO accounts (party, account_id, key_id, url, balance, body)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (party, account_id) DO UPDATE SET"
                " key_id = excluded.key_id, url = excluded.url, body = excluded.body",
                (
                    self.party,
                    account.account_id,
                    account.login,
                    account.webhook_url,
                    account.balance,
                    msgspec.json.encode(account),
                ),
            )
        except sqlite3.IntegrityError as problem:
            raise RefusedError(f"key {account.login} belongs to another account") from problem
        if switch_on:
            change.run(
                "UPDATE accounts SET disabled_at = NULL WHERE party = ? AND account_id = ?",
                (self.party, account.account_id),
            )

    def find(self, change: Change, account_id: str) -> A:
        row = change.one(
            "SELECT body FROM accounts WHERE party = ? AND account_id = ?",
            (self.party, account_id),
        )
        if row is None:
            raise UnknownError(f"no {self.party} account {account_id}")
        return msgspec.json.decode(row["body"], type=self._kind)

    def by_login(self, change: Change, login: str) -> A | None:
        row = change.one(
            "SELECT body FROM accounts WHERE party = ? AND key_id = ?", (self.party, login)
        )
        return msgspec.json.decode(row["body"], type=self._kind) if row else None

    def set_balance(self, change: Change, account_id: str, amount: int | None) -> None:
        """What refunds are paid from, in minor units; None is bottomless."""
        self.find(change, account_id)
        change.run(
            "UPDATE accounts SET balance = ? WHERE party = ? AND account_id = ?",
            (amount, self.party, account_id),
        )

    def credit(self, change: Change, account_id: str, amount: int) -> None:
        change.run(
            "UPDATE accounts SET balance = balance + ? WHERE party = ? AND account_id = ?",
            (amount, self.party, account_id),
        )

    def debit(self, change: Change, account_id: str, amount: int) -> bool:
        """Pay out of the balance; False when it does not hold that much."""
        changed = change.run(
            "UPDATE accounts SET balance = balance - ? WHERE party = ? AND account_id = ?"
            " AND (balance IS NULL OR balance >= ?)",
            (amount, self.party, account_id, amount),
        )
        return changed.rowcount > 0


def basic(packed: str) -> tuple[str, str] | None:
    """The user and the password of HTTP Basic; None when it cannot be read."""
    try:
        user, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password
