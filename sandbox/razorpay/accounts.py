"""Merchants' accounts: keys, webhook, balance. An unset balance is bottomless."""

import base64
import binascii
import secrets
import sqlite3

import msgspec

from sandbox.config import Account
from sandbox.errors import RefusedError, UnknownError
from sandbox.razorpay.refusals import ApiError, unauthorized
from sandbox.store import Change

PARTY = "razorpay"


def save(change: Change, account: Account, *, switch_on: bool) -> None:
    """Add or update; `switch_on` also revives a webhook that was switched off."""
    try:
        change.run(
            "INSERT INTO accounts (party, account_id, key_id, url, balance, body)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (party, account_id) DO UPDATE SET"
            " key_id = excluded.key_id, url = excluded.url, body = excluded.body",
            (
                PARTY,
                account.account_id,
                account.key_id,
                account.webhook_url,
                account.balance,
                msgspec.json.encode(account),
            ),
        )
    except sqlite3.IntegrityError as problem:
        raise RefusedError(f"key {account.key_id} belongs to another account") from problem
    if switch_on:
        change.run(
            "UPDATE accounts SET disabled_at = NULL WHERE party = ? AND account_id = ?",
            (PARTY, account.account_id),
        )


def find(change: Change, account_id: str) -> Account:
    row = change.one(
        "SELECT body FROM accounts WHERE party = ? AND account_id = ?", (PARTY, account_id)
    )
    if row is None:
        raise UnknownError(f"no Razorpay account {account_id}")
    return msgspec.json.decode(row["body"], type=Account)


def everyone(change: Change) -> list[Account]:
    rows = change.all("SELECT body FROM accounts WHERE party = ? ORDER BY rowid", (PARTY,))
    return [msgspec.json.decode(row["body"], type=Account) for row in rows]


def authenticate(change: Change, authorization: str) -> Account:
    """The account of an `Authorization` header; the scheme word must be exactly `Basic`."""
    scheme, _, packed = authorization.partition(" ")
    if scheme != "Basic":
        raise unauthorized()
    try:
        key_id, _, key_secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise unauthorized() from problem
    row = change.one("SELECT body FROM accounts WHERE party = ? AND key_id = ?", (PARTY, key_id))
    if row is None:
        raise unauthorized()
    account = msgspec.json.decode(row["body"], type=Account)
    if not secrets.compare_digest(account.key_secret.encode(), key_secret.encode()):
        raise unauthorized()
    return account


def set_balance(change: Change, account_id: str, amount: int | None) -> None:
    """What refunds are paid from, in minor units; None is bottomless."""
    find(change, account_id)
    change.run(
        "UPDATE accounts SET balance = ? WHERE party = ? AND account_id = ?",
        (amount, PARTY, account_id),
    )


def credit(change: Change, account_id: str, amount: int) -> None:
    change.run(
        "UPDATE accounts SET balance = balance + ? WHERE party = ? AND account_id = ?",
        (amount, PARTY, account_id),
    )


def debit(change: Change, account_id: str, amount: int) -> None:
    """Pay a refund out of the balance, or refuse it."""
    changed = change.run(
        "UPDATE accounts SET balance = balance - ? WHERE party = ? AND account_id = ?"
        " AND (balance IS NULL OR balance >= ?)",
        (amount, PARTY, account_id, amount),
    )
    if changed.rowcount == 0:
        raise ApiError(
            "Your account does not have enough balance to carry out the refund operation. You can"
            " add funds to your account from your Razorpay dashboard or capture new payments."
        )
